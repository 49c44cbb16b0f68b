"""Delivery at least once: however batches come, the same evidence is stored, and nothing that was sent is lost."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_platform import SimulatedPlatform
from sqlalchemy import func, select

from online_guard.evidence import Events
from online_guard.ingest.identity import COLUMNS, event_values
from online_guard.ingest.identity import settle as settle_events
from online_guard.ingest.live import read_event
from online_guard.service.house import House, open_house
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store import queries
from online_guard.store.chunk_tables import EventChunkRecord
from online_guard.store.evidence_loader import EVENT_COLUMNS, event_columns, load_lesson
from online_guard.store.tables import ConflictRecord, DeadLetterRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import EventType

NOON_MS = 1_623_124_800_000
COURSE = Course()
Event = dict[str, Any]
Delivery = tuple[int, list[Event]]
"""A batch, and how long after noon the service receives it, in ms."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    house = open_house(Settings(data_dir=tmp_path_factory.mktemp("data")))
    yield Shop(house)
    house.engine.dispose()


class Shop:
    """A house in which each session has an enrolment of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._platform = SimulatedPlatform(house)
        self._platform.register(COURSE)
        self._numbers = itertools.count(1)

    def session(self) -> str:
        """Return the id of a new session, which is that of its enrolment too."""
        name = f"s{next(self._numbers)}"
        self._platform.enrol(COURSE, name, 0)
        sessions.open_session(self.house, sessions.Opening(COURSE.platform_id, name, name, 1, NOON_MS, "pc"), NOON_MS)
        return name

    def deliver(self, session_id: str, deliveries: Sequence[Delivery]) -> Counter[str]:
        """Send batches, and return how many events were answered how."""
        answers: Counter[str] = Counter()
        for after_ms, batch in deliveries:
            body = json.dumps({"events": batch}).encode()
            answer = sessions.add_events(self.house, session_id, None, body, NOON_MS + after_ms)
            answers.update(row["status"] for row in answer["results"])
        return answers

    def evidence(self, session_id: str) -> list[Any]:
        """Return the events that count, with when they were received, and the number of conflicts."""
        with reading(self.house.engine) as database:
            _, events = load_lesson(database, session_id, 1)
        return plain(events)

    def count(self, session_id: str, table: type[Any]) -> int:
        """Return how many rows a table has for a session."""
        with reading(self.house.engine) as database:
            row_id = queries.find_session(database, session_id, None).row_id
            return database.scalar(select(func.count()).select_from(table).where(table.session_row == row_id)) or 0


def plain(events: Events) -> list[Any]:
    """Return raw events, settled, as plain values."""
    settled, _ = settle_events(events)
    return [*(event_values(settled, row) for row in range(len(settled))), len(settled.conflicts)]


def event(seq: int, position_s: float = 0.0, kind: str = "heartbeat", **more: Any) -> Event:
    """Return an event of a player that plays."""
    return {
        "seq": seq, "type": kind, "at_ms": NOON_MS + 1000 * seq, "position_s": position_s, "playing": True, "rate": 1.1,
        "player": "tab-1",
    } | more  # fmt: skip


events = st.builds(event, st.integers(0, 4), st.sampled_from([1.0, 2.0, 10.0]), st.sampled_from(["play", "pause"]))
bad = st.sampled_from([event(1, -1.0), event(2, kind="dance"), event(3, kind="popup_shown")])


@given(st.data(), st.lists(events, min_size=1, max_size=10))
@settings(max_examples=15)
def test_shuffled_split_and_repeated_delivery_leaves_the_same_evidence(
    shop: Shop, data: st.DataObject, sent: list[Event]
) -> None:
    again = data.draw(st.permutations(sent + data.draw(st.lists(st.sampled_from(sent), max_size=5))))
    cut = data.draw(st.integers(0, len(again)))
    one, other = shop.session(), shop.session()
    shop.deliver(one, [(500, sent)])
    shop.deliver(other, [(500, batch) for batch in (again[:cut], again[cut:]) if batch])
    assert shop.evidence(one) == shop.evidence(other)


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(events | bad, min_size=1, max_size=6)), min_size=1, max_size=4))
@settings(max_examples=15)
def test_the_service_keeps_what_a_batch_over_all_deliveries_would(shop: Shop, deliveries: list[Delivery]) -> None:
    deliveries = sorted(deliveries, key=lambda one: one[0])
    session_id = shop.session()
    answers = shop.deliver(session_id, deliveries)
    rows = []
    for after_ms, batch in deliveries:
        for sent in batch:
            try:
                kept = read_event(json.dumps(sent).encode(), COURSE.duration_s, NOON_MS)
            except ValueError:
                continue
            kept |= {"type": EventType(kept["type"]).code, "received_ms": NOON_MS + after_ms}
            rows.append((0, *(kept.get(name) for name in EVENT_COLUMNS)))
    assert shop.evidence(session_id) == plain(event_columns(rows))
    assert sum(answers.values()) == sum(len(batch) for _, batch in deliveries)
    assert answers["refused"] == shop.count(session_id, DeadLetterRecord)
    assert answers["accepted"] + answers["duplicate"] + answers["conflict"] == len(rows)


def test_the_comparison_would_notice_another_moment_of_reception(shop: Shop) -> None:
    one, other = shop.session(), shop.session()
    shop.deliver(one, [(0, [event(0)])])
    shop.deliver(other, [(1, [event(0)])])
    assert shop.evidence(one) != shop.evidence(other)


def test_a_repetition_does_not_move_the_moment_of_reception(shop: Shop) -> None:
    session_id = shop.session()
    shop.deliver(session_id, [(0, [event(0)]), (9000, [event(0)])])
    assert shop.evidence(session_id)[0]["received_ms"] == NOON_MS


def test_out_of_order_is_in_order_in_the_evidence(shop: Shop) -> None:
    session_id = shop.session()
    shop.deliver(session_id, [(0, [event(3), event(1)]), (1, [event(2), event(0)])])
    assert [row["seq"] for row in shop.evidence(session_id)[:-1]] == [0, 1, 2, 3]


def test_a_conflict_is_kept_aside_once_however_often_it_comes(shop: Shop) -> None:
    session_id = shop.session()
    answers = shop.deliver(session_id, [(0, [event(0, 1.0)]), (1, [event(0, 2.0)] * 3), (2, [event(0, 2.0)])])
    assert answers == {"accepted": 1, "conflict": 4}
    assert (shop.count(session_id, EventChunkRecord), shop.count(session_id, ConflictRecord)) == (1, 1)
    assert shop.evidence(session_id)[-1] == 1


def test_every_column_of_events_is_compared() -> None:
    assert set(EVENT_COLUMNS) == set(COLUMNS) - {"session"}
    assert np.array_equal(event_columns([]).seq, [])
