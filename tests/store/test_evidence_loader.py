"""Stored rows as evidence: a class brings its learners' sessions elsewhere, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Engine

from online_guard.ingest.identity import event_values, settle
from online_guard.store import event_chunks
from online_guard.store.evidence_loader import event_columns, load_class, load_lesson
from online_guard.store.tables import ConflictRecord, DirectiveRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import EventType

AddClass = Callable[..., None]
AT_MS = 1_625_101_201_000


@pytest.fixture
def three_classes(engine: Engine, a_class: AddClass) -> None:
    """One learner in classes of two platforms, someone else in a third; each session has an event."""
    a_class("one", "learner", "P")
    a_class("two", "learner", "Q")
    a_class("three", "someone else", "R")
    with writing(engine) as database:
        for row in (1, 2, 3):
            event_chunks.put_rows(database, row, [an_event(f"tab-{row}")])


def an_event(player: str) -> dict[str, object]:
    """Return an event as it is stored."""
    return {
        "seq": 0, "type": EventType.PLAY.code, "at_ms": AT_MS, "received_ms": AT_MS + 300, "position_s": 0.25,
        "from_s": None, "playing": True, "rate": 1.1, "player": player, "popup": None,
    }  # fmt: skip


@pytest.mark.usefixtures("three_classes")
def test_a_class_comes_with_its_learners_sessions_in_other_classes_only(engine: Engine) -> None:
    with reading(engine) as database:
        evidence, events = load_class(database, "one", 20)
    assert [row.class_id for row in evidence.classes] == ["one", "two"]
    assert list(evidence.sessions.key) == ["P/S", "Q/S"]
    assert [events.player_names[code] for code in events.player] == ["tab-1", "tab-2"]


@pytest.mark.usefixtures("three_classes")
def test_a_lesson_is_one_enrolments(engine: Engine) -> None:
    with reading(engine) as database:
        lesson, its_events = load_lesson(database, "two-e", 1)
        other, no_events = load_lesson(database, "two-e", 2)
    assert (list(lesson.sessions.key), len(its_events)) == (["Q/S"], 1)
    assert (len(other.sessions), len(no_events)) == (0, 0)


@pytest.mark.usefixtures("three_classes")
def test_an_event_comes_back_as_it_was_with_its_rate_as_float32(engine: Engine) -> None:
    with reading(engine) as database:
        _, events = load_class(database, "three", 20)
    assert events.rate.dtype == np.float32
    assert event_values(events, 0) == {
        "seq": 0, "type": "play", "at_ms": AT_MS, "received_ms": AT_MS + 300, "position_s": 0.25, "playing": True,
        "rate": 1.1, "player": "tab-3",
    }  # fmt: skip


@pytest.mark.usefixtures("three_classes")
def test_an_event_kept_aside_comes_too_and_counts_as_a_conflict(engine: Engine) -> None:
    content = {
        "seq": 0, "type": EventType.SEEK.code, "at_ms": AT_MS, "received_ms": AT_MS + 900, "position_s": 9.0,
        "from_s": 1.5, "playing": True, "rate": 1.0, "player": "tab-3",
    }  # fmt: skip
    with writing(engine) as database:
        row = ConflictRecord(session_row=3, seq=0, digest="d", received_ms=AT_MS + 900, content=json.dumps(content))
        database.add(row)
    with reading(engine) as database:
        _, raw = load_class(database, "three", 20)
    assert len(raw) == 2
    settled, repeated = settle(raw)
    assert (settled.position_s.tolist(), settled.conflicts.tolist(), repeated) == ([0.25], [0], 0)


@pytest.mark.usefixtures("three_classes")
def test_a_directive_that_nobody_was_told_is_no_evidence(engine: Engine) -> None:
    with writing(engine) as database:
        for name, issued_ms in (("told", AT_MS), ("drawn", None)):
            database.add(
                DirectiveRecord(
                    session_row=1, directive_id=name, kind="popup", nonce=name, due_playing_ms=1, issued_ms=issued_ms
                )
            )
    with reading(engine) as database:
        evidence, _ = load_class(database, "one", 20)
    assert list(evidence.directives.directive_id) == ["told"]


def test_no_rows_are_empty_columns() -> None:
    events = event_columns([])
    assert len(events) == 0
    assert events.seq.dtype == np.int32
    assert events.rate.dtype == np.float32
