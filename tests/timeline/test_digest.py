"""Small tables about each session: the same alone and in a crowd, joined again, and small where nobody asks."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from evidence_builder import START_MS, event, evidence_of, session, watched
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import offset, read, showings

from online_guard.evidence import Enrolment, Events, Evidence
from online_guard.ingest.identity import take
from online_guard.policy import Policy
from online_guard.timeline.columns import ABSENT
from online_guard.timeline.digest import NEVER, Digest, digest, join, needs_detail, view


def digest_of(policy: Policy, evidence: Evidence, **whole: object) -> Digest:
    return digest(view(evidence, policy), evidence, policy, **whole)


def assert_same(left: Digest, right: Digest) -> None:
    """Assert that two digests say the same; a mark that doesn't exist says nothing."""
    for item in fields(Digest):
        first, second = (getattr(_said(part), item.name) for part in (left, right))
        for name, one, other in zip(type(first)._fields, first, second, strict=True):
            assert one.tolist() == other.tolist(), f"{item.name}.{name}"


def _said(part: Digest) -> Digest:
    known = part.leaps.mark_seq != ABSENT
    blank = {name: np.where(known, getattr(part.leaps, name), 0) for name in ("mark_ms", "mark_ns", "mark_plays")}
    return replace(part, leaps=part.leaps._replace(**blank))


def only(evidence: Evidence, sessions: list[int]) -> Evidence:
    """Return the evidence with the events of some sessions."""
    return evidence.with_events(take(evidence.events, np.isin(evidence.events.session, sessions)))


def snapshot(name: str, at_s: float, session_id: str = "s1") -> SimpleNamespace:
    at_ms = START_MS + round(at_s * 1000)
    return SimpleNamespace(
        platform_id="p", session_id=session_id, snapshot_id=name, at_ms=at_ms, received_ms=at_ms + 500, asked=True,
        good=True, sha256="0" * 64, phash="0" * 16, distance=0.3, presented_attack=None,
    )  # fmt: skip


@given(evidence=messy_evidence(sessions=4))
def test_digests_of_single_sessions_join_to_the_digest_of_all(policy: Policy, evidence: Evidence) -> None:
    parts = [digest_of(policy, only(evidence, [n])) for n in reversed(range(len(evidence.sessions)))]
    assert_same(join(parts), digest_of(policy, evidence))


def test_snapshots_go_with_their_session(policy: Policy) -> None:
    evidence = evidence_of(
        session("s1", watched(0, 60)),
        session("s2", watched(0, 60)),
        session("s3"),
        snapshots=[snapshot("a", 20), snapshot("a", 30, "s2"), snapshot("a", 40, "s3")],
    )
    whole = digest_of(policy, evidence)
    assert whole.places.snapshot.tolist() == [0, 1]
    assert whole.places.place_ns.tolist() == [20_000_000_000, 30_000_000_000]
    assert whole.places.clock_ms.tolist() == [20_000, 30_000]


@given(evidence=messy_evidence(sessions=4))
def test_sittings_are_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    found = digest_of(policy, evidence).sittings
    opening = evidence.sessions.opened_received_ms - evidence.sessions.opened_at_ms
    for number, place in enumerate(found.session.tolist()):
        rows = read(evidence, place)
        shift = offset(rows, int(opening[place]))
        starts = [row.before.at_ms + shift for row in rows if row.observed and row.before]
        popups = showings(rows)
        assert found.offset_ms[number] == shift
        assert found.starts_ms[number] == min(starts, default=NEVER)
        assert found.shown[number] == len(popups)
        assert (found.last_control_ms[number] == ABSENT) == (not any(one.controls for one in popups))


def test_gaps_and_answers_follow_the_playing_clock(policy: Policy) -> None:
    rows = [
        *watched(0, 100),
        event("popup_shown", 200, 100, False, popup="a"),
        event("popup_answered", 203, 100, False, popup="a"),
        *watched(300, 45, 100),
        event("popup_shown", 350, 145, False, popup="b"),
        event("popup_expired", 360, 145, False, popup="b"),
    ]
    found = digest_of(policy, evidence_of(session("s1", rows)))
    assert found.gaps.gap_ms.tolist() == [100_000, 45_000]
    assert found.answers.reaction_ms.tolist() == [3_000]
    assert found.answers.shown_at_ms.tolist() == [START_MS + 200_000]
    assert found.sittings.last_control_ms.tolist() == [145_000]  # the last, unanswered, at the session's end


