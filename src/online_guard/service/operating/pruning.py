"""Closed months leave the database: their events lie in files from then on, and verdicts stay what they are."""

from __future__ import annotations

from dataclasses import dataclass

from online_guard.ingest.live import DAY_MS
from online_guard.service.house import House
from online_guard.store import cold_events
from online_guard.store.bundle_rows import SESSIONS_AT_ONCE, Selection
from online_guard.store.unit_of_work import reading, writing


@dataclass(frozen=True)
class Pruned:
    """How many sessions, and bytes of their events, left the database; how many stay as they aren't settled yet."""

    sessions: int
    size: int
    left: int


def prune(house: House, month: str, now_ms: int) -> Pruned:
    """Move the events of sessions opened in a month, and closed more than 24 h ago, into files of `events_dir`.

    A file is on disk before the database lets go of what it holds; killed in between, it is written again. Later
    batches are refused 24 h after the close (SPEC 3.2), and an auditor's replay puts what it changes into the database.

    Args:
        house: The service.
        month: A civil month in China, such as `2021-06`.
        now_ms: The service's clock.

    Raises:
        GuardError: It is no month; a file can't be written.
    """
    with reading(house.engine) as database:
        rows = cold_events.sessions_where(database, *Selection(month=month).where())
    settled = [row for row, closed_ms in rows if closed_ms is not None and now_ms - closed_ms > DAY_MS]
    size = 0
    for first in range(0, len(settled), SESSIONS_AT_ONCE):
        with reading(house.engine) as database:
            chunks = cold_events.warm_chunks(database, settled[first : first + SESSIONS_AT_ONCE])
        if chunks:
            moved = cold_events.write_file(house.settings.events, month, chunks)
            with writing(house.engine) as database:
                cold_events.let_go(database, moved)
            size += sum(len(columns) for _, columns in chunks)
    return Pruned(len(settled), size, len(rows) - len(settled))
