"""Events in the database: chunks of columns, written batch by batch and packed when a session is closed.

A chunk is a format byte, the names of players and pop-ups as JSON behind their length, and ten columns one after the
other, little-endian. Chunks of open sessions are plain: deflating a dozen events costs more than it saves. A packed
chunk holds the bytes of each column by significance (all first bytes, then all second ones …), deflated: 10 bytes an
event of a class hour.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from math import nan
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.orm import Session

from online_guard.evidence import Events, Names
from online_guard.store import cold_events
from online_guard.store.chunk_tables import EventChunkRecord

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("at_ms", "q", "<i8"), ("received_ms", "q", "<i8"), ("position_s", "d", "<f8"), ("from_s", "d", "<f8"),
    ("seq", "i", "<i4"), ("player", "i", "<i4"), ("popup", "i", "<i4"), ("rate", "f", "<f4"), ("type", "b", "i1"),
    ("playing", "?", "?"),
)  # fmt: skip
"""Name, sign in `struct` and dtype of each column, in the order of a chunk."""
EVENT_BYTES = sum(np.dtype(dtype).itemsize for _, _, dtype in COLUMNS)
PLAIN, PACKED = b"\0", b"\1"
MOST_EVENTS = 20_000
"""In one chunk: a session of 24 h with a heartbeat every 5 s has fewer."""
AT_ONCE = 10_000
"""Sessions in one query; SQLite takes 32 766 values."""
_LENGTH = struct.Struct("<I")


class Chunk(NamedTuple):
    """A stored chunk, as read."""

    session_row: int
    size: int
    columns: bytes


def put(database: Session | Connection, session_row: int, events: Events) -> None:
    """Keep events of one session, packed.

    Args:
        database: Open for writing.
        session_row: Of the session.
        events: That count, sorted by `seq`, none of which is stored yet; `received_ms` of each.

    Raises:
        sqlalchemy.exc.IntegrityError: The session isn't there, or a chunk begins with the same number.
    """
    parts = [_rows(events, slice(first, first + MOST_EVENTS)) for first in range(0, len(events), MOST_EVENTS)]
    if parts:
        database.execute(insert(EventChunkRecord), [row_of(session_row, part) for part in parts])


def put_rows(database: Session | Connection, session_row: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep events of one session, as `chunk_of` takes them, sorted by `seq`; none of them is stored yet."""
    if rows:
        values = {
            "session_row": session_row,
            "first_seq": rows[0]["seq"],
            "last_seq": rows[-1]["seq"],
            "received_ms": max(row["received_ms"] for row in rows),
            "count": len(rows),
            "columns": chunk_of(rows),
        }
        database.execute(insert(EventChunkRecord), [values])


def row_of(session_row: int, events: Events) -> dict[str, Any]:
    """Return the row of `event_chunk` that holds some events of a session, packed; there is at least one."""
    return {
        "session_row": session_row,
        "first_seq": int(events.seq.min()),
        "last_seq": int(events.seq.max()),
        "received_ms": int(events.received_ms.max()),
        "count": len(events),
        "columns": packed(events),
    }


def packed(events: Events) -> bytes:
    """Return the columns of a chunk, deflated."""
    parts = [_names(events.player_names.tolist(), events.popup_names.tolist())]
    for name, _, dtype in COLUMNS:
        column = np.ascontiguousarray(getattr(events, name), dtype)
        parts.append(column.view(np.uint8).reshape(len(column), -1).T.tobytes())
    return PACKED + zlib.compress(b"".join(parts))


