"""How a draft of a window's roster stands: what it is made from, how far it is, and what it would change."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from online_guard.assessment.roster import Candidate, Plan, Roster, changes
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.store import result_rows, roster_rows
from online_guard.store.roster_rows import BLOCKED, FAILED, PLANNING
from online_guard.store.roster_tables import DraftRecord
from online_guard.store.unit_of_work import reading

PARKED = {
    "code": "plan.parked",
    "detail": "多次编排失败,等待运维人员处理 / planning failed again and again; an operator has to look",
}
CANDIDATES = TypeAdapter(tuple[Candidate, ...])


def told(house: House, window: str, plan_id: str) -> dict[str, Any]:
    """Return a draft: its state, how far it is, the plan and what it would change, or what blocks.

    Raises:
        GuardError: No such plan.
    """
    with reading(house.engine) as database:
        return told_draft(database, roster_rows.find_draft(database, window, plan_id))


def candidates_in(record: DraftRecord) -> tuple[Candidate, ...]:
    """Return for whom a draft is made."""
    return CANDIDATES.validate_json(record.candidates)


def refuse_closed(database: Session, window: str) -> None:
    """Refuse to plan or publish for a window whose assessment was held.

    Raises:
        GuardError: It has results.
    """
    if result_rows.has_results(database, window):
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.closed",
            f"{window} 批次已录入考核结果,名单不再更改 / the window has results: its roster is changed no more",
        )


def roster_before(database: Session, record: DraftRecord) -> Roster | None:
    """Return the published version of which a draft is to change little."""
    if record.before_version is None:
        return None
    return roster_rows.roster_of(roster_rows.find_roster(database, record.window, record.before_version))


def told_draft(database: Session, record: DraftRecord) -> dict[str, Any]:
    """Return what is told of a draft."""
    names = ("plan_id", "window", "state", "seed", "asked_ms", "asked_by", "finished_ms", "venues_version")
    made = None if record.plan is None else Plan.model_validate_json(record.plan)
    before = roster_before(database, record)
    said = None if record.told is None else json.loads(record.told)
    parked = record.state == PLANNING and roster_rows.is_parked(database, record.plan_id)
    candidates = candidates_in(record)
    answer: dict[str, Any] = {name: getattr(record, name) for name in names}
    return answer | {
        "progress": None if record.progress is None else json.loads(record.progress),
        "problem": said if record.state == FAILED else PARKED if parked else None,
        "blocked": said if record.state == BLOCKED else None,
        "candidates": len(candidates),
        "unconfirmed": {one.enrolment_id: one.unconfirmed for one in candidates if one.unconfirmed},
        "pending": json.loads(record.pending),
        "plan": None if made is None else made.model_dump(mode="json"),
        "difference": {
            "version": record.before_version,
            "changes": [] if made is None or before is None else _changes(before.plan, made),
        },
    }


def _changes(before: Plan, after: Plan) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in changes(before, after)]
