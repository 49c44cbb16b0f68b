"""The evidence log at a size: what an entry costs its caller, the sequencer, a proof and the verifier.

python benchmarks/evidence_log.py [ENTRIES]        1 000 000 by default; two minutes and 700 MB in a temporary folder
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from online_guard.store import event_chunks, log_check, log_proofs, sealed_log
from online_guard.store.log_key import LogKey
from online_guard.store.log_tables import LogEntryRecord
from online_guard.store.logged_batches import chunk_entry, opening_of
from online_guard.store.sealed_log import Entry
from online_guard.store.tables import DeadLetterRecord, SessionRecord
from online_guard.store.unit_of_work import migrate, open_engine, reading, writing

KEY = LogKey(b"k" * 32)
SESSION = SessionRecord(
    platform_id="hc-online", session_id="session-1", enrolment_id="enrolment-1", lesson_no=1,
    opened_at_ms=1_623_124_800_000, opened_received_ms=1_623_124_800_300, device_id="pc-1",
)  # fmt: skip
EVENTS = [
    {"seq": number, "type": 4, "at_ms": 1_623_124_800_000 + 5_000 * number, "received_ms": 1_623_124_860_000,
     "position_s": 5.0 * number, "playing": True, "rate": 1.0, "player": "tab-1"}
    for number in range(12)
]  # fmt: skip
SEQS = list(range(12))


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Print how long some work took, in all and for each of its parts."""
    began, cpu = time.perf_counter(), time.process_time()
    yield
    took, used = time.perf_counter() - began, time.process_time() - cpu
    print(f"{what:<46} {took:8.2f} s  {used / count * 1e6:10.1f} µs of CPU each  {count / took:12,.0f} /s", flush=True)


def callers_cost(database: Session) -> None:
    """Print what a batch of 12 events costs on its way in: digest, entry, INSERT; beside an INSERT of one short row."""
    rounds, opening, chunk = 20_000, opening_of(SESSION), event_chunks.chunk_of(EVENTS)
    with timed("digest of a batch of 12 events", rounds):
        for _ in range(rounds):
            chunk_entry(opening, SEQS, chunk)
    entry = chunk_entry(opening, SEQS, chunk)
    with timed("an INSERT of one row, for comparison", rounds):
        for _ in range(rounds):
            database.execute(
                insert(DeadLetterRecord.__table__), [{"kind": "x", "received_ms": 1, "reason": "", "content": ""}]
            )
    with timed("append, one entry each", rounds):
        for _ in range(rounds):
            sealed_log.append_all(database, [entry])
    with timed("append_all, 50 entries each", rounds):
        for _ in range(rounds // 50):
            sealed_log.append_all(database, [entry] * 50)


def main() -> None:
    """Measure, and print."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'log.sqlite3'}"
        migrate(url)
        engine = open_engine(url)
        with Session(engine) as database:
            callers_cost(database)
        with timed(f"{size:,} entries appended, 5 000 a commit", size):
            for first in range(0, size, 5_000):
                some = [
                    Entry("events", f"session/P/{first + n}", {"seqs": "0-11", "sha256": "0" * 64})
                    for n in range(5_000)
                ]
                with writing(engine) as database:
                    sealed_log.append_all(database, some[: size - first])
        with timed("placed in the tree, 5 000 a head", size):
            placed = 1
            while placed:
                with writing(engine) as database:
                    placed = sealed_log.sequence(database, KEY, 1, at_once=True)
        proofs(engine, size)
        with reading(engine) as database, timed("derived anew by verify-log (tree, heads, tiles)", size):
            assert list(log_check.check_log(database, KEY.public)) == []
        engine.dispose()
        print(f"on disk: {sum(file.stat().st_size for file in Path(folder).iterdir()) / size:.0f} bytes an entry")


def proofs(engine: object, size: int) -> None:
    """Print what proofs cost, and the most queries that one took."""
    rng, most, queries = Random(1), 0, 0

    def count(*_: object) -> None:
        nonlocal queries
        queries += 1

    event.listen(engine, "before_cursor_execute", count)
    with reading(engine) as database, timed("inclusion proofs of any entry", 500):
        for _ in range(500):
            queries = 0
            row = database.scalars(select(LogEntryRecord).where(LogEntryRecord.position == rng.randrange(size))).one()
            log_proofs.inclusion(database, row, size)
            most = max(most, queries)
    with reading(engine) as database, timed("consistency proofs of any two sizes", 500):
        for _ in range(500):
            queries = 0
            log_proofs.consistency(database, rng.randrange(1, size), size)
            most = max(most, queries)
    event.remove(engine, "before_cursor_execute", count)
    print(f"at most {most} queries a proof")


if __name__ == "__main__":
    main()
