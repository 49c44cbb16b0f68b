"""How a settled batch is compared with what is stored, and kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.ingest.identity import event_values
from online_guard.ingest.live import EventResult, Status, StoredEvent, content_digest
from online_guard.ingest.rows import INT32
from online_guard.store import event_chunks, logged_batches, queries, sealed_log
from online_guard.store.tables import ConflictRecord, DeadLetterRecord, SessionRecord
from online_guard.terms import EventType


def stored(database: Session, record: SessionRecord, raws: Sequence[bytes]) -> dict[int, StoredEvent]:
    """Return the stored events of a session under the numbers that a batch uses."""
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


def keep(
    database: Session, record: SessionRecord, results: Sequence[EventResult], now_ms: int, *, leaves_letters: bool
) -> None:
    """Keep what became of a batch: events that count, those kept aside, and dead letters of refused ones."""
    counting: dict[int, dict[str, Any]] = {}
    displaced = set()
    first: list[dict[str, Any]] = []
    later: list[dict[str, Any]] = []
    for result in results:
        if result.status is Status.REFUSED:
            if leaves_letters:
                database.add(_letter(record, result, now_ms))
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


def _letter(record: SessionRecord, result: EventResult, now_ms: int) -> DeadLetterRecord:
    return DeadLetterRecord(
        session_row=record.row_id, kind="event", received_ms=now_ms, reason=result.reason, content=result.raw
    )


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
