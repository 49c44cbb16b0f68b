"""Ten thousand random sequences against review: none may break a promise. (`make test` runs some on PostgreSQL too.)

A control drops one guard of the database at a time: what it held back must then be found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from sqlalchemy import text

import review_sequences
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.store.unit_of_work import writing

GUARDS = {
    "review_ground": ("upheld", "by_two_persons", "still_holds", "not_appealed"),
    "review_decision": ("by_another", "in_order", "no_update", "no_delete"),
    "review_notice": ("grounds", "no_update"),
}
"""Guards whose absence random sequences find."""
MOST = 2_000
"""Sequences until a control must have found something."""


def sequences(
    first: int, count: int, database_url: str | None = None, without: str | None = None
) -> tuple[int, list[str]]:
    """Return how many sequences came to a final refusal, and what was broken; of a control the first only."""
    with tempfile.TemporaryDirectory(prefix="online-guard-") as folder:
        house = open_house(Settings(data_dir=Path(folder)))
        if without is not None:
            with writing(house.engine) as database:
                database.execute(text(f"DROP TRIGGER {without}"))
        refused, broken = 0, list[str]()
        for number in range(first, first + count):
            one = review_sequences.run(house, f"{number}")
            refused, broken = refused + one.refused, broken + one.broken
            if without is not None and broken:
                break
        house.engine.dispose()
    return refused, broken


def main() -> int:
    """Run, print, and return 1 when a promise was broken or a control found nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    console, began = Console(highlight=False, soft_wrap=True), time.monotonic()
    each = 250
    with ProcessPoolExecutor(asked.workers) as pool:
        parts = [pool.submit(sequences, first, min(each, asked.sequences - first))
                 for first in range(0, asked.sequences, each)]  # fmt: skip
        results = [part.result() for part in parts]
    refused, broken = sum(one for one, _ in results), [line for _, lines in results for line in lines]
    console.print(f"SQLite: {asked.sequences:,} sequences, {refused:,} with a final refusal by two persons, "
                  f"{len(broken)} broken promises, {time.monotonic() - began:.0f} s")  # fmt: skip
    for line in broken[:20]:
        console.print(line, markup=False)
    silent = [guard for table, names in GUARDS.items() for name in names
              if not _control(console, guard := f"guard_{table}_{name}")]  # fmt: skip
    return 1 if broken or silent or not refused else 0


def _control(console: Console, guard: str) -> bool:
    _, broken = sequences(1_000_000, MOST, without=guard)
    console.print(f"control without {guard}: {broken[0] if broken else 'NOTHING FOUND'}", markup=False)
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
