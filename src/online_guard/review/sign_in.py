"""Signing in and arriving. The page sends what is typed to `POST /v1/login`: there is one way in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from online_guard.api.callers import ANYONE, PEOPLE, TheHouse, callers
from online_guard.review.doors import SEE_OTHER
from online_guard.review.pages import ROOT, TheShell, page

router = APIRouter()
Next = Annotated[str, Query(alias="next", max_length=2_000)]


def _own(path: str) -> str:
    """Return where to go next: a page of this service, whatever an address says."""
    return path if path == ROOT or path.startswith(f"{ROOT}/") else ROOT


@router.get("/", openapi_extra=callers(ANYONE))
def front() -> Response:
    """Send people to their pages."""
    return RedirectResponse(ROOT, SEE_OTHER)


@router.get("/console", openapi_extra=callers(*PEOPLE))
def console() -> Response:
    """Send people to the queue."""
    return RedirectResponse(f"{ROOT}/cases", SEE_OTHER)


@router.get("/console/sign-in", openapi_extra=callers(ANYONE))
def sign_in(house: TheHouse, shell: TheShell, then: Next = ROOT) -> Response:
    """Ask for name, password and one-time code, or offer the OpenID provider where one is configured."""
    return page(shell, "sign_in.html", next=_own(then), has_provider=house.settings.oidc_issuer is not None)


@router.get("/console/signed-in", openapi_extra=callers(ANYONE))
def signed_in(shell: TheShell) -> Response:
    """Go on from the provider's page: a strict cookie comes along only with a request that a page of ours makes."""
    return page(shell, "signed_in.html")