def test_fingerprints_are_equal_for_equal_lists_in_whole_tenths(policy: Policy) -> None:
    rows = watched(0, 60)
    later = [SimpleNamespace(**{**vars(row), "at_ms": row.at_ms + 7_000_099, "position_s": 9.0}) for row in rows]
    within = session("s2", later, opened_s=7_000)
    other_type = [*rows[:-1], event("ended", 60, 60, False)]
    swapped = [*rows[:-2], rows[-1], rows[-2]]
    beyond = [*rows[:-1], event("pause", 60.1, 60, False)]
    evidence = evidence_of(
        session("s1", rows), within, session("s3", other_type), session("s4", swapped), session("s5", beyond)
    )
    found = digest_of(policy, evidence).fingerprints
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs[0] == pairs[1]
    assert len(set(pairs)) == 4
    assert found.events.tolist() == [len(rows)] * 5


def test_events_before_the_opening_round_down_too(policy: Policy) -> None:
    evidence = evidence_of(
        session("s1", [event("pause", -0.05, 0, False)]), session("s2", [event("pause", 0.05, 0, False)])
    )
    found = digest_of(policy, evidence).fingerprints
    assert found.first[0] != found.first[1]


def test_without_detail_a_session_keeps_its_last_row(policy: Policy) -> None:
    evidence = evidence_of(session("s1", [*watched(0, 60), *watched(100, 60, 30)]), session("s2", watched(0, 30)))
    small = digest_of(policy, evidence, whole=False)
    assert small.reached.furthest_ns.tolist() == [90_000_000_000, 30_000_000_000]
    assert small.marks.moment_ms.tolist() == [START_MS + 160_500, START_MS + 30_500]
    assert small.watched.start_ns.tolist() == [0, 0]
    assert small.watched.end_ns.tolist() == [90_000_000_000, 30_000_000_000]
    assert small.watched.ended_ms.tolist() == [START_MS + 160_500, START_MS + 30_500]
    one = digest_of(policy, evidence, whole=np.array([1]))
    assert np.bincount(one.marks.session).tolist() == [1, 3]
    assert np.bincount(one.watched.session).tolist() == [1, 2]


@given(evidence=messy_evidence(sessions=4))
def test_the_last_row_answers_what_is_asked_after_the_end(policy: Policy, evidence: Evidence) -> None:
    whole, small = digest_of(policy, evidence), digest_of(policy, evidence, whole=False)
    assert len(small.marks.session) == len(small.sittings.session)
    for place in small.sittings.session.tolist():
        last = np.flatnonzero(whole.marks.session == place)[-1]
        kept = np.flatnonzero(small.marks.session == place)[0]
        assert [column[kept] for column in small.marks] == [column[last] for column in whole.marks]
        full, few = (np.flatnonzero(part.reached.session == place) for part in (whole, small))
        assert small.reached.furthest_ns[few].tolist() == whole.reached.furthest_ns[full[-1:]].tolist()
    assert_same(
        replace(small, marks=whole.marks, watched=whole.watched, reached=whole.reached),
        whole,
    )


@given(evidence=messy_evidence(sessions=4))
def test_detail_is_needed_where_sittings_of_an_enrolment_lie_over_each_other(
    policy: Policy, evidence: Evidence
) -> None:
    part = digest_of(policy, evidence)
    rows = part.sittings
    begin, end = rows.first_at_ms + rows.offset_ms - 5_000, rows.last_at_ms + rows.offset_ms + 5_000
    expected = [
        int(rows.session[a])
        for a in range(len(begin))
        if any(begin[a] <= end[b] and begin[b] <= end[a] for b in range(len(begin)) if a != b)
    ]
    assert needs_detail(part.sittings, evidence, policy).tolist() == expected


@pytest.mark.parametrize(("gap_ms", "needed"), [(10_000, [0, 1]), (10_001, [])])
def test_detail_is_needed_up_to_slack_at_both_ends(policy: Policy, gap_ms: int, needed: list[int]) -> None:
    later = watched(60 + gap_ms / 1000, 30)
    evidence = evidence_of(session("s1", watched(0, 60)), session("s2", later, opened_s=60))
    assert needs_detail(digest_of(policy, evidence, whole=False).sittings, evidence, policy).tolist() == needed


def test_other_enrolments_need_no_detail(policy: Policy) -> None:
    evidence = evidence_of(
        session("s1", watched(0, 60)),
        session("s2", watched(0, 60), enrolment_id="e2"),
        enrolments=[Enrolment("e1", "c1", "l1"), Enrolment("e2", "c1", "l1")],
    )
    assert needs_detail(digest_of(policy, evidence).sittings, evidence, policy).tolist() == []


def test_no_events_give_an_empty_digest(policy: Policy) -> None:
    evidence = evidence_of(session("s1")).with_events(Events())
    found = digest_of(policy, evidence)
    assert all(len(column) == 0 for item in fields(Digest) for column in getattr(found, item.name))
