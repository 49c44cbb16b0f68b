"""Hours earned or refused, with reasons: every sentence of SPEC 5 about the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from evidence_builder import evidence_of, lesson, session, training_class, watched

from online_guard.evidence import Enrolment, Evidence
from online_guard.ledger import ClaimedLesson, LedgerEntry, compare_claim, hours_of, keep
from online_guard.policy import Policy, load_policy
from online_guard.rules.base import Facts
from online_guard.terms import DecisionKind, Effect, Subject
from online_guard.timeline.coverage import opened_lessons
from online_guard.timeline.digest import digest, view
from online_guard.verdict import ACCEPTED, HELD, Finding, session_verdicts

SHORT = [training_class(lessons=(lesson(1, duration_s=600), lesson(2, duration_s=600, class_hours=0.25)))]
"""Lessons of ten minutes, so that few events cover one; they earn 1 and 0.25."""
CHECKED = load_policy("huangchuan-2021")
WIDE = load_policy("huangchuan-2021", ['violation_scope="enrolment"'])


def found(
    rule: str, row: int = 0, effect: Effect = Effect.REJECT, decision: DecisionKind | None = None, **changes: Any
) -> Finding:
    given = {"subject": Subject.SESSION, "evidence": {}, **changes}
    return Finding(rule, subject_id="", effect=effect, start_ms=None, end_ms=None, row=row, decision=decision, **given)


def ledger_of(evidence: Evidence, findings: Sequence[Finding] = (), policy: Policy = CHECKED) -> list[LedgerEntry]:
    """Return the ledger that follows from findings about evidence whose events are read."""
    verdicts = session_verdicts(findings, len(evidence.sessions))
    part = digest(view(evidence, policy), evidence, policy)
    facts = Facts(evidence, part, opened_lessons(evidence), verdicts == ACCEPTED, verdicts == HELD)
    return keep(facts, findings, verdicts, policy)


def first(evidence: Evidence, *findings: Finding, policy: Policy = CHECKED) -> tuple[float, tuple[str, ...]]:
    """Return hours and reasons of the first lesson of the first enrolment."""
    entry = ledger_of(evidence, findings, policy)[0]
    return entry.hours, entry.refused_by


FULL = evidence_of(session("s1", watched(0, 600)), classes=SHORT)
HALF = evidence_of(session("s1", watched(0, 300)), classes=SHORT)
TWICE = evidence_of(session("s1", watched(0, 600)), session("s2", watched(1_000, 600)), classes=SHORT)


def test_a_covered_lesson_earns_its_hours() -> None:
    entry = ledger_of(FULL)[0]
    assert entry == LedgerEntry("e1", 1, 1.0, 600.0, 1.0, ())
    assert entry.as_row() == {
        "enrolment_id": "e1",
        "lesson_no": 1,
        "hours": 1.0,
        "credited_s": 600.0,
        "coverage": 1.0,
        "refused_by": [],
    }


def test_a_lesson_earns_what_its_syllabus_says() -> None:
    evidence = evidence_of(session("s1", watched(0, 600), lesson_no=2), classes=SHORT)
    assert [entry.hours for entry in ledger_of(evidence)] == [0, 0.25]


def test_a_lesson_without_a_session_earns_nothing_and_has_no_reason() -> None:
    about_all = found("OG901", 0, subject=Subject.CLASS)
    entry = ledger_of(FULL, [about_all])[1]
    assert entry == LedgerEntry("e1", 2, 0, 0.0, 0.0, ())


@pytest.mark.parametrize(("length_s", "hours"), [(570, 1), (569.999, 0)])
def test_coverage_must_reach_its_minimum(length_s: float, hours: float) -> None:
    evidence = evidence_of(session("s1", watched(0, length_s)), classes=SHORT)
    entry = ledger_of(evidence)[0]
    assert (entry.hours, entry.refused_by) == (hours, ())
    assert entry.credited_s == length_s


def test_sessions_add_up() -> None:
    evidence = evidence_of(session("s1", watched(0, 300)), session("s2", watched(900, 300, 300)), classes=SHORT)
    assert first(evidence) == (1, ())


def test_seconds_and_shares_are_rounded() -> None:
    third = [training_class(lessons=(lesson(1, duration_s=700.0001),))]
    entry = ledger_of(evidence_of(session("s1", watched(0, 100.0004)), classes=third))[0]
    assert (entry.credited_s, entry.coverage) == (100.0, 0.142858)


def test_a_rejected_session_does_not_count_and_its_rule_is_the_reason() -> None:
    entry = ledger_of(FULL, [found("OG101")])[0]
    assert entry == LedgerEntry("e1", 1, 0, 0.0, 0.0, ("OG101",))


def test_a_held_session_does_not_count_and_its_waiting_rule_is_the_reason() -> None:
    entry = ledger_of(FULL, [found("OG105", effect=Effect.REVIEW)])[0]
    assert entry == LedgerEntry("e1", 1, 0, 0.0, 0.0, ("OG105",))


def test_of_a_rejected_session_only_what_stands_is_a_reason() -> None:
    findings = [
        found("OG201"),
        found("OG105", effect=Effect.REVIEW),
        found("OG107", effect=Effect.REVIEW, decision=DecisionKind.UPHOLD),
        found("OG103", decision=DecisionKind.DISMISS),
        found("OG106", effect=Effect.NOTE),
    ]
    assert first(FULL, *findings) == (0, ("OG107", "OG201"))


def test_of_a_held_session_only_what_waits_is_a_reason() -> None:
    findings = [
        found("OG105", effect=Effect.REVIEW),
        found("OG107", effect=Effect.REVIEW, decision=DecisionKind.DISMISS),
        found("OG106", effect=Effect.NOTE),
    ]
    assert first(FULL, *findings) == (0, ("OG105",))


def test_a_dismissed_rejection_counts_again() -> None:
    assert first(FULL, found("OG101", decision=DecisionKind.DISMISS)) == (1, ())


def test_studied_again_a_lesson_earns_and_says_nothing_of_the_rejected_session() -> None:
    assert first(TWICE, found("OG101", 0)) == (1, ())


def test_where_accepted_sessions_fall_short_the_others_are_the_reason() -> None:
    evidence = evidence_of(session("s1", watched(0, 300)), session("s2", watched(1_000, 600)), classes=SHORT)
    entry = ledger_of(evidence, [found("OG401", 1)])[0]
    assert entry == LedgerEntry("e1", 1, 0, 300.0, 0.5, ("OG401",))


def test_where_coverage_is_enough_rejected_sessions_are_no_reason() -> None:
    about_lesson = found("OG601", 0, subject=Subject.LESSON)
    assert first(TWICE, found("OG101", 0), about_lesson) == (0, ("OG601",))


def test_reasons_are_sorted_and_each_stands_once() -> None:
    findings = [found("OG401", 0), found("OG101", 1), found("OG401", 1), found("OG702", 0, subject=Subject.LESSON)]
    assert first(TWICE, *findings) == (0, ("OG101", "OG401", "OG702"))


@pytest.mark.parametrize(
    ("effect", "decision", "hours"),
    [
        (Effect.REJECT, None, 0),
        (Effect.REJECT, DecisionKind.DISMISS, 1),
        (Effect.REVIEW, None, 0),
        (Effect.REVIEW, DecisionKind.UPHOLD, 0),
        (Effect.REVIEW, DecisionKind.DISMISS, 1),
        (Effect.NOTE, None, 1),
    ],
)
@pytest.mark.parametrize(
    ("rule", "subject"),
    [("OG601", Subject.LESSON), ("OG801", Subject.ENROLMENT), ("OG901", Subject.CLASS)],
)
def test_a_finding_about_lesson_enrolment_or_class_refuses_while_it_stands_or_waits(
    rule: str, subject: Subject, effect: Effect, decision: DecisionKind | None, hours: float
) -> None:
    one = found(rule, 0, effect, decision, subject=subject)
    assert first(FULL, one) == (hours, () if hours else (rule,))


def test_a_snapshot_refuses_nothing() -> None:
    assert first(FULL, found("OG405", 0, Effect.REJECT, subject=Subject.SNAPSHOT)) == (1, ())


def test_a_finding_about_one_lesson_leaves_the_others() -> None:
    evidence = evidence_of(
        session("s1", watched(0, 600)), session("s2", watched(1_000, 600), lesson_no=2), classes=SHORT
    )
    entries = ledger_of(evidence, [found("OG601", 1, subject=Subject.LESSON)])
    assert [(entry.hours, entry.refused_by) for entry in entries] == [(1, ()), (0, ("OG601",))]
    about_enrolment = ledger_of(evidence, [found("OG801", 0, Effect.REVIEW, subject=Subject.ENROLMENT)])
    assert [(entry.hours, entry.refused_by) for entry in about_enrolment] == [(0, ("OG801",))] * 2


def test_og701_refuses_the_lessons_it_names_and_og901_all() -> None:
    evidence = evidence_of(
        session("s1", watched(0, 600)), session("s2", watched(1_000, 600), lesson_no=2), classes=SHORT
    )
    short_hour = found("OG701", 0, subject=Subject.CLASS, evidence={"lessons": [2]})
    entries = ledger_of(evidence, [short_hour])
    assert [(entry.hours, entry.refused_by) for entry in entries] == [(1, ()), (0, ("OG701",))]
    all_of_them = ledger_of(evidence, [short_hour, found("OG901", 0, subject=Subject.CLASS)])
    assert [entry.refused_by for entry in all_of_them] == [("OG901",), ("OG701", "OG901")]


def test_other_enrolments_and_classes_are_not_touched() -> None:
    classes = [replace(SHORT[0]), replace(SHORT[0], class_id="c2")]
    enrolments = [Enrolment("e1", "c1", "l1"), Enrolment("e2", "c1", "l2"), Enrolment("e3", "c2", "l3")]
    evidence = evidence_of(
        *(session(f"s{n}", watched(0, 600), enrolment_id=f"e{n}") for n in (1, 2, 3)),
        classes=classes,
        enrolments=enrolments,
    )
    findings = [found("OG801", 0, subject=Subject.ENROLMENT), found("OG901", 1, subject=Subject.CLASS)]
    entries = [entry for entry in ledger_of(evidence, findings) if entry.lesson_no == 1]
    assert [(entry.enrolment_id, entry.hours, entry.refused_by) for entry in entries] == [
        ("e1", 0, ("OG801",)),
        ("e2", 1, ()),
        ("e3", 0, ("OG901",)),
    ]
    named = found("OG701", 1, subject=Subject.CLASS, evidence={"lessons": [1]})
    assert [entry.hours for entry in ledger_of(evidence, [named]) if entry.lesson_no == 1] == [1, 1, 0]


UNFINISHED = {"rule": "OG702", "subject": Subject.LESSON}


def test_an_unfinished_lesson_earns_when_og702_is_dismissed_and_an_accepted_session_plays() -> None:
    dismissed = found(**UNFINISHED, decision=DecisionKind.DISMISS)
    entry = ledger_of(HALF, [dismissed])[0]
    assert entry == LedgerEntry("e1", 1, 1.0, 300.0, 0.5, ())
    assert first(HALF, found(**UNFINISHED)) == (0, ("OG702",))


def test_a_dismissed_og702_needs_an_accepted_session() -> None:
    dismissed = found(**UNFINISHED, decision=DecisionKind.DISMISS)
    assert first(HALF, dismissed, found("OG101")) == (0, ("OG101",))


def test_a_dismissed_og702_needs_a_session_that_plays() -> None:
    paused = evidence_of(session("s1", watched(0, 600)[:1]), classes=SHORT)
    assert first(paused, found(**UNFINISHED, decision=DecisionKind.DISMISS)) == (0, ())


def test_another_session_of_the_lesson_may_be_rejected_beside_a_dismissed_og702() -> None:
    evidence = evidence_of(session("s1", watched(0, 300)), session("s2", watched(1_000, 600)), classes=SHORT)
    dismissed = found(**UNFINISHED, decision=DecisionKind.DISMISS)
    assert first(evidence, dismissed, found("OG101", 1)) == (1, ())


def test_a_dismissed_og702_helps_against_nothing_else() -> None:
    dismissed = found(**UNFINISHED, decision=DecisionKind.DISMISS)
    assert first(HALF, dismissed, found("OG801", 0, subject=Subject.ENROLMENT)) == (0, ("OG801",))


def test_beside_a_dismissed_og702_coverage_still_falls_short() -> None:
    evidence = evidence_of(session("s1", watched(0, 300)), session("s2", watched(1_000, 600)), classes=SHORT)
    dismissed = found(**UNFINISHED, decision=DecisionKind.DISMISS)
    about_learner = found("OG801", 0, Effect.REVIEW, subject=Subject.ENROLMENT)
    assert first(evidence, dismissed, about_learner, found("OG101", 1)) == (0, ("OG101", "OG801"))


def test_a_dismissed_og702_of_another_lesson_does_not_help() -> None:
    evidence = evidence_of(
        session("s1", watched(0, 300)), session("s2", watched(1_000, 300), lesson_no=2), classes=SHORT
    )
    entries = ledger_of(evidence, [found(**UNFINISHED, row=1, decision=DecisionKind.DISMISS)])
    assert [entry.hours for entry in entries] == [0, 0.25]


def test_another_dismissed_lesson_rule_does_not_replace_coverage() -> None:
    assert first(HALF, found("OG601", 0, decision=DecisionKind.DISMISS, subject=Subject.LESSON)) == (0, ())


def test_by_the_letter_of_the_clause_one_rejected_session_refuses_the_enrolment() -> None:
    evidence = evidence_of(
        session("s1", watched(0, 600)),
        session("s2", watched(1_000, 600), lesson_no=2),
        session("s3", watched(0, 600), enrolment_id="e2"),
        classes=SHORT,
        enrolments=[Enrolment("e1", "c1", "l1"), Enrolment("e2", "c1", "l2")],
    )
    entries = ledger_of(evidence, [found("OG101", 1)], WIDE)
    assert [(entry.enrolment_id, entry.lesson_no, entry.hours, entry.refused_by) for entry in entries] == [
        ("e1", 1, 0, ("OG101",)),
        ("e1", 2, 0, ("OG101",)),
        ("e2", 1, 1, ()),
        ("e2", 2, 0, ()),
    ]
    assert entries[0].coverage == 1.0
    assert [entry.hours for entry in ledger_of(evidence, [found("OG101", 1)])] == [1, 0, 1, 0]


def test_a_held_session_does_not_reach_that_far() -> None:
    evidence = evidence_of(
        session("s1", watched(0, 600)), session("s2", watched(1_000, 600), lesson_no=2), classes=SHORT
    )
    entries = ledger_of(evidence, [found("OG105", 1, Effect.REVIEW)], WIDE)
    assert [entry.hours for entry in entries] == [1, 0]


def test_studied_again_does_not_help_by_the_letter() -> None:
    assert first(TWICE, found("OG101", 0), policy=WIDE) == (0, ("OG101",))
    assert first(TWICE, found("OG101", 0, decision=DecisionKind.DISMISS), policy=WIDE) == (1, ())


def test_a_session_without_events_opens_its_lesson() -> None:
    evidence = evidence_of(session("s1"), classes=SHORT)
    assert first(evidence, found(**UNFINISHED)) == (0, ("OG702",))


def test_rows_are_sorted_by_enrolment_and_lesson() -> None:
    evidence = evidence_of(
        classes=[training_class(lessons=(lesson(2), lesson(10)))],
        enrolments=[Enrolment("e2", "c1", "l2"), Enrolment("e10", "c1", "l1")],
    )
    rows = [(entry.enrolment_id, entry.lesson_no) for entry in ledger_of(evidence)]
    assert rows == [("e10", 2), ("e10", 10), ("e2", 2), ("e2", 10)]


def entry(lesson_no: int, hours: float, *refused_by: str, enrolment_id: str = "e1") -> LedgerEntry:
    return LedgerEntry(enrolment_id, lesson_no, hours, 0.0, 0.0, refused_by)


def test_a_claim_is_compared_lesson_by_lesson() -> None:
    book = [entry(1, 1.0), entry(2, 0, "OG101", "OG301"), entry(3, 0.5)]
    answer = compare_claim({3: 1.0, 1: 1.0, 2: 1.0, 9: 2.0}, book)
    assert answer == [
        ClaimedLesson(1, 1.0, 1.0, True, ()),
        ClaimedLesson(2, 1.0, 0, False, ("OG101", "OG301")),
        ClaimedLesson(3, 1.0, 0.5, False, ()),
        ClaimedLesson(9, 2.0, 0.0, False, ()),
    ]


@pytest.mark.parametrize(("claimed", "accepted"), [(0.5, True), (1.0, True), (1.0 + 1e-10, True), (1.01, False)])
def test_no_more_is_accepted_than_was_earned(claimed: float, accepted: bool) -> None:
    assert compare_claim({1: claimed}, [entry(1, 1.0)])[0].accepted is accepted


def test_an_accepted_claim_shows_no_reasons() -> None:
    assert compare_claim({1: 0.0}, [entry(1, 0, "OG101")]) == [ClaimedLesson(1, 0.0, 0, True, ())]


def test_hours_add_up_by_enrolment() -> None:
    book = [entry(1, 1.0), entry(2, 0.5), entry(1, 2.0, enrolment_id="e2"), entry(1, 0, enrolment_id="e3")]
    assert hours_of(book) == {"e1": 1.5, "e2": 2.0, "e3": 0}
    assert hours_of([]) == {}
