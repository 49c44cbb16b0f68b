"""Intervals, positions and chains of SPEC 3.3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_builder import NS, START_MS, event, evidence_of, session, training_class, watched
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import ALLOWED_NS, SLACK_NS, read

from online_guard.evidence import Evidence
from online_guard.policy import Policy, load_policy
from online_guard.terms import EventType
from online_guard.timeline.columns import (
    Timeline,
    allowed_ns,
    backward_steps_ms,
    build,
    chain_gain_ns,
)


def timeline_of(policy: Policy, *events: object) -> Timeline:
    return build(evidence_of(session("s1", events)), policy)


@given(evidence=messy_evidence())
def test_every_column_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    local = 0
    for place in sorted(set(evidence.events.session.tolist())):
        rows = read(evidence, place)
        here = np.flatnonzero(timeline.session == local)
        assert timeline.rows[local] == place
        for number, row in zip(here, rows, strict=True):
            before = timeline.previous[number]
            assert (None if before < 0 else rows[before - here[0]]) is row.before
            assert timeline.position_ns[number] == row.position
            assert timeline.delta_ms[number] == row.delta
            assert timeline.start_ns[number] == row.start
            assert timeline.end_ns[number] == (row.end if row.before else 0)
            gain = row.end - row.start - ALLOWED_NS * row.delta if row.before else 0
            assert timeline.gain_ns[number] == gain
            assert timeline.stands_playing[number] == any(other.plays for other in rows if other.before is row) or (
                timeline.stands_playing[number] and not any(other.before is row for other in rows)
            )
            assert (timeline.plays[number], timeline.observed[number]) == (row.plays, row.observed)
            assert timeline.advance[number] == row.advance
        players = {row.player for row in rows}
        assert timeline.simple[local] == (len(players) == 1 and all(row.delta >= 0 for row in rows))
        assert len({(int(timeline.track[n]), row.player) for n, row in zip(here, rows, strict=True)}) == len(players)
        assert set(timeline.track_session[timeline.track[here]].tolist()) == {local}
        assert timeline.lengths[local] == len(rows)
        assert timeline.lasts[local] == here[-1]
        local += 1
    assert timeline.sessions == local
    assert set(timeline.track.tolist()) == set(range(len(timeline.track_session)))


def test_intervals_are_those_of_the_same_player(policy: Policy) -> None:
    timeline = timeline_of(
        policy,
        event("play", 0, 0, True, player="x"),
        event("play", 1, 500, True, player="y"),
        event("heartbeat", 15, 15, True, player="x"),
        event("heartbeat", 16, 515, True, player="y"),
    )
    assert timeline.previous.tolist() == [-1, -1, 0, 1]
    assert timeline.start_ns.tolist() == [0, 0, 0, 500 * NS]
    assert timeline.delta_ms.tolist() == [0, 0, 15_000, 15_000]
    assert timeline.track.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("delta_s", "observed", "advance"),
    [(-1, False, False), (0, False, False), (0.001, True, True), (60, True, True), (60.001, False, True)],
)
def test_an_interval_is_observed_up_to_exactly_a_minute(
    policy: Policy, delta_s: float, observed: bool, advance: bool
) -> None:
    timeline = timeline_of(policy, event("play", 100, 0, True), event("heartbeat", 100 + delta_s, 0, True))
    assert timeline.plays.tolist() == [False, True]
    assert timeline.observed.tolist() == [False, observed]
    assert timeline.advance.tolist() == [False, advance]


@pytest.mark.parametrize(("beyond_ns", "advance"), [(0, True), (1_000, True), (2_000, False)])
def test_an_advance_is_at_most_allowed_plus_slack_ahead(policy: Policy, beyond_ns: int, advance: bool) -> None:
    end_s = 1.02 * 10 + 2 + beyond_ns / 1e9
    timeline = timeline_of(policy, event("play", 0, 0, True), event("heartbeat", 10, end_s, True))
    assert timeline.advance.tolist() == [False, advance]


@pytest.mark.parametrize("kind", ["pause", "player_closed"])
def test_an_interval_after_a_paused_or_closed_player_does_not_play(policy: Policy, kind: str) -> None:
    playing = kind == "player_closed"
    timeline = timeline_of(policy, event(kind, 0, 0, playing), event("heartbeat", 15, 0, True))
    assert not timeline.plays.any()


def test_a_seek_ends_its_interval_where_it_began(policy: Policy) -> None:
    timeline = timeline_of(
        policy,
        event("play", 0, 0, True),
        event("seek", 10, 500, True, from_s=10),
        event("seek", 20, 100, True),
        event("heartbeat", 30, 110, True),
    )
    assert timeline.end_ns.tolist() == [0, 10 * NS, 500 * NS, 110 * NS]
    assert timeline.start_ns.tolist() == [0, 0, 500 * NS, 100 * NS]


@pytest.mark.parametrize(
    ("said_s", "from_s", "stands_s"),
    [(10, 10, 300), (12, 10, 300), (8, 10, 300), (12.00001, 10, 12.00001), (10, None, 300), (14, None, 14)],
)
def test_a_stale_play_stands_where_the_seek_landed(
    policy: Policy, said_s: float, from_s: float | None, stands_s: float
) -> None:
    timeline = timeline_of(
        policy,
        event("pause", 0, 10, False),
        event("seek", 5, 300, False, from_s=from_s),
        event("play", 6, said_s, True),
        event("heartbeat", 16, 310, True),
    )
    assert timeline.position_ns[2] == round(stands_s * 1e9)
    assert timeline.start_ns[3] == timeline.position_ns[2]


def test_stale_plays_may_follow_one_another(policy: Policy) -> None:
    timeline = timeline_of(
        policy,
        event("pause", 0, 10, False),
        event("seek", 1, 300, False),
        event("play", 2, 10, True),
        event("seek", 3, 700, True),
        event("play", 4, 300, True),
        event("seek", 5, 900, True),
        event("play", 6, 700, True),
    )
    assert timeline.position_ns.tolist() == [place * NS for place in (10, 300, 300, 700, 700, 900, 900)]


@pytest.mark.parametrize(
    "events",
    [
        (event("seek", 0, 300, False), event("play", 1, 0, True)),
        (event("seek", 0, 300, False, from_s=10), event("pause", 1, 300, False), event("play", 2, 10, True)),
        (event("seek", 0, 300, False, from_s=10), event("play", 2, 10, True, player="other")),
        (event("pause", 0, 10, False), event("seek", 0, 300, False), event("heartbeat", 2, 10, True)),
    ],
    ids=["nothing before the seek", "not the next event", "another player", "no play"],
)
def test_a_play_that_is_not_stale_stands_where_it_says(policy: Policy, events: tuple[object, ...]) -> None:
    timeline = timeline_of(policy, *events)
    assert timeline.position_ns[-1] == round(events[-1].position_s * 1e9)


def test_allowed_is_exact_in_integers(policy: Policy) -> None:
    assert allowed_ns(np.array([1, 60_000, 3_600_000]), policy).tolist() == [
        1_020_000,
        61_200_000_000,
        3_672_000_000_000,
    ]
    faster = load_policy("huangchuan-2021", ["playback.max_rate=1.5", "playback.rate_tolerance=0.1"])
    assert int(allowed_ns(2, faster)) == 3_300_000


def test_the_length_of_a_lesson_comes_from_the_syllabus(policy: Policy) -> None:
    lost = session("s2", [event("play", 0, 0, True)], lesson_no=7)
    timeline = build(evidence_of(session("s1", [event("play", 0, 0, True)]), lost, classes=[training_class()]), policy)
    assert timeline.duration_ns.tolist() == [2_400 * NS, 0]


def test_backward_steps_add_up_by_player(policy: Policy) -> None:
    rows = [(10, "x"), (9, "x"), (100, "y"), (12, "x"), (10.5, "x"), (99, "y")]
    timeline = timeline_of(policy, *[event("heartbeat", at, 0, False, player=player) for at, player in rows])
    assert backward_steps_ms(timeline).tolist() == [2_500, 1_000]


@given(evidence=messy_evidence())
def test_the_chain_of_fast_forward_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    rows, gain = chain_gain_ns(build(evidence, policy), policy, above_ns=SLACK_NS)
    expected: list[int] = []
    for place in sorted(set(evidence.events.session.tolist())):
        chain = [
            max(0, row.end - row.start) - ALLOWED_NS * row.delta
            for row in read(evidence, place)
            if row.plays and row.delta >= 0 and not (row.type == "seek" and row.from_ is None)
        ]
        if sum(max(0, step) for step in chain) > SLACK_NS:
            expected += [sum(chain[: n + 1]) for n in range(len(chain))]
    assert gain.tolist() == expected
    assert np.all(np.diff(rows) > 0)


def test_events_are_found_by_their_type(policy: Policy) -> None:
    timeline = timeline_of(policy, *watched(0, 30))
    assert timeline.is_type(EventType.PLAY, EventType.PAUSE).tolist() == [True, False, True]


def test_no_events_give_an_empty_timeline(policy: Policy) -> None:
    timeline = build(evidence_of(session("s1")), policy)
    assert (timeline.sessions, len(timeline.session), len(timeline.complex_events())) == (0, 0, 0)


def test_evidence_is_not_changed(policy: Policy) -> None:
    evidence = evidence_of(
        session("s1", [event("pause", 0, 10, False), event("seek", 5, 300, False), event("play", 6, 10, True)])
    )
    before = replace(evidence.events, position_s=evidence.events.position_s.copy())
    build(evidence, policy)
    assert evidence.events.position_s.tolist() == before.position_s.tolist()
    assert evidence.events.at_ms[0] == START_MS
