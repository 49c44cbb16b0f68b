"""The order of the stages, from rules and decisions to ledger and eligibility (BUNDLE.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from evidence_builder import START_MS, event, evidence_of, lesson, session, training_class, watched
from hypothesis import given, settings
from messy_sessions import messy_evidence

from online_guard.evidence import Application, Decision, Enrolment, Evidence, TrainingClass
from online_guard.ingest.identity import take
from online_guard.judge import DECLINED_FACE_CHECKS, Judgement, conclude, judge, observe
from online_guard.policy import Policy, load_policy
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import DecisionKind, Effect, FaceChecks, Subject, Verdict
from online_guard.timeline.digest import join, needs_detail
from online_guard.verdict import Finding

CHECKED = load_policy("huangchuan-2021")
QUARTER = training_class(
    lessons=(lesson(1, duration_s=600, class_hours=0.25), lesson(2, duration_s=600, class_hours=0.25)),
    required_online_hours=0.5,
)
"""Two lessons of ten minutes: a quarter of a class hour each."""
FILED = Application("c1", "2021-04", date(2021, 4, 1), date(2021, 4, 10))


def popups(begin_s: float, *at_s: float) -> list[SimpleNamespace]:
    """Return pop-ups shown so long after the beginning, each answered three seconds later."""
    rows = []
    for after in at_s:
        name = f"popup-{after:g}"
        rows.append(event("popup_shown", begin_s + after, after, True, popup=name))
        rows.append(event("popup_answered", begin_s + after + 3, after + 3, True, popup=name))
    return rows


def sitting(
    session_id: str,
    lesson_no: int = 1,
    begin_s: float = 0.0,
    *,
    length_s: float = 600,
    shown: bool = True,
    **changes: Any,
) -> SimpleNamespace:
    """Return a session that plays a lesson with pop-ups every 200 s; the lessons follow one another."""
    rows = watched(begin_s, length_s)
    if shown:
        rows = sorted([*rows, *popups(begin_s, *range(200, int(length_s), 200))], key=lambda row: row.at_ms)
    return session(session_id, rows, lesson_no=lesson_no, opened_s=begin_s, **changes)


def check_of(one: SimpleNamespace, outcome: str = "passed") -> SimpleNamespace:
    """Return a liveness check half a minute after the opening."""
    return SimpleNamespace(
        platform_id=one.platform_id, session_id=one.session_id, check_id="k", at_ms=one.opened_at_ms + 30_000,
        outcome=outcome, distance=0.3, presented_attack=None,
    )  # fmt: skip


def snapshot_of(one: SimpleNamespace, *, good: bool = True) -> SimpleNamespace:
    """Return an asked snapshot 100 s after the opening, unlike any other."""
    number = one.opened_at_ms % 2**63
    return SimpleNamespace(
        platform_id=one.platform_id, session_id=one.session_id, snapshot_id="n", at_ms=one.opened_at_ms + 100_000,
        received_ms=one.opened_at_ms + 100_500, asked=True, good=good, sha256=f"{number:064x}",
        phash=f"{hash((number, 7)) % 2**64:016x}", distance=0.3, presented_attack=None,
    )  # fmt: skip


HONEST = (sitting("s1"), sitting("s2", 2, 1_000))


def judged(
    *sessions: SimpleNamespace,
    policy: Policy = CHECKED,
    checked: Sequence[SimpleNamespace] | None = None,
    pictured: Sequence[SimpleNamespace] | None = None,
    **tables: Any,
) -> Judgement:
    """Judge sessions of the quarter-hour class; every session has a check and a snapshot unless named."""
    given = {"classes": [QUARTER], "applications": [FILED], **tables}
    evidence = evidence_of(
        *sessions,
        checks=[check_of(one) for one in (sessions if checked is None else checked)],
        snapshots=[snapshot_of(one) for one in (sessions if pictured is None else pictured)],
        **given,
    )
    return judge(evidence, policy)


def pair(rule: str, subject_id: str, kind: DecisionKind = DecisionKind.DISMISS) -> list[Decision]:
    subject = BY_ID[rule].subject
    return [
        Decision(rule, subject, subject_id, kind, "看过", START_MS + n, name) for n, name in enumerate(("甲", "乙"))
    ]


def verdicts(judgement: Judgement) -> dict[str, Verdict]:
    return {row.session_id.removeprefix("p/"): row.verdict for row in judgement.sessions}


def hours(judgement: Judgement) -> list[tuple[float, tuple[str, ...]]]:
    return [(row.hours, row.refused_by) for row in judgement.ledger]


def of_rule(judgement: Judgement, rule: str) -> list[Finding]:
    return [one for one in judgement.findings if one.rule == rule]


def test_honest_study_is_accepted_earns_and_is_eligible() -> None:
    judgement = judged(*HONEST)
    assert judgement.findings == ()
    assert verdicts(judgement) == {"s1": Verdict.ACCEPTED, "s2": Verdict.ACCEPTED}
    assert [(row.playing_ms, row.watched_s) for row in judgement.sessions] == [(600_000, 600.0)] * 2
    assert hours(judgement) == [(0.25, ()), (0.25, ())]
    assert [(row.eligible, row.failed) for row in judgement.eligibility] == [(True, ())]
    assert judgement.unused_decisions == ()


def test_lesson_rules_see_the_verdicts() -> None:
    """No pop-ups: the session is rejected, so that its lesson is unfinished and the learner lacks hours."""
    judgement = judged(sitting("s1", shown=False), HONEST[1])
    assert verdicts(judgement) == {"s1": Verdict.REJECTED, "s2": Verdict.ACCEPTED}
    assert [one.rule for one in judgement.findings] == ["OG301", "OG702"]
    assert hours(judgement) == [(0, ("OG301", "OG702")), (0.25, ())]
    assert judgement.eligibility[0].failed == ("E03",)


def test_a_dismissed_finding_changes_verdict_lesson_ledger_and_eligibility() -> None:
    judgement = judged(sitting("s1", shown=False), HONEST[1], decisions=pair("OG301", "p/s1"))
    assert verdicts(judgement)["s1"] is Verdict.ACCEPTED
    assert [(one.rule, one.decision) for one in judgement.findings] == [("OG301", DecisionKind.DISMISS)]
    assert judgement.findings[0].evidence["decision"]["reviewers"] == ["甲", "乙"]
    assert hours(judgement)[0] == (0.25, ())
    assert judgement.eligibility[0].eligible


def test_one_person_changes_nothing_yet() -> None:
    judgement = judged(sitting("s1", shown=False), HONEST[1], decisions=pair("OG301", "p/s1")[:1])
    assert verdicts(judgement)["s1"] is Verdict.REJECTED
    assert judgement.unused_decisions == ()


def test_a_finding_on_a_lesson_is_decided_after_the_verdicts() -> None:
    short = sitting("s1", length_s=540)
    assert hours(judged(short, HONEST[1]))[0] == (0, ("OG702",))
    judgement = judged(short, HONEST[1], decisions=pair("OG702", "e1/1"))
    assert [(one.rule, one.decision) for one in judgement.findings] == [("OG702", DecisionKind.DISMISS)]
    assert hours(judgement)[0] == (0.25, ())


def test_a_decision_on_a_finding_that_does_not_exist_is_reported() -> None:
    decisions = [*pair("OG101", "p/s1"), *pair("OG702", "e9/1"), *pair("OG301", "p/s1")]
    judgement = judged(sitting("s1", shown=False), HONEST[1], decisions=decisions)
    assert [(one.rule, one.reviewer) for one in judgement.unused_decisions] == [
        ("OG101", "甲"),
        ("OG101", "乙"),
        ("OG702", "甲"),
        ("OG702", "乙"),
    ]


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_a_decision_on_a_note_changes_nothing_and_is_not_reported(kind: DecisionKind) -> None:
    evidence = evidence_of(
        *HONEST,
        classes=[QUARTER],
        checks=[check_of(one) for one in HONEST],
        snapshots=[snapshot_of(HONEST[0], good=False), snapshot_of(HONEST[1])],
        decisions=pair("OG405", "p/s1/n", kind),
    )
    judgement = judge(evidence, CHECKED)
    (note,) = of_rule(judgement, "OG405")
    assert (note.subject, note.subject_id, note.effect, note.decision) == (
        Subject.SNAPSHOT,
        "p/s1/n",
        Effect.NOTE,
        None,
    )
    assert verdicts(judgement)["s1"] is Verdict.ACCEPTED
    assert judgement.unused_decisions == ()
    assert "decision" not in note.evidence


DECLINED = (Enrolment("e1", "c1", "l1", FaceChecks.DECLINED),)


def test_who_declined_face_checks_is_held_for_an_auditor() -> None:
    judgement = judged(*HONEST, checked=(), pictured=(), enrolments=DECLINED)
    assert {one.rule: one.effect for one in judgement.findings} == {"OG401": Effect.REVIEW}
    assert verdicts(judgement) == {"s1": Verdict.HELD, "s2": Verdict.HELD}
    assert hours(judgement) == [(0, ("OG401",))] * 2
    assert judgement.eligibility[0].failed == ("E03", "E06")
    required = judged(*HONEST, checked=(), pictured=())
    assert {one.effect for one in of_rule(required, "OG401")} == {Effect.REJECT}
    assert verdicts(required)["s1"] is Verdict.REJECTED


def test_other_evidence_lets_who_declined_earn() -> None:
    upheld_otherwise = [*pair("OG401", "p/s1"), *pair("OG401", "p/s2"), *pair("OG601", "e1/1"), *pair("OG601", "e1/2")]
    waiting = judged(*HONEST, checked=(), pictured=(), enrolments=DECLINED, decisions=upheld_otherwise[:4])
    assert {one.rule: one.effect for one in waiting.findings if one.waits} == {"OG601": Effect.REVIEW}
    assert hours(waiting) == [(0, ("OG601",))] * 2
    assert waiting.eligibility[0].evidence["E06"]["waiting"] == ["OG601 e1/1", "OG601 e1/2"]
    done = judged(*HONEST, checked=(), pictured=(), enrolments=DECLINED, decisions=upheld_otherwise)
    assert hours(done) == [(0.25, ()), (0.25, ())]
    assert done.eligibility[0].eligible


def test_who_declined_may_study_in_short_sessions_only_under_review() -> None:
    """OG408, a lesson cut into sessions too short for a check, is a review too."""
    parts = [session(f"s{n}", watched(100 * n, 55, 50.0 * n), opened_s=100 * n, device_id=f"d{n}") for n in range(12)]
    loose = load_policy("huangchuan-2021", ["popup.max_gap_s=6000", "order.kinds=[]"])
    assert {"OG408"} == {one.rule for one in judged(*parts, checked=(), policy=loose, enrolments=DECLINED).findings}
    effects = {
        who: {one.effect for one in of_rule(judged(*parts, checked=(), policy=loose, enrolments=who), "OG408")}
        for who in (DECLINED, (Enrolment("e1", "c1", "l1"),))
    }
    assert list(effects.values()) == [{Effect.REVIEW}, {Effect.REJECT}]


def test_a_pack_that_only_notes_is_not_made_heavier() -> None:
    noting = load_policy("huangchuan-2021", ['effect.OG401="note"'])
    judgement = judged(*HONEST, checked=(), enrolments=DECLINED, policy=noting)
    assert {one.effect for one in of_rule(judgement, "OG401")} == {Effect.NOTE}
    assert DECLINED_FACE_CHECKS == ("OG401", "OG402", "OG408", "OG601")


def test_only_the_enrolment_that_declined_is_treated_so() -> None:
    enrolments = [*DECLINED, Enrolment("e2", "c1", "l2")]
    sessions = [HONEST[0], sitting("s3", begin_s=5_000, enrolment_id="e2", device_id="other")]
    judgement = judged(*sessions, checked=(), enrolments=enrolments)
    effects = {one.subject_id: one.effect for one in of_rule(judgement, "OG401")}
    assert effects == {"p/s1": Effect.REVIEW, "p/s3": Effect.REJECT}


def test_what_the_pack_calls_a_review_waits_for_class_enrolment_and_lesson() -> None:
    short_hours = training_class(lessons=(lesson(1, duration_s=600, class_hours=1),), required_online_hours=0)
    cautious = load_policy("huangchuan-2021", ['effect.OG701="review"', 'effect.OG601="review"'])
    judgement = judged(HONEST[0], classes=[short_hours], pictured=(), policy=cautious)
    assert judgement.eligibility[0].evidence["E06"]["waiting"] == ["OG601 e1/1", "OG701 c1"]
    assert hours(judgement) == [(0, ("OG601", "OG701"))]


def a_class_without_popups(**tables: Any) -> Judgement:
    members = [Enrolment(f"e{n}", "c1", f"l{n}") for n in range(10)]
    sessions = [
        sitting(f"s{n}", begin_s=1_000 * n, length_s=300, shown=False, enrolment_id=f"e{n}", device_id=f"d{n}")
        for n in range(10)
    ]
    return judged(*sessions, enrolments=members, **tables)


def test_a_missing_control_refuses_the_class_until_it_is_dismissed() -> None:
    judgement = a_class_without_popups()
    assert [one.subject_id for one in of_rule(judgement, "OG901")] == ["c1"]
    assert {"E07"} <= set(judgement.eligibility[0].failed)
    assert judgement.ledger[0].refused_by == ("OG301", "OG702", "OG901")
    dismissed = a_class_without_popups(decisions=pair("OG901", "c1"))
    assert "E07" not in dismissed.eligibility[0].failed
    assert dismissed.ledger[0].refused_by == ("OG301", "OG702")


def test_shared_faces_are_about_enrolments() -> None:
    row = SimpleNamespace(
        platform_id="p", session_id="s1", snapshot_id="n", other_kind="reference", other_id="e2", phash_distance=30,
        cosine=None, residual=None, distance=0.2,
    )  # fmt: skip
    judgement = judged(*HONEST, enrolments=[Enrolment("e1", "c1", "l1"), Enrolment("e2", "c1", "l2")], likenesses=[row])
    assert [(one.subject_id, one.effect) for one in of_rule(judgement, "OG801")] == [
        ("e1", Effect.REVIEW),
        ("e2", Effect.REVIEW),
    ]
    assert [row.evidence["E06"]["waiting"] for row in judgement.eligibility] == [["OG801 e1"], ["OG801 e2"]]
    assert hours(judgement) == [(0, ("OG801",))] * 2 + [(0, ())] * 2


def test_what_could_not_be_judged_is_counted() -> None:
    judgement = judged(*HONEST)
    assert judgement.not_evaluable["OG803"] == {"whole seconds only": 2}
    assert judgement.not_evaluable["OG406"] == {"no passive check": 2}
    assert list(judgement.not_evaluable) == sorted(judgement.not_evaluable)


def test_findings_are_sorted_by_rule_and_subject() -> None:
    keys = [(one.rule, str(one.subject), one.subject_id) for one in a_class_without_popups().findings]
    assert keys == sorted(keys)
    assert len(keys) > 20


def test_nothing_to_judge() -> None:
    judgement = judge(Evidence(), CHECKED)
    assert (judgement.findings, judgement.sessions, judgement.ledger, judgement.eligibility) == ((), (), (), ())
    enrolled = judge(evidence_of(classes=[QUARTER]), CHECKED)
    assert hours(enrolled) == [(0, ()), (0, ())]
    assert enrolled.eligibility[0].failed == ("E03", "E09")


def test_a_session_without_events_has_a_verdict_and_no_finding_of_its_own() -> None:
    judgement = judged(HONEST[0], session("s2", lesson_no=2, opened_s=1_000))
    assert verdicts(judgement)["s2"] is Verdict.ACCEPTED
    assert [one.subject for one in judgement.findings] == [Subject.LESSON]
    assert (judgement.sessions[1].playing_ms, judgement.sessions[1].watched_s) == (0, 0.0)


def only(evidence: Evidence, keep: Sequence[int]) -> Evidence:
    return evidence.with_events(take(evidence.events, np.isin(evidence.events.session, keep)))


FEWER = settings(max_examples=settings.get_profile(settings.get_current_profile_name()).max_examples // 2)


@FEWER
@given(evidence=messy_evidence(sessions=4))
def test_blocks_of_sessions_conclude_what_all_together_say(policy: Policy, evidence: Evidence) -> None:
    parts = [only(evidence, [n]) for n in range(len(evidence.sessions))]
    whole = judge(evidence, policy)
    assert conclude(evidence, policy, [observe(part, policy) for part in parts]) == whole
    small = [observe(part, policy, whole=False) for part in parts]
    asked = needs_detail(join([one.digest for one in small]).sittings, evidence, policy)
    assert conclude(evidence, policy, [observe(part, policy, whole=asked) for part in parts]) == whole


def columns_of(table: Any) -> list[np.ndarray]:
    values = [getattr(table, item.name) for item in fields(table)]
    nested = [column for value in values if is_dataclass(value) for column in columns_of(value)]
    return nested + [value for value in values if isinstance(value, np.ndarray)]


@FEWER
@given(evidence=messy_evidence())
def test_judging_writes_nothing_into_the_evidence(policy: Policy, evidence: Evidence) -> None:
    for column in columns_of(evidence):
        column.flags.writeable = False
    judge(evidence, policy)


def two_classes() -> tuple[list[TrainingClass], list[Enrolment]]:
    classes = [QUARTER, training_class("c2", platform_id="q", lessons=QUARTER.lessons)]
    return classes, [Enrolment("e1", "c1", "l1"), Enrolment("e2", "c2", "l1")]


def test_a_learner_in_two_classes_is_judged_across_platforms() -> None:
    classes, enrolments = two_classes()
    elsewhere = sitting("s9", begin_s=100, platform_id="q", enrolment_id="e2", device_id="other")
    judgement = judged(HONEST[0], elsewhere, classes=classes, enrolments=enrolments)
    assert [one.subject_id for one in of_rule(judgement, "OG201")] == ["p/s1", "q/s9"]
