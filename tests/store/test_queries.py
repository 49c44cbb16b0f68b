"""Look-ups by an id that two platforms may use."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import event_chunks, queries
from online_guard.store.tables import SessionRecord, SnapshotRecord
from online_guard.store.unit_of_work import reading, writing

AddClass = Callable[..., None]


def test_a_session_is_found_by_its_id_where_one_platform_uses_it(engine: Engine, a_class: AddClass) -> None:
    a_class("one", "learner")
    with reading(engine) as database:
        assert queries.find_session(database, "S", None).platform_id == "P"
        assert queries.find_session(database, "S", "P").platform_id == "P"
        for session_id, platform_id in (("T", None), ("S", "Q")):
            with pytest.raises(GuardError) as refusal:
                queries.find_session(database, session_id, platform_id)
            assert refusal.value.kind is ErrorKind.NOT_FOUND


def test_where_two_platforms_use_an_id_one_must_be_named(engine: Engine, a_class: AddClass) -> None:
    a_class("one", "learner", "P")
    a_class("two", "learner", "Q")
    with reading(engine) as database:
        with pytest.raises(GuardError) as refusal:
            queries.find_session(database, "S", None)
        assert (refusal.value.kind, refusal.value.code) == (ErrorKind.CONFLICT, "session.ambiguous")
        assert queries.find_session(database, "S", "Q").enrolment_id == "two-e"


def touched(engine: Engine, row_id: int) -> list[str]:
    """Return the classes to verify after a change of a session."""
    with reading(engine) as database:
        return queries.classes_touched(database, database.get_one(SessionRecord, row_id), 2)


def test_a_session_touches_every_class_of_its_learner(engine: Engine, a_class: AddClass) -> None:
    a_class("one", "learner", "P", device_id="D1")
    a_class("two", "learner", "Q", device_id="D2")
    a_class("three", "someone else", "R", device_id="D3")
    assert (touched(engine, 1), touched(engine, 3)) == (["one", "two"], ["three"])


def test_a_session_touches_the_classes_of_its_device_unless_that_is_a_label(engine: Engine, a_class: AddClass) -> None:
    a_class("one", "A", device_id="D")
    a_class("two", "B", device_id="D", session_id="T")
    assert touched(engine, 1) == ["one", "two"]
    a_class("elsewhere", "C", "Q", device_id="D")
    assert touched(engine, 1) == ["one", "two"]
    a_class("three", "C", device_id="D", session_id="U")
    assert touched(engine, 1) == ["one"]


@pytest.mark.parametrize("shared", ["sha256", "phash"])
def test_a_session_touches_the_classes_of_its_pictures(engine: Engine, a_class: AddClass, shared: str) -> None:
    a_class("one", "A", device_id="D1")
    a_class("two", "B", device_id="D2", session_id="T")
    a_class("three", "C", device_id="D3", session_id="U")
    with writing(engine) as database:
        for row in (1, 2, 3):
            same = shared if row < 3 else "another"
            values = {"sha256": f"picture {row}", "phash": f"hash {row}"} | {shared: same}
            database.add(
                SnapshotRecord(
                    session_row=row,
                    snapshot_id="s",
                    at_ms=0,
                    received_ms=0,
                    asked=True,
                    good=True,
                    report="{}",
                    **values,
                )
            )
    assert (touched(engine, 1), touched(engine, 3)) == (["one", "two"], ["three"])


def test_a_timeline_has_a_fingerprint_from_twenty_events_on(engine: Engine, a_class: AddClass) -> None:
    a_class("one", "A")
    a_class("two", "B", session_id="T")
    prints: list[list[str | None]] = []
    for seq in range(20):
        with writing(engine) as database:
            sessions = [database.get_one(SessionRecord, row) for row in (1, 2)]
            for row, late_ms in ((1, 0), (2, 99)):
                at_ms = sessions[0].opened_at_ms + seq * 1000 + late_ms
                event_chunks.put_rows(database, row, [beat(seq, at_ms)])
            prints.append([queries.timeline(database, session) for session in sessions])
    assert prints[:-1] == [[None, None]] * 19
    assert prints[-1][0] == prints[-1][1] is not None
    with writing(engine) as database:
        event_chunks.repack(database, 2, {7})
        event_chunks.put_rows(database, 2, [beat(7, sessions[0].opened_at_ms + 7_100)])
        assert queries.timeline(database, database.get_one(SessionRecord, 2)) != prints[-1][0]


def beat(seq: int, at_ms: int) -> dict[str, object]:
    """Return a heartbeat as it is stored."""
    values = {"seq": seq, "type": 4, "at_ms": at_ms, "received_ms": 0, "position_s": 0.0}
    return values | {"playing": True, "rate": 1.0, "player": "tab"}
