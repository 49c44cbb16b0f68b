"""Dead letters: what was refused is listed, repaired and replayed, and each step is kept."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.service.receiving import batches
from online_guard.service.receiving.intake import Batch
from online_guard.store import letter_rows, queries
from online_guard.store.letter_rows import Letter, Which
from online_guard.store.letter_tables import LetterStepRecord
from online_guard.store.unit_of_work import reading, writing

WAITING, REPLAYED = "waiting", "replayed"
EVENT = "event"
MOST = 500
"""Letters in one answer."""
WHAT = "死信 dead letter"
_NUMBER = re.compile("[1-9][0-9]{0,17}")


def letters(house: House, which: Which, reason: str | None, after: int, most: int) -> dict[str, Any]:
    """Return dead letters, oldest first, and the cursor for the next ones.

    Args:
        house: The service.
        which: Of which platform, session, kind and state.
        reason: Only those whose reason contains this.
        after: The cursor; 0 for the first.
        most: How many, at most `MOST`.
    """
    most = min(most, MOST)
    found: list[dict[str, Any]] = []
    with reading(house.engine) as database:
        while len(found) < most:
            page = letter_rows.letters(database, which, after, MOST)
            for one in page:
                after = one.record.row_id
                if reason is None or reason in one.record.reason:
                    found.append(_told(one))
                if len(found) == most:
                    break
            if len(page) < MOST and (not page or after == page[-1].record.row_id):
                return {"dead_letters": found, "next_cursor": None}
    return {"dead_letters": found, "next_cursor": str(after)}


def letter(house: House, letter_id: str, platform_id: str | None) -> dict[str, Any]:
    """Return a dead letter and its history.

    Raises:
        GuardError: There is none, or it is another platform's.
    """
    with reading(house.engine) as database:
        found = _find(database, letter_id, platform_id)
        return _told(found) | {"history": [_step(step) for step in letter_rows.steps(database, found.record.row_id)]}


def _find(database: Session, letter_id: str, platform_id: str | None = None) -> Letter:
    found = letter_rows.letter(database, int(letter_id), platform_id) if _NUMBER.fullmatch(letter_id) else None
    if found is None:
        raise queries.not_found(WHAT, letter_id)
    return found


def _told(letter: Letter) -> dict[str, Any]:
    record = letter.record
    return {
        "letter_id": record.row_id,
        "kind": record.kind,
        "platform_id": letter.platform_id,
        "session_id": letter.session_id,
        "received_ms": record.received_ms,
        "reason": record.reason,
        "content": record.content,
        "state": record.state,
    }


def _step(step: LetterStepRecord) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(step.told)
    return {"at_ms": step.at_ms, "by": step.by, "action": step.action} | told


def repair(house: House, letter_id: str, content: bytes, by: str, now_ms: int) -> dict[str, Any]:
    """Put another content in the place of a dead letter's; the one before stays in its history.

    Args:
        house: The service.
        letter_id: Of the letter.
        content: JSON of the event as it should have come.
        by: Who repairs it.
        now_ms: The service's clock.

    Raises:
        GuardError: There is no such letter, it isn't an event, was replayed already, or the content isn't JSON.
    """
    text = _json_object(content)
    with writing(house.engine) as database:
        found = _find(database, letter_id)
        _refuse_unfit(found)
        _add_step(database, found.record.row_id, "repaired", {"content_before": found.record.content}, by, now_ms)
        found.record.content = text
    return letter(house, letter_id, None)


def _json_object(content: bytes) -> str:
    try:
        if not isinstance(json.loads(content), dict):
            raise ValueError("no object")
        return content.decode()
    except (ValueError, RecursionError) as error:
        raise GuardError(
            ErrorKind.INVALID, "dead_letter.no_event", "不是 JSON 对象 / not a JSON object", where="/"
        ) from error


def _refuse_unfit(letter: Letter) -> None:
    if letter.record.kind != EVENT:
        raise GuardError(
            ErrorKind.CONFLICT,
            "dead_letter.not_an_event",
            "照片与视频未保留,须由平台重新发送 / pictures and clips aren't kept: the platform must send them again",
        )
    if letter.record.state == REPLAYED:
        raise GuardError(ErrorKind.CONFLICT, "dead_letter.replayed", "已补收 / it was replayed already")


def _add_step(database: Session, row_id: int, action: str, told: dict[str, Any], by: str, now_ms: int) -> None:
    text = json.dumps(told, ensure_ascii=False)
    database.add(LetterStepRecord(letter_row=row_id, at_ms=now_ms, by=by, action=action, told=text))


def replay(house: House, letter_id: str, by: str, now_ms: int) -> dict[str, Any]:
    """Send a dead letter's event once more on the way that events take; return the letter with what became of it.

    Whether it is in time is judged by when it came first; it counts as received now. Refused again it waits on, without
    a second letter. A replay cut short before its end was noted may be done again: the event is then a duplicate.

    Raises:
        GuardError: There is no such letter, it isn't an event, or was replayed already; the database is unavailable.
    """
    with reading(house.engine) as database:
        found = _find(database, letter_id)
        _refuse_unfit(found)
    body = b'{"events":[' + found.record.content.encode() + b"]}"
    batch = Batch(found.session_id or "", found.platform_id, body, now_ms, first_received_ms=found.record.received_ms)
    told = _result(house, batch)
    with writing(house.engine) as database:
        found = _find(database, letter_id)
        _add_step(database, found.record.row_id, "replayed", told, by, now_ms)
        if told["status"] != "refused":
            found.record.state = REPLAYED
    return letter(house, letter_id, None)


def _result(house: House, batch: Batch) -> dict[str, Any]:
    try:
        answer = house.intake.settled(batch, partial(batches.settle, house))
    except GuardError as refusal:
        if refusal.kind is ErrorKind.UNAVAILABLE:
            raise
        return {"status": "refused", "reason": refusal.message}
    [result] = answer["results"]
    return {name: result[name] for name in ("status", "reason") if name in result}
