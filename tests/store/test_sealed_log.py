"""The evidence log: entries in the caller's transaction, one sequencer, signed heads, nothing guessable outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from online_guard.errors import GuardError
from online_guard.store import merkle, sealed_log
from online_guard.store.log_key import LogKey, is_signed, open_log_key
from online_guard.store.log_tables import LogEntryRecord, LogHeadRecord
from online_guard.store.sealed_log import Entry
from online_guard.store.unit_of_work import reading, writing

KEY = LogKey(b"k" * 32)


def some(count: int, start: int = 0) -> list[Entry]:
    """Return entries about as many subjects."""
    return [Entry("snapshot", f"P/S/{number}", {"number": number}) for number in range(start, start + count)]


def test_an_entry_belongs_to_its_callers_transaction(engine: Engine) -> None:
    def undone() -> None:
        with writing(engine) as database:
            sealed_log.append(database, "claim", "e/1", {"hours": 2})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    with writing(engine) as database:
        assert database.scalars(select(LogEntryRecord)).all() == []
        assert sealed_log.sequence(database, KEY, 1) == 0


def test_a_leaf_is_canonical_json_that_tells_neither_subject_nor_payload(engine: Engine) -> None:
    with writing(engine) as database:
        sealed_log.append(database, "claim", "e/张三", {"b": 1, "a": "张三"})
        sealed_log.append(database, "claim", "e/张三", {"a": "张三", "b": 1})
        one, other = database.scalars(select(LogEntryRecord).order_by(LogEntryRecord.entry_id)).all()
    leaf, second = json.loads(one.leaf), json.loads(other.leaf)
    assert sealed_log.canonical(leaf) == one.leaf
    assert sorted(leaf) == ["digest", "kind", "subject", "time_ms", "v"]
    assert one.payload == other.payload == '{"a":"张三","b":1}'
    assert leaf["subject"] == second["subject"], "one subject has one name"
    assert leaf["digest"] != second["digest"], "without the salt nobody can try what was said"
    assert "张三" not in one.leaf
    assert leaf["digest"] == sealed_log.digest_of(one.salt or b"", "e/张三", one.payload)


def test_entries_get_consecutive_places_and_a_signed_head(engine: Engine) -> None:
    for first in (0, 3, 300):
        with writing(engine) as database:
            sealed_log.append_all(database, some({0: 3, 3: 297, 300: 1}[first], first))
            sealed_log.sequence(database, KEY, 10_000 + first, at_once=True)
    with reading(engine) as database:
        rows = database.scalars(select(LogEntryRecord).order_by(LogEntryRecord.entry_id)).all()
        heads = database.scalars(select(LogHeadRecord).order_by(LogHeadRecord.number)).all()
        assert [row.position for row in rows] == list(range(301))
        hashes = [merkle.leaf_hash(row.leaf.encode()) for row in rows]
        assert [row.leaf_hash for row in rows] == hashes
        node = merkle.nodes(sealed_log.tiles(database))
        for head, size in zip(heads, (3, 300, 301), strict=True):
            body = json.loads(head.body)
            assert is_signed(head.body, head.signature, KEY.public)
            assert not is_signed(head.body.replace("size", "sise"), head.signature, KEY.public)
            assert (head.size, body["size"], body["root"]) == (size, size, merkle.root(size, node).hex())


def test_no_head_is_signed_again_within_five_seconds_unless_asked(engine: Engine) -> None:
    with writing(engine) as database:
        assert sealed_log.sequence(database, KEY, 1_000) == 0
        sealed_log.append_all(database, some(2))
        assert sealed_log.sequence(database, KEY, 5_999) == 0
        assert sealed_log.sequence(database, KEY, 6_000) == 2
        assert sealed_log.sequence(database, KEY, 20_000) == 0
        assert len(database.scalars(select(LogHeadRecord)).all()) == 2, "nothing new, no new head"
        sealed_log.append_all(database, some(1, 2))
        assert sealed_log.sequence(database, KEY, 6_001, at_once=True) == 1


def test_a_machine_with_another_key_signs_nothing(engine: Engine) -> None:
    with writing(engine) as database:
        sealed_log.sequence(database, KEY, 1_000)
    with pytest.raises(GuardError, match="another key"), writing(engine) as database:
        sealed_log.sequence(database, LogKey(b"x" * 32), 9_000)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    key = open_log_key(tmp_path / "data" / "log.key")
    assert open_log_key(tmp_path / "data" / "log.key").public == key.public
    assert (tmp_path / "data" / "log.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["log.key"]
    (tmp_path / "bad").write_bytes(b"short")
    with pytest.raises(GuardError, match="32"):
        open_log_key(tmp_path / "bad")
