"""The rules, as their own manual tells them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from online_guard.api.callers import PEOPLE, TheHouse, callers
from online_guard.errors import ErrorKind, GuardError
from online_guard.review.pages import TheShell, page
from online_guard.rules.catalogue import BY_ID, RULES
from online_guard.rules.manual import as_json

router = APIRouter()


@router.get("/console/rules", openapi_extra=callers(*PEOPLE))
def rules_page(house: TheHouse, shell: TheShell) -> Response:
    """Return all rules with their clause and effect."""
    return page(shell, "rules.html", rules=RULES, policy=house.policy)


@router.get("/console/rules/{rule}", openapi_extra=callers(*PEOPLE))
def rule_page(house: TheHouse, shell: TheShell, rule: Annotated[str, Path(max_length=16)]) -> Response:
    """Return the page of a rule, with the thresholds of the law in force."""
    if rule not in BY_ID:
        raise GuardError(ErrorKind.NOT_FOUND, "not_found", "找不到该规则 / no such rule", where=rule)
    return page(shell, "rule.html", rule=as_json(BY_ID[rule], house.policy))
