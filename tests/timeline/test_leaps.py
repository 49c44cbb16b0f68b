"""What a session had reached, and positions that its own way doesn't explain."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_builder import NS, START_MS, event, evidence_of, session, watched
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import SLACK_NS, Row, exceeds, explained, judged_by_og102, reached, read

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.timeline import leaps
from online_guard.timeline.columns import ABSENT, build
from online_guard.timeline.leaps import Leaps


def leaps_of(policy: Policy, *events: object) -> Leaps:
    timeline = build(evidence_of(session("s1", events)), policy)
    return leaps.leaps(timeline, leaps.candidates(timeline, policy), leaps.reached(timeline), policy)


@given(evidence=messy_evidence())
def test_reached_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    curve = leaps.reached(timeline)
    for local, place in enumerate(timeline.rows.tolist()):
        rows = read(evidence, place)
        moments = sorted({row.at_ms + step for row in rows for step in (-1, 0, 1)})
        asked = np.array(moments, np.int64)
        found = leaps.reached_at(curve, np.full(len(asked), local), asked)
        assert found.tolist() == [reached(rows, moment) for moment in moments]
    assert np.all(np.diff(curve.furthest_ns)[np.diff(curve.session) == 0] >= 0)


@given(evidence=messy_evidence())
def test_leaps_are_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    found = leaps.leaps(timeline, leaps.candidates(timeline, policy), leaps.reached(timeline), policy)
    expected = []
    for local, place in enumerate(timeline.rows.tolist()):
        rows = read(evidence, place)
        for row in rows:
            own, bound = reached(rows, row.at_ms), explained(row) if row.before else 0
            if judged_by_og102(row) and exceeds(row.position, max(own, bound) + SLACK_NS):
                expected.append((local, row.seq, row.position, own, bound, row.before is None))
    columns = (found.session, found.seq, found.position_ns, found.reached_ns, found.bound_ns, found.is_first)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected


@given(evidence=messy_evidence())
def test_the_event_before_a_players_first_is_the_latest_of_the_session(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    found = leaps.leaps(timeline, leaps.candidates(timeline, policy), leaps.reached(timeline), policy)
    for number in range(len(found.session)):
        rows = read(evidence, int(timeline.rows[found.session[number]]))
        mark = _before(rows, int(found.seq[number])) if found.is_first[number] else None
        assert found.mark_seq[number] == (mark.seq if mark else ABSENT)
        if mark:
            assert (found.mark_ms[number], found.mark_ns[number]) == (mark.at_ms, mark.position)
            assert found.mark_plays[number] == (mark.playing and mark.type != "player_closed")


def _before(rows: list[Row], seq: int) -> Row | None:
    """Return the session's event before an event by client clock and seq."""
    own = next(row for row in rows if row.seq == seq)
    return max(
        (row for row in rows if (row.at_ms, row.seq) < (own.at_ms, seq)),
        key=lambda row: (row.at_ms, row.seq),
        default=None,
    )


@pytest.mark.parametrize(("place_s", "found"), [(62, 0), (62.000001, 0), (62.000002, 1)])
def test_a_seek_may_go_to_what_was_reached_plus_slack(policy: Policy, place_s: float, found: int) -> None:
    rows = [*watched(0, 60), event("seek", 100, 0, False), event("seek", 110, place_s, False)]
    assert len(leaps_of(policy, *rows).seq) == found


def test_a_playing_interval_explains_what_it_allows(policy: Policy) -> None:
    rows = [event("play", 0, 0, True), event("seek", 10, 12.2, True, from_s=10), event("seek", 10, 12.3, True)]
    found = leaps_of(policy, *rows)
    assert found.seq.tolist() == []
    found = leaps_of(policy, event("play", 0, 0, True), event("seek", 10, 12.3, True))
    assert (found.bound_ns.tolist(), found.reached_ns.tolist()) == ([round(10.2 * NS)], [0])


def test_a_clock_that_steps_back_explains_a_minute(policy: Policy) -> None:
    found = leaps_of(policy, event("play", 100, 0, True), event("heartbeat", 90, 63.2, True))
    assert found.seq.tolist() == []
    found = leaps_of(policy, event("play", 100, 0, True), event("heartbeat", 90, 63.3, True))
    assert found.bound_ns.tolist() == [round(61.2 * NS)]


def test_a_move_while_playing_is_no_leap(policy: Policy) -> None:
    assert leaps_of(policy, event("play", 0, 0, True), event("heartbeat", 10, 1_000, True)).seq.tolist() == []


def test_nothing_reached_without_events(policy: Policy) -> None:
    timeline = build(evidence_of(session("s1")), policy)
    curve = leaps.reached(timeline)
    assert leaps.reached_at(curve, np.array([0]), np.array([START_MS])).tolist() == [0]
    assert len(leaps.leaps(timeline, leaps.candidates(timeline, policy), curve, policy).seq) == 0
