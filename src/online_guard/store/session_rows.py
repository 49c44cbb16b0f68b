"""Look-ups of sessions, and of their snapshots and liveness checks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from online_guard.store.tables import CheckRecord, EnrolmentRecord, SessionRecord, SnapshotRecord


def lessons_of_sessions(database: Session, class_id: str) -> dict[str, int]:
    """Return the lesson of each session of a class, by `platform_id/session_id`."""
    columns = (SessionRecord.platform_id, SessionRecord.session_id, SessionRecord.lesson_no)
    query = select(*columns).join(EnrolmentRecord).where(EnrolmentRecord.class_id == class_id)
    return {f"{platform_id}/{name}": lesson_no for platform_id, name, lesson_no in database.execute(query)}


def sessions_of(database: Session, enrolment_id: str, lesson_no: int | None) -> list[SessionRecord]:
    """Return the sessions of an enrolment, or of one of its lessons, in order of opening."""
    query = select(SessionRecord).where(SessionRecord.enrolment_id == enrolment_id)
    if lesson_no is not None:
        query = query.where(SessionRecord.lesson_no == lesson_no)
    return list(database.scalars(query.order_by(SessionRecord.opened_received_ms, SessionRecord.row_id)))


def sessions_of_learner(database: Session, learner_id: str, most: int) -> list[SessionRecord]:
    """Return the newest sessions of a learner, in all classes and on all platforms, in order of opening."""
    query = select(SessionRecord).join(EnrolmentRecord).where(EnrolmentRecord.learner_id == learner_id)
    newest = database.scalars(query.order_by(SessionRecord.opened_received_ms.desc()).limit(most))
    return list(newest)[::-1]


def of_session(database: Session, table: type[SnapshotRecord | CheckRecord], session_row: int) -> list[Any]:
    """Return a session's snapshots or liveness checks, in order of time."""
    query = select(table).where(table.session_row == session_row)
    return list(database.scalars(query.order_by(table.at_ms)))
