"""Routes of dry runs: what a changed threshold would change."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import StringConstraints

from online_guard.api.bodies import Body, Id
from online_guard.api.callers import PEOPLE, NowMs, TheCaller, TheHouse, callers
from online_guard.service.reviewing import dry_runs
from online_guard.service.reviewing.dry_runs import Wish
from online_guard.terms import Role

router = APIRouter(prefix="/dry-runs", tags=["运行 operations"])
WHO_TRY = (Role.ADMIN, Role.ASSESSOR, Role.AUDITOR, Role.SECOND_AUDITOR)
LATER = 202


class DryRunBody(Body):
    """A value that is to be tried."""

    key: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


@router.post("", summary="试算:改一项取值 / try a changed value", status_code=LATER, openapi_extra=callers(*WHO_TRY))
def ask(house: TheHouse, response: Response, body: DryRunBody, caller: TheCaller, now_ms: NowMs) -> dict[str, Any]:
    """Have a worker judge the last 30 days of study again with another value of the policy; no verdict changes."""
    told = dry_runs.ask(house, Wish(body.key, body.value, caller.name, now_ms))
    response.headers["Location"] = f"/v1/dry-runs/{told['dry_run_id']}"
    return told


@router.get("", summary="试算一览 / dry runs", openapi_extra=callers(*PEOPLE))
def all_dry_runs(house: TheHouse) -> dict[str, Any]:
    """Return the newest 50 dry runs, without their results."""
    return {"dry_runs": dry_runs.listed(house)}


@router.get("/{dry_run_id}", summary="试算结果 / a dry run", openapi_extra=callers(*PEOPLE))
def one_dry_run(house: TheHouse, dry_run_id: Annotated[Id, Path(description="试算 dry run")]) -> dict[str, Any]:
    """Return how far a dry run is; then which sessions, lessons and learners would change, and by which rules."""
    return dry_runs.told(house, dry_run_id)
