"""Events come in on a disk whose power is cut again and again; what was acknowledged is looked for in what is left."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import sqlite_on_a_disk
from simulated_platform import SimulatedPlatform
from sqlalchemy import create_engine, select
from sqlite_on_a_disk import Disk

from online_guard.service import house as houses
from online_guard.service.house import House, open_house
from online_guard.service.operating import evidence_log
from online_guard.service.operating.evidence_log import Verified, verify_within
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store import unit_of_work
from online_guard.store.evidence_loader import load_events
from online_guard.store.log_key import open_log_key
from online_guard.store.tables import SessionRecord
from online_guard.store.unit_of_work import open_engine, reading

COURSE = Course(duration_s=36_000)
NOW_MS = 1_625_101_200_000
BATCH, CLIENTS = 12, 4
MOST_BETWEEN = 25
"""Batches between two cuts."""
PATIENCE_S = 60
PAGES = 40
"""After so many pages the log is copied into the database: often enough that cuts come in the midst of that too."""


@dataclass(frozen=True)
class Outcome:
    """What some power cuts left: events acknowledged before each, added up, and how many of them were missing."""

    cuts: int
    acknowledged: int
    lost: int
    cuts_with_loss: int
    checkpoints: int
    log_entries: int
    log_faults: int


def batch(first: int) -> bytes:
    """Return a batch of heartbeats whose content follows from their numbers."""
    events = [
        {
            "seq": seq, "type": "heartbeat", "at_ms": NOW_MS + seq * 10, "position_s": seq / 100, "playing": True,
            "rate": 1.0, "player": "tab",
        }
        for seq in range(first, first + BATCH)
    ]  # fmt: skip
    return json.dumps({"events": events}).encode()


def cut_power_often(folder: Path, cuts: int, synchronous: str, seed: int) -> Outcome:
    """Ingest by several threads through the service, cut the power at random moments, and compare.

    Args:
        folder: Empty; gets the database and what is left at each cut.
        cuts: How often the power is cut.
        synchronous: `FULL`, as the store sets it, or another word for a control.
        seed: Of the moments, and of which unsynced sectors survive.
    """
    random, disk = Random(seed), Disk()
    with _on(synchronous):
        house = _open(folder / "data")
        acknowledged = [0] * CLIENTS
        stop, progress = threading.Event(), threading.Condition()

        def client(number: int) -> None:
            first = 0
            while not stop.is_set():
                answer = sessions.add_events(house, f"s{number}", COURSE.platform_id, batch(first), NOW_MS)
                assert answer["counts"] == {"accepted": BATCH}
                first += BATCH
                with progress:
                    acknowledged[number] = first
                    progress.notify()

        def sequencer() -> None:
            while not stop.wait(0.02):
                evidence_log.sequence(house, at_once=True)

        found: list[tuple[Path, list[int]]] = []
        with ThreadPoolExecutor(CLIENTS + 1) as threads:
            working = [threads.submit(client, number) for number in range(CLIENTS)] + [threads.submit(sequencer)]
            try:
                for cut in range(cuts):
                    more = sum(acknowledged) + random.randint(1, MOST_BETWEEN) * BATCH
                    with progress:
                        assert progress.wait_for(lambda more=more: sum(acknowledged) >= more, PATIENCE_S)
                        known = list(acknowledged)
                    time.sleep(random.uniform(0, 0.003))  # anywhere in the next commits
                    disk.cut_power(folder / f"cut-{cut}", random)
                    found.append((folder / f"cut-{cut}", known))
            finally:
                stop.set()
            for done in working:
                done.result()
        house.engine.dispose()
    public = open_log_key(house.settings.signing_key_file).public
    missing, logs = zip(*(_left(folder, known, public) for folder, known in found), strict=True)
    return Outcome(
        cuts=cuts,
        acknowledged=sum(sum(known) for _, known in found),
        lost=sum(missing),
        cuts_with_loss=sum(1 for count in missing if count),
        checkpoints=disk.syncs_of(".sqlite3"),
        log_entries=sum(log.size + log.waiting for log in logs),
        log_faults=sum(len(log.faults) for log in logs),
    )


def _on(synchronous: str) -> Any:
    """Let the store open its databases on the disk; other words than FULL are controls, and pass its own check."""
    original = unit_of_work._prepare_sqlite

    def prepare(connection: Any, record: object) -> None:
        original(connection, record)
        connection.execute(f"PRAGMA wal_autocheckpoint={PAGES}")
        if synchronous != "FULL":
            connection.execute(f"PRAGMA synchronous={synchronous}")

    made = partial(create_engine, module=sqlite_on_a_disk)
    changes: dict[str, Any] = {"create_engine": made, "_prepare_sqlite": prepare}
    stack = _Patches()
    stack.add(patch.multiple(unit_of_work, **changes))
    if synchronous != "FULL":
        stack.add(patch.object(houses, "check_sqlite", lambda _engine: None))
    return stack


class _Patches:
    def __init__(self) -> None:
        self._patches: list[Any] = []

    def add(self, one: Any) -> None:
        self._patches.append(one)

    def __enter__(self) -> None:
        for one in self._patches:
            one.start()

    def __exit__(self, *_: object) -> None:
        for one in reversed(self._patches):
            one.stop()


def _open(folder: Path) -> House:
    house = open_house(Settings(data_dir=folder))
    platform = SimulatedPlatform(house)
    platform.register(COURSE)
    for number in range(CLIENTS):
        platform.enrol(COURSE, f"e{number}", number)
        opening = sessions.Opening(COURSE.platform_id, f"s{number}", f"e{number}", 1, NOW_MS, f"pc-{number}")
        sessions.open_session(house, opening, NOW_MS)
    evidence_log.sequence(house, at_once=True)
    return house


def _left(folder: Path, acknowledged: list[int], public: bytes) -> tuple[int, Verified]:
    """Return how many acknowledged events aren't in a database that a power cut left, and what its log says anew.

    Raises:
        AssertionError: An event is there twice, or with another content.
    """
    engine = open_engine(f"sqlite:///{folder / 'online-guard.sqlite3'}")
    with reading(engine) as database:
        rows = database.execute(select(SessionRecord.row_id, SessionRecord.session_id))
        events = load_events(database, {row: int(name[1:]) for row, name in rows})
        log = verify_within(database, public)
        sound = database.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
    engine.dispose()
    assert sound == "ok", sound
    assert np.array_equal(events.at_ms, NOW_MS + events.seq.astype(np.int64) * 10)
    missing = 0
    for number, most in enumerate(acknowledged):
        numbers = events.seq[events.session == number]
        assert len(np.unique(numbers)) == len(numbers), "an event is there twice"
        missing += most - int(np.count_nonzero(numbers < most))
    return missing, log
