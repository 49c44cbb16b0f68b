"""Service clock and playing clock."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_builder import START_MS, event, evidence_of, session, watched
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import length, observed, offset, read, until

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.timeline import clocks
from online_guard.timeline.clocks import Clocks, moment_of
from online_guard.timeline.columns import build


def clocks_of(policy: Policy, *events: object, **opening: float) -> Clocks:
    return clocks.read(build(evidence_of(session("s1", events, **opening)), policy), policy)


@given(evidence=messy_evidence())
def test_every_clock_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    read_clocks = clocks.read(timeline, policy)
    opening = evidence.sessions.opened_received_ms - evidence.sessions.opened_at_ms
    for local, place in enumerate(timeline.rows.tolist()):
        rows = read(evidence, place)
        here = np.flatnonzero(timeline.session == local)
        everyone = observed(rows)
        assert read_clocks.offset_ms[local] == offset(rows, int(opening[place]))
        assert read_clocks.playing_ms[local] == length(everyone)
        assert read_clocks.at_event_ms[here].tolist() == [until(everyone, row.at_ms) for row in rows]
        own = {row.player: observed(rows, row.player) for row in rows}
        assert read_clocks.own_at_event_ms[here].tolist() == [until(own[row.player], row.at_ms) for row in rows]
        assert read_clocks.track_ms[timeline.track[here]].tolist() == [length(own[row.player]) for row in rows]
        assert read_clocks.first_at_ms[local] == min(row.at_ms for row in rows)
        assert read_clocks.last_at_ms[local] == max(row.at_ms for row in rows)


@pytest.mark.parametrize(
    ("opening_s", "events_s", "offset_ms"),
    [
        (0.5, [0.7, 0.6], 500),
        (0.5, [0.7, 0.2], 200),
        (0.5, [0.7, -59.5], -59_500),
        (0.5, [0.7, -59.501], -59_500),
        (0.5, [-3_600], -59_500),
        (-30, [-29, -90], -90_000),
        (7_200, [7_300], 7_200_000),
    ],
)
def test_the_offset_is_the_least_delay_but_not_less_than_the_opening_minus_a_minute(
    policy: Policy, opening_s: float, events_s: list[float], offset_ms: int
) -> None:
    rows = [event("heartbeat", n, 0, False, late_s=late) for n, late in enumerate(events_s)]
    assert clocks_of(policy, *rows, late_s=opening_s).offset_ms.tolist() == [offset_ms]


def test_two_players_at_once_count_once(policy: Policy) -> None:
    both = clocks_of(policy, *watched(0, 60, player="x"), *watched(30, 60, player="y"))
    assert both.playing_ms.tolist() == [90_000]
    assert both.track_ms.tolist() == [60_000, 60_000]


def test_pauses_silence_and_closed_players_do_not_count(policy: Policy) -> None:
    rows = [
        event("play", 0, 0, True),
        event("pause", 10, 10, False),
        event("play", 50, 10, True),
        event("heartbeat", 111, 70, True),
        event("player_closed", 121, 80, True),
        event("heartbeat", 141, 80, True),
        event("pause", 146, 85, False),
    ]
    read_clocks = clocks_of(policy, *rows)
    assert read_clocks.at_event_ms.tolist() == [0, 10_000, 10_000, 10_000, 20_000, 20_000, 25_000]


def test_a_clock_that_steps_back_plays_no_moment_twice(policy: Policy) -> None:
    rows = [event("heartbeat", at, 0, True) for at in (0, 30, 20, 50)]
    read_clocks = clocks_of(policy, *rows)
    assert read_clocks.playing_ms.tolist() == [50_000]
    assert read_clocks.at_event_ms.tolist() == [0, 30_000, 20_000, 50_000]


@given(evidence=messy_evidence(sessions=2))
def test_the_moment_at_which_the_playing_clock_reaches_a_value(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    read_clocks = clocks.read(timeline, policy)
    asked = [
        (local, value)
        for local, whole in enumerate(read_clocks.playing_ms.tolist())
        if whole
        for value in sorted({0, 1, whole // 2, whole - 1, whole})
    ]
    local, value = (np.array([pair[n] for pair in asked], np.int64) for n in (0, 1))
    found = moment_of(read_clocks, local, value)
    for number, moment in enumerate(found.tolist()):
        spans = observed(read(evidence, int(timeline.rows[local[number]])))
        assert until(spans, moment) == value[number]
        assert until(spans, moment - 1) < max(value[number], 1)


def test_the_moment_after_a_pause_is_before_the_pause(policy: Policy) -> None:
    read_clocks = clocks_of(policy, *watched(0, 30), *watched(100, 30, 30))
    found = moment_of(read_clocks, np.zeros(4, np.int64), np.array([0, 30_000, 30_001, 60_000]))
    assert (found - START_MS).tolist() == [0, 30_000, 100_001, 130_000]


def test_no_events_no_clocks(policy: Policy) -> None:
    read_clocks = clocks_of(policy)
    assert [len(column) for column in (read_clocks.offset_ms, read_clocks.playing_ms, read_clocks.first_at_ms)] == [
        0
    ] * 3
