"""events.parquet: typed columns, a range of rows at a time.

One pass over the two id columns finds where each session lies; ranges are cut there and then read without the ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.evidence import Events, Flags, Integers
from online_guard.ingest.event_columns import RawEvents, SessionIndex, admit, session_rows
from online_guard.ingest.locations import Location, parquet_source, store_errors
from online_guard.ingest.refusals import RefusedRow
from online_guard.ingest.row_reading import unreadable

_STRINGS = ("platform_id", "session_id", "type", "player", "popup")
_IDS = ["platform_id", "session_id"]
_OPTIONAL = ("from_s", "popup")
_TYPES: dict[str, tuple[pa.DataType, ...]] = {
    "seq": (pa.int32(), pa.int64()),
    "at_ms": (pa.int64(),),
    "received_ms": (pa.int64(),),
    "position_s": (pa.float64(),),
    "from_s": (pa.float64(),),
    "playing": (pa.bool_(),),
    "rate": (pa.float32(), pa.float64()),
}
_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class RowRange:
    """The address of rows of a Parquet file that hold whole sessions; small enough to send to another process.

    starts: first row of each run of rows of one session. sessions: the session of each run, as in `RawEvents.session`.
    """

    path: Location
    first: int
    stop: int
    starts: Integers
    sessions: Integers
    unknown_sessions: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Where sessions lie in a Parquet file: runs of rows, and the bounds of its row groups."""

    path: Location
    starts: Integers
    sessions: Integers
    unknown_sessions: tuple[str, ...]
    bounds: Integers

    @property
    def in_order(self) -> bool:
        """Whether each session's rows lie together and sessions come in the order of the evidence."""
        known = self.sessions[self.sessions >= 0]
        return bool((known[1:] >= known[:-1]).all())

    def ranges(self, target_rows: int) -> list[RowRange]:
        """Return ranges of about `target_rows` rows, cut where a session begins, near the bounds of row groups."""
        sizes = np.diff(self.bounds)
        wished = [
            start + part * size // max(1, round(size / target_rows))
            for start, size in zip(self.bounds[:-1].tolist(), sizes.tolist(), strict=True)
            for part in range(max(1, round(size / target_rows)))
        ]
        furthest = np.maximum.accumulate(np.concatenate(([-1], self.sessions)))
        cuts = self.starts[self.sessions > furthest[:-1]]
        edges, end = [0], int(self.bounds[-1])
        for place in np.searchsorted(cuts, wished):
            cut = int(cuts[place]) if place < len(cuts) else end
            if 10 * (cut - edges[-1]) >= 7 * target_rows:
                edges.append(cut)
        return [self.range(first, stop) for first, stop in zip(edges, [*edges[1:], end], strict=True) if first < stop]

    def row_groups(self) -> list[RowRange]:
        """Return one range for each row group, whatever its sessions."""
        return [self.range(int(first), int(stop)) for first, stop in zip(self.bounds, self.bounds[1:], strict=False)]

    def range(self, first: int, stop: int) -> RowRange:
        """Return the rows [first, stop)."""
        low = int(np.searchsorted(self.starts, first, "right")) - 1
        high = int(np.searchsorted(self.starts, stop, "left"))
        starts, sessions = np.maximum(self.starts[low:high], first), self.sessions[low:high].copy()
        strange = sessions < 0
        unknown = tuple(self.unknown_sessions[place] for place in (-1 - sessions[strange]).tolist())
        sessions[strange] = -1 - np.arange(len(unknown))
        return RowRange(self.path, first, stop, starts, sessions, unknown)


