"""Coverage and credited seconds of a lesson."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_builder import NS, START_MS, event, evidence_of, lesson, session, training_class, watched
from hypothesis import given
from hypothesis import strategies as st
from messy_sessions import messy_evidence
from plain_reading import ALLOWED_NS, SLACK_NS, length, observed, offset, read, until

from online_guard.evidence import Enrolment, Evidence
from online_guard.policy import Policy
from online_guard.timeline.coverage import (
    credited_at_ns,
    credited_ns,
    opened_lessons,
    reaches,
    share,
    watched_ns,
)
from online_guard.timeline.digest import Digest, digest, view

DURATION_NS = 2_400 * NS


def digest_of(policy: Policy, evidence: Evidence) -> Digest:
    return digest(view(evidence, policy), evidence, policy)


def credited_of(policy: Policy, evidence: Evidence, *counted: bool) -> list[int]:
    lessons = opened_lessons(evidence)
    flags = np.array(counted or [True] * len(evidence.sessions), bool)
    return credited_ns(lessons, digest_of(policy, evidence), flags, policy).tolist()


@given(evidence=messy_evidence(), counted=st.lists(st.booleans(), min_size=3, max_size=3))
def test_credit_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence, counted: list[bool]) -> None:
    lessons = opened_lessons(evidence)
    flags = counted[: len(evidence.sessions)]
    expected = []
    for number in range(len(lessons)):
        taking = [n for n, yes in enumerate(flags) if yes and lessons.of_session[n] == number]
        readings = [read(evidence, n) for n in taking]
        segments = [(max(0, r.start), min(DURATION_NS, r.end)) for rows in readings for r in rows if r.watched]
        clocks = sum(length(observed(rows)) for rows in readings)
        expected.append(min(length(segments), ALLOWED_NS * clocks + SLACK_NS))
    assert credited_of(policy, evidence, *flags) == expected


@given(evidence=messy_evidence(), steps=st.lists(st.integers(-1, 1), min_size=1, max_size=2))
def test_credit_at_a_moment_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence, steps: list[int]) -> None:
    lessons = opened_lessons(evidence)
    opening = (evidence.sessions.opened_received_ms - evidence.sessions.opened_at_ms).tolist()
    readings = [read(evidence, n) for n in range(len(evidence.sessions))]
    shifts = [offset(rows, late) for rows, late in zip(readings, opening, strict=True)]
    moments = {
        row.at_ms + shift + step for rows, shift in zip(readings, shifts, strict=True) for row in rows for step in steps
    }
    asked = [(number, moment) for number in range(len(lessons)) for moment in sorted(moments)]
    number, moment = (np.array([pair[n] for pair in asked], np.int64) for n in (0, 1))
    found = credited_at_ns(lessons, digest_of(policy, evidence), number, moment, policy)
    for place, (own, at) in enumerate(asked):
        taking = [n for n in range(len(readings)) if lessons.of_session[n] == own]
        segments = [
            (max(0, row.start), min(DURATION_NS, row.end))
            for n in taking
            for row in readings[n]
            if row.watched and row.at_ms + shifts[n] <= at
        ]
        clocks = sum(until(observed(readings[n]), at - shifts[n]) for n in taking)
        assert found[place] == min(length(segments), ALLOWED_NS * clocks + SLACK_NS)


@given(evidence=messy_evidence())
def test_watched_seconds_have_no_cap(policy: Policy, evidence: Evidence) -> None:
    found = watched_ns(opened_lessons(evidence), digest_of(policy, evidence), len(evidence.sessions))
    expected = [
        length((max(0, row.start), min(DURATION_NS, row.end)) for row in read(evidence, n) if row.watched)
        for n in range(len(evidence.sessions))
    ]
    assert found.tolist() == expected


def test_what_lies_beyond_the_lesson_does_not_count(policy: Policy) -> None:
    short = [training_class(lessons=(lesson(1, duration_s=50),))]
    assert credited_of(policy, evidence_of(session("s1", watched(0, 60, 20)), classes=short)) == [30 * NS]
    assert credited_of(policy, evidence_of(session("s1", watched(0, 60, 55)), classes=short)) == [0]


def test_credit_is_capped_by_the_playing_clock(policy: Policy) -> None:
    """Twenty players' worth of small leaps over slack: more is watched than the clock allows."""
    rows = []
    for n in range(40):
        rows += [event("play", n, 4 * n, True), event("pause", n + 0.9, 4 * n + 2.9, False)]
    evidence = evidence_of(session("s1", rows))
    assert credited_of(policy, evidence) == [round(1.02 * 36 * NS) + 2 * NS]
    watched_there = watched_ns(opened_lessons(evidence), digest_of(policy, evidence), 1)
    assert watched_there.tolist() == [round(40 * 2.9 * NS)]


def test_the_cap_adds_the_clocks_of_the_sessions_that_count(policy: Policy) -> None:
    evidence = evidence_of(session("s1", watched(0, 60)), session("s2", watched(0, 60, 60)))
    assert credited_of(policy, evidence) == [120 * NS]
    assert credited_of(policy, evidence, True, False) == [60 * NS]
    assert credited_of(policy, evidence, False, False) == [0]


def test_the_same_minute_watched_twice_counts_once(policy: Policy) -> None:
    assert credited_of(policy, evidence_of(session("s1", watched(0, 60)), session("s2", watched(100, 60)))) == [60 * NS]


def test_lessons_are_apart_by_enrolment_and_number(policy: Policy) -> None:
    evidence = evidence_of(
        session("s1", watched(0, 60), enrolment_id="e2"),
        session("s2", watched(0, 30), lesson_no=2),
        session("s3", watched(0, 15)),
        session("s4", lesson_no=2),
        enrolments=[Enrolment("e2", "c1", "l2"), Enrolment("e1", "c1", "l1"), Enrolment("e3", "c1", "l3")],
    )
    lessons = opened_lessons(evidence)
    assert (lessons.enrolment.tolist(), lessons.lesson_no.tolist(), len(lessons)) == ([0, 0, 1], [1, 2, 1], 3)
    assert lessons.of_session.tolist() == [2, 1, 0, 1]
    assert credited_of(policy, evidence) == [15 * NS, 30 * NS, 60 * NS]


@pytest.mark.parametrize(("beyond_ms", "seconds"), [(-1, 45), (0, 60)])
def test_a_segment_counts_from_the_moment_it_ended(policy: Policy, beyond_ms: int, seconds: int) -> None:
    evidence = evidence_of(session("s1", watched(0, 60), late_s=0.5))
    ended = START_MS + 60_000 + 500 + beyond_ms
    found = credited_at_ns(
        opened_lessons(evidence), digest_of(policy, evidence), np.array([0]), np.array([ended]), policy
    )
    assert found.tolist() == [seconds * NS]


def test_a_share_within_a_billionth_reaches() -> None:
    shares = share(np.array([95, 95 - 1, 0]) * 10**8, np.array([100, 100, 0]) * 10**8)
    assert reaches(shares, 0.95).tolist() == [True, False, False]
    assert reaches(np.array([0.95 - 0.9e-9, 0.95 - 1.1e-9]), 0.95).tolist() == [True, False]


def test_no_sessions(policy: Policy) -> None:
    evidence = evidence_of()
    assert len(opened_lessons(evidence)) == 0
    assert credited_of(policy, evidence) == []
