"""The queue: filters that live in the address, views that people keep, and several cases decided together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from online_guard.api.bodies import Id
from online_guard.api.callers import PEOPLE, NowMs, TheHouse, callers
from online_guard.api.cases import AUDITORS
from online_guard.review.pages import ROOT, Shell, TheShell, page
from online_guard.review.reasons import REASONS
from online_guard.rules.catalogue import RULES
from online_guard.service.reviewing import case_file, case_queue, saved_views
from online_guard.store.review_rows import Taken, Wanted
from online_guard.terms import CaseState, Effect, Subject, Verdict

router = APIRouter()
PAGE = 50
MOST_TOGETHER = 200


class Whose(StrEnum):
    """By whom cases are taken."""

    MINE = "mine"
    NOBODYS = "nobody"


@dataclass(frozen=True)
class Filters:
    """What an address asks the queue for; empty means any."""

    state: tuple[CaseState, ...] = ()
    rule: str = ""
    platform_id: str = ""
    class_id: str = ""
    verdict: str = ""
    subject: str = ""
    whose: str = ""

    def wanted(self, shell: Shell, now_ms: int) -> Wanted:
        """Return which cases are meant, the most urgent first."""
        taken = None
        if self.whose and shell.caller is not None:
            taken = Taken(now_ms, shell.caller.name if self.whose == Whose.MINE else None)
        names = ("platform_id", "class_id", "rule", "verdict", "subject")
        named = {name: getattr(self, name) or None for name in names}
        return Wanted(tuple(map(str, self.state)), taken=taken, urgent=True, **named)

    def query(self, **more: str) -> str:
        """Return them as the query of an address, in one order, with what else it shall say."""
        named = {name: getattr(self, name) for name in Filters.__dataclass_fields__ if name != "state"} | more
        pairs = [("state", str(state)) for state in self.state] + list(named.items())
        return urlencode([pair for pair in pairs if pair[1]])


Empty = Annotated[str, Query(pattern="^$")]


async def _filters(
    state: Annotated[list[CaseState | Empty], Query()] = [],  # noqa: B006 - FastAPI copies it
    rule: Id | Empty = "",
    platform_id: Id | Empty = "",
    class_id: Id | Empty = "",
    verdict: Verdict | Empty = "",
    subject: Subject | Empty = "",
    whose: Whose | Empty = "",
) -> Filters:
    states = tuple(CaseState(one) for one in state if one)
    return Filters(states, rule, platform_id, class_id, str(verdict), str(subject), str(whose))


TheFilters = Annotated[Filters, Depends(_filters)]


@router.get("/console/cases", openapi_extra=callers(*PEOPLE))
def queue_page(
    house: TheHouse,
    shell: TheShell,
    filters: TheFilters,
    now_ms: NowMs,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Return a page of the queue, the most urgent cases first."""
    told = case_queue.queue(house, filters.wanted(shell, now_ms), cursor, PAGE)
    views = saved_views.views_of(house, shell.caller.name) if shell.caller else []
    further = filters.query(cursor=told["next"]) if told["next"] else ""
    values: dict[str, Any] = {"filters": filters, "views": views, "further": further, "now_ms": now_ms}
    return page(shell, "queue.html", cases=told["cases"], rules=RULES, is_first=cursor is None, **values)


@router.get("/console/together", openapi_extra=callers(*AUDITORS))
def together_page(
    house: TheHouse,
    shell: TheShell,
    case: Annotated[list[Id], Query(max_length=MOST_TOGETHER)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Return a preview of one decision on several cases: every finding of theirs that this person may decide."""
    reviewer = shell.caller.name if shell.caller else ""
    told = [case_file.case_file(house, case_id, reviewer) for case_id in dict.fromkeys(case)]
    found = [(one, finding) for one in told for finding in one["findings"] if finding["mine"]][:MOST_TOGETHER]
    others = sum(finding["effect"] != Effect.NOTE for one in told for finding in one["findings"]) - len(found)
    return page(shell, "together.html", found=found, others=others, reasons=REASONS, back=f"{ROOT}/cases")
