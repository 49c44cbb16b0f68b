"""The bundle folder, out: small tables as JSON lines, events as sorted Parquet or JSON lines (BUNDLE.md)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Events
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import compact_names, event_values, take
from online_guard.ingest.rows import ClassRow
from online_guard.ingest.tables import CLASSES, TABLES
from online_guard.terms import EVENT_TYPES

ROW_GROUP_ROWS = 1_000_000
_WORDS = pa.dictionary(pa.int32(), pa.string())
EVENT_SCHEMA = pa.schema(
    [
        pa.field("platform_id", _WORDS, nullable=False),
        pa.field("session_id", _WORDS, nullable=False),
        pa.field("seq", pa.int32(), nullable=False),
        pa.field("type", _WORDS, nullable=False),
        pa.field("at_ms", pa.int64(), nullable=False),
        pa.field("received_ms", pa.int64(), nullable=False),
        pa.field("position_s", pa.float64(), nullable=False),
        pa.field("from_s", pa.float64()),
        pa.field("playing", pa.bool_(), nullable=False),
        pa.field("rate", pa.float32(), nullable=False),
        pa.field("player", _WORDS, nullable=False),
        pa.field("popup", _WORDS),
    ]
)
"""The columns of events.parquet (SPEC 8)."""

ARGUMENTS = {
    "sessions": "sessions.ndjson",
    "enrolments": "enrolments.ndjson",
    "snapshots": "snapshots.ndjson",
    "likenesses": "likenesses.ndjson",
    "checks": "liveness.ndjson",
    "directives": "directives.ndjson",
    "practice": "offline_hours.ndjson",
    "projects": "assessments.ndjson",
    "surveys": "satisfaction.ndjson",
    "applications": "applications.ndjson",
    "decisions": "decisions.ndjson",
}
"""The file of each argument of `write_bundle`, classes and events apart."""


def write_bundle(
    path: Path | str,
    *,
    classes: Iterable[Any],
    sessions: Iterable[Any] = (),
    events: Events | Iterable[Events] = (),
    events_as: Literal["parquet", "ndjson"] = "parquet",
    **tables: Iterable[Any],
) -> None:
    """Write a bundle folder, whole or not at all.

    Args:
        path: the folder; it must not exist yet, or be empty.
        classes: rows with BUNDLE's field names as attributes (row types of this package, records of
            `online_guard.evidence`, rows of a database), valid, in the order in which they shall be written.
        sessions: rows likewise.
        events: blocks of whole sessions in ascending order of session; `session` is the row of the session among
            `sessions` sorted by (platform id, session id), as `evidence.assemble` sorts them. Several rows of one
            (session, seq) are written as they are; `conflicts` must be empty, since only rows can be written.
        events_as: the format of the events.
        tables: rows likewise, by the names that `evidence.assemble` gives them: enrolments, snapshots, checks,
            directives, likenesses, practice, projects, surveys, applications, decisions.

    Raises:
        GuardError: the folder holds something already, or can't be written.
        ValueError: blocks out of order, or with conflicts.
    """
    target = Path(path)
    _check_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        sessions = list(sessions)
        _write_tables(partial, {"classes": classes, "sessions": sessions} | tables)
        names = sorted((row.platform_id, row.session_id) for row in sessions)
        _WRITERS[events_as](partial, names, _in_order(events))
        partial.chmod(0o755)
        partial.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_free(target: Path) -> None:
    """Refuse a target that holds something already."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GuardError(
            ErrorKind.CONFLICT,
            "bundle.exists",
            "目标已存在且不为空 / the target exists and isn't empty",
            where=str(target),
            remedy="请另选文件夹 / choose another folder",
        )


def _unwritable(target: Path, error: OSError) -> GuardError:
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "bundle.unwritable",
        f"无法写入（{error}）/ can't be written ({error})",
        where=str(target),
        remedy="请检查权限与磁盘空间 / check permissions and disk space",
    )


def _write_tables(folder: Path, tables: Mapping[str, Iterable[Any]]) -> None:
    classes = _encoded(tables["classes"], ClassRow)
    _write(folder / CLASSES, [b"[", b",\n".join(classes), b"]\n"])
    for name, rows in tables.items():
        if name != "classes":
            file = ARGUMENTS[name]
            lines = [row + b"\n" for row in _encoded(rows, TABLES[file])]
            if lines:
                _write(folder / file, lines)


