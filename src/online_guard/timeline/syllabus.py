"""What each enrolment has to study: one row for each lesson of its class, opened or not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Evidence, Floats, Integers, Names
from online_guard.timeline.segments import distinct, nanoseconds, rows_of_groups


class Syllabus(NamedTuple):
    """Rows sorted by (enrolment, lesson number).

    enrolment: row in `Evidence.enrolments`. training_class: row in `Evidence.classes`. opened: rank of the lesson among
    all that have a session (its row in `coverage.Lessons`), −1 where none is. kind: one of `terms.LessonKind`.
    """

    enrolment: Integers
    training_class: Integers
    lesson_no: Integers
    duration_ns: Integers
    class_hours: Floats
    kind: Names
    opened: Integers


def class_of_enrolment(evidence: Evidence) -> Integers:
    """Return the row of each enrolment's class."""
    rows = {c.class_id: row for row, c in enumerate(evidence.classes)}
    return np.array([rows[enrolment.class_id] for enrolment in evidence.enrolments], np.int64)


def syllabus(evidence: Evidence) -> Syllabus:
    """Return the syllabus of every enrolment of the evidence."""
    lessons = [lesson for c in evidence.classes for lesson in c.lessons]
    counts = np.array([len(c.lessons) for c in evidence.classes], np.int64)
    first = np.cumsum(counts) - counts
    of_enrolment = class_of_enrolment(evidence)
    enrolment = np.repeat(np.arange(len(of_enrolment)), counts[of_enrolment])
    row = rows_of_groups(first, counts, of_enrolment)
    number = np.array([lesson.lesson_no for lesson in lessons], np.int64)[row]
    return Syllabus(
        enrolment=enrolment,
        training_class=of_enrolment[enrolment],
        lesson_no=number,
        duration_ns=nanoseconds(np.array([lesson.duration_s for lesson in lessons], np.float64))[row],
        class_hours=np.array([lesson.class_hours for lesson in lessons], np.float64)[row],
        kind=np.array([lesson.kind for lesson in lessons], object)[row],
        opened=_opened(evidence, enrolment, number),
    )


def _opened(evidence: Evidence, enrolment: Integers, number: Integers) -> Integers:
    """Return the rank of each (enrolment, lesson) among those that have a session, −1 for one that has none."""
    sessions = evidence.sessions
    width = 1 + max(int(number.max(initial=0)), int(sessions.lesson_no.max(initial=0)))
    opened = distinct(sessions.enrolment * width + sessions.lesson_no)
    key = enrolment * width + number
    rank = np.minimum(np.searchsorted(opened, key), max(len(opened) - 1, 0))
    return np.where(opened[rank] == key, rank, -1) if len(opened) else np.full(len(key), -1)
