"""Attended practice of blended classes: sign-in sheets row by row, or a platform's own rows, all or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import TrainingClass
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.sheet_rows import PracticeSheetRow
from online_guard.ingest.sheets import Placed
from online_guard.service.assessing.sheet_report import (
    ACCEPTED,
    AT_ONCE,
    CONFLICT,
    DUPLICATE,
    REFUSED,
    Learners,
    Remark,
    RowReport,
    SheetReport,
)
from online_guard.service.house import House, clock_ms
from online_guard.store import import_rows, queries, result_rows
from online_guard.store.evidence_loader import training_class as stored_class
from online_guard.store.tables import EnrolmentRecord, PracticeRecord
from online_guard.store.unit_of_work import reading, writing

LEAST_VIDEO_MINUTES = 15.0
"""Of continuous video per class hour of practice. Source: clause (四)20, 实操培训每学时连续录像不低于15分钟.

The notice doesn't say that practice with less is void, and SPEC's E04 doesn't ask for it: it counts, and is told.
"""
SHORT_VIDEO = Remark(
    "short_video",
    "每学时连续录像不足15分钟(通知第20条),仍计学时",
    "less than 15 min of continuous video per class hour (clause 20); the hours count",
)
OUTSIDE_DATES = Remark(
    "outside_class_dates",
    "不在班次起止日期内;开班之前的不计入E04",
    "outside the dates of the class; before its first day it doesn't count for E04",
)
MOST_TOLD = 1_000
Rows = Sequence[Placed[PracticeSheetRow]]


@dataclass
class _Books:
    """What is known of a class: hours and minutes of video by enrolment and day, and which of them rows changed."""

    training_class: TrainingClass
    learners: Learners
    known: dict[tuple[str, str], tuple[float, float | None]]
    changed: set[tuple[str, str]] = field(default_factory=set)


def record(house: House, class_id: str, platform_id: str | None, rows: Rows, *, dry_run: bool = False) -> SheetReport:
    """Keep the good rows of a sign-in sheet, and return what became of each.

    A day that is known stays as it is: the same again is a duplicate, and can add the minutes of video; other hours are
    a conflict.

    Raises:
        GuardError: No such class.
    """
    report = SheetReport(dry_run)
    for some in import_rows.chunks(rows, max(len(rows), 1) if dry_run else AT_ONCE):
        with (reading if dry_run else writing)(house.engine) as database:
            _settled(house, database, class_id, platform_id, some, report)
    house.work.set()
    return report


def record_all(house: House, class_id: str, platform_id: str | None, rows: Rows) -> dict[str, int]:
    """Keep all rows, or none when one is wrong; return how many are new, and how many were known.

    Raises:
        GuardError: No such class, or the first row that can't be kept.
    """
    with writing(house.engine) as database:
        report = _settled(house, database, class_id, platform_id, rows, SheetReport(is_dry_run=False))
        for row in report.rows:
            if row.refusal is not None:
                raise _refused(row, row.refusal)
    house.work.set()
    recorded = sum(row.status == ACCEPTED for row in report.rows)
    return {"recorded": recorded, "known": len(rows) - recorded}


def _refused(row: RowReport, refusal: Refusal) -> GuardError:
    where = f"/{row.place.row - 1}/{refusal.field}"
    if row.status == CONFLICT:
        return GuardError(ErrorKind.CONFLICT, "practice.recorded", refusal.reason, where=where)
    return GuardError(ErrorKind.NOT_FOUND, "not_found", refusal.reason, where=where)


def _settled(
    house: House, database: Session, class_id: str, platform_id: str | None, rows: Rows, report: SheetReport
) -> SheetReport:
    """Put the rows that are new into the database, unless it is a dry run, and what became of all into the report."""
    training_class = stored_class(queries.own_class(database, class_id, platform_id))
    if not report.is_dry_run:
        result_rows.lock_class(database, class_id)
    members = {record.enrolment_id: record for record in queries.of_class(database, EnrolmentRecord, class_id)}
    days = result_rows.practice_of(database, class_id)
    known = {key: (day.class_hours, day.video_minutes) for key, day in days.items()}
    books = _Books(training_class, Learners(house, members), known)
    report.rows += [_settle(books, placed) for placed in rows]
    if books.changed and not report.is_dry_run:
        result_rows.put_practice(database, days, {key: known[key] for key in books.changed})
        queries.enqueue(database, [class_id], clock_ms())
    return report


def _settle(books: _Books, placed: Placed[PracticeSheetRow]) -> RowReport:
    """Return what becomes of a row."""
    row = placed.row
    if isinstance(row, Refusal):
        return RowReport(placed.place, REFUSED, refusal=row)
    found = _learner(books, row)
    if isinstance(found, Refusal):
        return RowReport(placed.place, REFUSED, refusal=found)
    status, refusal = _beside(books, (found.enrolment_id, row.on.isoformat()), row)
    remarks = () if refusal is not None else _remarks(books.training_class, row.on, row.video_minutes)
    return RowReport(placed.place, status, found.enrolment_id, refusal, remarks)


def _learner(books: _Books, row: PracticeSheetRow) -> EnrolmentRecord | Refusal:
    class_id = books.training_class.class_id
    if row.class_id not in (None, class_id):
        return Refusal("是另一班次的行 / a row of another class", "class_id")
    return books.learners.find(row, class_id)


def _beside(books: _Books, key: tuple[str, str], row: PracticeSheetRow) -> tuple[str, Refusal | None]:
    """Return what becomes of a row beside what is known, of which it is part from now on."""
    hours, minutes = books.known.get(key, (row.class_hours, None))
    if hours != row.class_hours:
        return CONFLICT, Refusal("该日实训已登记为其他学时 / the day has other hours", "class_hours")
    if key in books.known and row.video_minutes in (None, minutes):
        return DUPLICATE, None
    if minutes is not None:
        return CONFLICT, Refusal("该日已登记为其他录像时长 / the day has other minutes of video", "video_minutes")
    books.known[key] = hours, row.video_minutes
    books.changed.add(key)
    return ACCEPTED, None


def _remarks(training_class: TrainingClass, on: date, video_minutes: float | None) -> tuple[Remark, ...]:
    is_short = video_minutes is not None and video_minutes < LEAST_VIDEO_MINUTES
    is_outside = not training_class.starts_on <= on <= training_class.ends_on
    return (SHORT_VIDEO,) * is_short + (OUTSIDE_DATES,) * is_outside


def practice_of(house: House, class_id: str, platform_id: str | None, cursor: str = "") -> dict[str, Any]:
    """Return the practice of a class by enrolment and day, what is to be known of it, and where the next page begins.

    Raises:
        GuardError: No such class.
    """
    with reading(house.engine) as database:
        training_class = stored_class(queries.own_class(database, class_id, platform_id))
        days = result_rows.practice_of(database, class_id)
    rows = [_told(training_class, day) for day in days.values()]
    enrolment_id, _, on = cursor.rpartition("/")
    page = [row for key, row in zip(days, rows, strict=True) if key > (enrolment_id, on)]
    remarks = Counter(code for row in rows for code in row["remarks"])
    last = page[MOST_TOLD - 1] if len(page) > MOST_TOLD else None
    return {
        "class_id": class_id,
        "days": len(rows),
        "class_hours": sum(row["class_hours"] for row in rows),
        "remarks": dict(sorted(remarks.items())),
        "practice": page[:MOST_TOLD],
        "next_cursor": None if last is None else f"{last['enrolment_id']}/{last['on']}",
    }


def _told(training_class: TrainingClass, day: PracticeRecord) -> dict[str, Any]:
    remarks = _remarks(training_class, date.fromisoformat(day.on), day.video_minutes)
    values = {name: getattr(day, name) for name in ("enrolment_id", "on", "class_hours", "video_minutes")}
    return values | {"remarks": [remark.code for remark in remarks]}
