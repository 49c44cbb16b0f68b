"""Results and certificates of the offline assessment, as they count now, and Annex 2's figures of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.outcomes import Result, figures
from online_guard.service.house import House
from online_guard.store import result_rows
from online_guard.store.person_keys import PersonKeys
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.sealed_columns import CERTIFICATE
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import CertificateRoute

MOST_TOLD = 1_000
TOLD = (
    "enrolment_id", "version", "absent", "assessed_on", "theory_mark", "practice_mark", "passed", "certificate_route",
    "recorded_ms",
)  # fmt: skip


def listed(
    house: House, window: str, platform_id: str | None, cursor: str = "", *, with_numbers: bool = False
) -> dict[str, Any]:
    """Return the results of a window by enrolment, the figures of all of them, and where the next page begins.

    Args:
        house: The service.
        window: Such as `2021-08`.
        platform_id: Only of this platform's classes.
        cursor: The last enrolment of the page before.
        with_numbers: Whether certificates' numbers are told, which name a person.
    """
    with reading(house.engine) as database:
        rows = result_rows.newest(database, window, platform_id)
        page = [row for row in rows if row[0].enrolment_id > cursor]
        told = [_told(record, enrolment) for record, enrolment in page[:MOST_TOLD]]
        if with_numbers:
            _add_numbers(house, database, told, page[:MOST_TOLD])
    counted = figures(_result(record, enrolment) for record, enrolment in rows)
    return {
        "window": window,
        "figures": {str(route): asdict(one) for route, one in counted.items()},
        "certified": sum(one.certified for one in counted.values()),
        "results": told,
        "next_cursor": told[-1]["enrolment_id"] if len(page) > MOST_TOLD else None,
    }


def results_of(database: Session, window: str) -> dict[str, list[Result]]:
    """Return what counts of the results of a window, by class, for Annex 2's figures."""
    found: dict[str, list[Result]] = {}
    for record, enrolment in result_rows.newest(database, window, None):
        found.setdefault(enrolment.class_id, []).append(_result(record, enrolment))
    return found


def _result(record: AssessmentResultRecord, enrolment: EnrolmentRecord) -> Result:
    return Result(
        class_id=enrolment.class_id,
        enrolment_id=record.enrolment_id,
        route=CertificateRoute(record.certificate_route),
        assessed_on=None if record.assessed_on is None else date.fromisoformat(record.assessed_on),
        passed=record.passed,
        is_certified=record.certificate_index is not None,
    )


def _told(record: AssessmentResultRecord, enrolment: EnrolmentRecord) -> dict[str, Any]:
    told = {"class_id": enrolment.class_id} | {name: getattr(record, name) for name in TOLD}
    return told | {"has_certificate": record.certificate_index is not None}


def _add_numbers(
    house: House,
    database: Session,
    told: list[dict[str, Any]],
    rows: list[tuple[AssessmentResultRecord, EnrolmentRecord]],
) -> None:
    """Add the certificates' numbers; None where there is none, or the person was erased."""
    keys = PersonKeys(database, house.vault)
    keys.load(enrolment.learner_id for _, enrolment in rows)
    for row, (record, enrolment) in zip(told, rows, strict=True):
        row["certificate_number"] = None
        if record.certificate_number:
            person, bound = keys.find(enrolment.learner_id), result_rows.result_key(record)
            row["certificate_number"] = house.vault.open(record.certificate_number, CERTIFICATE, person, bound).decode()