def plain(columns: Sequence[Any], players: Sequence[str], popups: Sequence[str]) -> bytes:
    """Return the columns of a chunk as they come, from values in the order of `COLUMNS`, one column after the other.

    Raises:
        struct.error: A value doesn't fit its column.
        OverflowError: A rate is no float32.
    """
    layout = _layout(len(columns) // len(COLUMNS))
    return PLAIN + _names(players, popups) + layout.pack(*columns)


def chunk_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the plain columns of events under the names of `COLUMNS`; `type` is a code, absent values are left out."""
    players = list(dict.fromkeys(row["player"] for row in rows))
    popups = list(dict.fromkeys(row["popup"] for row in rows if row.get("popup") is not None))
    codes = {name: code for code, name in enumerate(players)}, {name: code for code, name in enumerate(popups)}
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name, _, _ in COLUMNS}
    columns["from_s"] = [nan if value is None else value for value in columns["from_s"]]
    columns["player"] = [codes[0][name] for name in columns["player"]]
    columns["popup"] = [codes[1].get(name, -1) for name in columns["popup"]]
    return plain([*chain.from_iterable(columns.values())], players, popups)


@lru_cache(maxsize=1_001)
def _layout(events: int) -> struct.Struct:
    return struct.Struct("<" + "".join(f"{events}{sign}" for _, sign, _ in COLUMNS))


def _names(players: Sequence[str], popups: Sequence[str]) -> bytes:
    names = msgspec.json.encode((players, popups))
    return _LENGTH.pack(len(names)) + names


def opened(chunks: Sequence[Chunk], place_of: Callable[[int], int] = int) -> Events:
    """Return the events of chunks as columns, one chunk after the other, with one table of names.

    Args:
        chunks: In any order.
        place_of: Gives for the `row_id` of a session what stands for it in the column `session`.
    """
    players, popups = _Table(), _Table()
    columns: dict[str, list[NDArray[Any]]] = {name: [np.zeros(0, dtype)] for name, _, dtype in COLUMNS}
    for chunk in chunks:
        content = zlib.decompress(chunk.columns[1:]) if chunk.columns[:1] == PACKED else chunk.columns[1:]
        (length,) = _LENGTH.unpack_from(content)
        start = _LENGTH.size + length
        names = content[_LENGTH.size : start]
        for name, _, dtype in COLUMNS:
            column = _column(content, start, chunk.size, np.dtype(dtype), chunk.columns[:1] == PACKED)
            start += column.nbytes
            columns[name].append(column)
        for name, table, which in (("player", players, 0), ("popup", popups, 1)):
            columns[name][-1] = table.codes(names, which)[columns[name][-1]]
    sessions = np.repeat(
        np.array([place_of(chunk.session_row) for chunk in chunks], np.int64), [chunk.size for chunk in chunks]
    )
    joined = {name: np.concatenate(column) for name, column in columns.items()}
    return Events(session=sessions, **joined, player_names=players.names(), popup_names=popups.names())


def _column(content: bytes, start: int, count: int, dtype: np.dtype[Any], is_packed: bool) -> NDArray[Any]:
    if not is_packed or dtype.itemsize == 1:
        return np.frombuffer(content, dtype, count, start)
    by_significance = np.frombuffer(content, np.uint8, count * dtype.itemsize, start).reshape(dtype.itemsize, count)
    return np.ascontiguousarray(by_significance.T).view(dtype).ravel()


class _Table:
    """Names of all chunks, numbered as they come; the same names again are looked at once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._known: dict[bytes, NDArray[np.int32]] = {}

    def codes(self, names: bytes, which: int) -> NDArray[np.int32]:
        """Return the number of each name of a chunk, and −1 at the end for an absent one."""
        if names not in self._known:
            numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in msgspec.json.decode(names)[which]]
            self._known[names] = np.array([*numbers, -1], np.int32)
        return self._known[names]

    def names(self) -> Names:
        column = np.empty(len(self._numbers), object)
        column[:] = list(self._numbers)
        return column


def of_sessions(database: Session | Connection, place_of: dict[int, int], aside: Sequence[Chunk] = ()) -> Events:
    """Return the stored events of sessions, sorted by (`row_id` of the session, `seq`), and behind them others.

    Args:
        database: Open for reading.
        place_of: By `row_id` of each session, what stands for it in the column `session`.
        aside: Chunks of events that were kept aside.
    """
    rows = sorted(place_of)
    chunks: list[Chunk] = []
    for first in range(0, len(rows), AT_ONCE):
        chunks += _read(database, EventChunkRecord.session_row.in_(rows[first : first + AT_ONCE]))
    events = opened([*chunks, *aside], place_of.__getitem__)
    rank = np.repeat(np.array([chunk.session_row for chunk in chunks], np.int64), [chunk.size for chunk in chunks])
    seq = events.seq[: len(rank)]
    if not bool(((rank[1:] == rank[:-1]) & (seq[1:] < seq[:-1])).any()):
        return events
    order = np.lexsort((seq, rank))
    return _rows(events, np.concatenate((order, np.arange(len(rank), len(events)))))


def _read(database: Session | Connection, *where: Any) -> list[Chunk]:
    query = select(EventChunkRecord.session_row, EventChunkRecord.count, EventChunkRecord.columns).where(*where)
    query = query.order_by(EventChunkRecord.session_row, EventChunkRecord.first_seq)
    rows = [(session_row, size, columns) for session_row, size, columns in database.execute(query)]
    contents = cold_events.fetched(database, (columns for _, _, columns in rows))
    return [Chunk(session_row, size, columns) for (session_row, size, _), columns in zip(rows, contents, strict=True)]


def between(database: Session | Connection, session_row: int, first_seq: int, last_seq: int) -> Events:
    """Return the events of the chunks of a session whose range meets that of some numbers, in no order."""
    meets = (EventChunkRecord.first_seq <= last_seq, EventChunkRecord.last_seq >= first_seq)
    return opened(_read(database, EventChunkRecord.session_row == session_row, *meets))


def next_seq(database: Session | Connection, session_row: int) -> int:
    """Return the number after the greatest `seq` of a session."""
    query = select(func.max(EventChunkRecord.last_seq)).where(EventChunkRecord.session_row == session_row)
    greatest = database.scalar(query)
    return 0 if greatest is None else greatest + 1


def repack(database: Session | Connection, session_row: int, without: Collection[int] = ()) -> None:
    """Put all events of a session into packed chunks, but those of some numbers, which are forgotten."""
    events = of_sessions(database, {session_row: 0})
    if without:
        events = _rows(events, np.flatnonzero(~np.isin(events.seq, list(without))))
    database.execute(delete(EventChunkRecord).where(EventChunkRecord.session_row == session_row))
    put(database, session_row, events)


def _rows(events: Events, rows: Any) -> Events:
    columns = {name: getattr(events, name)[rows] for name in ("session", *(name for name, _, _ in COLUMNS))}
    return Events(**columns, player_names=events.player_names, popup_names=events.popup_names)
