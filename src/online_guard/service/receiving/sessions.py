"""Opening a session, taking its events, closing it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.service.receiving import batches, directives
from online_guard.service.receiving.intake import Batch
from online_guard.service.receiving.reopening import verify_again
from online_guard.store import batch_rows, event_chunks, queries
from online_guard.store.evidence_loader import training_class
from online_guard.store.person_keys import erased
from online_guard.store.tables import EnrolmentRecord, SessionRecord
from online_guard.store.unit_of_work import writing

__all__ = ["Opening", "add_events", "close_session", "open_session", "verify_again"]


@dataclass(frozen=True)
class Opening:
    """What a platform says when it opens a session; `opened_at_ms` is the client's clock."""

    platform_id: str
    session_id: str
    enrolment_id: str
    lesson_no: int
    opened_at_ms: int
    device_id: str
    user_agent: str | None = None
    ip: str | None = None


def open_session(house: House, opening: Opening, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Open a session; return whether it is new, and the answer with the first directives.

    An opening that is tried again is stamped anew as long as no event came: nothing can have played before.

    Raises:
        GuardError: Unknown enrolment or lesson, another platform's class, or the id stands for another session.
    """
    with writing(house.engine) as database:
        _check_parents(database, opening)
        record = _find(database, opening)
        is_new = record is None
        if record is None:
            record = SessionRecord(**vars(opening), opened_received_ms=now_ms)
            database.add(record)
            database.flush()
        elif any(getattr(record, name) != value for name, value in vars(opening).items() if name != "opened_at_ms"):
            raise GuardError(
                ErrorKind.CONFLICT,
                "session.other",
                "该会话标识已用于另一会话 / the id stands for another session",
                where="/session_id",
            )
        seq = event_chunks.next_seq(database, record.row_id)
        if seq == 0:
            record.opened_at_ms, record.opened_received_ms = opening.opened_at_ms, now_ms
        told = directives.due(database, record, house.policy, now_ms)
        batch_rows.touch(database, record.row_id)
        if is_new:
            batch_rows.touch_namesakes(database, record.session_id)
        answer = {
            "session_id": record.session_id,
            "opened_received_ms": record.opened_received_ms,
            "next_seq": seq,
            "directives": told,
        }
    return is_new, answer


def _find(database: Session, opening: Opening) -> SessionRecord | None:
    try:
        return queries.find_session(database, opening.session_id, opening.platform_id)
    except GuardError:
        return None


def _check_parents(database: Session, opening: Opening) -> None:
    enrolment = queries.must_find(database, EnrolmentRecord, opening.enrolment_id, "学员报名 enrolment")
    if enrolment.erased_ms is not None:
        raise erased()
    described = training_class(queries.class_record(database, enrolment.class_id))
    if described.platform_id != opening.platform_id:
        raise queries.not_found("学员报名 enrolment", opening.enrolment_id)
    if opening.lesson_no not in {lesson.lesson_no for lesson in described.lessons}:
        raise queries.not_found("课程 lesson", opening.lesson_no)


def add_events(house: House, session_id: str, platform_id: str | None, body: bytes, now_ms: int) -> dict[str, Any]:
    """Take a batch of events; return what became of each, and the directives due soon.

    Everything is committed before this returns: accepted events, those kept aside, and refused ones with reason.

    Raises:
        GuardError: A body that isn't a batch; or an unknown session, or a batch later than 24 h after the close: then
            every event of it is kept as a dead letter. Or too many batches wait, or the database is unavailable.
    """
    return house.intake.settled(Batch(session_id, platform_id, body, now_ms), partial(batches.settle, house))


def close_session(house: House, session_id: str, platform_id: str | None, now_ms: int) -> dict[str, Any]:
    """Close a session; its verification follows. Closing again changes nothing.

    Raises:
        GuardError: Unknown session.
    """
    with writing(house.engine) as database:
        record = queries.find_session(database, session_id, platform_id)
        if record.closed_received_ms is None:
            record.closed_received_ms = now_ms
            batch_rows.touch(database, record.row_id)
            event_chunks.repack(database, record.row_id)
            verify_again(house, database, record)
    return {"session_id": session_id, "state": "closed"}
