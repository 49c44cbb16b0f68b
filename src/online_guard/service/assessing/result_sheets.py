"""Sheets of results of the offline assessment: kept row by row, in versions, and what follows for the next project.

A result closes the project for E08 and OG703: a row of `assessments.ndjson` is made of it, under the learner's one id,
so that classes of other institutions and platforms see it, and so that `export` carries it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.assessment.outcomes import assessed_on
from online_guard.assessment.windows import window_of
from online_guard.evidence import civil_day
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.sheet_rows import ResultSheetRow
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
    fingerprint,
)
from online_guard.service.house import House
from online_guard.store import import_rows, logged_rows, queries, result_rows, sealed_log
from online_guard.store.person_keys import PersonKeys
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.sealed_columns import CERTIFICATE
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import CertificateRoute

NOT_APPLIED = Remark("not_applied", "该班未申请此批次考核", "the class has no application for this window")
BEFORE_END = Remark("before_class_ended", "考核日期不在结班之后", "assessed before the class ended")
OTHER_ROUTE = Remark("other_route", "证书类别与本班申报的不同", "the certificate's route isn't the class's")
Rows = Sequence[Placed[ResultSheetRow]]
VALUES = (
    "absent", "assessed_on", "theory_mark", "practice_mark", "passed", "certificate_route", "certificate_index",
)  # fmt: skip
"""What makes two versions of a result the same."""


def record(
    house: House, window: str, rows: Rows, *, recorded_by: str, now_ms: int, dry_run: bool = False
) -> SheetReport:
    """Keep the good rows of a sheet of results, and return what became of each.

    A row is the first version of a learner's result in the window, or, where it says which version it corrects, the one
    after that. A version that is known stays as it is: the same again is a duplicate, another one a conflict. So the
    same sheets give the same results however often and in whatever parts they come.

    Args:
        house: The service.
        window: Such as `2021-08`.
        rows: With their places.
        recorded_by: Who answers for them.
        now_ms: The service's clock.
        dry_run: Whether only to tell what would be kept.
    """
    report = SheetReport(dry_run)
    for some in import_rows.chunks(rows, max(len(rows), 1) if dry_run else AT_ONCE):
        with (reading if dry_run else writing)(house.engine) as database:
            books = _Books(house, database, window, some, now_ms, recorded_by, is_locked=not dry_run)
            report.rows += [_settle(books, placed) for placed in some]
            if not dry_run:
                _keep(house, database, books)
    house.work.set()
    return report


class _Books:
    """What is known of the learners whom rows name, read at once; and what the rows add to it."""

    def __init__(
        self,
        house: House,
        database: Session,
        window: str,
        rows: Rows,
        now_ms: int,
        recorded_by: str,
        *,
        is_locked: bool,
    ) -> None:
        good = [placed.row for placed in rows if isinstance(placed.row, ResultSheetRow)]
        numbers = (fingerprint(house, row.identity_number) for row in good if row.identity_number is not None)
        learner_ids = {number for number in numbers if isinstance(number, str)}
        learner_ids |= result_rows.learners_of(database, (row.enrolment_id for row in good if row.enrolment_id))
        if is_locked:
            result_rows.lock_learners(database, learner_ids)
        self.house, self.window, self.now_ms, self.recorded_by = house, window, now_ms, recorded_by
        self.today = date.fromisoformat(str(civil_day(np.array(now_ms))))
        self.enrolments = result_rows.enrolments_of(database, learner_ids)
        self.learners = Learners(house, self.enrolments)
        self.versions = result_rows.versions_of(database, self.enrolments)
        self.classes = result_rows.classes_of(database, self.enrolments.values())
        self.applying = set(queries.classes_applying(database, window, None))
        given = (self.certificate_index(row.certificate_number) for row in good)
        self.holders = result_rows.holders(database, (index for index in given if index is not None))
        self.new: list[tuple[AssessmentResultRecord, str | None]] = []

    def certificate_index(self, number: str | None) -> str | None:
        """Return the fingerprint of a certificate's number."""
        return None if number is None else self.house.vault.blind_index(f"certificate {number}")


def _settle(books: _Books, placed: Placed[ResultSheetRow]) -> RowReport:
    """Return what becomes of a row beside what is known, of which it is part from now on."""
    row = placed.row
    if isinstance(row, Refusal):
        return RowReport(placed.place, REFUSED, refusal=row)
    found = books.learners.find(row, row.class_id)
    if isinstance(found, Refusal):
        return RowReport(placed.place, REFUSED, refusal=found)
    training_class = books.classes[found.class_id]
    record = _version(books, found, row, training_class.certificate_route)
    refusal = _impossible(books, found, row, record.certificate_index)
    if refusal is not None:
        return RowReport(placed.place, REFUSED, found.enrolment_id, refusal)
    versions = books.versions.setdefault((books.window, found.enrolment_id), [])
    status, refusal = _beside(versions, record)
    if status == ACCEPTED:
        versions.append(record)
        books.new.append((record, row.certificate_number))
        if record.certificate_index is not None:
            books.holders[record.certificate_index] = found.learner_id
    remarks = (NOT_APPLIED,) * (found.class_id not in books.applying)
    remarks += (BEFORE_END,) * (row.assessed_on is not None and row.assessed_on <= training_class.ends_on)
    remarks += (OTHER_ROUTE,) * (record.certificate_route != training_class.certificate_route)
    return RowReport(placed.place, status, found.enrolment_id, refusal, remarks if refusal is None else ())


