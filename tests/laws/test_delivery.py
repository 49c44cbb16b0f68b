"""Order, repetition, format, size of blocks and number of workers change no byte of the results."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from bundle_rows import FEWER, Rows, bundles, files_of, ndjson, results_of, write_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from online_guard.ingest.bundle import open_bundle, read_block
from online_guard.ingest.bundle_writer import write_bundle
from online_guard.ingest.event_columns import join
from online_guard.policy import Policy
from online_guard.simulate.course import Plan, simulate, write_rows

OUTPUT = {
    f"{name}.{suffix}" for name in ("findings", "sessions", "ledger", "eligibility") for suffix in ("ndjson", "parquet")
}


@FEWER
@given(rows=bundles(), seed=st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(policy: Policy, rows: Rows, seed: int) -> None:
    rng = Random(seed)
    shuffled = {name: rng.sample(table, len(table)) for name, table in rows.items()}
    expected = results_of(rows, policy)
    assert set(expected) == {*OUTPUT, "summary.json"}
    assert json.loads(expected["summary.json"])["refused_rows"] == []
    assert results_of(shuffled, policy) == expected


@FEWER
@given(rows=bundles(), picks=st.lists(st.tuples(st.integers(0, 99), st.sampled_from([0, 1, 5_000])), max_size=8))
def test_an_event_delivered_again_does_not_matter(policy: Policy, rows: Rows, picks: list[tuple[int, int]]) -> None:
    events = rows["events"]
    again = [
        events[n % len(events)] | {"received_ms": events[n % len(events)]["received_ms"] + late}
        for n, late in picks
        if events
    ]
    assert results_of({**rows, "events": [*events, *again]}, policy) == results_of(rows, policy)


@settings(max_examples=2 * FEWER.max_examples)
@given(rows=bundles(), workers=st.sampled_from([1, 2, 3]), block_rows=st.sampled_from([1, 2, 7, 30, 1_000]))
def test_neither_workers_nor_the_size_of_blocks_matter(
    policy: Policy, rows: Rows, workers: int, block_rows: int
) -> None:
    assert results_of(rows, policy, workers=workers, block_rows=block_rows) == results_of(rows, policy)


@FEWER
@given(rows=bundles(), block_rows=st.sampled_from([1, 20, 1_000_000]))
def test_parquet_gives_what_ndjson_gives(policy: Policy, rows: Rows, block_rows: int) -> None:
    """Of several events under one `seq` only those that count are written; their trace, OG105, is left out."""
    single = {(row["platform_id"], row["session_id"], row["seq"]): row for row in rows["events"]}
    rows = {**rows, "events": list(single.values())}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "ndjson", Path(folder) / "parquet"
        write_folder(rows, source)
        bundle = open_bundle(source)
        blocks = [read_block(block, bundle.index).events for block in bundle.blocks()]
        write_bundle(target, classes=bundle.evidence.classes, **_tables(rows), events=join(blocks) if blocks else ())
        (target / "classes.json").write_bytes((source / "classes.json").read_bytes())
        for path in source.glob("*.ndjson"):
            if path.name != "events.ndjson":
                (target / path.name).write_bytes(path.read_bytes())
        assert files_of(target, policy, block_rows=block_rows) == files_of(source, policy)


def _tables(rows: Rows) -> dict[str, list[object]]:
    """Return the sessions as the writer wants them; the other tables are copied as files."""
    return {"sessions": [SimpleNamespace(user_agent=None, ip=None, **row) for row in rows["sessions"]]}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle of a simulated class: honest learners and cheats."""
    folder = tmp_path_factory.mktemp("course") / "bundle"
    plans = [Plan(), Plan.of("overlapping_sessions"), Plan.of("skip_ahead")]
    write_rows(simulate(plans, 7), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "block_rows"), [(1, 500), (2, 50), (2, 500), (3, 1), (3, 1_000_000)])
def test_workers_and_blocks_do_not_matter_to_a_course(
    policy: Policy, course: Path, workers: int, block_rows: int
) -> None:
    alone = files_of(course, policy)
    assert ndjson(alone["findings.ndjson"])
    assert files_of(course, policy, workers=workers, block_rows=block_rows) == alone


def test_two_runs_give_the_same_bytes(policy: Policy, course: Path) -> None:
    assert files_of(course, policy) == files_of(course, policy)
