"""events.parquet: types, nulls, damage, order of rows and of row groups."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from online_guard.errors import GuardError
from online_guard.ingest import events_parquet
from online_guard.ingest.bundle_writer import EVENT_SCHEMA
from online_guard.ingest.events_parquet import RowRange, scan


def with_type(name: str, found: pa.DataType) -> pa.Schema:
    return EVENT_SCHEMA.set(EVENT_SCHEMA.get_field_index(name), pa.field(name, found))


def many(folder: Any, sessions: int = 6, each: int = 10) -> list[dict[str, Any]]:
    """Return sorted rows of many sessions of the bundle, some with pop-ups, seeks and names of their own."""
    session, row = folder.tables["sessions.ndjson"][-1], folder.tables["events.ndjson"][0]
    ids = [f"S{number}" for number in range(30, 30 + sessions)]
    folder.tables["sessions.ndjson"] += [session | {"session_id": session_id} for session_id in ids]
    return [
        row
        | {"session_id": session_id, "seq": seq, "player": f"p{(place + seq) % 3}", "position_s": float(seq)}
        | ({"type": "popup_shown", "popup": f"u{place}-{seq}"} if seq % 4 == 1 else {})
        | ({"type": "seek", "from_s": seq - 0.5} if seq % 4 == 2 else {})
        for place, session_id in enumerate(ids)
        for seq in range(each)
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("seq", pa.int64()),
        ("rate", pa.float64()),
        ("player", pa.string()),
        ("player", pa.large_string()),
        ("player", pa.dictionary(pa.int8(), pa.string())),
        ("type", pa.string()),
        ("session_id", pa.string()),
        ("platform_id", pa.large_string()),
        ("popup", pa.string()),
        ("popup", pa.null()),
        ("from_s", pa.null()),
    ],
)
def test_types_that_mean_the_same_are_accepted(folder: Any, same_table: Any, name: str, found: pa.DataType) -> None:
    expected = folder.events()
    folder.tables["events.ndjson"] = []
    rows = type(folder)(folder.path).tables["events.ndjson"]
    (folder.path / "events.ndjson").unlink()
    folder.parquet(rows, with_type(name, found))
    assert folder.refused() == []
    assert same_table(folder.events(), expected)


@pytest.mark.parametrize("name", ["from_s", "popup"])
def test_a_column_that_may_be_null_may_be_missing(folder: Any, name: str) -> None:
    folder.parquet(folder.tables["events.ndjson"], pa.schema([field for field in EVENT_SCHEMA if field.name != name]))
    assert (folder.refused(), len(folder.events())) == ([], 3)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (with_type("at_ms", pa.float64()), "at_ms: 类型应为 int64，实为 double / expected int64, found double"),
        (with_type("playing", pa.int8()), "playing: 类型应为 bool，实为 int8 / expected bool, found int8"),
        (
            with_type("seq", pa.string()),
            "seq: 类型应为 int32 / int64，实为 string / expected int32 / int64, found string",
        ),
        (with_type("player", pa.int64()), "player: 类型应为 dictionary<string> / string，实为 int64"),
        (EVENT_SCHEMA.remove(EVENT_SCHEMA.get_field_index("rate")), "rate: 缺少列 / missing column"),
        (EVENT_SCHEMA.append(pa.field("volume", pa.int32())), "volume: 未知的列 / unknown column"),
    ],
)
def test_wrong_columns_are_named_with_what_was_expected(folder: Any, schema: pa.Schema, words: str) -> None:
    tables = {field.name: pa.array([], field.type) for field in schema}
    del folder.tables["events.ndjson"]
    pq.write_table(pa.table(tables, schema=schema), folder.path / "events.parquet")
    with pytest.raises(GuardError) as caught:
        folder.open().blocks()
    assert (caught.value.code, caught.value.where) == ("bundle.event_columns", "events.parquet")
    assert words in caught.value.message
    assert [fault.where for fault in caught.value.faults] == [words.partition(":")[0]]


def test_a_column_that_comes_twice_is_named(folder: Any) -> None:
    del folder.tables["events.ndjson"]
    schema = EVENT_SCHEMA.append(pa.field("seq", pa.int32()))
    arrays = [pa.array([], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), folder.path / "events.parquet")
    with pytest.raises(GuardError, match="column comes twice"):
        folder.open().blocks()


@pytest.mark.parametrize(
    "name", [f.name for f in EVENT_SCHEMA if f.name not in ("from_s", "popup", "session_id", "platform_id")]
)
def test_null_in_a_required_column_is_refused_with_its_row(folder: Any, name: str) -> None:
    rows = folder.tables["events.ndjson"]
    rows[1] |= {name: None}
    folder.parquet(rows)
    [refused] = folder.refused()
    assert (refused.file, refused.line, refused.field) == ("events.parquet", 2, name)
    assert "missing key" in refused.reason
    assert folder.events().seq.tolist() == [0, 2]


@pytest.mark.parametrize("name", ["session_id", "platform_id"])
def test_a_null_id_belongs_to_no_session(folder: Any, name: str) -> None:
    rows = folder.tables["events.ndjson"]
    rows[1] |= {name: None}
    folder.parquet(rows)
    assert [(row.line, row.field) for row in folder.refused()] == [(2, "session_id")]
    assert folder.events().seq.tolist() == [0, 2]


def test_text_that_is_no_utf8_is_refused(folder: Any) -> None:
    rows = folder.tables["events.ndjson"]
    folder.parquet(rows)
    path = folder.path / "events.parquet"
    table = pq.read_table(path).set_column(
        EVENT_SCHEMA.get_field_index("player"),
        "player",
        pa.Array.from_buffers(pa.string(), 3, pa.array([b"p", b"\xff", b"p"], pa.binary()).buffers()),
    )
    pq.write_table(table, path)
    assert [(row.line, row.field) for row in folder.refused()] == [(2, "player")]
    assert folder.events().player_names.tolist() == ["p"]


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "garbled"])
def test_a_damaged_file_is_an_error_with_its_name(folder: Any, damage: str) -> None:
    folder.parquet(many(folder, each=500))
    path = folder.path / "events.parquet"
    good = path.read_bytes()
    middle = len(good) // 2
    path.write_bytes(
        {
            "empty": b"",
            "text": b"{}\n" * 100,
            "cut": good[:middle],
            "garbled": good[:100] + bytes(byte ^ 0x5A for byte in good[100:middle]) + good[middle:],
        }[damage]
    )
    with pytest.raises(GuardError) as caught:
        folder.events()
    assert (caught.value.code, caught.value.where) == ("bundle.unreadable", "events.parquet")


def test_a_folder_in_its_place_is_an_error(folder: Any) -> None:
    del folder.tables["events.ndjson"]
    (folder.path / "events.parquet").mkdir()
    with pytest.raises(GuardError, match=r"events\.parquet"):
        folder.open().blocks()


def test_a_file_without_rows_has_no_blocks(folder: Any) -> None:
    folder.parquet([])
    assert folder.open().blocks() == []


@pytest.mark.parametrize("group", [1, 7, 10, 25, 1000])
@pytest.mark.parametrize("target", [1, 9, 20, 33, 1000])
def test_neither_row_groups_nor_the_size_of_blocks_change_anything(
    folder: Any, same_table: Any, monkeypatch: Any, group: int, target: int
) -> None:
    monkeypatch.setattr(events_parquet, "_BATCH_ROWS", 3)
    rows = many(folder)
    rows[17] |= {"position_s": -1.0}
    rows[33] |= {"session_id": "X1"}
    rows[52] |= {"session_id": "X2"}
    folder.tables["events.ndjson"] = rows
    expected = folder.events()
    (folder.path / "events.ndjson").unlink()
    folder.parquet(rows, group=group)
    assert same_table(folder.events(target), expected)
    assert [(row.line, row.reason.split()[-1]) for row in folder.refused(target)] == [
        (18, "`position_s`"),
        (34, "'P/X1'"),
        (53, "'P/X2'"),
    ]


def test_blocks_are_addresses_of_whole_sessions_about_as_long_as_asked(folder: Any) -> None:
    folder.parquet(many(folder, sessions=9), group=25)
    blocks = folder.open().blocks(20)
    assert all(isinstance(block, RowRange) for block in blocks)
    assert [block.first for block in blocks] == [0, 30, 50, 80]
    sessions = [set(block.sessions.tolist()) for block in blocks]
    assert sum(map(len, sessions)) == len(set.union(*sessions)) == 9


@pytest.mark.parametrize("seed", range(4))
def test_rows_in_any_order_give_the_same_events(folder: Any, same_table: Any, seed: int) -> None:
    rows = many(folder)
    folder.parquet(rows)
    expected = folder.events()
    random.Random(seed).shuffle(rows)
    folder.parquet(rows, group=16)
    bundle = folder.open()
    assert not scan(folder.path / "events.parquet", bundle.index).in_order
    assert same_table(folder.events(13), expected)


def test_sessions_in_order_with_events_out_of_order_are_still_read_in_blocks(folder: Any, same_table: Any) -> None:
    rows = many(folder)
    folder.parquet(rows)
    expected = folder.events()
    rows[3], rows[5] = rows[5], rows[3]
    folder.parquet([*rows[:8], rows[2], *rows[8:]])
    blocks = folder.open().blocks()
    assert isinstance(blocks[0], RowRange)
    assert same_table(folder.events(), expected)


def test_one_name_on_two_platforms_is_two_sessions(folder: Any) -> None:
    row = folder.tables["events.ndjson"][0]
    folder.parquet([row, row | {"platform_id": "Q", "position_s": 7.0}])
    events = folder.events()
    assert (events.session.tolist(), events.position_s.tolist()) == ([0, 2], [0.0, 7.0])


def test_the_rate_is_float32_whatever_the_file_holds(folder: Any) -> None:
    rows = [row | {"rate": rate} for row, rate in zip(folder.tables["events.ndjson"], (1.1, 1.2, 1e39), strict=True)]
    folder.parquet(rows, with_type("rate", pa.float64()))
    assert [(row.line, row.field) for row in folder.refused()] == [(3, "rate")]
    assert folder.events().rate.tolist() == np.array([1.1, 1.2], np.float32).tolist()


def test_a_dictionary_that_holds_a_name_twice_gives_one_number() -> None:
    twice = pa.DictionaryArray.from_arrays(pa.array([2, None, 0, 1], pa.int32()), pa.array(["a", "b", "a"]))
    codes, names = events_parquet._codes(pa.chunked_array([twice]))
    assert (codes.tolist(), names) == ([0, -1, 0, 1], ["a", "b"])