def _version(
    books: _Books, enrolment: EnrolmentRecord, row: ResultSheetRow, route: CertificateRoute
) -> AssessmentResultRecord:
    return AssessmentResultRecord(
        window=books.window,
        enrolment_id=enrolment.enrolment_id,
        version=(row.corrects or 0) + 1,
        absent=row.absent,
        assessed_on=None if row.assessed_on is None else row.assessed_on.isoformat(),
        theory_mark=row.theory_mark,
        practice_mark=row.practice_mark,
        passed=bool(row.passed),
        certificate_route=str(row.certificate_route or route),
        certificate_number=None,
        certificate_index=books.certificate_index(row.certificate_number),
        recorded_ms=books.now_ms,
        recorded_by=books.recorded_by,
    )


def _impossible(
    books: _Books, enrolment: EnrolmentRecord, row: ResultSheetRow, certificate_index: str | None
) -> Refusal | None:
    """Return why a row can't be true, whatever is known of the result."""
    if row.assessed_on is not None and window_of(row.assessed_on) != books.window:
        return Refusal(f"考核日期不在 {books.window} 批次内 / the day isn't in the window", "assessed_on")
    if row.assessed_on is not None and row.assessed_on > books.today:
        return Refusal("考核日期在今天之后 / the day is still to come", "assessed_on")
    if certificate_index is None:
        return None
    if enrolment.erased_ms is not None or not enrolment.identity_number:
        words = "学员未以身份证号登记,或已删除,不能保存证书 / the learner isn't registered, or was erased"
        return Refusal(words, "certificate_number")
    if books.holders.get(certificate_index, enrolment.learner_id) != enrolment.learner_id:
        return Refusal("该证书编号已属于另一人 / the certificate is another person's", "certificate_number")
    return None


def _beside(versions: Sequence[AssessmentResultRecord], record: AssessmentResultRecord) -> tuple[str, Refusal | None]:
    """Return what becomes of a version beside those that are known."""
    if record.version > len(versions) + 1:
        return REFUSED, Refusal(f"没有第 {record.version - 1} 版可更正 / no such version to correct", "corrects")
    if record.version > len(versions):
        return ACCEPTED, None
    known = versions[record.version - 1]
    if all(getattr(known, name) == getattr(record, name) for name in VALUES):
        return DUPLICATE, None
    count = len(versions)
    words = f"已有不同的结果;要更正,请在“更正版次”写 {count} / another result is known; to correct it write {count}"
    return CONFLICT, Refusal(f"{words} in `corrects`", "corrects")


def _keep(house: House, database: Session, books: _Books) -> None:
    """Put the new versions into the database and the evidence log, and close the learners' projects with them."""
    keys = PersonKeys(database, house.vault)
    keys.load(books.enrolments[record.enrolment_id].learner_id for record, number in books.new if number is not None)
    for record, number in books.new:
        if number is not None:
            person = keys.make(books.enrolments[record.enrolment_id].learner_id)
            bound = result_rows.result_key(record)
            record.certificate_number = house.vault.seal(number.encode(), CERTIFICATE, person, bound)
    database.add_all(record for record, _ in books.new)
    database.flush()
    sealed_log.append_all(database, [entry for record, _ in books.new for entry in logged_rows.outcome_entries(record)])
    changed = result_rows.put_projects(database, _projects(books))
    classes = {one.class_id for one in books.enrolments.values() if one.learner_id in changed}
    queries.enqueue(database, classes, books.now_ms)


def _projects(books: _Books) -> list[dict[str, Any]]:
    """Return the rows of `assessments.ndjson` that the learners' results make, of all windows together."""
    days: dict[tuple[str, str], list[date | None]] = {}
    for (_, enrolment_id), versions in books.versions.items():
        for newest in versions[-1:]:
            enrolment = books.enrolments[enrolment_id]
            day = None if newest.assessed_on is None else date.fromisoformat(newest.assessed_on)
            days.setdefault((enrolment.learner_id, enrolment.class_id), []).append(day)
    rows = []
    for (learner_id, class_id), of_windows in sorted(days.items()):
        day = assessed_on(of_windows)
        ended_on = books.classes[class_id].ends_on.isoformat()
        told = {"ended_on": ended_on, "assessed_on": None if day is None else day.isoformat()}
        rows.append({"learner_id": learner_id, "class_id": class_id, **told})
    return rows
