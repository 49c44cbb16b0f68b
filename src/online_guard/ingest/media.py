"""What foreign logs have in common: one statement of a media player, and the ways to write a time or a number in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import nan
from typing import Any, TypeVar

import msgspec

from online_guard.ingest.refusals import NO_VALUE, OUT_OF_TIME, Refusal, explain
from online_guard.ingest.rows import LATEST_MS
from online_guard.terms import EVENT_TYPES, EventType

COMPLETED = len(EVENT_TYPES)
"""The kind of a statement that a learner completed a video: the end, or only the threshold of completion."""

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading hostile or damaged JSON may raise."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?")
_GREATEST = 1e9
"""Of positions, lengths and rates; as of a lesson in a bundle."""
_SECONDS = (86_400, 3_600, 60, 1)
Decoded = TypeVar("Decoded")


class MediaStatement(msgspec.Struct, gc=False):
    """What a player said, in no format's words.

    actor and video: names as the log gives them. sitting: what the log calls a session, empty where it names none.
    kind: `EventType.code`, or `COMPLETED`. Times in µs since the epoch; received_us: of the log's own storage, None
    where the log has none. Positions and length in seconds, rate as a factor, NaN where absent. statement_id: empty
    where the format has none.
    """

    actor: str
    video: str
    sitting: str
    kind: int
    at_us: int
    received_us: int | None = None
    position_s: float = nan
    from_s: float = nan
    rate: float = nan
    length_s: float = nan
    statement_id: str = ""


@dataclass(frozen=True, slots=True)
class NotPlayback:
    """A record that says nothing about playback: its verb or event, for counting."""

    name: str


Reading = MediaStatement | NotPlayback | Refusal


@dataclass(frozen=True)
class Format:
    """A foreign format.

    name: for people. words: verb, action or event → kind, with the conditions in `notes`. paths: field of a
    `MediaStatement` → where it stands. recognises: tells whether a decoded JSON object is one of its records.
    read: reads one record.
    """

    name: str
    words: Mapping[str, int]
    paths: Mapping[str, str]
    notes: Mapping[str, str]
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[bytes], Reading]


class BadFieldError(ValueError):
    """A field of a record that can't be used."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(f"{reason} `{field}`", field)


def guarded(
    decoder: msgspec.json.Decoder[Decoded], understand: Callable[[Decoded], Reading]
) -> Callable[[bytes], Reading]:
    """Return a function that reads one record and refuses what can't be decoded or understood."""

    def read(raw: bytes) -> Reading:
        """Return what a record says."""
        try:
            return understand(decoder.decode(raw))
        except BadFieldError as error:
            return error.refusal
        except UNDECODABLE as error:
            return explain(error, raw)

    return read


def kind_name(kind: int) -> str:
    """Return the word for a kind."""
    return "ended / heartbeat" if kind == COMPLETED else str(EVENT_TYPES[kind])


def codes(words: Mapping[str, EventType | int]) -> dict[str, int]:
    """Return the table of words with the kinds as numbers."""
    return {word: kind.code if isinstance(kind, EventType) else kind for word, kind in words.items()}


def required(value: str | None, field: str) -> str:
    """Return a text that must be there.

    Raises:
        BadFieldError: it is absent or empty.
    """
    if not value:
        raise BadFieldError(field, NO_VALUE)
    return value


def moment_us(text: str | None, field: str) -> int:
    """Return a moment in µs since the epoch.

    Raises:
        BadFieldError: it is absent, no time, a local time without an offset, or outside the years 1970 to 9999.
    """
    try:
        moment = datetime.fromisoformat(required(text, field))
    except BadFieldError:
        raise
    except ValueError as error:
        raise BadFieldError(field, f"不是 RFC 3339 时间 / not a time of RFC 3339: {text!r:.60}") from error
    if moment.tzinfo is None:
        raise BadFieldError(field, "本地时间缺少时区偏移 / a local time without an offset")
    microseconds = (moment - _EPOCH) // _MICROSECOND
    if not 0 <= microseconds // 1000 <= LATEST_MS:
        raise BadFieldError(field, OUT_OF_TIME)
    return microseconds


def number(value: Any, field: str) -> float:
    """Return a number, NaN where there is none; texts such as "1.25x" are read too.

    Raises:
        BadFieldError: it is negative, beyond all measure, or no number.
    """
    if value is None or value == "":
        return nan
    try:
        found = float(value.removesuffix("x") if isinstance(value, str) else value)
    except (TypeError, ValueError) as error:
        raise BadFieldError(field, f"不是数字 / not a number: {value!r:.40}") from error
    if isinstance(value, bool) or not 0 <= found <= _GREATEST:
        raise BadFieldError(field, f"须为 0 至 {_GREATEST:.0e} 的数 / must be 0 to {_GREATEST:.0e}: {value!r:.40}")
    return found + 0.0


def seconds(value: Any, field: str) -> float:
    """Return an ISO 8601 duration (`PT3M14.4S`), or a number, in seconds; NaN where there is none.

    Raises:
        BadFieldError: it is neither.
    """
    if not isinstance(value, str) or not value.startswith("P"):
        return number(value, field)
    found = _DURATION.fullmatch(value)
    if not found or value[-1] in "PT":
        raise BadFieldError(field, f"不是 ISO 8601 时长 / not a duration of ISO 8601: {value!r:.40}")
    return sum(float(part or 0) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True))
