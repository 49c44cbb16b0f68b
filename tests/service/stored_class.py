"""A simulated class put into a service's database at once, as if its platform had posted everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from online_guard.service.house import House
from online_guard.simulate.course import Course, Plan, simulate
from online_guard.store.event_chunks import put_rows
from online_guard.store.tables import (
    ApplicationRecord,
    CheckRecord,
    ClassRecord,
    DirectiveRecord,
    EnrolmentRecord,
    PracticeRecord,
    SessionRecord,
    SnapshotRecord,
)
from online_guard.store.unit_of_work import writing
from online_guard.terms import EventType

Row = dict[str, Any]
HONEST = Plan()


def cheat(way: str, lesson_no: int = 1) -> Plan:
    """Return the plan of a learner who cheats in one lesson."""
    return Plan(cheats={lesson_no: way})


def store_class(house: House, plans: Sequence[Plan], course: Course | None = None, seed: int = 1) -> Course:
    """Keep a class in which one learner studies by each plan; its sessions are closed, nothing is verified yet."""
    course = course or Course()
    rows = _rows(json.dumps([[plan.honest, dict(plan.cheats)] for plan in plans]), seed, course)
    with writing(house.engine) as database:
        _store_people(database, rows, course)
        by_id = _store_sessions(database, rows["sessions"])
        _store_events(database, rows["events"], by_id)
        _store_facts(database, rows, by_id)
    return course


@cache
def _rows(plans: str, seed: int, course: Course) -> dict[str, list[Row]]:
    ways = [
        Plan(honest, {int(lesson_no): way for lesson_no, way in cheats.items()}) for honest, cheats in json.loads(plans)
    ]
    return simulate(ways, seed, course)


def _store_people(database: Session, rows: dict[str, list[Row]], course: Course) -> None:
    database.add(
        ClassRecord(class_id=course.class_id, platform_id=course.platform_id, body=json.dumps(rows["classes"][0]))
    )
    database.flush()
    sealed: Row = {"name": b"", "identity_number": b"", "face_checks": "required", "leave": "[]"}
    database.execute(insert(EnrolmentRecord), [sealed | row for row in rows["enrolments"]])
    database.execute(insert(PracticeRecord), rows["offline_hours"])
    database.execute(insert(ApplicationRecord), rows["applications"])


def _store_sessions(database: Session, rows: Sequence[Row]) -> dict[str, int]:
    records = [SessionRecord(**row, closed_received_ms=row["opened_received_ms"] + 3_600_000) for row in rows]
    database.add_all(records)
    database.flush()
    return {record.session_id: record.row_id for record in records}


def _store_events(database: Session, rows: Sequence[Row], by_id: dict[str, int]) -> None:
    first = {(by_id[row["session_id"]], row["seq"]): row for row in reversed(rows)}
    for session_row, keys in groupby(sorted(first), key=itemgetter(0)):
        events = [{**first[key], "type": EventType(first[key]["type"]).code} for key in keys]
        put_rows(database, session_row, events)


def _store_facts(database: Session, rows: dict[str, list[Row]], by_id: dict[str, int]) -> None:
    extra: dict[str, tuple[type[Any], Row]] = {
        "snapshots": (SnapshotRecord, {"report": "{}"}),
        "liveness": (CheckRecord, {}),
        "directives": (DirectiveRecord, {"nonce": "-"}),
    }
    for name, (table, more) in extra.items():
        facts = [row | more | {"session_row": by_id[row["session_id"]]} for row in rows.get(name, [])]
        database.add_all([table(**{k: v for k, v in row.items() if k in table.__table__.c}) for row in facts])
