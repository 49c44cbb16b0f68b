"""The work that waits: jobs with what failed, imports and dry runs with how far they are."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from online_guard.api.callers import NowMs, TheHouse, callers
from online_guard.review.pages import TheShell, page
from online_guard.service.importing import imports
from online_guard.service.operating import work
from online_guard.service.reviewing import dry_runs
from online_guard.terms import Role

router = APIRouter()


@router.get("/console/work", openapi_extra=callers(Role.ADMIN))
def work_page(house: TheHouse, shell: TheShell, now_ms: NowMs) -> Response:
    """Return the jobs that aren't done, those that a person must look after first, the imports and the dry runs."""
    found = work.list_jobs(house)
    order = ("parked", "held", "waiting")
    return page(
        shell,
        "work.html",
        counts=work.count_jobs(house, now_ms),
        jobs=sorted(found, key=lambda job: order.index(job["state"])),
        most=work.MOST_LISTED,
        imports=imports.listed(house, None, None)["imports"],
        runs=dry_runs.listed(house),
        now_ms=now_ms,
    )
