"""Findings, what auditors decided of them, and the verdicts of sessions (SPEC 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_guard.evidence import Decision
from online_guard.policy import Policy, load_policy
from online_guard.rules.base import Findings
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import DecisionKind, Effect, Subject, Verdict
from online_guard.timeline.digest import NEVER
from online_guard.verdict import (
    ACCEPTED,
    HELD,
    REJECTED,
    VERDICTS,
    Finding,
    SessionVerdict,
    decide,
    decisions_by_finding,
    plain,
    session_verdicts,
    spell_out,
    what_holds,
)

UPHOLD, DISMISS = DecisionKind.UPHOLD, DecisionKind.DISMISS


def finding(effect: Effect = Effect.REJECT, row: int = 0, **changes: Any) -> Finding:
    given = {"rule": "OG101", "subject": Subject.SESSION, "subject_id": f"p/s{row}", "evidence": {"value": 1.0}}
    return Finding(effect=effect, row=row, start_ms=None, end_ms=None, **{**given, **changes})


def said(kind: DecisionKind, reviewer: str, decided_ms: int = 0, **changes: Any) -> Decision:
    given = {"rule": "OG101", "subject": Subject.SESSION, "subject_id": "p/s0", "reason": "看过"}
    return Decision(decision=kind, reviewer=reviewer, decided_ms=decided_ms, **{**given, **changes})


def held_by(*decisions: Decision, second_person: bool = True) -> DecisionKind | None:
    """Return what holds of one finding after decisions, given in any order."""
    ordered = decisions_by_finding(decisions).get(("OG101", "session", "p/s0"), [])
    took_effect = what_holds(ordered, second_person=second_person)
    return took_effect[-1].decision if took_effect else None


def test_nobody_decided() -> None:
    assert held_by() is None
    assert held_by(second_person=False) is None


def test_one_person_is_not_enough() -> None:
    assert held_by(said(DISMISS, "甲")) is None


def test_a_second_person_confirms() -> None:
    assert held_by(said(DISMISS, "甲", 1), said(DISMISS, "乙", 2)) is DISMISS


def test_the_first_person_cannot_be_the_second() -> None:
    assert held_by(said(DISMISS, "甲", 1), said(DISMISS, "甲", 2)) is None


def test_a_second_person_who_says_otherwise_confirms_nothing() -> None:
    assert held_by(said(DISMISS, "甲", 1), said(UPHOLD, "乙", 2)) is None


def test_the_decision_directly_before_must_say_the_same() -> None:
    assert held_by(said(DISMISS, "甲", 1), said(UPHOLD, "乙", 2), said(DISMISS, "丙", 3)) is None


def test_a_repetition_by_the_same_person_stands_directly_before() -> None:
    assert held_by(said(DISMISS, "甲", 1), said(DISMISS, "甲", 2), said(DISMISS, "乙", 3)) is DISMISS
    assert held_by(said(DISMISS, "甲", 1), said(DISMISS, "乙", 2), said(DISMISS, "乙", 3)) is DISMISS


def test_the_latest_that_took_effect_holds() -> None:
    first = [said(DISMISS, "甲", 1), said(DISMISS, "乙", 2)]
    assert held_by(*first, said(UPHOLD, "丙", 3)) is DISMISS
    assert held_by(*first, said(UPHOLD, "丙", 3), said(UPHOLD, "甲", 4)) is UPHOLD
    assert held_by(*first, said(UPHOLD, "丙", 3), said(DISMISS, "甲", 4)) is DISMISS


def test_where_one_person_is_enough_the_newest_decides() -> None:
    assert held_by(said(DISMISS, "甲", 1), second_person=False) is DISMISS
    assert held_by(said(UPHOLD, "甲", 2), said(DISMISS, "甲", 1), second_person=False) is UPHOLD


def test_decisions_of_one_moment_are_read_by_reviewer_then_decision() -> None:
    """A (dismiss), B (uphold), C (uphold): C confirms B. By decision first, nothing would be confirmed last."""
    decisions = [said(DISMISS, "A"), said(UPHOLD, "B"), said(UPHOLD, "C")]
    assert {held_by(*order) for order in permutations(decisions)} == {UPHOLD}
    same_person = [said(UPHOLD, "A"), said(DISMISS, "A"), said(UPHOLD, "B")]
    assert {held_by(*order) for order in permutations(same_person)} == {UPHOLD}
    otherwise = [said(UPHOLD, "A"), said(DISMISS, "A"), said(DISMISS, "B")]
    assert {held_by(*order) for order in permutations(otherwise)} == {None}


@given(
    st.lists(st.builds(said, st.sampled_from([UPHOLD, DISMISS]), st.sampled_from("ABC"), st.integers(0, 3)), max_size=7)
)
def test_what_holds_is_what_a_plain_reading_says(decisions: list[Decision]) -> None:
    ordered = sorted(decisions, key=lambda d: (d.decided_ms, d.reviewer, d.decision))
    expected = None
    for before, own in pairwise(ordered):
        if before.decision == own.decision and before.reviewer != own.reviewer:
            expected = own.decision
    assert held_by(*decisions) is expected
    newest = ordered[-1].decision if ordered else None
    assert held_by(*decisions, second_person=False) is newest


def test_a_decision_reaches_the_finding_it_names(policy: Policy) -> None:
    pair = [said(DISMISS, "甲", 1), said(DISMISS, "乙", 2)]
    findings = [
        finding(),
        finding(row=1),
        finding(rule="OG103"),
        finding(rule="OG101", subject=Subject.ENROLMENT, subject_id="p/s0"),
    ]
    decided = decide(findings, decisions_by_finding(pair), policy)
    assert [one.decision for one in decided] == [DISMISS, None, None, None]
    assert decided[1:] == findings[1:]


def test_a_decided_finding_keeps_row_and_effect_and_says_who_decided(policy: Policy) -> None:
    pair = [said(UPHOLD, "甲", 1, reason="第一"), said(UPHOLD, "乙", 2, reason="第二")]
    (decided,) = decide([finding(Effect.REVIEW, row=0)], decisions_by_finding(pair), policy)
    assert (decided.effect, decided.row, decided.decision) == (Effect.REVIEW, 0, UPHOLD)
    assert decided.evidence == {
        "value": 1.0,
        "decision": {"decision": "uphold", "reason": "第二", "decided_ms": 2, "reviewers": ["甲", "乙"]},
    }


def test_a_half_made_decision_leaves_no_trace(policy: Policy) -> None:
    assert decide([finding()], decisions_by_finding([said(DISMISS, "甲")]), policy) == [finding()]


def test_where_one_person_is_enough_that_person_is_named() -> None:
    alone = load_policy("huangchuan-2021", ["review.second_person=false"])
    (decided,) = decide([finding()], decisions_by_finding([said(DISMISS, "甲", 5)]), alone)
    assert decided.evidence["decision"]["reviewers"] == ["甲"]


@pytest.mark.parametrize("kind", [UPHOLD, DISMISS])
def test_decisions_on_notes_change_nothing(policy: Policy, kind: DecisionKind) -> None:
    pair = [said(kind, "甲", 1), said(kind, "乙", 2)]
    note = finding(Effect.NOTE)
    assert decide([note], decisions_by_finding(pair), policy) == [note]


@pytest.mark.parametrize(
    ("effect", "decision", "stands", "waits"),
    [
        (Effect.REJECT, None, True, False),
        (Effect.REJECT, UPHOLD, True, False),
        (Effect.REJECT, DISMISS, False, False),
        (Effect.REVIEW, None, False, True),
        (Effect.REVIEW, UPHOLD, True, False),
        (Effect.REVIEW, DISMISS, False, False),
        (Effect.NOTE, None, False, False),
    ],
)
def test_what_stands_and_what_waits(effect: Effect, decision: DecisionKind | None, stands: bool, waits: bool) -> None:
    one = finding(effect, decision=decision)
    assert (one.stands, one.waits) == (stands, waits)
    verdict = VERDICTS[session_verdicts([one], 1)[0]]
    assert verdict is (Verdict.REJECTED if stands else Verdict.HELD if waits else Verdict.ACCEPTED)


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([], ACCEPTED),
        ([Effect.NOTE, Effect.NOTE], ACCEPTED),
        ([Effect.NOTE, Effect.REVIEW], HELD),
        ([Effect.REVIEW, Effect.REJECT], REJECTED),
        ([Effect.REJECT, Effect.REVIEW], REJECTED),
        ([Effect.REJECT, Effect.NOTE], REJECTED),
    ],
)
def test_the_heaviest_finding_decides(effects: Sequence[Effect], verdict: int) -> None:
    findings = [finding(effect, row=1, rule=f"OG10{n}") for n, effect in enumerate(effects)]
    assert session_verdicts(findings, 3).tolist() == [ACCEPTED, verdict, ACCEPTED]


@pytest.mark.parametrize("subject", [Subject.SNAPSHOT, Subject.LESSON, Subject.ENROLMENT, Subject.CLASS])
def test_only_findings_about_sessions_make_verdicts(subject: Subject) -> None:
    assert session_verdicts([finding(subject=subject, row=0)], 1).tolist() == [ACCEPTED]


def test_columns_are_spelt_out_as_records() -> None:
    found = Findings.of(
        np.array([3, 5]),
        value=np.array([1.23456789, 2.0]),
        limit=2,
        count=np.array([1, 4]),
        start_ms=np.array([10, NEVER]),
        end_ms=np.array([20, NEVER]),
        lessons=[[1, 2], [3]],
    )
    first, second = spell_out(BY_ID["OG101"], found, ["p/a", "p/b"], [Effect.REJECT, Effect.NOTE])
    assert first.as_row() == {
        "rule": "OG101",
        "subject": "session",
        "subject_id": "p/a",
        "effect": "reject",
        "start_ms": 10,
        "end_ms": 20,
        "evidence": {"value": 1.234568, "limit": 2, "count": 1, "lessons": [1, 2]},
    }
    assert (second.row, second.start_ms, second.end_ms, second.effect) == (5, None, None, Effect.NOTE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.int64(3), 3), (np.float64(0.1234567), 0.123457), (np.bool_(True), True), ("a", "a"), (0.1234567, 0.123457)],
)
def test_evidence_holds_json_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_the_row_of_a_session() -> None:
    assert SessionVerdict("p/s", Verdict.HELD, 1_500, 1.5).as_row() == {
        "session_id": "p/s",
        "verdict": "held",
        "playing_ms": 1_500,
        "watched_s": 1.5,
    }
