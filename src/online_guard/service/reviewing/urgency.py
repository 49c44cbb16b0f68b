"""Which of the cases that wait should be decided first: by deadline, by the class hours at stake, by how long it waits.

`urgent_ms` is one moment, the least first: the earliest of the assessment's deadline, an appeal's, and 30 days after
the case began to wait (so that none waits for ever), less one day for each class hour at stake, 20 days at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from online_guard.evidence import CHINA_OFFSET_MS, DAY_MS
from online_guard.policy import Policy
from online_guard.store import queries, session_rows
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.tables import ApplicationRecord, ClassRecord, EnrolmentRecord
from online_guard.terms import Subject

STARVES_MS = 30 * DAY_MS
APPEAL_MS = 15 * DAY_MS
"""How long an appeal may take. Source: engineering; the notice names no term."""
HOUR_COUNTS_MS, HOURS_COUNT_MS = DAY_MS, 20 * DAY_MS
"""How much more urgent a class hour makes a case, and all of them at most. Source: engineering."""


@dataclass(frozen=True)
class Stakes:
    """What depends on the cases of a class.

    Attributes:
        hours: Class hours by lesson.
        learners: Number of its enrolments.
        lessons: Lesson of each of its sessions, by `platform_id/session_id`.
        due_ms: When its assessment's notice must be out; None without an application.
    """

    hours: Mapping[int, float]
    learners: int
    lessons: Mapping[str, int]
    due_ms: int | None

    @classmethod
    def of_class(cls, database: Session, class_id: str, policy: Policy) -> Stakes:
        """Return what depends on the cases of a class; candidates are told `notice_days` before the assessment."""
        body = json.loads(database.get_one(ClassRecord, class_id).body)
        hours = {lesson["lesson_no"]: float(lesson["class_hours"]) for lesson in body["lessons"]}
        days = [row.assessment_on for row in queries.of_class(database, ApplicationRecord, class_id)]
        due_ms = _midnight_ms(min(days)) - policy.assessment.notice_days * DAY_MS if days else None
        learners = len(queries.of_class(database, EnrolmentRecord, class_id))
        return cls(hours, learners, session_rows.lessons_of_sessions(database, class_id), due_ms)

    def class_hours(self, subject: str, subject_id: str) -> float:
        """Return the class hours that a case about a subject can refuse."""
        match subject:
            case Subject.SESSION:
                return self.hours.get(self.lessons.get(subject_id, 0), 0.0)
            case Subject.LESSON:
                return self.hours.get(int(subject_id.rpartition("/")[2]), 0.0)
            case Subject.CLASS:
                return sum(self.hours.values()) * self.learners
            case _:
                return sum(self.hours.values())


def rank(record: CaseRecord, stakes: Stakes, appealed_ms: Iterable[int]) -> None:
    """Set what is at stake in a case, by when it should be decided, and how urgent that makes it."""
    record.class_hours = stakes.class_hours(record.subject, record.subject_id)
    ends = [opened_ms + APPEAL_MS for opened_ms in appealed_ms]
    ends += [] if stakes.due_ms is None else [stakes.due_ms]
    record.due_ms = min(ends, default=None)
    at_last_ms = min([record.waiting_since_ms + STARVES_MS, *ends])
    record.urgent_ms = max(0, at_last_ms - min(round(record.class_hours * HOUR_COUNTS_MS), HOURS_COUNT_MS))


def _midnight_ms(day: str) -> int:
    """Return when a civil day begins in China."""
    on = date.fromisoformat(day)
    return int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp()) * 1000 - CHINA_OFFSET_MS