def _encoded(rows: Iterable[Any], row_type: type[msgspec.Struct]) -> Iterator[bytes]:
    """Yield the JSON of each row's fields; None is left out where the type lets a field be absent."""
    optional = {field.name: not field.required for field in msgspec.structs.fields(row_type)}
    encoder = msgspec.json.Encoder()
    for row in rows:
        values = {name: getattr(row, name, None) for name in optional}
        yield encoder.encode({name: value for name, value in values.items() if value is not None or not optional[name]})


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def _in_order(blocks: Events | Iterable[Events]) -> Iterator[Events]:
    """Yield the blocks, rows sorted by (session, seq, received_ms).

    Raises:
        ValueError: a block has conflicts, or a session that isn't after those of the block before it.
    """
    last = -1
    for block in [blocks] if isinstance(blocks, Events) else blocks:
        if len(block.conflicts):
            raise ValueError("events kept aside can't be written; pass their rows")
        if len(block):
            rows = block if _sorted(block) else take(block, np.lexsort((block.received_ms, block.seq, block.session)))
            if rows.session[0] <= last:
                raise ValueError("blocks of events must hold whole sessions, in ascending order")
            last = int(rows.session[-1])
            yield rows


def _sorted(events: Events) -> bool:
    key = (events.session << 31) + events.seq
    return bool((key[1:] > key[:-1]).all())


def _write_parquet(folder: Path, names: Sequence[tuple[str, str]], blocks: Iterator[Events]) -> None:
    waiting: list[Events] = []
    path = folder / "events.parquet"
    words = [field.name for field in EVENT_SCHEMA if field.type == _WORDS]
    with path.open("wb") as file:
        with pq.ParquetWriter(file, EVENT_SCHEMA, use_dictionary=words, compression="zstd") as writer:
            for block in blocks:
                waiting.append(block)
                if sum(map(len, waiting)) >= ROW_GROUP_ROWS:
                    waiting = [_write_row_groups(writer, join(waiting), names, last=False)]
            if waiting:
                _write_row_groups(writer, join(waiting), names, last=True)
        file.flush()
        os.fsync(file.fileno())


def _write_row_groups(
    writer: pq.ParquetWriter, events: Events, names: Sequence[tuple[str, str]], *, last: bool
) -> Events:
    """Write row groups of about `ROW_GROUP_ROWS`, cut between sessions; return what is left over."""
    begins = np.flatnonzero(np.diff(events.session, prepend=-1))
    first = 0
    while len(events) - first >= ROW_GROUP_ROWS or (last and first < len(events)):
        place = int(np.searchsorted(begins, first + ROW_GROUP_ROWS))
        stop = int(begins[place]) if place < len(begins) else len(events)
        writer.write_table(_table(take(events, slice(first, stop)), names), row_group_size=stop - first)
        first = stop
    return take(events, slice(first, None))


def _table(events: Events, names: Sequence[tuple[str, str]]) -> pa.Table:
    events = compact_names(events)
    present, place = np.unique(events.session, return_inverse=True)
    ids = [names[row] for row in present.tolist()]
    columns = {name: getattr(events, name) for name in EVENT_SCHEMA.names if hasattr(events, name)}
    columns |= {
        "platform_id": _ids([platform_id for platform_id, _ in ids], place),
        "session_id": _ids([session_id for _, session_id in ids], place),
        "type": _dictionary(events.type, list(map(str, EVENT_TYPES))),
        "from_s": pa.array(events.from_s, mask=np.isnan(events.from_s)),
        "player": _dictionary(events.player, list(events.player_names)),
        "popup": _dictionary(events.popup, list(events.popup_names)),
    }
    return pa.table([columns[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)


def _ids(ids: Sequence[str], place: NDArray[np.int64]) -> pa.DictionaryArray:
    """Return the id at each place as a column; two sessions may share an id, a dictionary holds it once."""
    distinct = {name: code for code, name in enumerate(dict.fromkeys(ids))}
    codes = np.array([distinct[name] for name in ids], np.int32)
    return _dictionary(codes[place] if len(codes) else codes, list(distinct))


def _dictionary(codes: NDArray[Any], names: Sequence[str]) -> pa.DictionaryArray:
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))


def _write_ndjson(folder: Path, names: Sequence[tuple[str, str]], blocks: Iterator[Events]) -> None:
    _write(folder / "events.ndjson", (line for block in blocks for line in _lines(block, names)))


def _lines(events: Events, names: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for row, session in enumerate(events.session.tolist()):
        values = {"platform_id": names[session][0], "session_id": names[session][1]}
        yield encoder.encode(values | event_values(events, row)) + b"\n"


_WRITERS = {"parquet": _write_parquet, "ndjson": _write_ndjson}
