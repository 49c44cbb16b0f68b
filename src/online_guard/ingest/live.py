"""A live batch of events: what is refused, what repeats, what conflicts, what counts (SPEC 3.2)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.event_columns import END_SLACK_S
from online_guard.ingest.refusals import explain, repeated_key
from online_guard.ingest.rows import INT32, Id
from online_guard.terms import EventType

DAY_MS = 86_400_000
MOST_EVENTS = 1_000
NOISE_S = 1e-6
FLOAT32_MOST = float(np.finfo(np.float32).max)


class LiveEvent(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event as a player sends it; `at_ms` is integer milliseconds or RFC 3339 with an offset."""

    seq: Annotated[int, Meta(ge=0, le=INT32)]
    type: EventType
    at_ms: int | str
    position_s: Annotated[float, Meta(ge=0)]
    from_s: Annotated[float, Meta(ge=0)] | None = None
    playing: bool
    rate: float
    player: Id
    popup: Id | None = None


class Status(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True)
class StoredEvent:
    """An event that counts so far under its `seq`: content, and when it was received."""

    content: Mapping[str, Any]
    received_ms: int


@dataclass(frozen=True)
class EventResult:
    """What became of one event of a batch.

    content: the event's fields in plain values, `at_ms` in ms and `rate` as its float32; None when refused. raw: what
    was sent, of a refused event. displaced: content of an event that counted until now and gives way to this one.
    """

    index: int
    seq: int | None
    status: Status
    reason: str = ""
    content: Mapping[str, Any] | None = None
    raw: str = ""
    displaced: StoredEvent | None = None


def split_batch(body: bytes) -> list[bytes]:
    """Return the events of a request body `{"events": […]}`, each as its JSON.

    Numbers that JSON doesn't know (NaN, Infinity) are let through, so that only their event is refused.

    Raises:
        GuardError: The body isn't JSON of this form, or holds no event or more than 1 000.
    """
    try:
        batch = msgspec.json.decode(body, type=_Batch)
        events = [bytes(raw) for raw in batch.events]
    except msgspec.ValidationError as error:
        refusal = explain(error, body)
        raise _bad_batch(ErrorKind.INVALID, refusal.reason, "/" + refusal.field.replace(".", "/")) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        events = _split_leniently(body)
    if not 1 <= len(events) <= MOST_EVENTS:
        count = f"每批 1 至 {MOST_EVENTS} 个事件,收到 {len(events)} 个 / a batch has 1 to {MOST_EVENTS} events"
        raise _bad_batch(ErrorKind.INVALID, count, "/events")
    return events


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    events: list[msgspec.Raw]


def _split_leniently(body: bytes) -> list[bytes]:
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _bad_batch(ErrorKind.MALFORMED, f"不是 JSON / not JSON: {error}", "") from error
    if not isinstance(batch, dict) or set(batch) != {"events"} or not isinstance(batch["events"], list):
        words = '须为 {"events": […]} / must be {"events": […]}'
        raise _bad_batch(ErrorKind.INVALID, words, "/events")
    return [json.dumps(event).encode() for event in batch["events"]]


def _bad_batch(kind: ErrorKind, reason: str, where: str) -> GuardError:
    return GuardError(kind, "events.bad_batch", reason, where=where, remedy="整批未收 / nothing of it was kept.")


class _CleanBatch(msgspec.Struct, forbid_unknown_fields=True):
    events: Annotated[list[LiveEvent], Meta(min_length=1, max_length=MOST_EVENTS)]


_decode = msgspec.json.Decoder(_CleanBatch).decode
_POPUPS = frozenset(kind for kind in EventType if kind.startswith("popup_"))
_QUOTES, _QUOTES_OF_EVENT = 2, 2 * (7 + 2)
"""In a body, and in each event of seven keys and two texts."""


def clean_batch(body: bytes, duration_s: float, now_ms: int) -> list[LiveEvent] | None:
    """Return the events of a body in which nothing is to be refused; None for any that needs a closer look.

    A key given twice shows in the number of quotation marks: nothing else makes fewer of them.

    Args:
        body: `{"events": […]}`.
        duration_s: Length of the lesson.
        now_ms: The service's clock.
    """
    try:
        events = _decode(body).events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    furthest_s = duration_s + END_SLACK_S + NOISE_S
    earliest_ms, latest_ms = now_ms - DAY_MS, now_ms + DAY_MS
    quotes = _QUOTES + _QUOTES_OF_EVENT * len(events)
    for event in events:
        if type(event.at_ms) is not int or not earliest_ms <= event.at_ms <= latest_ms:
            return None
        if event.position_s > furthest_s or abs(event.rate) > FLOAT32_MOST:
            return None
        if event.from_s is not None:
            if event.from_s > furthest_s:
                return None
            quotes += 2
        if event.popup is not None:
            quotes += 4
        elif event.type in _POPUPS:
            return None
    return events if body.count(b'"') == quotes else None


