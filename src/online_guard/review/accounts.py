"""Who may call: people with their roles and last logins, and platforms' keys."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from online_guard.api.callers import NowMs, TheHouse, callers
from online_guard.review.pages import TheShell, page
from online_guard.service.admitting import accounts, platform_keys
from online_guard.terms import Role

router = APIRouter()


@router.get("/console/accounts", openapi_extra=callers(Role.ADMIN))
def accounts_page(house: TheHouse, shell: TheShell, now_ms: NowMs) -> Response:
    """Return people and keys, with what an administrator may end."""
    people, keys = accounts.list_people(house), platform_keys.list_keys(house)
    return page(shell, "accounts.html", people=people, keys=keys, now_ms=now_ms)
