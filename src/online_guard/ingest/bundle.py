"""The bundle folder: open, cut into blocks of whole sessions, read a block (BUNDLE.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Events, Evidence
from online_guard.ingest import events_ndjson, events_parquet
from online_guard.ingest.bundle_writer import write_bundle
from online_guard.ingest.event_columns import SessionIndex, join
from online_guard.ingest.events_parquet import RowRange
from online_guard.ingest.identity import compact_names, settle, take
from online_guard.ingest.locations import Location, digest_of, exists, locate, state_of
from online_guard.ingest.refusals import WHOLE_FILE, RefusedRow
from online_guard.ingest.row_reading import unreadable
from online_guard.ingest.tables import CLASSES, TABLES, Border, read_tables

__all__ = ["Block", "BlockRead", "Bundle", "RefusedRow", "content_key", "open_bundle", "read_block", "write_bundle"]

EVENTS_NDJSON = "events.ndjson"
EVENTS_PARQUET = "events.parquet"
_DATA_SUFFIXES = {".json", ".ndjson", ".jsonl", ".parquet"}


@dataclass(frozen=True)
class BlockRead:
    """The events of a block of whole sessions, sorted by (session, seq).

    events: those that count; `session` names rows of the whole bundle's `evidence.sessions`. refused: rows left out,
    in the order of the file. duplicates: how many deliveries merely repeated an event.
    """

    events: Events
    refused: list[RefusedRow]
    duplicates: int


Block = RowRange | BlockRead
"""Where a block's events are: rows of a Parquet file, or, when they had to be sorted, the events themselves."""


@dataclass(frozen=True)
class Bundle:
    """An open bundle: its small tables as evidence, and where its events are.

    evidence: without events. refused: bad rows of the small tables, sorted by file and line. index: what `read_block`
    needs to know of the sessions. Can be sent to another process.
    """

    path: Location
    evidence: Evidence
    refused: list[RefusedRow]
    index: SessionIndex

    def blocks(self, target_rows: int = 1_000_000) -> list[Block]:
        """Return addresses of all events, cut between sessions into blocks of about `target_rows` rows.

        Read in order they give the events sorted by session. Parquet whose sessions come in order is read block by
        block; everything else is read and sorted in memory here.

        Raises:
            GuardError: the file is damaged or has wrong columns.
        """
        parquet, ndjson = self.path / EVENTS_PARQUET, self.path / EVENTS_NDJSON
        if exists(parquet):
            layout = events_parquet.scan(parquet, self.index)
            if layout.in_order:
                return list(layout.ranges(target_rows))
            pieces = [events_parquet.read_range(rows, self.index) for rows in layout.row_groups()]
        elif exists(ndjson):
            pieces = list(events_ndjson.read_events(ndjson, self.index))
        else:
            pieces = []
        events, duplicates = settle(join([good for good, _ in pieces]))
        return _cut(BlockRead(events, [row for _, bad in pieces for row in bad], duplicates), target_rows)


def open_bundle(path: Location | str, border: Border | None = None) -> Bundle:
    """Return the bundle in a folder or at a URL, its small tables read and checked.

    Args:
        path: Of the folder.
        border: What else rows must fulfil (`tables.Border`).

    Raises:
        GuardError: no such place, no classes.json, two files of events, or a file that can't be read at all.
    """
    folder = locate(path)
    if not exists(folder / CLASSES):
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "bundle.not_found",
            "不是数据包文件夹：没有 classes.json / not a bundle folder: there is no classes.json",
            where=str(folder),
            remedy="请给出含 classes.json 的文件夹 / name the folder that holds classes.json",
        )
    if exists(folder / EVENTS_NDJSON) and exists(folder / EVENTS_PARQUET):
        raise GuardError(
            ErrorKind.CONFLICT,
            "bundle.two_event_files",
            "事件只能有一个文件 / events come in one file, not in both events.ndjson and events.parquet",
            where=str(folder),
            remedy="请移走其中一个 / move one of them away",
        )
    refused = _unknown_files(folder)
    evidence = read_tables(folder, refused, border)
    return Bundle(folder, evidence, sorted(refused), SessionIndex.of(evidence))


def content_key(folder: Location) -> str:
    """Return a name for what a bundle holds: other place or content, other name.

    Small tables are hashed; the events, which are large, count by their size and time or what their store says.

    Raises:
        GuardError: a file can't be read.
    """
    parts = [str(folder)]
    for name in (CLASSES, *TABLES, EVENTS_NDJSON, EVENTS_PARQUET):
        tell = state_of if name in (EVENTS_NDJSON, EVENTS_PARQUET) else digest_of
        try:
            parts.append(f"{name} {tell(folder / name)}")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(folder / name, error) from error
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_block(block: Block, index: SessionIndex) -> BlockRead:
    """Return a block's events, checked and settled (SPEC 3.2).

    Raises:
        GuardError: the file is damaged.
    """
    if isinstance(block, BlockRead):
        return block
    events, refused = events_parquet.read_range(block, index)
    settled, duplicates = settle(events)
    return BlockRead(settled, refused, duplicates)


def _unknown_files(folder: Location) -> list[RefusedRow]:
    """Return one refusal for each data file that no table has, so that nothing is left out in silence."""
    known = {CLASSES, EVENTS_NDJSON, EVENTS_PARQUET, *TABLES}
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    reason = "未知的数据文件，未读取 / unknown data file, not read"
    return [
        RefusedRow(name, WHOLE_FILE, reason)
        for name in names
        if name not in known and _DATA_SUFFIXES & {suffix.lower() for suffix in Path(name).suffixes}
    ]


def _cut(whole: BlockRead, target_rows: int) -> list[Block]:
    """Return the pieces of sorted events, cut between sessions; the first carries the refused rows and the count."""
    pieces = [compact_names(piece) for piece in cut_between_sessions(whole.events, target_rows)]
    blocks = [BlockRead(piece, [], 0) for piece in pieces]
    blocks[0] = replace(whole, events=pieces[0])
    return [block for block in blocks if len(block.events) or block.refused]


def cut_between_sessions(events: Events, target_rows: int) -> list[Events]:
    """Return sorted events in pieces of whole sessions, each of at least about `target_rows` rows but the last."""
    edges = [0]
    for begin in np.flatnonzero(np.diff(events.session, prepend=-1)).tolist():
        if begin - edges[-1] >= target_rows:
            edges.append(begin)
    return [_piece(events, first, stop) for first, stop in zip(edges, [*edges[1:], len(events)], strict=True)]


def _piece(events: Events, first: int, stop: int) -> Events:
    """Return whole sessions of sorted events with their conflicts."""
    piece = take(events, slice(first, stop))
    of_piece = slice(0, 0)
    if first < stop:
        low, high = np.searchsorted(events.conflicts, [piece.session[0], piece.session[-1] + 1])
        of_piece = slice(int(low), int(high))
    return replace(piece, conflicts=events.conflicts[of_piece])
