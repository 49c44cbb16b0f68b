"""Who works on which case: taken by one reviewer at a time, given back, and `next_case` for whoever asks for work.

An assignment shares the work out; it decides nothing: a decision is guarded by the case's version and the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy
from online_guard.service.house import House
from online_guard.service.reviewing import cases
from online_guard.service.reviewing.cases import History
from online_guard.store import assignment_rows, review_rows
from online_guard.store.decision_tables import AppealRecord, DecisionRecord
from online_guard.store.review_rows import Taken, Wanted
from online_guard.store.tables import FindingRecord
from online_guard.store.unit_of_work import reading, writing

LASTS_MS = 30 * 60_000
"""How long a case stays with whoever took it, as long as a login lasts without use: then others are offered it."""
AT_ONCE = 50
"""Cases that are looked at together when one is sought that a reviewer may decide."""


def take(house: House, case_id: str, reviewer: str, now_ms: int) -> dict[str, Any]:
    """Give a case to a reviewer, for half an hour; taken again, it lasts longer.

    Raises:
        GuardError: No such case, or somebody else has it.
    """
    with writing(house.engine) as database:
        case = cases.must_find(database, case_id)
        if not assignment_rows.take(database, case_id, reviewer, now_ms, now_ms + LASTS_MS):
            (other,) = assignment_rows.assignments(database, [case_id], now_ms).values()
            raise GuardError(
                ErrorKind.CONFLICT,
                "case.taken",
                f"案件已由 {other.reviewer} 领取 / {other.reviewer} has taken this case",
                where="/case_id",
                remedy="请领取其他案件 / take another one.",
            )
        return cases.told_case(case) | {"taken_by": reviewer, "taken_until_ms": now_ms + LASTS_MS}


def release(house: House, case_id: str, reviewer: str) -> dict[str, Any]:
    """Give a case back; one that the reviewer doesn't have stays as it is.

    Raises:
        GuardError: No such case.
    """
    with writing(house.engine) as database:
        case = cases.must_find(database, case_id)
        assignment_rows.release(database, case_id, reviewer)
        return cases.told_case(case) | {"taken_by": None, "taken_until_ms": None}


def next_case(
    house: House, wanted: Wanted, reviewer: str, now_ms: int, but: Collection[str] = (), *, takes: bool = True
) -> dict[str, Any]:
    """Give a reviewer the most urgent case that nobody else has and in which they may decide something.

    Args:
        house: The service.
        wanted: Among which cases.
        reviewer: Who asks.
        now_ms: Service clock.
        but: Cases that aren't meant: those that they have seen.
        takes: Whether they take it; else it is only told which one that would be now.

    Returns:
        `case` as `take` answers, None where nothing is left for this reviewer.
    """
    with writing(house.engine) if takes else reading(house.engine) as database:
        for case_id in _for(database, house.policy, wanted, reviewer, now_ms):
            if case_id in but:
                continue
            told = cases.told_case(cases.must_find(database, case_id))
            if not takes:
                return {"case": told | {"taken_by": None}}
            if assignment_rows.take(database, case_id, reviewer, now_ms, now_ms + LASTS_MS):
                return {"case": told | {"taken_by": reviewer, "taken_until_ms": now_ms + LASTS_MS}}
    return {"case": None}


def _for(database: Session, policy: Policy, wanted: Wanted, reviewer: str, now_ms: int) -> Iterator[str]:
    """Yield the cases, the most urgent first, that nobody else has and in which a reviewer may decide something."""
    free = replace(wanted, urgent=True, taken=Taken(now_ms, reviewer, or_nobody=True))
    after = None
    while True:
        found = review_rows.queue(database, free, after, AT_ONCE)
        mine = _open_to(database, policy, [case.case_id for case in found], reviewer)
        yield from (case.case_id for case in found if case.case_id in mine)
        if len(found) < AT_ONCE:
            return
        after = (found[-1].priority, found[-1].urgent_ms, found[-1].case_id)


def _open_to(database: Session, policy: Policy, case_ids: list[str], reviewer: str) -> set[str]:
    """Return those of some cases in which a reviewer may decide something."""
    history = History(
        review_rows.decisions_where(database, DecisionRecord.case_id.in_(case_ids)),
        review_rows.appeals_where(database, AppealRecord.case_id.in_(case_ids)),
    )
    found = review_rows.findings_where(database, FindingRecord.case_id.in_(case_ids))
    return {finding.case_id for finding in found if history.may_decide(finding, policy, reviewer)}


def let_go(database: Session, policy: Policy, case_id: str, reviewer: str) -> None:
    """Give a case back in which a reviewer has nothing left to decide, so that the next person is offered it."""
    if case_id not in _open_to(database, policy, [case_id], reviewer):
        assignment_rows.release(database, case_id, reviewer)
