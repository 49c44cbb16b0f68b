"""The folder as a whole: what it must hold, blocks, formats that agree, published bundles."""

from __future__ import annotations

import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.bundle import BlockRead, open_bundle, read_block
from online_guard.ingest.event_columns import join

some_events = st.lists(
    st.fixed_dictionaries(
        {
            "session_id": st.sampled_from(["S1", "S2", "S9"]),
            "seq": st.integers(-1, 3),
            "type": st.sampled_from(["play", "seek", "popup_shown", "nonsense"]),
            "at_ms": st.integers(0, 2),
            "received_ms": st.integers(0, 3),
            "position_s": st.sampled_from([-0.0, 0.0, 1e-7, 2460.0, 2461.0]),
            "playing": st.booleans(),
            "rate": st.sampled_from([1.0, 1.1, 1.1000000001, 3e38]),
            "player": st.sampled_from(["a", "乙", "a/b"]),
        },
        optional={"from_s": st.sampled_from([None, 0.0, 2.5]), "popup": st.sampled_from([None, "u", "v"])},
    ),
    min_size=1,
    max_size=15,
)


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_classes_is_no_bundle(tmp_path: Path, name: str) -> None:
    with pytest.raises(GuardError) as caught:
        open_bundle(tmp_path / name)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.NOT_FOUND, "bundle.not_found")


def test_two_files_of_events_are_refused(folder: Any) -> None:
    rows = folder.tables["events.ndjson"]
    folder.parquet(rows)
    folder.tables["events.ndjson"] = rows
    with pytest.raises(GuardError) as caught:
        folder.open()
    assert (caught.value.kind, caught.value.code) == (ErrorKind.CONFLICT, "bundle.two_event_files")


def test_unknown_data_files_are_reported_and_others_ignored(folder: Any) -> None:
    for name in ("event.ndjson", "enrolments.json", "x.Parquet", "sessions.ndjson.gz", "README.md", ".hidden.json"):
        (folder.path / name).write_text("{}")
    refused = folder.open().refused
    assert [(row.file, row.line) for row in refused] == [
        ("enrolments.json", 0),
        ("event.ndjson", 0),
        ("sessions.ndjson.gz", 0),
        ("x.Parquet", 0),
    ]


def test_refused_rows_are_sorted_by_file_and_line(folder: Any) -> None:
    for file in ("sessions.ndjson", "enrolments.ndjson"):
        folder.tables[file] += [{}, folder.tables[file][0]]
    assert [(row.file, row.line) for row in folder.open().refused] == [
        ("enrolments.ndjson", 3),
        ("enrolments.ndjson", 4),
        ("sessions.ndjson", 4),
        ("sessions.ndjson", 5),
    ]


def test_bundle_and_blocks_can_be_sent_to_another_process(folder: Any) -> None:
    rows = folder.tables["events.ndjson"]
    for write in (lambda: None, lambda: ((folder.path / "events.ndjson").unlink(), folder.parquet(rows))):
        write()
        bundle = folder.open()
        sent = pickle.loads(pickle.dumps((bundle.blocks(), bundle.index)))
        assert read_block(sent[0][0], sent[1]).events.seq.tolist() == [0, 1, 2]
    assert pickle.loads(pickle.dumps(bundle)).evidence.sessions.key.tolist() == ["P/S1", "P/S2", "Q/S1"]


def test_sorted_blocks_in_memory_hold_whole_sessions_and_their_own_conflicts(folder: Any) -> None:
    row = folder.tables["events.ndjson"][0]
    folder.tables["events.ndjson"] = [
        row | {"session_id": session_id, "seq": seq, "position_s": float(copy), "player": session_id}
        for copy in range(2)
        for seq in range(3)
        for session_id in ("S2", "S1")
    ] + [row | {"seq": -1}]
    bundle = folder.open()
    blocks = [read_block(block, bundle.index) for block in bundle.blocks(2)]
    assert [block.events.session.tolist() for block in blocks] == [[0, 0, 0], [1, 1, 1]]
    assert [block.events.conflicts.tolist() for block in blocks] == [[0, 0, 0], [1, 1, 1]]
    assert [block.events.player_names.tolist() for block in blocks] == [["S1"], ["S2"]]
    assert [(len(block.refused), block.duplicates) for block in blocks] == [(1, 0), (0, 0)]


def test_refused_rows_are_reported_when_no_event_is_left(folder: Any) -> None:
    folder.tables["events.ndjson"] = [folder.tables["events.ndjson"][0] | {"seq": -1}]
    [block] = folder.open().blocks()
    assert isinstance(block, BlockRead)
    assert (len(block.events), [row.line for row in block.refused]) == (0, [1])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_events, st.randoms(use_true_random=False), st.integers(1, 20))
def test_formats_agree_and_order_repetition_and_cutting_change_nothing(
    new_folder: Callable[[], Any], same_table: Callable[..., bool], rows: Any, rng: Any, size: int
) -> None:
    rows = [{"platform_id": "P"} | row for row in rows]
    folders = [new_folder() for _ in range(4)]
    folders[0].tables["events.ndjson"] = rows
    shuffled = rng.sample(rows, len(rows)) + rng.sample(rows, len(rows) // 2)
    folders[1].tables["events.ndjson"] = shuffled
    folders[2].parquet(sorted(rows, key=lambda row: (row["session_id"], row["seq"])), group=size)
    folders[3].parquet(shuffled, group=size)
    expected = folders[0].events()
    reasons = {(row.reason, row.field) for row in folders[0].refused()}
    for folder in folders:
        assert same_table(folder.events(rng.randint(1, 20)), expected)
        assert {(row.reason, row.field) for row in folder.refused()} == reasons


def test_published_bundles_give_the_expected_refusals_and_counts(conformance: Path, tmp_path: Path) -> None:
    for archive in sorted(conformance.glob("*.tar.gz")):
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path, filter="data")
    cases = sorted(tmp_path.rglob("bundle"))
    assert len(cases) > 500
    for case in cases:
        summary = json.loads((case.parent / "expected" / "summary.json").read_text("utf-8"))
        bundle = open_bundle(case)
        blocks = [read_block(block, bundle.index) for block in bundle.blocks(5000)]
        refused = bundle.refused + [row for block in blocks for row in block.refused]
        expected = [(row["file"], row["line"]) for row in summary.get("refused_rows", [])]
        assert sorted((row.file, row.line) for row in refused) == sorted(expected), case
        assert len(join([block.events for block in blocks])) == summary["counts"]["events"], case
