"""Look-ups and changes of who works on which case, and of saved views."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from online_guard.store.assignment_tables import AssignmentRecord, SavedViewRecord
from online_guard.store.decision_tables import CaseRecord


def assignments(database: Session, case_ids: Collection[str], now_ms: int) -> dict[str, AssignmentRecord]:
    """Return who has which of some cases now."""
    query = select(AssignmentRecord).where(AssignmentRecord.case_id.in_(case_ids), AssignmentRecord.until_ms > now_ms)
    return {record.case_id: record for record in database.scalars(query)}


def take(database: Session, case_id: str, reviewer: str, now_ms: int, until_ms: int) -> bool:
    """Give a case to a reviewer; return whether they have it: nobody else has it now.

    One statement, so that of two who ask at once one gets it, whatever database.
    """
    insert = postgresql.insert if database.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"reviewer": reviewer, "taken_ms": now_ms, "until_ms": until_ms}
    free = or_(AssignmentRecord.until_ms <= now_ms, AssignmentRecord.reviewer == reviewer)
    statement = insert(AssignmentRecord).values(case_id=case_id, **values)
    done = database.execute(
        statement.on_conflict_do_update(index_elements=[AssignmentRecord.case_id], set_=values, where=free)
    )
    return bool(getattr(done, "rowcount", 0))


def release(database: Session, case_id: str, reviewer: str) -> None:
    """Give a case of a reviewer back; one that they don't have stays as it is."""
    mine = (AssignmentRecord.case_id == case_id, AssignmentRecord.reviewer == reviewer)
    database.execute(delete(AssignmentRecord).where(*mine))


def taken_by(reviewer: str | None, now_ms: int) -> ColumnElement[bool]:
    """Return the condition that a reviewer has a case now; None: that somebody has it."""
    held = exists().where(AssignmentRecord.case_id == CaseRecord.case_id, AssignmentRecord.until_ms > now_ms)
    return held if reviewer is None else held.where(AssignmentRecord.reviewer == reviewer)


def not_others(reviewer: str, now_ms: int) -> ColumnElement[bool]:
    """Return the condition that nobody but a reviewer has a case now."""
    held = exists().where(AssignmentRecord.case_id == CaseRecord.case_id, AssignmentRecord.until_ms > now_ms)
    return ~held.where(AssignmentRecord.reviewer != reviewer)


def saved_views(database: Session, person: str) -> list[SavedViewRecord]:
    """Return a person's views of the queue, by name."""
    query = select(SavedViewRecord).where(SavedViewRecord.person == person)
    return list(database.scalars(query.order_by(SavedViewRecord.name)))


def forget_view(database: Session, person: str, name: str) -> None:
    """Forget a view of a person; one that isn't there is forgotten already."""
    database.execute(delete(SavedViewRecord).where(SavedViewRecord.person == person, SavedViewRecord.name == name))
