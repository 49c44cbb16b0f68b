"""Checks of raw events, for whole columns at once and the same for every file format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events, Evidence, Flags, Floats, Integers, Names
from online_guard.ingest.identity import COLUMNS, take
from online_guard.ingest.refusals import (
    BAD_ID,
    NO_VALUE,
    NOT_FINITE,
    OUT_OF_TIME,
    Refusal,
    RefusedRow,
)
from online_guard.ingest.rows import ID_PATTERN, INT32, LATEST_MS, are_ids
from online_guard.terms import EVENT_TYPES
from online_guard.timeline.segments import group_starts

END_SLACK_S = 60.0
"""How far past its lesson's end a position may lie (SPEC 3.2)."""
_NOISE_S = 1e-6
_TYPE_CODES = {str(kind): kind.code for kind in EVENT_TYPES}
_IS_POPUP = np.array([*(kind.startswith("popup_") for kind in EVENT_TYPES), False])
_Fault = tuple[Integers, str, Callable[[int], str]]
"""Rows with a fault, the field, and the reason for a row."""


@dataclass(frozen=True)
class SessionIndex:
    """Where sessions stand in the evidence, and how far their positions may go.

    rows: row in `Evidence.sessions` by `platform_id/session_id`. limit_s: greatest position by row, in seconds, and
    one entry more, so that there is one for a bundle without sessions.
    """

    rows: dict[str, int]
    limit_s: Floats

    @classmethod
    def of(cls, evidence: Evidence) -> SessionIndex:
        """Return the index of the evidence's sessions."""
        sessions = evidence.sessions
        limits = np.append(sessions.duration_s + END_SLACK_S + _NOISE_S, np.inf)
        return cls({key: row for row, key in enumerate(sessions.key)}, limits)


@dataclass(frozen=True)
class RawEvents:
    """Events of a file, typed but not checked; one entry a row.

    session: row in the evidence, or −1 − k for the k-th of `unknown_sessions`. seq: int32 or int64. type, player and
    popup: rows in their names, −1 where null. from_s: NaN where absent. absent: for required columns with nulls, where.
    not_numbers: where `from_s` was given as NaN, None for nowhere. Names are unique within each list.
    """

    session: Integers
    seq: NDArray[Any]
    type: NDArray[np.int32]
    at_ms: Integers
    received_ms: Integers
    position_s: Floats
    from_s: Floats
    playing: Flags
    rate: NDArray[np.float32]
    player: NDArray[np.int32]
    popup: NDArray[np.int32]
    type_names: Sequence[str]
    player_names: Sequence[str]
    popup_names: Sequence[str]
    unknown_sessions: Sequence[str] = ()
    absent: dict[str, Flags] = field(default_factory=dict)
    not_numbers: Flags | None = None


def session_rows(keys: Sequence[str], index: SessionIndex) -> tuple[Integers, list[str]]:
    """Return the row of each `platform_id/session_id`, −1 − k for the k-th unknown one, and the unknown ones."""
    unknown: list[str] = []
    rows = np.empty(len(keys), np.int64)
    for place, key in enumerate(keys):
        row = index.rows.get(key)
        if row is None:
            unknown.append(key)
            row = -len(unknown)
        rows[place] = row
    return rows, unknown


def join(pieces: Sequence[Events]) -> Events:
    """Return the events of all pieces, one after the other, with one table of names."""
    if not pieces:
        return Events()
    player, player_names = _join_names([(piece.player, piece.player_names) for piece in pieces])
    popup, popup_names = _join_names([(piece.popup, piece.popup_names) for piece in pieces])
    columns = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in (*COLUMNS, "conflicts")
        if name not in ("player", "popup")
    }
    return Events(player=player, popup=popup, player_names=player_names, popup_names=popup_names, **columns)


def _join_names(pieces: Sequence[tuple[NDArray[np.int32], Names]]) -> tuple[NDArray[np.int32], Names]:
    """Return the codes of all pieces in one table of names, and that table."""
    table: dict[str, int] = {}
    columns = []
    for codes, names in pieces:
        renamed = [table.setdefault(name, len(table)) for name in names]
        columns.append(np.array([*renamed, -1], np.int32)[codes])
    return np.concatenate(columns), _objects(list(table))


def admit(
    raw: RawEvents, index: SessionIndex, file: str, line_of: Callable[[int], int]
) -> tuple[Events, list[RefusedRow]]:
    """Return the events without fault, in the order of the file, and the refused rows, in the same order.

    Args:
        raw: events of one file or of a part of it.
        index: the sessions they may belong to.
        file: its name.
        line_of: gives the line of a row, from 1.
    """
    codes = np.array([*(_TYPE_CODES.get(name, -1) for name in raw.type_names), -1], np.int8)[raw.type]
    refusals: dict[int, Refusal] = {}
    for rows, field_name, reason in _faults(raw, codes, index.limit_s):
        for row in rows.tolist():
            if row not in refusals:
                refusals[row] = Refusal(reason(row), field_name)
    events = _typed(raw, codes)
    if refusals:
        good = np.ones(len(events), np.bool_)
        good[list(refusals)] = False
        events = take(events, good)
    refused = [refusals[row].of(file, line_of(row)) for row in sorted(refusals)]
    return replace(events, seq=events.seq.astype(np.int32, copy=False)), refused


