"""Opening a session, taking its events, closing it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.identity import event_values
from online_guard.ingest.live import (
    DAY_MS,
    EventResult,
    Status,
    StoredEvent,
    content_digest,
    settle_batch,
    split_batch,
)
from online_guard.ingest.rows import INT32
from online_guard.service import directives
from online_guard.service.house import House, clock_ms
from online_guard.store import event_chunks, logged_batches, queries, sealed_log
from online_guard.store.evidence_loader import training_class
from online_guard.store.tables import (
    ConflictRecord,
    DeadLetterRecord,
    EnrolmentRecord,
    SessionRecord,
)
from online_guard.store.unit_of_work import writing
from online_guard.terms import EventType


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
            every event of it is kept as a dead letter.
    """
    raws = split_batch(body)
    try:
        return _add_events(house, session_id, platform_id, raws, now_ms)
    except GuardError as refusal:
        with writing(house.engine) as database:
            database.add_all(_refused_batch(database, session_id, platform_id, raws, refusal, now_ms))
        raise


def _refused_batch(
    database: Session, session_id: str, platform_id: str | None, raws: Sequence[bytes], refusal: GuardError, now_ms: int
) -> list[DeadLetterRecord]:
    """Return the dead letters of a batch that was refused whole; without a session they say which one was meant."""
    try:
        session_row = queries.find_session(database, session_id, platform_id).row_id
    except GuardError:
        session_row = None
    addressee = {"platform_id": platform_id, "session_id": session_id}
    letters = []
    for raw in raws:
        text = raw.decode("utf-8", "replace")
        content = text if session_row is not None else json.dumps(addressee | {"event": text}, ensure_ascii=False)
        letters.append(
            DeadLetterRecord(
                session_row=session_row, kind="event", received_ms=now_ms, reason=refusal.message, content=content
            )
        )
    return letters


def _add_events(
    house: House, session_id: str, platform_id: str | None, raws: Sequence[bytes], now_ms: int
) -> dict[str, Any]:
    with writing(house.engine) as database:
        record = queries.find_session(database, session_id, platform_id)
        _refuse_late(record, now_ms)
        results = settle_batch(
            raws,
            _stored(database, record, raws),
            duration_s=_duration_s(database, record),
            now_ms=now_ms,
        )
        _keep(database, record, results, now_ms)
        if record.closed_received_ms is not None:
            verify_again(house, database, record)
        return {
            "received_ms": now_ms,
            "results": [_told(result) for result in results],
            "counts": dict(Counter(str(result.status) for result in results)),
            "next_seq": event_chunks.next_seq(database, record.row_id),
            "directives": directives.due(database, record, house.policy, now_ms),
        }


def _refuse_late(record: SessionRecord, now_ms: int) -> None:
    if record.closed_received_ms is not None and now_ms - record.closed_received_ms > DAY_MS:
        raise GuardError(
            ErrorKind.CONFLICT,
            "session.closed",
            "会话关闭已超过 24 小时,不再接收 / the session was closed more than 24 h ago",
            remedy="请由审核人员处理 / ask an auditor.",
        )


def _duration_s(database: Session, record: SessionRecord) -> float:
    enrolment = database.get_one(EnrolmentRecord, record.enrolment_id)
    described = training_class(queries.class_record(database, enrolment.class_id))
    return next(lesson.duration_s for lesson in described.lessons if lesson.lesson_no == record.lesson_no)


def _stored(database: Session, record: SessionRecord, raws: Sequence[bytes]) -> dict[int, StoredEvent]:
    numbers = []
    for raw in raws:
        try:
            seq = json.loads(raw)["seq"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(seq, int):
            numbers.append(seq)
    numbers = [seq for seq in numbers if 0 <= seq <= INT32]
    if not numbers:
        return {}
    events = event_chunks.between(database, record.row_id, min(numbers), max(numbers))
    wanted = np.flatnonzero(np.isin(events.seq, numbers)).tolist()
    stored = (event_values(events, row) for row in wanted)
    return {values["seq"]: StoredEvent(values, values.pop("received_ms")) for values in stored}


def _keep(database: Session, record: SessionRecord, results: Sequence[EventResult], now_ms: int) -> None:
    counting: dict[int, dict[str, Any]] = {}
    displaced = set()
    first: list[dict[str, Any]] = []
    later: list[dict[str, Any]] = []
    for result in results:
        if result.status is Status.REFUSED:
            database.add(
                DeadLetterRecord(
                    session_row=record.row_id,
                    kind="event",
                    received_ms=now_ms,
                    reason=result.reason,
                    content=result.raw,
                )
            )
            continue
        content = dict(result.content or {})
        values = content | {"type": EventType(content["type"]).code, "received_ms": now_ms}
        if result.status is Status.CONFLICT:
            if _keep_aside(database, record, content, now_ms):
                later.append(values)
        elif result.status is Status.ACCEPTED:
            if result.displaced is not None:
                _keep_aside(database, record, dict(result.displaced.content), result.displaced.received_ms)
                if content["seq"] not in counting:
                    displaced.add(content["seq"])
            (first if result.displaced is None else later).append(values)
            counting[content["seq"]] = values
    if displaced:
        event_chunks.repack(database, record.row_id, displaced)
    event_chunks.put_rows(database, record.row_id, [counting[seq] for seq in sorted(counting)])
    sealed_log.append_all(database, logged_batches.entries(record, first, later))


def _keep_aside(database: Session, record: SessionRecord, content: dict[str, Any], received_ms: int) -> bool:
    """Keep an event that doesn't count; return whether it is new."""
    digest = content_digest(content)
    if queries.conflict_known(database, record.row_id, content["seq"], digest):
        return False
    stored = content | {"type": EventType(content["type"]).code, "received_ms": received_ms}
    database.add(
        ConflictRecord(
            session_row=record.row_id,
            seq=content["seq"],
            digest=digest,
            received_ms=received_ms,
            content=json.dumps(stored, sort_keys=True),
        )
    )
    database.flush()
    return True


def _told(result: EventResult) -> dict[str, Any]:
    told: dict[str, Any] = {"index": result.index, "seq": result.seq, "status": str(result.status)}
    return told | ({"reason": result.reason} if result.reason else {})


def close_session(house: House, session_id: str, platform_id: str | None, now_ms: int) -> dict[str, Any]:
    """Close a session; its verification follows. Closing again changes nothing.

    Raises:
        GuardError: Unknown session.
    """
    with writing(house.engine) as database:
        record = queries.find_session(database, session_id, platform_id)
        if record.closed_received_ms is None:
            record.closed_received_ms = now_ms
            verify_again(house, database, record)
    return {"session_id": session_id, "state": "closed"}


def verify_again(house: House, database: Session, record: SessionRecord) -> None:
    """Ask for the verification of every class that a session touches: it may add a finding to another session."""
    record.timeline = queries.timeline(database, record)
    database.flush()
    queries.enqueue(database, queries.classes_touched(database, record, house.policy.device.max_learners), clock_ms())
    house.work.set()
