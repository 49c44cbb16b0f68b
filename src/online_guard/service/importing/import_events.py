"""The events of an import, made ready session by session in a file, so that the last transaction only has to copy them.

A block of about a million events is in memory at a time. Events of a session that is known already are compared with
what is stored: what repeats is left out here, and what is left is compared once more in the last transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from online_guard.evidence import Events
from online_guard.ingest.bundle import Bundle
from online_guard.ingest.bundle_intake import EventsRead, read_events
from online_guard.ingest.identity import compact_names, take
from online_guard.ingest.merging import merge
from online_guard.service.importing.import_report import ACCEPTED, CONFLICT, DUPLICATE, Report
from online_guard.store import event_chunks, queries
from online_guard.store.event_chunks import MOST_EVENTS, Chunk
from online_guard.store.logged_batches import Counted, counted

PACKING_THREADS = 2
"""zlib lets other threads run; reading and checking need one core."""
LENGTH_BYTES = 4
StoredOf = Callable[[Sequence[int]], Events]
"""Gives the stored events of sessions that are known, by their places in the bundle, those kept aside among them."""


class ReadySession(msgspec.Struct, array_like=True):
    """What a bundle says of one session.

    chunks: rows of `event_chunk` without their session; where the session `is_known`, of all rows as they came. aside:
    contents kept aside and when they were received. repeats: rows that merely repeat. latest_ms: when the last event
    was received. timeline: OG804's. counted: what the log says of the events of a new session.
    """

    place: int
    is_known: bool
    chunks: list[dict[str, Any]]
    aside: list[tuple[dict[str, Any], int]]
    repeats: int
    latest_ms: int
    timeline: str | None
    counted: Counted | None = None

    def events(self) -> Events:
        """Return the rows of all chunks."""
        return event_chunks.opened([Chunk(0, row["count"], row["columns"]) for row in self.chunks])


def write_ready(
    bundle: Bundle,
    known: Collection[int],
    stored_of: StoredOf,
    path: Path,
    report: Report,
    told: Callable[[int], None],
) -> dict[int, tuple[int, str | None]]:
    """Write the events of a bundle as ready sessions; return by place when the last was received, and its timeline.

    Args:
        bundle: Whose events.
        known: The places of sessions that are stored already.
        stored_of: Their events.
        path: New file.
        report: Gets the refused and the repeated rows.
        told: Told the number of rows read, after each block.
    """
    opened = bundle.evidence.sessions.opened_at_ms
    last: dict[int, tuple[int, str | None]] = {}
    read = 0
    with path.open("xb") as file, ThreadPoolExecutor(PACKING_THREADS) as threads:
        for block in read_events(bundle):
            report.refuse(block.refused, "events")
            stored = _stored(block, known, stored_of)
            jobs = ((place, rows, stored.get(place), int(opened[place])) for place, rows in _sessions(block))
            for ready in threads.map(_ready, jobs):
                last[ready.place] = ready.latest_ms, ready.timeline
                _note(ready, report, bundle.evidence.sessions.key[ready.place])
                _write(file, ready)
            read += len(block.counting) + len(block.counting.conflicts) + block.duplicates + len(block.refused)
            told(read)
    return last


def _stored(block: EventsRead, known: Collection[int], stored_of: StoredOf) -> dict[int, Events]:
    """Return the stored events of each session of a block that is known."""
    places = [place for place in np.unique(block.counting.session).tolist() if place in known]
    if not places:
        return {}
    events = stored_of(places)
    events = take(events, np.argsort(events.session, kind="stable"))
    bounds = np.searchsorted(events.session, [*places, places[-1] + 1])
    return {
        place: take(events, slice(first, stop)) for place, (first, stop) in zip(places, pairwise(bounds), strict=True)
    }


def _sessions(block: EventsRead) -> Iterator[tuple[int, tuple[Events, int]]]:
    """Yield each session's place and rows: those that count, with how many repeat them; or, with −1, all as they came.

    The latter where some are disputed.
    """
    disputed = np.unique(block.counting.conflicts)
    events = block.counting
    begins = np.flatnonzero(np.diff(events.session, prepend=-1))
    for first, stop in pairwise([*begins.tolist(), len(events)]):
        place = int(events.session[first])
        if not len(disputed) or place not in disputed:
            yield place, (take(events, slice(first, stop)), block.repeated.get(place, 0))
        else:
            yield place, (take(block.to_write, np.flatnonzero(block.to_write.session == place)), -1)


def _ready(job: tuple[int, tuple[Events, int], Events | None, int]) -> ReadySession:
    place, (rows, repeats), stored, opened_at_ms = job
    rows = compact_names(replace(rows, conflicts=np.zeros(0, np.int64)))
    latest_ms = int(rows.received_ms.max())
    if stored is not None:
        merged = merge(compact_names(stored), rows)
        if len(merged.new) or merged.aside:
            return ReadySession(place, True, _chunks(rows), [], max(0, repeats), latest_ms, None)
        return ReadySession(place, True, [], [], max(0, repeats) + merged.duplicates, latest_ms, None)
    aside: list[tuple[dict[str, Any], int]] = []
    if repeats < 0:
        merged = merge(Events(), rows)
        rows, aside, repeats = merged.new, merged.aside, merged.duplicates
    timeline = queries.timeline_of(rows, opened_at_ms)
    return ReadySession(place, False, _chunks(rows), aside, repeats, latest_ms, timeline, counted(rows))


def _chunks(rows: Events) -> list[dict[str, Any]]:
    parts = (take(rows, slice(first, first + MOST_EVENTS)) for first in range(0, len(rows), MOST_EVENTS))
    return [event_chunks.row_of(0, part) for part in parts]


def _note(ready: ReadySession, report: Report, key: str) -> None:
    if ready.repeats:
        report.known("events", DUPLICATE, key, number=ready.repeats)
    if not ready.is_known:
        report.count("events", ACCEPTED, sum(row["count"] for row in ready.chunks))
        if ready.aside:
            report.known("events", CONFLICT, key, "同一 seq 内容不同 / other content under one `seq`", len(ready.aside))


def _write(file: BinaryIO, ready: ReadySession) -> None:
    content = msgspec.msgpack.encode(ready)
    file.write(len(content).to_bytes(LENGTH_BYTES, "little") + content)


def read_ready(path: Path) -> Iterator[ReadySession]:
    """Yield the sessions that `write_ready` wrote, in its order."""
    decoder = msgspec.msgpack.Decoder(ReadySession)
    with path.open("rb") as file:
        while length := file.read(LENGTH_BYTES):
            yield decoder.decode(file.read(int.from_bytes(length, "little")))