def read_event(raw: bytes, duration_s: float, now_ms: int) -> dict[str, Any]:
    """Return the fields of one event in plain values.

    Args:
        raw: Its JSON.
        duration_s: Length of the lesson.
        now_ms: The service's clock.

    Raises:
        ValueError: It is refused; the message says why.
    """
    try:
        event = msgspec.json.decode(raw, type=LiveEvent)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if b"NaN" in raw or b"Infinity" in raw:
            raise ValueError("不是有限数 (NaN/Infinity) / not a finite number (NaN or Infinity)") from error
        raise ValueError(explain(error, raw).reason) from error
    if repeated := repeated_key(raw):
        raise ValueError(repeated.reason)
    at_ms = moment_ms(event.at_ms)
    if abs(at_ms - now_ms) > DAY_MS:
        raise ValueError("时间与服务时钟相差超过 24 小时 / more than 24 h away from the service's clock `at_ms`")
    for name in ("position_s", "from_s"):
        value = getattr(event, name)
        if value is not None and value > duration_s + END_SLACK_S + NOISE_S:
            raise ValueError(f"超过课程结尾 60 秒以上 / more than 60 s past the lesson's end `{name}`")
    if event.type.startswith("popup_") and event.popup is None:
        raise ValueError("弹窗事件缺少 popup / pop-up event without `popup`")
    content = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
    if abs(event.rate) > FLOAT32_MOST:
        raise ValueError("超出范围 / out of range `rate`")
    rate = np.float32(event.rate)
    # −0.0 becomes 0.0: equal numbers must be one content with one JSON
    content |= {name: content[name] + 0.0 for name in ("position_s", "from_s") if name in content}
    return content | {"type": str(event.type), "at_ms": at_ms, "rate": float(str(rate + np.float32(0)))}


def moment_ms(value: int | str) -> int:
    """Return a moment as integer ms since the epoch.

    Args:
        value: Milliseconds, or RFC 3339 with an offset.

    Raises:
        ValueError: It is a local time, or no time at all.
    """
    if isinstance(value, int):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"不是时间 / not a time: {value!r:.60}") from error
    if moment.tzinfo is None:
        raise ValueError("本地时间缺少时区偏移 / a local time without an offset")
    return round(moment.timestamp() * 1000)


def settle_batch(
    raws: Sequence[bytes],
    stored: Mapping[int, StoredEvent],
    *,
    duration_s: float,
    now_ms: int,
    checked_ms: int | None = None,
) -> list[EventResult]:
    """Return what becomes of each event of a batch, in its order.

    Args:
        raws: JSON of each event.
        stored: Events that count so far under the numbers that the batch uses.
        duration_s: Length of the lesson.
        now_ms: The service's clock, which stamps the batch.
        checked_ms: The service's clock by which events are in time, when that is another one.
    """
    counting = dict(stored)
    results = []
    for index, raw in enumerate(raws):
        try:
            content = read_event(raw, duration_s, now_ms if checked_ms is None else checked_ms)
        except ValueError as error:
            results.append(
                EventResult(index, _seq_of(raw), Status.REFUSED, str(error), raw=raw.decode("utf-8", "replace"))
            )
            continue
        result = _place(index, content, counting.get(content["seq"]), now_ms)
        if result.status is Status.ACCEPTED:
            counting[content["seq"]] = StoredEvent(content, now_ms)
        results.append(result)
    return results


def _place(index: int, content: Mapping[str, Any], known: StoredEvent | None, now_ms: int) -> EventResult:
    """Return whether an event is new, repeats or conflicts; of two received at one moment the lesser JSON counts."""
    seq = int(content["seq"])
    if known is None:
        return EventResult(index, seq, Status.ACCEPTED, content=content)
    if content == known.content:
        return EventResult(index, seq, Status.DUPLICATE, content=content)
    reason = "该 seq 已有不同内容的事件 / another event has this `seq`"
    if known.received_ms == now_ms and _json(content) < _json(known.content):
        return EventResult(index, seq, Status.ACCEPTED, content=content, displaced=known)
    return EventResult(index, seq, Status.CONFLICT, reason, content=content)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)


def content_digest(content: Mapping[str, Any]) -> str:
    """Return a fingerprint of an event's content, for telling whether it was kept aside before."""
    return hashlib.sha256(_json(content).encode()).hexdigest()


def _seq_of(raw: bytes) -> int | None:
    try:
        seq = json.loads(raw).get("seq")
    except (ValueError, AttributeError, RecursionError):
        return None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else None
