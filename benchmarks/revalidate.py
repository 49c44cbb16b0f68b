"""Measures re-validation of a county's year: `python benchmarks/revalidate.py [--scale 1/9] [--scaling]`.

In one run, on the same bundle, each as a process of its own: (a) pyarrow reads the event columns with two threads, (b)
six of the rules in DuckDB SQL, (c) the same in Polars, and `online-guard revalidate` with two workers, all rules and
all files of results. Prints time, peak memory and ratios; that (b) and (c) give our answers is checked each time.
`--scaling` measures re-validation at 1/9, 1/3 and the whole year instead. Bundles are made once and kept in the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from peers import RULES, differences, read_answers, read_findings

HERE = Path(__file__).resolve().parent
WORKERS = 2
ONLINE_GUARD = (sys.executable, "-c", "from online_guard.cli import main; main()")
SCALES = (Fraction(1, 9), Fraction(1, 3), Fraction(1))
READ = "(a) pyarrow reads the events"
OURS = "online-guard, all rules"
DUCKDB = "(b) DuckDB, six rules"
POLARS = "(c) Polars, six rules"


class Measured(NamedTuple):
    """What one process took from its start to its end; CPU seconds tell when something else ran beside it."""

    seconds: float
    cpu_s: float
    peak_mb: float


def measure(command: Sequence[str | Path], output: Path) -> Measured:
    """Run a command, its output into a file, and return what it took.

    Raises:
        SystemExit: It failed; its output has been printed.
    """
    began = time.perf_counter()
    with output.open("wb") as file:
        process = subprocess.Popen([*map(str, command)], stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        print(output.read_text(encoding="utf-8", errors="replace"))
        raise SystemExit(f"{command[-1]}: exit status {process.returncode}")
    return Measured(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def read_columns(bundle: Path) -> None:
    """Read every column of the events, row group by row group, as re-validation needs them."""
    pa.set_cpu_count(WORKERS)
    file = pq.ParquetFile(
        bundle / "events.parquet", read_dictionary=["platform_id", "session_id", "type", "player", "popup"]
    )
    for group in range(file.num_row_groups):
        file.read_row_group(group)


def bundle_of(folder: Path, scale: Fraction) -> Path:
    """Return the bundle of a scale, made if it isn't there."""
    bundle = folder / f"year-{scale.numerator}-{scale.denominator}"
    if not bundle.exists():
        # not in this process: a child's peak memory is at least its parent's at the moment of its start
        made = measure([sys.executable, HERE / "county_year.py", bundle, "--scale", str(scale)], folder / "made.txt")
        print(f"made {bundle} in {made.seconds:.0f} s")
    return bundle


def revalidate(bundle: Path, folder: Path) -> Measured:
    """Measure `online-guard revalidate` with all its rules, its results into `folder`/out."""
    command = [*ONLINE_GUARD, "revalidate", bundle, "--policy", "huangchuan-2021", "--workers", str(WORKERS)]
    return measure([*command, "--out", folder / "out"], folder / "revalidate.txt")


def counts(folder: Path) -> dict[str, int]:
    """Return the counts of the re-validation last measured."""
    return dict(json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))["counts"])


def compare(folder: Path, scale: Fraction) -> int:
    """Measure everything at one scale and print it; return 1 when a peer's answers aren't ours."""
    bundle = bundle_of(folder, scale)
    measured = {READ: measure([sys.executable, __file__, "--read", bundle], folder / "read.txt")}
    measured[OURS] = revalidate(bundle, folder)
    ours, different = read_findings(folder / "out" / "findings.ndjson"), []
    for name, peer in ((DUCKDB, "duckdb"), (POLARS, "polars")):
        answers = folder / f"{peer}.json"
        measured[name] = measure([sys.executable, HERE / "peers.py", peer, bundle], answers)
        different += [f"{name}: {line}" for line in differences(ours, read_answers(answers))]
    total = counts(folder)
    table = Table("", "seconds", "CPU s", "÷ (a)", "÷ ours", "M events/s", "peak MB")
    for name, (seconds, cpu_s, peak_mb) in measured.items():
        ratios = [f"{seconds / measured[base].seconds:.2f}" for base in (READ, OURS)]
        speed = f"{total['events'] / seconds / 1e6:.2f}"
        table.add_row(name, f"{seconds:.1f}", f"{cpu_s:.1f}", *ratios, speed, f"{peak_mb:,.0f}")
    Console().print(f"{total['events']:,} events, {total['sessions']:,} sessions, {os.cpu_count()} cores")
    Console().print(table)
    found = ", ".join(f"{rule} {len(ours[rule])}" for rule in RULES)
    print("\n".join(different) or f"same answers: {found}")
    return 1 if different else 0


def scaling(folder: Path) -> None:
    """Measure re-validation at three scales and print it."""
    table = Table("scale", "events", "seconds", "CPU s", "× first", "s per million", "peak MB")
    first = None
    for scale in SCALES:
        measured = revalidate(bundle_of(folder, scale), folder)
        events = counts(folder)["events"]
        first = first or measured.seconds
        growth = (f"{measured.seconds / first:.1f}", f"{measured.seconds / events * 1e6:.3f}")
        name = f"{int(scale / SCALES[0])}x"
        took = (f"{measured.seconds:.1f}", f"{measured.cpu_s:.1f}")
        table.add_row(name, f"{events:,}", *took, *growth, f"{measured.peak_mb:,.0f}")
    Console().print(table)


def main() -> int:
    """Measure what the command line asks for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scale", type=Fraction, default=Fraction(1), help="share of the year, such as 1/9")
    arguments.add_argument("--scaling", action="store_true", help="re-validation at 1/9, 1/3 and 1 instead")
    arguments.add_argument("--folder", type=Path, default=HERE.parent / "build" / "benchmark")
    arguments.add_argument("--read", type=Path, metavar="BUNDLE", help="only read the event columns of a bundle")
    given = arguments.parse_args()
    if given.read:
        read_columns(given.read)
        return 0
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.scaling:
        scaling(given.folder)
        return 0
    return compare(given.folder, given.scale)


if __name__ == "__main__":
    sys.exit(main())
