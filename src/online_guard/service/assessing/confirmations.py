"""Assessors confirm or deny tests that lack data, such as E12: only added, with a reason, and in the evidence log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.assessing import candidate_dates
from online_guard.service.house import House, clock_ms
from online_guard.store import assessment_rows, queries
from online_guard.store.assessment_tables import ConfirmationRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Answer

FIELDS = ("class_id", "number", "enrolment_id", "code", "answer", "reason", "reviewer", "role", "said_ms")
OWN_WORDS = ("enrolment_id", "code", "answer", "reason", "reviewer", "role")
"""What makes a word the same as one before."""


@dataclass(frozen=True)
class Word:
    """What an assessor says of a test, why, and who they are."""

    code: str
    answer: Answer
    reason: str
    reviewer: str
    role: str


def of_enrolment(house: House, enrolment_id: str, word: Word, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Keep what an assessor says of a test of one enrolment; return whether it is new, and what was kept.

    Raises:
        GuardError: Unknown enrolment, or its test isn't open.
    """
    with writing(house.engine) as database:
        record = queries.own_enrolment(database, enrolment_id, None)
        return _keep(database, record.class_id, enrolment_id, word, now_ms)


def of_class(house: House, class_id: str, word: Word, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Keep what an assessor says of a test of every learner of a class, but for those with a word of their own.

    Raises:
        GuardError: Unknown class, or the test is open for none of its learners.
    """
    with writing(house.engine) as database:
        queries.class_record(database, class_id)
        return _keep(database, class_id, None, word, now_ms)


def _keep(
    database: Session, class_id: str, enrolment_id: str | None, word: Word, now_ms: int
) -> tuple[bool, dict[str, Any]]:
    made = assessment_rows.confirmations(database, [class_id])[class_id]
    record = ConfirmationRecord(
        class_id=class_id,
        number=len(made) + 1,
        enrolment_id=enrolment_id,
        code=word.code,
        answer=str(word.answer),
        reason=word.reason,
        reviewer=word.reviewer,
        role=word.role,
        said_ms=now_ms,
    )
    alike = [one for one in made if (one.enrolment_id, one.code) == (enrolment_id, word.code)]
    if alike and all(getattr(alike[-1], name) == getattr(record, name) for name in OWN_WORDS):
        return False, _told(alike[-1])
    _check_open(database, class_id, enrolment_id, word.code)
    assessment_rows.put_confirmation(database, record)
    candidate_dates.date_rows(database, class_id, clock_ms())
    return True, _told(record)


def _check_open(database: Session, class_id: str, enrolment_id: str | None, code: str) -> None:
    rows = queries.results_of_class(database, "eligibility", class_id)
    if any(code in row["unconfirmed"] for row in rows if enrolment_id in (None, row["enrolment_id"])):
        return
    raise GuardError(
        ErrorKind.CONFLICT,
        "confirmation.nothing_open",
        f"没有待确认的 {code} / {code} isn't open to confirmation",
        where="/code",
        remedy="核验尚未完成时请稍后再试 / while the class waits for its verification, try again shortly.",
    )


def confirmations_of(house: House, class_id: str, platform_id: str | None) -> dict[str, Any]:
    """Return every word of assessors about a class and its learners, oldest first.

    With the assessors' names: they stand on the form that the applicant gets too (Annex 2).

    Raises:
        GuardError: Unknown class.
    """
    with reading(house.engine) as database:
        queries.own_class(database, class_id, platform_id)
        said = assessment_rows.confirmations(database, [class_id])[class_id]
    return {"class_id": class_id, "confirmations": [_told(record) for record in said]}


def _told(record: ConfirmationRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FIELDS}