def scan(path: Location, index: SessionIndex) -> Layout:
    """Return where each session lies, from the id columns alone.

    Raises:
        GuardError: the file is no Parquet file, is damaged, or has wrong, missing or unknown columns.
    """
    starts, sessions = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    bounds = [0]
    unknown: list[str] = []
    try:
        with store_errors(path):
            file = _open(path)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=_IDS, use_threads=False)
                begins, keys, key_of = _runs(table)
                rows, strangers = session_rows(keys, index)
                rows[rows < 0] -= len(unknown)
                unknown += strangers
                starts.append(begins + bounds[-1])
                sessions.append(rows[key_of])
                bounds.append(bounds[-1] + table.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error
    return Layout(path, np.concatenate(starts), np.concatenate(sessions), tuple(unknown), np.array(bounds))


def read_range(rows: RowRange, index: SessionIndex) -> tuple[Events, list[RefusedRow]]:
    """Return the good events of a range, in the order of the file, and its refused rows.

    Raises:
        GuardError: the file is damaged.
    """
    try:
        with store_errors(rows.path):
            table = _read_rows(_open(rows.path), rows.first, rows.stop)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(rows.path, error) from error
    return admit(_raw(table, rows), index, rows.path.name, lambda row: rows.first + row + 1)


def _open(path: Location) -> pq.ParquetFile:
    source, files = parquet_source(path)
    schema = pq.read_schema(source, filesystem=files)
    _check_schema(path, schema)
    return pq.ParquetFile(source, filesystem=files, read_dictionary=[name for name in schema.names if name in _STRINGS])


def _check_schema(path: Location, schema: pa.Schema) -> None:
    """Refuse a file whose columns aren't those of events, naming each column that is wrong."""
    known = (*_STRINGS, *_TYPES)
    faults = [Fault(name, "缺少列 / missing column") for name in known if name not in (*schema.names, *_OPTIONAL)]
    faults += [Fault(name, "列重复 / column comes twice") for name in known if schema.names.count(name) > 1]
    for name, found in zip(schema.names, schema.types, strict=True):
        if name not in known:
            faults.append(Fault(name, "未知的列 / unknown column"))
        elif not _fits(name, found):
            expected = " / ".join(map(str, _TYPES.get(name, ("dictionary<string>", "string"))))
            faults.append(Fault(name, f"类型应为 {expected}，实为 {found} / expected {expected}, found {found}"))
    if faults:
        words = "; ".join(f"{fault.where}: {fault.reason}" for fault in faults)
        raise GuardError(
            ErrorKind.INVALID,
            "bundle.event_columns",
            f"事件列不符（{len(faults)} 处）/ wrong event columns: {words}",
            where=path.name,
            remedy="列名与类型见 BUNDLE.md 与 SPEC 第 8 节 / names and types: BUNDLE.md and SPEC section 8",
            faults=tuple(faults),
        )


def _fits(name: str, found: pa.DataType) -> bool:
    if name in _OPTIONAL and pa.types.is_null(found):
        return True
    if name in _TYPES:
        return found in _TYPES[name]
    value = found.value_type if pa.types.is_dictionary(found) else found
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _runs(table: pa.Table) -> tuple[Integers, list[str], Integers]:
    """Return the first row of each run of one session, the distinct session keys, and the key of each run."""
    if not table.num_rows:
        return np.zeros(0, np.int64), [], np.zeros(0, np.int64)
    table = table.unify_dictionaries().combine_chunks()
    (platform, platforms), (session, sessions) = (_codes(table.column(name)) for name in _IDS)
    change = (platform[1:] != platform[:-1]) | (session[1:] != session[:-1])
    begins = np.flatnonzero(np.concatenate(([True], change)))
    width = len(sessions) + 1
    pairs, key_of = np.unique(
        (platform[begins].astype(np.int64) + 1) * width + session[begins] + 1, return_inverse=True
    )
    # a null id stands at place 0 as an empty name, which no session has
    platforms, sessions = ["", *platforms], ["", *sessions]
    return begins, [f"{platforms[pair // width]}/{sessions[pair % width]}" for pair in pairs.tolist()], key_of


def _read_rows(file: pq.ParquetFile, first: int, stop: int) -> pa.Table:
    """Return the rows [first, stop) without the id columns; a row group of which little is needed is read in part."""
    columns = [name for name in file.schema_arrow.names if name not in _IDS]
    pieces, start = [], 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        low, high = max(first - start, 0), min(stop - start, size)
        if low < high and 2 * (high - low) > size:
            pieces.append(file.read_row_group(group, columns=columns, use_threads=False).slice(low, high - low))
        elif low < high:
            pieces += _read_part(file, group, columns, low, high)
        start += size
    return pa.concat_tables(pieces).unify_dictionaries().combine_chunks()


def _read_part(file: pq.ParquetFile, group: int, columns: list[str], low: int, high: int) -> Iterator[pa.Table]:
    start = 0
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False):
        begin, end = max(low - start, 0), min(high - start, batch.num_rows)
        if begin < end:
            yield pa.Table.from_batches([batch.slice(begin, end - begin)])
        start += batch.num_rows
        if start >= high:
            return


