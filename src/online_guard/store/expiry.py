"""Rows whose personal content is older than policy allows, and how it is emptied; the rows themselves stay."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from online_guard.evidence import CHINA_OFFSET_MS
from online_guard.store.capture_rows import KEPT, forget_captures
from online_guard.store.letter_tables import NOTHING_TOLD, LetterStepRecord
from online_guard.store.tables import (
    CaptureRecord,
    ClassRecord,
    DeadLetterRecord,
    EnrolmentRecord,
    SessionRecord,
)


def ended_before(database: Session, moment_ms: int) -> set[str]:
    """Return the enrolments of classes whose last day in China was over before a moment."""
    ended = {
        class_id
        for class_id, body in database.execute(select(ClassRecord.class_id, ClassRecord.body))
        if _midnight_after_ms(json.loads(body)["ends_on"]) <= moment_ms
    }
    rows = database.execute(select(EnrolmentRecord.enrolment_id, EnrolmentRecord.class_id))
    return {row.enrolment_id for row in rows if row.class_id in ended}


def _midnight_after_ms(day: str) -> int:
    after = date.fromisoformat(day) + timedelta(days=1)
    return int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp()) * 1000 - CHINA_OFFSET_MS


def old_captures(database: Session, before_ms: int, ended: Collection[str], held: Collection[str]) -> list[int]:
    """Return the captures of sessions opened before a moment, and the references of ended enrolments."""
    query = select(CaptureRecord.row_id, CaptureRecord.enrolment_id, SessionRecord.opened_received_ms)
    query = query.outerjoin(SessionRecord, SessionRecord.row_id == CaptureRecord.session_row).where(*KEPT)
    return [
        row.row_id
        for row in database.execute(query)
        if row.enrolment_id not in held
        and (row.enrolment_id in ended if row.opened_received_ms is None else row.opened_received_ms < before_ms)
    ]


def with_reference_vector(database: Session, ended: Collection[str]) -> list[str]:
    """Return those of some enrolments that have a reference photo's vector."""
    query = select(EnrolmentRecord.enrolment_id).where(EnrolmentRecord.reference_vector.is_not(None))
    return [enrolment_id for enrolment_id in database.scalars(query) if enrolment_id in ended]


def old_sessions(database: Session, before_ms: int, held: Collection[str]) -> list[int]:
    """Return the sessions opened before a moment that still say where they came from."""
    query = select(SessionRecord.row_id, SessionRecord.enrolment_id).where(
        SessionRecord.opened_received_ms < before_ms,
        or_(SessionRecord.ip.is_not(None), SessionRecord.user_agent.is_not(None)),
    )
    return [row.row_id for row in database.execute(query) if row.enrolment_id not in held]


def old_dead_letters(database: Session, before_ms: int, held: Collection[str]) -> list[int]:
    """Return the dead letters received before a moment that still say something."""
    query = select(DeadLetterRecord.row_id, SessionRecord.enrolment_id)
    query = query.outerjoin(SessionRecord, SessionRecord.row_id == DeadLetterRecord.session_row)
    query = query.where(DeadLetterRecord.received_ms < before_ms, DeadLetterRecord.content != "")
    return [row.row_id for row in database.execute(query) if row.enrolment_id not in held]


def forget_captures_now(database: Session, rows: Sequence[int], now_ms: int) -> None:
    """Drop pictures and vectors of captures."""
    forget_captures(database, rows, now_ms)


def forget_reference_vectors(database: Session, rows: Sequence[str], _now_ms: int) -> None:
    """Drop the vectors of enrolments' reference photos."""
    database.execute(
        update(EnrolmentRecord).where(EnrolmentRecord.enrolment_id.in_(rows)).values(reference_vector=None)
    )


def forget_senders(database: Session, rows: Sequence[int], _now_ms: int) -> None:
    """Drop the addresses and browsers of sessions."""
    database.execute(update(SessionRecord).where(SessionRecord.row_id.in_(rows)).values(ip=None, user_agent=None))


def forget_letters(database: Session, rows: Sequence[int], _now_ms: int) -> None:
    """Drop what dead letters and their histories say; that there were some stays."""
    database.execute(update(LetterStepRecord).where(LetterStepRecord.letter_row.in_(rows)).values(told=NOTHING_TOLD))
    database.execute(update(DeadLetterRecord).where(DeadLetterRecord.row_id.in_(rows)).values(reason="", content=""))
