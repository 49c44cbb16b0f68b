"""Writing a bundle: read back unchanged, whole or not at all, row groups cut between sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Events
from online_guard.ingest import bundle_writer
from online_guard.ingest.bundle import open_bundle, read_block, write_bundle
from online_guard.ingest.bundle_writer import EVENT_SCHEMA
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import take
from online_guard.ingest.tables import TABLES, read_lines

NAMES = {
    "sessions.ndjson": "sessions",
    "snapshots.ndjson": "snapshots",
    "likenesses.ndjson": "likenesses",
    "liveness.ndjson": "checks",
    "directives.ndjson": "directives",
}


def rows_of(folder: Any) -> dict[str, Any]:
    """Return everything in a folder but events, as `write_bundle` takes it."""
    evidence = folder.open().evidence
    tables = {
        name: [row for _, row in read_lines(folder.path / file, TABLES[file], [])] for file, name in NAMES.items()
    }
    records = ("classes", "enrolments", "practice", "projects", "surveys", "applications", "decisions")
    return tables | {name: getattr(evidence, name) for name in records}


@pytest.fixture
def events(folder: Any) -> Events:
    """Return events of three sessions, with all that an event can have."""
    row = folder.tables["events.ndjson"][0]
    folder.tables["events.ndjson"] += [
        row | {"session_id": "S2", "seq": seq, "type": "popup_shown", "popup": f"u{seq}", "from_s": 1.5, "player": "乙"}
        for seq in range(4)
    ] + [row | {"platform_id": "Q", "rate": 0.1, "position_s": 0.1}]
    found: Events = folder.events()
    return found


@pytest.mark.parametrize("events_as", ["parquet", "ndjson"])
def test_what_is_written_reads_back_the_same(
    folder: Any, events: Events, tmp_path: Path, same_table: Any, events_as: Any
) -> None:
    target = tmp_path / "deep" / "out"
    write_bundle(target, **rows_of(folder), events=events, events_as=events_as)
    before, after = folder.open().evidence, open_bundle(target)
    assert after.refused == []
    for name in ("classes", "enrolments", "practice", "projects", "surveys", "applications", "decisions"):
        assert getattr(after.evidence, name) == getattr(before, name)
        assert getattr(before, name), "an empty table shows nothing"
    for name in ("sessions", "snapshots", "checks", "directives", "likenesses"):
        assert same_table(getattr(after.evidence, name), getattr(before, name))
    blocks = [read_block(block, after.index) for block in after.blocks()]
    assert same_table(join([block.events for block in blocks]), events)
    assert (target / f"events.{events_as}").exists()
    assert [entry.name for entry in target.parent.iterdir()] == ["out"]


def test_parquet_is_typed_and_cut_between_sessions(
    folder: Any, events: Events, tmp_path: Path, monkeypatch: Any, same_table: Any
) -> None:
    monkeypatch.setattr(bundle_writer, "ROW_GROUP_ROWS", 2)
    pieces = [take(events, events.session == session) for session in range(3)]
    write_bundle(tmp_path / "out", **rows_of(folder), events=iter(pieces))
    file = pq.ParquetFile(tmp_path / "out" / "events.parquet")
    assert file.schema_arrow.remove_metadata().equals(EVENT_SCHEMA)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [3, 4, 1]
    assert file.read_row_group(1, columns=["player"]).column("player").chunk(0).dictionary.to_pylist() == ["乙"]
    bundle = open_bundle(tmp_path / "out")
    found = [read_block(block, bundle.index).events for block in bundle.blocks(3)]
    assert [piece.session[0] for piece in found] == [0, 1, 2]
    assert same_table(join(found), events)


def test_small_pieces_are_gathered_into_one_row_group(folder: Any, events: Events, tmp_path: Path) -> None:
    pieces = [take(events, events.session == session) for session in range(3)]
    write_bundle(tmp_path / "out", **rows_of(folder), events=pieces)
    assert pq.ParquetFile(tmp_path / "out" / "events.parquet").num_row_groups == 1


def test_repeated_and_conflicting_rows_are_kept(folder: Any, events: Events, tmp_path: Path) -> None:
    other = replace(events, position_s=events.position_s + 1, received_ms=events.received_ms + 1)
    write_bundle(tmp_path / "out", **rows_of(folder), events=join([other, events, events]))
    bundle = open_bundle(tmp_path / "out")
    [block] = [read_block(block, bundle.index) for block in bundle.blocks()]
    assert block.duplicates == len(events)
    assert block.events.conflicts.tolist() == events.session.tolist()
    assert block.events.position_s.tolist() == events.position_s.tolist()


def test_the_same_rows_give_the_same_bytes(folder: Any, events: Events, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_bundle(tmp_path / name, **rows_of(folder), events=events)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_table_without_rows_has_no_file(tmp_path: Path) -> None:
    write_bundle(tmp_path / "out", classes=[], events_as="ndjson")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["classes.json", "events.ndjson"]
    assert open_bundle(tmp_path / "out").blocks() == []


def test_nothing_is_overwritten(folder: Any, tmp_path: Path) -> None:
    folder.open()
    with pytest.raises(GuardError) as caught:
        write_bundle(folder.path, classes=[])
    assert (caught.value.kind, caught.value.code) == (ErrorKind.CONFLICT, "bundle.exists")
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", classes=[])
    assert open_bundle(tmp_path / "empty").evidence.classes == ()


def test_a_parent_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GuardError) as caught:
        write_bundle(tmp_path / "file" / "out", classes=[])
    assert caught.value.code == "bundle.unwritable"


def test_nothing_is_left_behind_when_writing_fails(folder: Any, events: Events, tmp_path: Path) -> None:
    def broken() -> Iterator[Events]:
        yield take(events, events.session == 0)
        raise RuntimeError("source gone")

    target = tmp_path / "target"
    target.mkdir()
    for bad, error in (
        (broken(), RuntimeError),
        ([take(events, events.session == 1), take(events, events.session == 0)], ValueError),
        ([take(events, slice(0, 1)), take(events, slice(1, None))], ValueError),
        (replace(events, conflicts=np.array([0])), ValueError),
    ):
        with pytest.raises(error):
            write_bundle(target / "out", **rows_of(folder), events=bad)
        assert list(target.iterdir()) == []
