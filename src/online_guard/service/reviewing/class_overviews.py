"""Classes and assessment windows at a glance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from online_guard.pictures.assessment_calendar import Month
from online_guard.pictures.heat_map import Cell
from online_guard.service.assessing import assessment
from online_guard.service.house import House
from online_guard.service.reviewing.overviews import lesson_cells
from online_guard.store import class_rows, queries, roster_rows
from online_guard.store.tables import ApplicationRecord, EnrolmentRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import AssessmentPart

PAGE = 100
MOST_WINDOWS = 6


@dataclass(frozen=True)
class ClassFacts:
    """A class: its row of BUNDLE, what the ledger says by enrolment and lesson, and its applications."""

    body: Mapping[str, Any]
    cells: Mapping[str, Mapping[int, Cell]]
    applications: tuple[ApplicationRecord, ...]
    waiting: int


def classes(house: House, after: str) -> dict[str, Any]:
    """Return a page of classes by id: each with its learners and the cases that wait; `next` is the cursor."""
    with reading(house.engine) as database:
        found = class_rows.classes(database, after, PAGE + 1)
        ids = [record.class_id for record in found[:PAGE]]
        learners, waiting = class_rows.learners(database, ids), class_rows.waiting_cases(database, ids)
    return {
        "classes": [
            json.loads(record.body)
            | {"learners": learners.get(record.class_id, 0), "waiting": waiting.get(record.class_id, 0)}
            for record in found[:PAGE]
        ],
        "next": ids[-1] if len(found) > PAGE else None,
    }


def class_facts(house: House, class_id: str) -> ClassFacts:
    """Return what is told of a class.

    Raises:
        GuardError: No such class.
    """
    with reading(house.engine) as database:
        record = queries.class_record(database, class_id)
        members = sorted(row.enrolment_id for row in queries.of_class(database, EnrolmentRecord, class_id))
        cells = lesson_cells(database, house.policy, members)
        filed = queries.of_class(database, ApplicationRecord, class_id)
        waiting = class_rows.waiting_cases(database, [class_id]).get(class_id, 0)
    found = {name: cells.get(name, {}) for name in members}
    return ClassFacts(json.loads(record.body), found, tuple(sorted(filed, key=lambda row: row.window)), waiting)


def windows(house: House, now_ms: int) -> list[Month]:
    """Return the newest assessment windows: who may come, who was refused, and the days of the newest roster."""
    with reading(house.engine) as database:
        names = class_rows.windows(database, MOST_WINDOWS)
        newest = {name: roster_rows.newest_roster(database, name) for name in names}
    months = []
    for name in names:
        told, record = assessment.candidates(house, name, None, now_ms), newest[name]
        seats: Counter[date] = Counter()
        if record is not None:
            sittings = roster_rows.roster_of(record).plan.sittings
            seats = Counter(sitting.on for sitting in sittings if sitting.part is AssessmentPart.THEORY)
        year, month = map(int, name.split("-"))
        version = None if record is None else record.version
        months.append(Month(year, month, True, len(told["candidates"]), len(told["refused"]), version, seats))
    return months
