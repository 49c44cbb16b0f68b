"""Measures imports: `python benchmarks/imports.py [--bundle FOLDER] [--scale 1/9]`.

A county's year of 10 million events (`county_year`, or the folder given) is zipped, received and imported into a new
house on SQLite, and its columns are read plainly with pyarrow in the same run. Printed: events a second of both, their
ratio, the length of the last transaction, in which nobody else can write, and how much memory it took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from county_year import write_year
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.importing import import_work, imports
from online_guard.settings import Settings

LEAST_EVENTS_A_SECOND = 150_000


def zipped(folder: Path, target: Path) -> Path:
    """Return a zip of a bundle; Parquet isn't packed twice."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            method = zipfile.ZIP_STORED if path.suffix == ".parquet" else zipfile.ZIP_DEFLATED
            archive.write(path, path.name, method)
    return target


def plainly(path: Path) -> tuple[int, float]:
    """Return the number of events, and the seconds that pyarrow takes to read all their columns on one core."""
    began = time.perf_counter()
    file = pq.ParquetFile(path)
    rows = sum(file.read_row_group(group, use_threads=False).num_rows for group in range(file.num_row_groups))
    return rows, time.perf_counter() - began


@contextmanager
def timed(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note how long a function of `import_work` takes."""
    real: Callable[..., Any] = getattr(import_work, name)

    def call(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(*arguments)
        finally:
            seconds[name] = time.perf_counter() - began

    setattr(import_work, name, call)
    try:
        yield
    finally:
        setattr(import_work, name, real)


def run(house: House, body: Path, platform_id: str) -> dict[str, Any]:
    """Return what became of an import, with the seconds of its parts."""
    seconds: dict[str, float] = {}
    path = imports.new_file(house)
    path.write_bytes(body.read_bytes())
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    import_id = imports.receive(house, platform_id, path, sha256, clock_ms())["import_id"]
    began, worked = time.perf_counter(), time.process_time()
    with timed("_prepare", seconds), timed("admit", seconds):
        import_work.import_once(house, import_id)
    seconds["all"], seconds["work"] = time.perf_counter() - began, time.process_time() - worked
    return imports.told(house, import_id, platform_id) | {"seconds": seconds}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, help="folder of a bundle with one platform")
    parser.add_argument("--scale", type=Fraction, default=Fraction(1, 9), help="of the county's 90 million events")
    parser.add_argument("--database-url", help="another database than SQLite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folder = given.bundle or work / "year"
        if not given.bundle:
            print(f"writing a county's year at scale {given.scale}", flush=True)
            write_year(folder, given.scale, one_platform=True)
        (platform_id,) = {row["platform_id"] for row in json.loads((folder / "classes.json").read_text("utf-8"))}
        body = zipped(folder, work / "body.zip")
        house = open_house(Settings(data_dir=work / "data", database_url=given.database_url))
        told = run(house, body, platform_id)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows, plain_s = plainly(folder / "events.parquet")
        (folder / "note.txt").write_text("the same rows, another body", "utf-8")
        again = run(house, zipped(folder, work / "again.zip"), platform_id)
        (folder / "note.txt").unlink()
        house.engine.dispose()
        return report(told, again, rows, plain_s, memory, body.stat().st_size)


def report(told: dict[str, Any], again: dict[str, Any], rows: int, plain_s: float, memory: float, size: int) -> int:
    """Print what was measured; return 1 when it falls short."""
    seconds = told["seconds"]
    if told["state"] != "done" or told["counts"]["events"]["accepted"] != rows:
        print(json.dumps(told, ensure_ascii=False)[:2_000])
        return 1
    speed = rows / seconds["all"]
    print(f"{rows:,} events, {told['counts']['sessions']['accepted']:,} sessions, zip {size / 2**20:.0f} MiB")
    worked = seconds["work"]
    print(f"import         {seconds['all']:7.1f} s  {speed:12,.0f} events/s")
    print(f"  of processors' time {worked:6.1f} s  {rows / worked:12,.0f} events/s, whatever else the machine did")
    print(f"  read, check, pack {seconds['_prepare']:7.1f} s; the last transaction {seconds['admit']:5.1f} s")
    ratio = seconds["all"] / plain_s
    print(
        f"pyarrow alone  {plain_s:7.1f} s  {rows / plain_s:12,.0f} events/s; the import takes {ratio:.1f} times as long"
    )
    print(f"most memory    {memory:,.0f} MiB")
    repeated = again["counts"]["events"]["duplicate"]
    print(f"the same rows in another zip: {repeated:,} duplicate, {again['seconds'].get('all', 0):.1f} s")
    print(f"at least {LEAST_EVENTS_A_SECOND:,} events/s: {'yes' if speed >= LEAST_EVENTS_A_SECOND else 'NO'}")
    return int(speed < LEAST_EVENTS_A_SECOND)


if __name__ == "__main__":
    sys.exit(main())
