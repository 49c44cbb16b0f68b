"""events.ndjson: lines in any order → typed columns, a chunk of lines at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events
from online_guard.ingest.event_columns import RawEvents, SessionIndex, admit, session_rows
from online_guard.ingest.locations import Location, open_file
from online_guard.ingest.refusals import Refusal, RefusedRow
from online_guard.ingest.row_reading import decode_row, unreadable
from online_guard.ingest.rows import EventRow

CHUNK_LINES = 65_536


def read_events(path: Location, index: SessionIndex) -> Iterator[tuple[Events, list[RefusedRow]]]:
    """Yield the good events and the refused rows of each chunk of lines, in the order of the file.

    Raises:
        GuardError: the file can't be read.
    """
    try:
        with open_file(path) as file:
            first = 1
            while lines := list(islice(file, CHUNK_LINES)):
                yield _read_chunk(path.name, lines, first, index)
                first += len(lines)
    except OSError as error:
        raise unreadable(path, error) from error


def _read_chunk(file: str, lines: list[bytes], first_line: int, index: SessionIndex) -> tuple[Events, list[RefusedRow]]:
    rows, numbers, refused = _decode(file, lines, first_line)
    events, bad = admit(_columns(rows, index), index, file, lambda row: int(numbers[row]))
    return events, sorted(refused + bad)


def _decode(
    file: str, lines: list[bytes], first_line: int
) -> tuple[list[EventRow], NDArray[np.int64], list[RefusedRow]]:
    """Return the rows that could be decoded, their lines, and the refused ones."""
    decoder = msgspec.json.Decoder(EventRow)
    try:
        rows = [decoder.decode(text) for text in lines]
        if _quotes(rows) == sum(text.count(b'"') for text in lines):
            return rows, np.arange(first_line, first_line + len(lines)), []
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # some line is bad or blank: look at each
    rows, numbers, refused = [], [], []
    for line, text in enumerate(lines, first_line):
        if not text.isspace():
            row = decode_row(decoder, text)
            if isinstance(row, Refusal):
                refused.append(row.of(file, line))
            else:
                rows.append(row)
                numbers.append(line)
    return rows, np.array(numbers, np.int64), refused


def _quotes(rows: list[EventRow]) -> int:
    """Return how many quotation marks the rows have when no key comes twice and nothing is escaped."""
    always = 2 * (10 + 4)  # ten keys that must be there, four of them with a string
    return sum(always + 2 * (row.from_s is not None) + 4 * (row.popup is not None) for row in rows)


def _columns(rows: list[EventRow], index: SessionIndex) -> RawEvents:
    keys, names = _coded(f"{row.platform_id}/{row.session_id}" for row in rows)
    sessions, unknown = session_rows(names, index)
    types, type_names = _coded(row.type for row in rows)
    players, player_names = _coded(row.player for row in rows)
    popups, popup_names = _coded(row.popup for row in rows)
    with np.errstate(over="ignore"):  # too great for float32 becomes infinite, which is refused
        rate = np.array([row.rate for row in rows], np.float64).astype(np.float32)
    return RawEvents(
        session=sessions[keys],
        seq=np.array([row.seq for row in rows], np.int64),
        type=types,
        at_ms=np.array([row.at_ms for row in rows], np.int64),
        received_ms=np.array([row.received_ms for row in rows], np.int64),
        position_s=np.array([row.position_s for row in rows], np.float64),
        from_s=np.array([row.from_s for row in rows], np.float64),  # None becomes NaN
        playing=np.array([row.playing for row in rows], np.bool_),
        rate=rate,
        player=players,
        popup=popups,
        type_names=type_names,
        player_names=player_names,
        popup_names=popup_names,
        unknown_sessions=unknown,
    )


def _coded(values: Iterable[str | None]) -> tuple[NDArray[np.int32], list[str]]:
    """Return each value's number, −1 for None, and the values by number."""
    places: dict[str, int] = {}
    codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
    return np.array(codes, np.int32), list(places)