def _typed(raw: RawEvents, codes: NDArray[np.int8]) -> Events:
    columns = {name: getattr(raw, name) for name in COLUMNS}
    columns["type"] = codes
    # −0.0 becomes 0.0: equal numbers must be one content with one JSON
    columns |= {name: getattr(raw, name) + 0.0 for name in ("position_s", "from_s")}
    if len(raw.rate) and not raw.rate.min() > 0:
        columns["rate"] = raw.rate + 0.0
    columns |= {name: _objects(getattr(raw, name)) for name in ("player_names", "popup_names")}
    return Events(**columns)


def _objects(names: Sequence[str]) -> Names:
    column = np.empty(len(names), object)
    column[:] = names
    return column


def _faults(raw: RawEvents, codes: NDArray[np.int8], limit_s: Floats) -> Iterator[_Fault]:
    """Yield the faults of events; of several in one row the first one yielded counts."""
    for name, where in raw.absent.items():
        yield np.flatnonzero(where), name, _always(f"{NO_VALUE} `{name}`")
    yield _outside(raw.session, 0, len(limit_s)), "session_id", lambda row: _unknown_session(raw, row)
    yield _outside(raw.seq, 0, INT32), "seq", _always(f"须为 0 至 {INT32} 的整数 / must be 0 to {INT32} `seq`")
    yield _outside(codes, 0, 127), "type", lambda row: _unknown_type(raw, row)
    for name in ("at_ms", "received_ms"):
        yield _outside(getattr(raw, name), 0, LATEST_MS), name, _always(f"{OUT_OF_TIME} `{name}`")
    yield from _position_faults(raw, limit_s)
    greatest = float(np.finfo(np.float32).max)
    yield _outside(raw.rate, -greatest, greatest), "rate", _always(f"{NOT_FINITE} `rate`")
    yield _bad_ids(raw.player, raw.player_names), "player", _always(f"{BAD_ID} `player`")
    yield _bad_ids(raw.popup, raw.popup_names), "popup", _always(f"{BAD_ID} `popup`")
    nameless = np.flatnonzero((raw.popup < 0) & _IS_POPUP[codes])
    yield nameless, "popup", _always("弹窗事件缺少 popup / pop-up event without `popup`")


def _position_faults(raw: RawEvents, limit_s: Floats) -> Iterator[_Fault]:
    position, start = raw.position_s, raw.from_s
    if not _within(position, raw.session, limit_s):
        limits = np.take(limit_s, raw.session, mode="clip")
        wrong = np.flatnonzero(~((position >= 0) & (position <= limits)))
        yield wrong, "position_s", lambda row: _bad_number(position[row], "position_s")
    if raw.not_numbers is not None:
        yield np.flatnonzero(raw.not_numbers), "from_s", _always(f"{NOT_FINITE} `from_s`")
    given = np.flatnonzero(~np.isnan(start))
    limits = np.take(limit_s, raw.session[given], mode="clip")
    wrong = given[(start[given] < 0) | (start[given] > limits)]
    yield wrong, "from_s", lambda row: _bad_number(start[row], "from_s")


def _within(position: Floats, session: Integers, limit_s: Floats) -> bool:
    """Return whether all positions are allowed, by one look at the extremes of each run of one session's rows."""
    if not len(position) or not position.min() >= 0:
        return not len(position)
    starts = group_starts(session)
    greatest = np.maximum.reduceat(position, starts)
    return bool((greatest <= np.take(limit_s, session[starts], mode="clip")).all())


def _always(reason: str) -> Callable[[int], str]:
    return lambda _: reason


def _outside(values: NDArray[Any], low: float, high: float) -> Integers:
    """Return the rows outside [low, high], NaN among them; two quick passes when there are none."""
    if not len(values) or (values.min() >= low and values.max() <= high):
        return np.zeros(0, np.int64)
    return np.flatnonzero(~((values >= low) & (values <= high)))


def _bad_number(value: float, name: str) -> str:
    if not np.isfinite(value):
        return f"{NOT_FINITE} `{name}`"
    if value < 0:
        return f"负数 {value} / negative `{name}`"
    return f"超过课程结尾 60 秒以上：{value} / more than 60 s past the lesson's end `{name}`"


def _unknown_session(raw: RawEvents, row: int) -> str:
    return f"未知的学习会话 / unknown session {raw.unknown_sessions[-1 - raw.session[row]]!r}"


def _unknown_type(raw: RawEvents, row: int) -> str:
    return f"未知的事件类型 / unknown type {raw.type_names[raw.type[row]]!r}"


def _bad_ids(codes: NDArray[np.int32], names: Sequence[str]) -> Integers:
    """Return the rows whose name can't be an id; one look at all names together when each can."""
    if are_ids(names):
        return np.zeros(0, np.int64)
    bad = np.array([*(not ID_PATTERN.match(name) for name in names), False])
    return np.flatnonzero(bad[codes])
