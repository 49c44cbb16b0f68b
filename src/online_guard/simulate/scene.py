"""A bundle of honest classes and of classes with one cheat each, and what was planted in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from online_guard.simulate.course import Course, Plan, simulate
from online_guard.simulate.honest import Desk, study_with_incidents
from online_guard.simulate.shapes import Shape
from online_guard.simulate.tape import Row, Tape, tape_of
from online_guard.simulate.ways import DOUBTFUL_WAYS, HONEST_WAYS

Rows = dict[str, list[Row]]
CLASS_SIZE = 40
"""Learners of a class; two teachers may have no more."""


@dataclass(frozen=True)
class Planted:
    """What somebody does in a bundle, honest or not.

    way: its name. row: of the list, 0 for none. rules: of which one must be found, empty for an honest way. sessions:
    `platform_id/session_id` of those that are part of it. lessons: `enrolment_id/lesson_no` that must earn nothing
    (of an honest way: that must earn). innocent: enrolments that must not suffer from it.
    """

    way: str
    row: int
    class_ids: tuple[str, ...]
    parameters: Mapping[str, float]
    rules: tuple[str, ...]
    sessions: tuple[str, ...]
    lessons: tuple[str, ...]
    innocent: tuple[str, ...] = ()


def plant(shape: Shape, parameters: Mapping[str, float], class_id: str, seed: int | str) -> tuple[Rows, Planted]:
    """Return the rows of a class of its own for one cheat, so that nothing else can be the reason for what is found.

    Args:
        shape: The cheat.
        parameters: Those of the shape, changed or not.
        class_id: Of the class; with several platforms each one's has a suffix.
        seed: With the class id it decides every chance.
    """
    tape = Tape(Random(f"{seed}/{class_id}/service"))  # noqa: S311 - it simulates
    courses = [
        Course(class_id=class_id if not number else f"{class_id}-{number + 1}", platform_id=f"platform-{number + 1}")
        for number in range(shape.platforms)
    ]
    seats = [(courses[number % shape.platforms], number // shape.platforms) for number in range(shape.learners)]
    desks, enrolments = [], []
    for course, person in seats:
        enrolment_id = f"{course.class_id}-{person + 1:03}"
        enrolments.append(_enrolment(course, enrolment_id, f"learner-{class_id}-{person + 1:03}"))
        desks.append(course.desk(tape, enrolment_id, Random(f"{seed}/{enrolment_id}")))  # noqa: S311
    before = _act(shape, parameters, desks)
    guilty = [desk.enrolment_id for desk in desks[shape.innocent :]]
    sessions = [row for row in tape.rows["sessions"][before:] if row["enrolment_id"] in guilty]
    return _rows(courses, enrolments, tape), Planted(
        shape.name,
        shape.row,
        tuple(course.class_id for course in courses),
        dict(parameters),
        shape.rules,
        tuple(f"{row['platform_id']}/{row['session_id']}" for row in sessions),
        tuple(f"{name}/{shape.lesson_no}" for name in guilty),
        tuple(desk.enrolment_id for desk in desks[: shape.innocent]),
    )


def _act(shape: Shape, parameters: Mapping[str, float], desks: Sequence[Desk]) -> int:
    """Let the desks study honestly, cheat, and study the rest; return how many sessions came before the cheat."""
    first = 1 if shape.from_first else shape.lesson_no - shape.lessons + 1
    for desk in desks:
        for lesson_no in range(1, first):
            study_with_incidents(desk, lesson_no)
    if len(desks) > 1 and shape.platforms > 1:
        together_ms = max(desk.now_ms for desk in desks)
        for desk in desks:
            desk.now_ms = together_ms
    before = len(tape_of(desks[0].service).rows["sessions"])
    shape.run(desks, shape.lesson_no, parameters)
    for desk in desks:
        desk.study_rest()
    return before


def honest_classes(ways: Sequence[str], prefix: str, seed: int | str) -> tuple[Rows, list[Planted]]:
    """Return the rows of honest learners, one for each way named, in classes of up to `CLASS_SIZE`."""
    tables: list[Rows] = []
    done: list[Planted] = []
    known = HONEST_WAYS | DOUBTFUL_WAYS
    for first in range(0, len(ways), CLASS_SIZE):
        course = Course(class_id=f"{prefix}-{first // CLASS_SIZE + 1:03}")
        named = ways[first : first + CLASS_SIZE]
        rows = simulate([Plan(way) for way in named], f"{seed}/{course.class_id}", course)
        tables.append(rows)
        for way, enrolment in zip(named, rows["enrolments"], strict=True):
            name = enrolment["enrolment_id"]
            own = tuple(f"{r['platform_id']}/{r['session_id']}" for r in rows["sessions"] if r["enrolment_id"] == name)
            lessons = tuple(f"{name}/{number}" for number in (1, 2, 3))
            done.append(Planted(way, 0, (course.class_id,), {}, tuple(sorted(known[way].reviews)), own, lessons))
    return merged(tables), done


def merged(tables: Iterable[Rows]) -> Rows:
    """Return the rows of several bundles as one; their keys must differ."""
    together: Rows = {}
    for rows in tables:
        for name, table in rows.items():
            together.setdefault(name, []).extend(table)
    return together


def _enrolment(course: Course, enrolment_id: str, learner_id: str) -> Row:
    return {"enrolment_id": enrolment_id, "class_id": course.class_id, "learner_id": learner_id}


def _rows(courses: Sequence[Course], enrolments: Sequence[Row], tape: Tape) -> Rows:
    of_class = {course.class_id: course for course in courses}
    return {
        "classes": [course.class_row() for course in courses],
        "enrolments": list(enrolments),
        **tape.rows,
        "offline_hours": [of_class[str(row["class_id"])].practice_row(str(row["enrolment_id"])) for row in enrolments],
        "applications": [course.application_row() for course in courses],
    }
