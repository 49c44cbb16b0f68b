"""What would cure missing class hours (E03, E04, E05): which lessons to study again until when, or more practice."""

from __future__ import annotations

from collections.abc import Mapping

from online_guard.assessment.eligibility import HOURS_NOISE
from online_guard.assessment.situation import Cure, Details, Situation
from online_guard.evidence import Lesson
from online_guard.policy.sections import ViolationScope
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import Effect, Subject

Refused = list[tuple[Lesson, tuple[str, ...]]]
"""Lessons that earned nothing, each with the rules that refuse it."""


def online_hours(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    """Return the cures of E03."""
    in_all = sum(lesson.class_hours for lesson in case.training_class.lessons)
    if in_all < details["limit"] - HOURS_NOISE:
        zh = f"本班课程共 {in_all:g} 学时,少于要求的 {details['limit']:g} 学时:请更正班次"
        en = f"the syllabus has {in_all:g} class hours, of {details['limit']:g} required: correct the class"
        return [Cure(zh, en)]
    return [_missing(details), *study(case, waits="E06" in failed)]


def practice(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    """Return the cures of E04."""
    return [_missing(details), _attend(case)]


def all_hours(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    """Return the cures of E05."""
    return [_missing(details), *study(case, waits="E06" in failed), _attend(case)]


def _missing(details: Details) -> Cure:
    short = details["limit"] - details["value"]
    return Cure(f"尚缺 {short:g} 学时", f"{short:g} class hours are missing")


def _attend(case: Situation) -> Cure:
    first, until = case.training_class.starts_on, case.assessment_on()
    if case.today > until:
        return Cure(
            f"{until} 之后的实训不计入本次考核:补足实训后请改报以后的批次",
            f"practice counted until {until}: attend what is missing and apply for a later window",
        )
    return Cure(
        f"请在 {until} 或之前补足线下实训并登记(自 {first} 起的计入)",
        f"attend what is missing of practice by {until} and have it recorded (it counts from {first} on)",
        from_on=first,
        until_on=until,
    )


def study(case: Situation, *, waits: bool) -> list[Cure]:
    """Return which lessons to study again and until when, and which are up to a person instead.

    Args:
        case: With the ledger's entries that are meant.
        waits: Whether something of the enrolment waits for a decision.
    """
    syllabus = {lesson.lesson_no: lesson for lesson in case.training_class.lessons}
    again: Refused = []
    waiting: Refused = []
    blocked: Refused = []
    for entry in case.ledger:
        if entry.hours > 0 or entry.lesson_no not in syllabus:
            continue
        rules = entry.refused_by
        subjects = {BY_ID[rule].subject for rule in rules}
        if subjects & {Subject.CLASS, Subject.ENROLMENT}:
            heap = blocked
        elif waits and {case.policy.effects[rule] for rule in rules} == {Effect.REVIEW}:
            heap = waiting
        elif Subject.SESSION in subjects and case.policy.violation_scope is ViolationScope.ENROLMENT:
            heap = blocked  # another session leaves the rejected one as it is
        else:
            heap = again
        heap.append((syllabus[entry.lesson_no], rules))
    return [*_again(case, again), *_waiting(waiting), *_blocked(blocked)]


def _again(case: Situation, lessons: Refused) -> list[Cure]:
    if not lessons:
        return []
    until, assessment_on = case.study_until(), case.assessment_on()
    numbers = tuple(lesson.lesson_no for lesson, _ in lessons)
    zh, en = _named(lessons)
    if case.today <= until:
        words = f"请在 {until} 或之前学习或重学{zh}", f"study, or study again, by {until}: {en}"
        return [Cure(*words, lessons=numbers, until_on=until)]
    if case.today > assessment_on:
        words = f"{zh}未认定,学习与补课期已过:请参加新的班次", f"study and make-up are over, join another class: {en}"
        return [Cure(*words)]
    another = Cure("没有请假的,请参加新的班次", "without a leave, join another class")
    late_zh = f"学习期已于 {until} 结束:培训期间书面请假的,登记获准后可在 {assessment_on} 考核或之前补学{zh}"
    late_en = f"study ended on {until}: with a written leave, recorded as approved, make up by {assessment_on}: {en}"
    return [Cure(late_zh, late_en, lessons=numbers, until_on=assessment_on), another]


def _waiting(lessons: Refused) -> list[Cure]:
    if not lessons:
        return []
    zh, en = _named(lessons)
    return [
        Cure(
            f"{zh}等待人工复核:疑点排除后即计入,维持的须重学",
            f"waits for an auditor, and counts once what was found is dismissed: {en}",
        )
    ]


def _blocked(lessons: Refused) -> list[Cure]:
    if not lessons:
        return []
    zh, en = _named(lessons)
    return [
        Cure(
            f"{zh}因本班或本人的疑点不予认定,单独重学无效:由审核人员决定,可以申诉",
            f"refused because of the class or enrolment as a whole: auditors decide, you may appeal: {en}",
        )
    ]


def _named(lessons: Refused) -> tuple[str, str]:
    """Return lessons with the rules that refuse them, in Chinese and English."""
    why = [f"({', '.join(rules)})" if rules else "" for _, rules in lessons]
    zh = "、".join(f"第 {one.lesson_no} 课《{one.title}》{rules}" for (one, _), rules in zip(lessons, why, strict=True))
    en = ", ".join(f"lesson {one.lesson_no} {rules}".strip() for (one, _), rules in zip(lessons, why, strict=True))
    return zh, en
