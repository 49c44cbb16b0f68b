"""The attendance of a class as it is stored: of accepted sessions, practice and leave (Annex 2, clause 三(二))."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy.orm import Session

from online_guard.assessment.attendance import Attendance, attendance
from online_guard.evidence import day_of
from online_guard.ledger import hours_of
from online_guard.store import assessment_rows, evidence_loader, log_proofs, queries
from online_guard.store.logged_rows import session_key
from online_guard.store.tables import EnrolmentRecord
from online_guard.terms import Verdict


def attendance_of(database: Session, class_id: str) -> Attendance:
    """Return the attendance of a class by its last verification.

    Raises:
        GuardError: Unknown class.
    """
    queries.class_record(database, class_id)
    members = queries.of_class(database, EnrolmentRecord, class_id)
    records = evidence_loader.load_records(database, [class_id], members)
    hours = hours_of(assessment_rows.ledgers(database, [member.enrolment_id for member in members]))
    practised = [(one.enrolment_id, one.on) for one in records.practice]
    (training_class,) = records.classes
    return attendance(training_class, records.enrolments, [*_studied(database, class_id), *practised], hours)


def _studied(database: Session, class_id: str) -> Iterator[tuple[str, date]]:
    """Yield enrolments and days of sessions that were accepted."""
    accepted = {
        row["session_id"]
        for row in queries.results_of_class(database, "session", class_id)
        if row["verdict"] == Verdict.ACCEPTED
    }
    for session in log_proofs.sessions_of_class(database, class_id):
        if session_key(session) in accepted:
            yield session.enrolment_id, day_of(session.opened_received_ms)
