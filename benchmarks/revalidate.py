"""Measures re-validation against merely reading the events: `python benchmarks/revalidate.py [--events N]`.

Makes a bundle of honest sessions once (kept in the folder), then prints the time of reading its event columns with
pyarrow, the time of `online-guard revalidate` over it, their ratio and the peak memory. Sixty simulated learners are
copied with their clocks stretched and bent a little, so that no two sessions are the same; directives are left out, as
in an archive (OG305 is then not evaluable).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from online_guard.evidence import Events, Evidence
from online_guard.ingest.bundle import open_bundle, read_block, write_bundle
from online_guard.simulate.course import Course, Plan, simulate, write_rows
from online_guard.simulate.tape import Row
from online_guard.simulate.ways import HONEST_WAYS

LEARNERS = 60
SEED = 40
COMMAND = (sys.executable, "-c", "from online_guard.cli import main; main()")
Rows = dict[str, list[Row]]
NAMES = {"liveness": "checks", "offline_hours": "practice"}
"""Names of tables where they differ from those of their files."""
KEYS = ("class_id", "enrolment_id", "learner_id", "session_id", "device_id")


def make_bundle(folder: Path, events: int) -> int:
    """Write a bundle of at least `events` events and return how many it has."""
    ways = list(HONEST_WAYS)
    rows = simulate([Plan(ways[number % len(ways)]) for number in range(LEARNERS)], SEED, Course(teachers=4))
    evidence = _template(rows)
    copies = -(-events // len(evidence.events))
    tables: dict[str, Any] = {NAMES.get(name, name): [] for name in rows if name not in ("events", "directives")}
    for copy in range(copies):
        for name, table in rows.items():
            if NAMES.get(name, name) in tables:
                tables[NAMES.get(name, name)] += [SimpleNamespace(**_renamed(row, copy)) for row in table]
    classes, sessions = tables.pop("classes"), tables.pop("sessions")
    write_bundle(folder, classes=classes, sessions=sessions, events=_copies(evidence, copies), **tables)
    return copies * len(evidence.events)


def _template(rows: Rows) -> Evidence:
    """Return simulated rows as evidence with its events."""
    with tempfile.TemporaryDirectory() as scratch:
        write_rows(rows, Path(scratch))
        bundle = open_bundle(scratch)
        (block,) = bundle.blocks()
        return bundle.evidence.with_events(read_block(block, bundle.index).events)


def _renamed(row: Row, copy: int) -> Row:
    """Return a row in a class, of learners and with sessions and pictures of its own."""
    renamed: Row = {name: f"c{copy:05}-{row[name]}" for name in KEYS if name in row}
    if "sha256" in row:
        renamed["sha256"] = f"{copy:08x}" + str(row["sha256"])[8:]
        renamed["phash"] = f"{(int(str(row['phash']), 16) + copy * 0x9E3779B97F4A7C15) % 2**64:016x}"
    return row | renamed


def _copies(evidence: Evidence, copies: int) -> Iterator[Events]:
    """Yield the events of each copy: every clock stretched by up to 1 % and bent by up to 0.3 s."""
    events, sessions = evidence.events, evidence.sessions
    since_ms = events.at_ms - sessions.opened_at_ms[events.session]
    generator = np.random.default_rng(SEED)
    for copy in range(copies):
        stretch, phase = generator.uniform(0, 0.01, len(sessions)), generator.uniform(0, 6.28, len(sessions))
        wave_ms = generator.uniform(40_000, 80_000, len(sessions))
        bend_ms = 300 * np.sin(phase[events.session] + since_ms / wave_ms[events.session])
        later = np.round(since_ms * stretch[events.session] + 300 + bend_ms).astype(np.int64)
        yield replace(
            events,
            session=events.session + copy * len(sessions),
            at_ms=events.at_ms + later,
            received_ms=events.received_ms + later,
        )


def read_columns(path: Path) -> float:
    """Return how many seconds reading every column of the events takes, row group by row group."""
    began = time.perf_counter()
    file = pq.ParquetFile(path, read_dictionary=["platform_id", "session_id", "type", "player", "popup"])
    for group in range(file.num_row_groups):
        file.read_row_group(group)
    return time.perf_counter() - began


def revalidate(folder: Path, out: Path) -> tuple[float, float, dict[str, Any]]:
    """Return seconds, peak memory in MB of the largest process, and the summary of a re-validation."""
    began = time.perf_counter()
    subprocess.run([*COMMAND, "revalidate", str(folder), "--policy", "huangchuan-2021", "--out", str(out)], check=True)
    took = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return took, peak_mb, summary


def main() -> None:
    """Make the bundle if it isn't there, measure, and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=10_000_000, help="at least so many events")
    arguments.add_argument("--folder", type=Path, default=Path(__file__).resolve().parents[1] / "build" / "benchmark")
    given = arguments.parse_args()
    bundle, out = given.folder / f"bundle-{given.events}", given.folder / "out"
    if not bundle.exists():
        began = time.perf_counter()
        count = make_bundle(bundle, given.events)
        print(f"made {count} events in {time.perf_counter() - began:.1f} s")
    shutil.rmtree(out, ignore_errors=True)
    reading = read_columns(bundle / "events.parquet")
    took, peak_mb, summary = revalidate(bundle, out)
    table = Table("measure", "value")
    for name, value in (
        ("events", f"{summary['counts']['events']:,}"),
        ("sessions", f"{summary['counts']['sessions']:,}"),
        ("cores", str(os.cpu_count())),
        ("read all event columns (pyarrow)", f"{reading:.2f} s"),
        ("online-guard revalidate", f"{took:.2f} s"),
        ("ratio", f"{took / reading:.1f}"),
        ("events per second", f"{summary['counts']['events'] / took:,.0f}"),
        ("peak memory, largest process", f"{peak_mb:,.0f} MB"),
        ("findings", str(summary["counts"]["findings"])),
    ):
        table.add_row(name, value)
    Console().print(table)


if __name__ == "__main__":
    main()
