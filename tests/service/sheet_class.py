"""Two classes, of two platforms, in which the same people are enrolled; rows of sheets about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from simulated_platform import SimulatedPlatform
from sqlalchemy import select

from online_guard.demo.people import identity_number
from online_guard.ingest.sheet_rows import PracticeSheetRow, ResultSheetRow
from online_guard.ingest.sheets import Place, Placed
from online_guard.service.assessing import practice, result_sheets
from online_guard.service.assessing.sheet_report import SheetReport
from online_guard.service.house import House
from online_guard.simulate.course import Course
from online_guard.store.import_tables import ProjectRecord
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.tables import PracticeRecord
from online_guard.store.unit_of_work import reading

WINDOW = "2021-08"
NOW_MS = 1_630_000_000_000
"""2021-08-27 in Shanghai."""
ONE = Course(class_id="one", platform_id="P")
OTHER = Course(class_id="other", platform_id="Q")


def enrolled(house: House) -> SimulatedPlatform:
    """Return a platform in whose class `one` are a, b, and c; a and b are the same persons as x and y of `other`."""
    platform = SimulatedPlatform(house)
    platform.register(ONE)
    platform.register(OTHER, starts_on="2021-09-14", ends_on="2021-10-30")
    for course, enrolment_id, person in ((ONE, "a", 0), (ONE, "b", 1), (ONE, "c", 2), (OTHER, "x", 0), (OTHER, "y", 1)):
        platform.enrol(course, enrolment_id, person)
    return platform


def placed(rows: Sequence[Any]) -> list[Placed[Any]]:
    """Return rows with places, the first row being that of a header."""
    return [Placed(Place("签到.csv", "", number), row) for number, row in enumerate(rows, start=2)]


def a_day(enrolment_id: str | None = "a", **changes: Any) -> PracticeSheetRow:
    """Return a row of practice."""
    told = {"enrolment_id": enrolment_id, "on": date(2021, 7, 1), "class_hours": 8.0}
    return PracticeSheetRow(**told | changes)


def a_result(enrolment_id: str | None = "a", **changes: Any) -> ResultSheetRow:
    """Return a row of results."""
    told = {"enrolment_id": enrolment_id, "assessed_on": date(2021, 8, 14), "passed": True}
    return ResultSheetRow(**told | changes)


def absent(enrolment_id: str = "a", **changes: Any) -> ResultSheetRow:
    """Return a row about somebody who didn't come."""
    return ResultSheetRow(enrolment_id=enrolment_id, absent=True, **changes)


def practised(house: House, *rows: Any, **more: Any) -> SheetReport:
    """Return what became of rows of practice of class `one`."""
    return practice.record(house, "one", None, placed(rows), **more)


def resulted(house: House, *rows: Any, window: str = WINDOW, **more: Any) -> SheetReport:
    """Return what became of rows of results."""
    said = {"recorded_by": "an assessor", "now_ms": NOW_MS} | more
    return result_sheets.record(house, window, placed(rows), **said)


def statuses(report: SheetReport) -> list[tuple[str, str]]:
    """Return what became of each row, and the field for which it wasn't kept."""
    return [(row.status, "" if row.refusal is None else row.refusal.field) for row in report.rows]


def stored(house: House) -> list[list[tuple[Any, ...]]]:
    """Return what sheets left in the database, but for who brought it when, and how it was sealed."""
    aside = {"recorded_ms", "recorded_by", "certificate_number"}
    with reading(house.engine) as database:
        return [
            sorted(
                tuple(str(getattr(row, column.key)) for column in table.__table__.columns if column.key not in aside)
                for row in database.scalars(select(table))
            )
            for table in (PracticeRecord, AssessmentResultRecord, ProjectRecord)
        ]


def number_of(person: int) -> str:
    """Return the identity number of a person."""
    return identity_number(person)