def _raw(table: pa.Table, rows: RowRange) -> RawEvents:
    """Return the columns of a table as NumPy arrays, without a copy where the file has no nulls."""
    absent: dict[str, Flags] = {}
    (types, type_names), (players, player_names), (popups, popup_names) = (
        _words(table, name, absent) for name in ("type", "player", "popup")
    )
    from_s, not_numbers = _from_s(table)
    with np.errstate(over="ignore"):  # too great for float32 becomes infinite, which is refused
        rate = _numbers(table, "rate", absent).astype(np.float32, copy=False)
    return RawEvents(
        session=np.repeat(rows.sessions, np.diff(rows.starts, append=rows.stop)),
        seq=_numbers(table, "seq", absent),
        type=types,
        at_ms=_numbers(table, "at_ms", absent),
        received_ms=_numbers(table, "received_ms", absent),
        position_s=_numbers(table, "position_s", absent),
        from_s=from_s,
        playing=_numbers(table, "playing", absent),
        rate=rate,
        player=players,
        popup=popups,
        type_names=type_names,
        player_names=player_names,
        popup_names=popup_names,
        unknown_sessions=rows.unknown_sessions,
        absent=absent,
        not_numbers=not_numbers,
    )


def _numbers(table: pa.Table, name: str, absent: dict[str, Flags]) -> NDArray[Any]:
    """Return a required column; where it has nulls, zeros stand there and `absent` gets their places."""
    column = _one_array(table.column(name))
    if column.null_count:
        absent[name] = column.is_null().to_numpy(zero_copy_only=False)
        column = column.fill_null(pa.scalar(0).cast(column.type))
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values


def _words(table: pa.Table, name: str, absent: dict[str, Flags]) -> tuple[NDArray[np.int32], list[str]]:
    """Return the numbers of a column of names, and the names; a required column's nulls go to `absent`."""
    if name in _OPTIONAL and (name not in table.column_names or pa.types.is_null(table.schema.field(name).type)):
        return np.full(table.num_rows, -1, np.int32), []
    codes, names = _codes(table.column(name))
    if name not in _OPTIONAL and len(codes) and codes.min() < 0:
        absent[name] = codes < 0
    return codes, names


def _from_s(table: pa.Table) -> tuple[NDArray[np.float64], Flags | None]:
    """Return from_s with NaN for null, and where it was given as NaN, None for nowhere."""
    if "from_s" not in table.column_names or table.column("from_s").null_count == table.num_rows:
        return np.full(table.num_rows, np.nan), None
    column = _one_array(table.column("from_s"))
    values = column.to_numpy(zero_copy_only=False)
    not_numbers = np.isnan(values)
    if np.count_nonzero(not_numbers) == column.null_count:
        return values, None
    return values, not_numbers & column.is_valid().to_numpy(zero_copy_only=False)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """Return the numbers of a dictionary column, −1 for null, and its distinct names."""
    array = _one_array(column)
    indices = array.indices.cast(pa.int32())
    codes = (indices.fill_null(-1) if indices.null_count else indices).to_numpy(zero_copy_only=False)
    try:
        names = array.dictionary.to_pylist()
    except UnicodeDecodeError:
        # kept apart from every valid name, and refused as unknown or as no id
        names = [name.decode("utf-8", "surrogateescape") for name in array.dictionary.cast(pa.binary()).to_pylist()]
    if len(set(names)) == len(names):
        return codes, names
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([*(places[name] for name in names), -1], np.int32)[codes], list(places)


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
