"""Who really attended a class, day by day (Annex 2: 实到, 平均出勤人数), with leave that was made up counted in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from online_guard.assessment.eligibility import HOURS_NOISE
from online_guard.evidence import Enrolment, Evidence, TrainingClass, civil_day

Attended = Iterable[tuple[str, date]]
"""Enrolments, and days on which they attended."""


@dataclass(frozen=True)
class AttendedDay:
    """A day of a class: how many learners attended, and how many were on leave that they have made up since."""

    on: date
    present: int
    made_up: int

    @property
    def counted(self) -> int:
        """Return how many count as attending."""
        return self.present + self.made_up


@dataclass(frozen=True)
class Attendance:
    """What Annex 2 asks of a class.

    Attributes:
        enrolled: Learners of the class.
        days: On which anybody attended, in order: an online class has no timetable of its own.
        attended: Learners who attended on any day.
        first_day: How many really came on the first of the days (开班实到人数), 0 without any.
        average: How many count on a day on average (平均出勤人数), rounded to two decimals; 0 without any day.
    """

    enrolled: int
    days: tuple[AttendedDay, ...]
    attended: int
    first_day: int
    average: float


def attendance(
    training_class: TrainingClass, enrolments: Sequence[Enrolment], attended: Attended, hours: Mapping[str, float]
) -> Attendance:
    """Return the attendance of a class.

    A learner who was on approved leave counts as attending on those days once the hours that the class requires are
    earned: then what was missed has been made up.

    Args:
        training_class: The class.
        enrolments: Of the class; others are left out.
        attended: Days of study or practice (`days_of`); days outside the class's dates are make-up, not days of class.
        hours: Class hours that each enrolment earned.

    Source: clause 三(二): real attendance counts, and leave that was made up before the assessment counts as attended.
    """
    members = {one.enrolment_id: one for one in enrolments if one.class_id == training_class.class_id}
    on_days: dict[date, set[str]] = {}
    for enrolment_id, day in attended:
        if enrolment_id in members and training_class.starts_on <= day <= training_class.ends_on:
            on_days.setdefault(day, set()).add(members[enrolment_id].learner_id)
    full = training_class.required_online_hours - HOURS_NOISE
    finished = [one for one in members.values() if hours.get(one.enrolment_id, 0.0) >= full]
    days = tuple(
        AttendedDay(day, len(present), len({one.learner_id for one in finished if one.on_leave(day, day)} - present))
        for day, present in sorted(on_days.items())
    )
    counted = [day.counted for day in days]
    return Attendance(
        enrolled=len({one.learner_id for one in members.values()}),
        days=days,
        attended=len(set().union(*on_days.values())),
        first_day=days[0].present if days else 0,
        average=round(sum(counted) / len(counted), 2) if counted else 0.0,
    )


def days_of(evidence: Evidence, accepted: Collection[str]) -> Iterator[tuple[str, date]]:
    """Yield the days on which enrolments studied or practised; a day may come more than once.

    Args:
        evidence: Sessions and practice.
        accepted: `platform_id/session_id` of the sessions that count.
    """
    sessions = evidence.sessions
    days = civil_day(sessions.opened_received_ms).tolist()
    for key, enrolment, day in zip(sessions.key.tolist(), sessions.enrolment.tolist(), days, strict=True):
        if key in accepted:
            yield evidence.enrolments[enrolment].enrolment_id, day
    for practice in evidence.practice:
        yield practice.enrolment_id, practice.on
