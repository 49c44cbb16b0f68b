"""A bundle read to be written anew: its good rows in order, with every row that was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from online_guard.evidence import Events
from online_guard.ingest import events_ndjson, events_parquet
from online_guard.ingest.bundle import EVENTS_NDJSON, EVENTS_PARQUET, Bundle, open_bundle
from online_guard.ingest.bundle_writer import ARGUMENTS
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import settle, take
from online_guard.ingest.refusals import RefusedRow
from online_guard.ingest.tables import TABLES, read_lines


@dataclass(frozen=True)
class EventsRead:
    """Events of whole sessions.

    counting: those that count. to_write: the same and, of sessions with conflicts, every row as it came, so that OG105
    still sees them. refused: rows left out. duplicates: rows that merely repeat. repeated: the same by session, where
    there are any.
    """

    counting: Events
    to_write: Events
    refused: list[RefusedRow]
    duplicates: int
    repeated: Mapping[int, int] = field(default_factory=dict)


def good_rows(bundle: Bundle) -> dict[str, list[Any]]:
    """Return the good rows of the small tables, by the names of `write_bundle`'s arguments."""
    refused = {(row.file, row.line) for row in bundle.refused}
    tables: dict[str, list[Any]] = {"classes": [*bundle.evidence.classes]}
    for name, file in ARGUMENTS.items():
        rows = read_lines(bundle.path / file, TABLES[file], [])
        tables[name] = [row for line, row in rows if (file, line) not in refused]
    return tables


def event_reader(path: Path) -> tuple[Bundle, Callable[[], Iterator[EventsRead]]]:
    """Return an open bundle, and a function that reads its events in blocks each time it is called.

    Raises:
        GuardError: the bundle can't be read at all.
    """
    bundle = open_bundle(path)
    return bundle, lambda: read_events(bundle)


def read_events(bundle: Bundle) -> Iterator[EventsRead]:
    """Yield the events of a bundle in blocks of whole sessions, in order of sessions.

    Raises:
        GuardError: The file is damaged or has wrong columns.
    """
    return map(_settled, _raw_blocks(bundle))


def _raw_blocks(bundle: Bundle) -> Iterator[tuple[Events, list[RefusedRow]]]:
    """Yield the rows of events in blocks of whole sessions, in order of sessions, before any is dropped."""
    parquet, ndjson = bundle.path / EVENTS_PARQUET, bundle.path / EVENTS_NDJSON
    if parquet.exists():
        layout = events_parquet.scan(parquet, bundle.index)
        if layout.in_order:
            for rows in layout.ranges(1_000_000):
                yield events_parquet.read_range(rows, bundle.index)
            return
        pieces = [events_parquet.read_range(rows, bundle.index) for rows in layout.row_groups()]
    elif ndjson.exists():
        pieces = list(events_ndjson.read_events(ndjson, bundle.index))
    else:
        return
    yield join([good for good, _ in pieces]), [row for _, bad in pieces for row in bad]


def _settled(block: tuple[Events, list[RefusedRow]]) -> EventsRead:
    events, refused = block
    counting, duplicates = settle(events)
    disputed = np.unique(counting.conflicts)
    repeated = _repeated(events, counting) if duplicates else {}
    if not len(disputed):
        return EventsRead(counting, counting, refused, duplicates, repeated)
    plain = take(counting, ~np.isin(counting.session, disputed))
    to_write = join([_without_conflicts(plain), take(events, np.isin(events.session, disputed))])
    return EventsRead(counting, to_write, refused, duplicates, repeated)


def _repeated(events: Events, counting: Events) -> dict[int, int]:
    """Return how many rows of each session merely repeat, where any do."""
    sessions, sent = np.unique(events.session, return_counts=True)
    for kept in (counting.session, counting.conflicts):
        present, rows = np.unique(kept, return_counts=True)
        sent[np.searchsorted(sessions, present)] -= rows
    return {int(sessions[place]): int(sent[place]) for place in np.flatnonzero(sent)}


def _without_conflicts(events: Events) -> Events:
    return Events(**{**vars(events), "conflicts": np.zeros(0, np.int64)})
