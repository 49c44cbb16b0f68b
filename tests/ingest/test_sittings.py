"""Media statements → sessions and events: state, positions, order, duplicates."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_guard.ingest.collected import Collector, watched_videos
from online_guard.ingest.course import Course
from online_guard.ingest.derived_course import derive_course
from online_guard.ingest.media import COMPLETED, MediaStatement
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.sittings import Settled, first_of_each, settle_sittings
from online_guard.terms import EVENT_TYPES, EventType

START_US = 1_625_101_200_000_000
NAMES = Pseudonyms()
Heard = tuple[float, EventType | int, float]
"""Second, kind, position."""


def statement(second: float, kind: EventType | int, position_s: float = nan, **more: object) -> MediaStatement:
    number = kind.code if isinstance(kind, EventType) else kind
    said = MediaStatement("a", "v", "s", number, START_US + round(second * 1e6), position_s=position_s, length_s=600)
    for name, value in more.items():
        setattr(said, name, value)
    return said


def settled(*statements: MediaStatement, course: Course | None = None) -> Settled:
    collector = Collector(NAMES)
    for line, said in enumerate(statements, 1):
        collector.add(said, 0, line)
    said, sittings = collector.finish()
    if course is None:
        videos = watched_videos(said.take(first_of_each(said)[0]), sittings)
        course = derive_course(videos, {sitting.actor for sitting in sittings}, NAMES, "P")
    return settle_sittings(said, sittings, [course.place(row.actor, row.video, NAMES) for row in sittings], NAMES)


def told(result: Settled) -> list[tuple[str, float, bool]]:
    events = result.events
    return [
        (str(EVENT_TYPES[kind]), position, playing)
        for kind, position, playing in zip(
            events.type.tolist(), events.position_s.round(6).tolist(), events.playing.tolist(), strict=True
        )
    ]


def test_whether_it_plays_follows_from_the_statements_before() -> None:
    result = settled(
        statement(0, EventType.PLAYER_OPENED, 0),
        statement(1, EventType.PLAY, 0),
        statement(11, EventType.RATE, 10, rate=1.25),
        statement(12, EventType.SEEK, 5, from_s=11.25),
        statement(13, EventType.PAUSE, 6.25),
        statement(14, EventType.SEEK, 3),
        statement(15, EventType.PLAY, 3),
        statement(16, EventType.PLAYER_CLOSED, 4.25),
    )
    assert [playing for _, _, playing in told(result)] == [False, True, True, True, False, False, True, False]
    assert result.events.rate.tolist() == [1, 1] + [1.25] * 6
    assert result.events.seq.tolist() == list(range(8))


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([(0, EventType.PLAY, 0), (10, EventType.RATE, nan), (30, EventType.PAUSE, 30)], 10),
        ([(0, EventType.PLAY, 0), (10, EventType.RATE, nan), (30, EventType.SEEK, 90)], 0),
        ([(0, EventType.PLAY, 0), (10, EventType.RATE, nan)], 0),
        ([(0, EventType.PLAY, 50), (10, EventType.RATE, nan), (30, EventType.PAUSE, 30)], 50),
        ([(0, EventType.PAUSE, 5), (10, EventType.RATE, nan), (30, EventType.PLAY, 30)], 5),
        ([(0, EventType.PAUSE, 7), (10, EventType.SEEK, nan), (30, EventType.PLAY, 30)], 30),
        ([(0, EventType.PAUSE, 7), (10, EventType.PLAYER_OPENED, nan), (30, EventType.PLAY, 30)], 30),
        ([(0, EventType.PAUSE, 7), (10, EventType.SEEK, nan)], 7),
    ],
)
def test_a_position_left_out_is_taken_from_its_neighbours(heard: list[Heard], expected: float) -> None:
    assert told(settled(*(statement(*row) for row in heard)))[1][1] == expected


def test_before_a_seek_its_origin_is_the_neighbour() -> None:
    seek = statement(40, EventType.SEEK, 500, from_s=40)
    result = settled(statement(0, EventType.PLAY, 0), statement(10, EventType.RATE), seek)
    assert told(result)[1] == ("rate", 10, True)


def test_a_player_that_opens_stands_where_it_goes_on() -> None:
    assert told(settled(statement(0, EventType.PLAYER_OPENED), statement(5, EventType.PLAY, 207)))[0][1] == 207
    assert told(settled(statement(0, EventType.PLAYER_OPENED)))[0][1] == 0


def test_without_any_position_around_it_a_statement_is_refused() -> None:
    result = settled(statement(0, EventType.PLAY))
    assert [(row, reason.field) for row, reason in result.refused] == [(0, "position")]
    assert (len(result.events), result.sessions) == (0, [])


@pytest.mark.parametrize(
    ("position", "kind"), [(597.9, "heartbeat"), (598.0, "ended"), (600.0, "ended"), (nan, "heartbeat")]
)
def test_a_completion_is_the_end_only_there(position: float, kind: str) -> None:
    result = settled(
        statement(0, EventType.PLAY, 590), statement(9, COMPLETED, position), statement(9.5, EventType.PAUSE, 600)
    )
    assert told(result)[1][0] == kind
    assert told(result)[1][2] is (kind == "heartbeat")


@pytest.mark.parametrize(("position", "kept"), [(660.0, 1), (660.01, 0)])
@pytest.mark.parametrize("field", ["position_s", "from_s"])
def test_past_the_end_by_more_than_a_minute_is_refused(position: float, kept: int, field: str) -> None:
    said = statement(0, EventType.SEEK, 1)
    setattr(said, field, position)
    result = settled(said)
    assert len(result.events) == kept
    assert [reason.field for _, reason in result.refused] == [field] * (1 - kept)


def test_statements_of_one_moment_have_an_order() -> None:
    kinds = [EventType.PLAYER_CLOSED, EventType.PLAY, EventType.SEEK, EventType.PAUSE, EventType.PLAYER_OPENED]
    result = settled(*(statement(0, kind, 1) for kind in kinds))
    assert [name for name, _, _ in told(result)] == ["player_opened", "pause", "seek", "play", "player_closed"]


def test_equal_ids_are_one_statement_and_the_one_received_first_counts() -> None:
    first = statement(0, EventType.PLAY, 5, statement_id="i", received_us=START_US + 2)
    again = statement(0, EventType.PLAY, 5, statement_id="i", received_us=START_US + 3)
    other = statement(0, EventType.PLAY, 4, statement_id="i", received_us=START_US + 4)
    for order in ([first, again, other], [other, again, first]):
        result = settled(*order)
        assert told(result) == [("play", 5, True)]
        assert len(result.duplicates) == 1
        assert [reason.field for _, reason in result.refused] == ["id"]


def test_without_ids_equal_content_is_one_statement() -> None:
    twice = settled(statement(0, EventType.PLAY, 5), statement(0, EventType.PLAY, 5), statement(0, EventType.PLAY, 6))
    assert (len(twice.events), len(twice.duplicates)) == (2, 1)


def test_a_log_stored_in_one_go_was_not_played_before_it_was_opened() -> None:
    stored = START_US + 3_600_000_000
    result = settled(
        statement(0, EventType.PLAY, 0, received_us=stored), statement(50, EventType.PAUSE, 50, received_us=stored)
    )
    session = result.sessions[0]
    assert session.opened_received_ms - session.opened_at_ms == 3_550_000
    assert result.events.received_ms.tolist() == [stored // 1000] * 2


def test_without_a_session_one_civil_day_is_one() -> None:
    hours = [0, 1, 30]
    result = settled(*(statement(3600 * hour, EventType.PLAY, 5, sitting="") for hour in hours))
    assert len(result.sessions) == 2
    assert np.bincount(result.events.session).tolist() in ([2, 1], [1, 2])


def test_the_length_given_most_often_counts() -> None:
    lengths = [264, 263.24, 264, 0, nan]
    course = settled(*(statement(i, EventType.PLAY, 5, length_s=length) for i, length in enumerate(lengths)))
    assert len(course.events) == 5
    collector = Collector(NAMES)
    for second, length in enumerate(lengths):
        collector.add(statement(second, EventType.PLAY, 300, length_s=length), 0, second)
    assert watched_videos(*collector.finish())[0].length_s == 264
    collector = Collector(NAMES)
    collector.add(statement(0, EventType.SEEK, 200, from_s=300, length_s=0), 0, 1)
    assert watched_videos(*collector.finish())[0].length_s == 300


@pytest.mark.parametrize(
    ("late_s", "landing", "first"), [(1.0, 501.0, "seek"), (1.001, 500.0, "pause"), (0.5, 501.001, "pause")]
)
def test_a_seek_told_late_is_put_before_the_landing(late_s: float, landing: float, first: str) -> None:
    result = settled(
        statement(0, EventType.PLAY, 0),
        statement(10, EventType.PAUSE, landing),
        statement(10.2, EventType.PLAY, landing),
        statement(10 + late_s, EventType.SEEK, 500, from_s=9.9),
    )
    assert told(result)[1][0] == first
    assert (np.diff(result.events.at_ms) >= 0).all()


@pytest.mark.parametrize("from_s", [502.0, 498.0, nan])
def test_a_short_seek_or_one_of_unknown_origin_stays_where_it_is(from_s: float) -> None:
    seek = statement(10.5, EventType.SEEK, 500, from_s=from_s)
    result = settled(statement(0, EventType.PLAY, 490), statement(10, EventType.PAUSE, 500), seek)
    assert [name for name, _, _ in told(result)] == ["play", "pause", "seek"]


positions = st.one_of(st.just(nan), st.floats(0, 600))
statements = st.builds(
    lambda second, kind, position, actor, sitting, number: replace_names(
        statement(second, kind, position, statement_id=f"{number}" if number else ""), actor, sitting
    ),
    st.integers(0, 40).map(lambda tenth: tenth / 10),
    st.sampled_from(
        [EventType.PLAY, EventType.PAUSE, EventType.SEEK, EventType.RATE, EventType.PLAYER_OPENED, COMPLETED]
    ),
    positions,
    st.sampled_from("ab"),
    st.sampled_from(["", "s", "t"]),
    st.integers(0, 6),
)


def replace_names(said: MediaStatement, actor: str, sitting: str) -> MediaStatement:
    said.actor, said.sitting = actor, sitting
    return said


@given(st.lists(statements, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(said: list[MediaStatement], random: object) -> None:
    once = settled(*said)
    mixed = said + said[: len(said) // 2]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    twice = settled(*mixed)
    assert twice.sessions == once.sessions
    for name, column in vars(replace(once.events)).items():
        same = np.array_equal(column, getattr(twice.events, name), equal_nan=column.dtype.kind == "f")
        assert same, name
    for result, number in ((once, len(said)), (twice, len(mixed))):
        assert len(result.events) + len(result.duplicates) + len(result.refused) == number
