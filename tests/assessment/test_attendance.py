"""Attendance day by day, and leave that was made up (clause 三(二))."""

from __future__ import annotations

from datetime import date

import pytest
from evidence_builder import evidence_of, session, training_class, watched

from online_guard.assessment.attendance import Attendance, AttendedDay, attendance, days_of
from online_guard.evidence import Enrolment, Leave, Practice

CLASS = training_class()
FIRST, SECOND = date(2021, 3, 10), date(2021, 3, 11)
ON_LEAVE = Leave(SECOND, SECOND, approved=True)


def figures(*leave: Leave, hours: float = 2.0, more: tuple[tuple[str, date], ...] = ()) -> Attendance:
    """Return the attendance of a class of two: both come on the first day, and on the second the one without leave."""
    members = [Enrolment("e1", "c1", "l1"), Enrolment("e2", "c1", "l2", leave=leave), Enrolment("x", "c2", "l3")]
    days = [("e1", FIRST), ("e1", FIRST), ("e2", FIRST), ("e1", SECOND), ("x", SECOND), *more]
    return attendance(CLASS, members, days, {"e1": 2.0, "e2": hours})


def test_a_learner_who_is_away_is_missing_from_the_day_and_the_average() -> None:
    assert figures() == Attendance(2, (AttendedDay(FIRST, 2, 0), AttendedDay(SECOND, 1, 0)), 2, 2, 1.5)


def test_leave_that_was_made_up_counts_as_attended() -> None:
    made_up = figures(ON_LEAVE)
    assert made_up.days[1] == AttendedDay(SECOND, 1, 1)
    assert (made_up.days[1].counted, made_up.average) == (2, 2.0)


@pytest.mark.parametrize(
    ("leave", "hours"),
    [
        (ON_LEAVE, 1.9),
        (Leave(SECOND, SECOND, approved=False), 2.0),
        (Leave(FIRST, FIRST, approved=True), 2.0),
    ],
    ids=["not made up yet", "not approved", "another day"],
)
def test_other_absence_does_not_count(leave: Leave, hours: float) -> None:
    assert figures(leave, hours=hours).average == 1.5


def test_who_is_on_leave_and_comes_all_the_same_counts_once() -> None:
    assert figures(ON_LEAVE, more=(("e2", SECOND),)).days[1] == AttendedDay(SECOND, 2, 0)


@pytest.mark.parametrize("day", [date(2021, 2, 28), date(2021, 4, 1)], ids=["before the class", "made up after it"])
def test_days_outside_the_class_are_no_days_of_class(day: date) -> None:
    assert [one.on for one in figures(more=(("e1", day),)).days] == [FIRST, SECOND]


def test_a_class_that_nobody_attended_has_no_average() -> None:
    assert attendance(CLASS, [Enrolment("e1", "c1", "l1")], [], {}) == Attendance(1, (), 0, 0, 0.0)


def test_days_are_those_of_accepted_sessions_and_of_practice() -> None:
    late = session("s2", watched(60 * 3600, 30), opened_s=60 * 3600)
    evidence = evidence_of(session("s1", watched(0, 30)), late, practice=[Practice("e1", FIRST, 4.0)])
    assert list(days_of(evidence, {"p/s1"})) == [("e1", date(2021, 3, 15)), ("e1", FIRST)]
    assert ("e1", date(2021, 3, 17)) in set(days_of(evidence, {"p/s1", "p/s2"}))
