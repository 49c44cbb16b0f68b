"""Where in the lesson a snapshot lies (OG601)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from evidence_builder import NS, START_MS, event, evidence_of, session, watched
from hypothesis import given
from hypothesis import strategies as st
from messy_sessions import messy_evidence
from plain_reading import place_of, read

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.timeline.columns import ABSENT, build
from online_guard.timeline.places import snapshot_places


def place_at(policy: Policy, events: list[SimpleNamespace], at_s: float) -> float | None:
    """Return the lesson position in seconds of a snapshot taken `at_s`, None where it doesn't count."""
    timeline = build(evidence_of(session("s1", events)), policy)
    found = snapshot_places(timeline, np.array([0]), np.array([START_MS + round(at_s * 1000)]))
    return None if found[0] == ABSENT else found[0] / NS


@given(evidence=messy_evidence(), steps=st.lists(st.sampled_from([-1, 0, 1, 500, 7_000]), min_size=1, max_size=3))
def test_every_place_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence, steps: list[int]) -> None:
    timeline = build(evidence, policy)
    asked = [
        (local, moment)
        for local in range(timeline.sessions)
        for moment in sorted({int(at) + step for at in timeline.at_ms[timeline.session == local] for step in steps})
    ]
    local, moment = (np.array([pair[n] for pair in asked], np.int64) for n in (0, 1))
    found = snapshot_places(timeline, local, moment)
    for number, place in enumerate(found.tolist()):
        expected = place_of(read(evidence, int(timeline.rows[local[number]])), int(moment[number]))
        assert place == (ABSENT if expected is None else expected)


@given(evidence=messy_evidence())
def test_watched_segments_are_observed_advances_forward(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    expected = [row.watched for place in timeline.rows.tolist() for row in read(evidence, place)]
    assert timeline.watched.tolist() == list(expected)


@pytest.mark.parametrize(
    ("at_s", "place_s"),
    [(-5, 100), (0, 100), (7.5, 107.5), (30, 130), (50, 130), (99.999, 130), (100, 500), (130, 530), (500, 530)],
)
def test_inside_between_before_and_after(policy: Policy, at_s: float, place_s: float) -> None:
    rows = [*watched(0, 30, 100), *watched(100, 30, 500)]
    assert place_at(policy, rows, at_s) == pytest.approx(place_s, abs=1e-3)


def test_a_border_belongs_to_the_segment_that_begins_there(policy: Policy) -> None:
    rows = [event("play", 0, 0, True), event("seek", 10, 100, True, from_s=10), event("heartbeat", 20, 110, True)]
    assert place_at(policy, rows, 9.999) == pytest.approx(9.999)
    assert place_at(policy, rows, 10) == 100


def test_of_several_the_one_with_the_larger_first_seq(policy: Policy) -> None:
    rows = [
        event("play", 0, 0, True, player="x"),
        event("play", 5, 300, True, player="y"),
        event("heartbeat", 20, 20, True, player="x"),
        event("heartbeat", 25, 320, True, player="y"),
    ]
    assert [place_at(policy, rows, at) for at in (4, 10, 22)] == [4, 305, 317]


def test_a_segment_does_not_hold_its_end(policy: Policy) -> None:
    rows = [
        event("play", 5, 300, True, player="y"),
        event("play", 6, 0, True, player="x"),
        event("heartbeat", 20, 14, True, player="x"),
        event("heartbeat", 25, 320, True, player="y"),
    ]
    assert [place_at(policy, rows, at) for at in (19, 20)] == [13, 315]


def test_of_two_that_ended_together_the_one_with_the_larger_first_seq(policy: Policy) -> None:
    rows = [
        event("play", 5, 300, True, player="y"),
        event("play", 6, 0, True, player="x"),
        event("pause", 20, 315, False, player="y"),
        event("pause", 20, 14, False, player="x"),
    ]
    assert place_at(policy, rows, 30) == 14


@pytest.mark.parametrize(
    "events",
    [
        [],
        [event("pause", 0, 0, False), event("pause", 30, 0, False)],
        [event("play", 0, 0, True), event("heartbeat", 100, 100, True)],
        [event("play", 0, 0, True), event("heartbeat", 10, 500, True)],
        [event("play", 0, 50, True), event("heartbeat", 10, 40, True)],
    ],
    ids=["no events", "paused", "silence", "fast forward", "backward"],
)
def test_a_session_without_a_watched_segment_has_no_place(policy: Policy, events: list[SimpleNamespace]) -> None:
    timeline = build(evidence_of(session("s1", events), session("s2", watched(0, 30))), policy)
    local = np.searchsorted(timeline.rows, 0 if events else 1)
    found = snapshot_places(timeline, np.array([local]), np.array([START_MS + 5_000]))
    assert found.tolist() == [ABSENT if events else 5 * NS]


def test_no_snapshots(policy: Policy) -> None:
    timeline = build(evidence_of(session("s1", watched(0, 30))), policy)
    assert len(snapshot_places(timeline, np.zeros(0, np.int64), np.zeros(0, np.int64))) == 0
