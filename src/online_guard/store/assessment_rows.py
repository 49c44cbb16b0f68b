"""Look-ups and changes of applications, confirmations, surveys, and of when candidates changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from online_guard.assessment.confirmation import Confirmation, answers, settle
from online_guard.ledger import LedgerEntry
from online_guard.store import logged_rows, queries, sealed_log
from online_guard.store.assessment_tables import CandidateClockRecord, CandidateRecord, ConfirmationRecord
from online_guard.store.import_tables import SurveyRecord
from online_guard.store.tables import ApplicationRecord, ClassRecord, ResultRecord
from online_guard.terms import Answer


class Place(NamedTuple):
    """Where a row stands in the feed."""

    updated_ms: int
    enrolment_id: str


def log_application(database: Session, record: ApplicationRecord) -> None:
    """Enter an application, as it is now, into the evidence log."""
    database.flush()
    sealed_log.append_all(database, logged_rows.application_entries(record))


def ledgers(database: Session, enrolment_ids: Sequence[str]) -> list[LedgerEntry]:
    """Return the ledgers of enrolments, as they were verified last."""
    query = select(ResultRecord.body).where(ResultRecord.kind == "ledger", ResultRecord.owner.in_(enrolment_ids))
    bodies = map(json.loads, database.scalars(query.order_by(ResultRecord.row_id)))
    return [LedgerEntry(**body | {"refused_by": tuple(body["refused_by"])}) for body in bodies]


def confirmations(database: Session, class_ids: Collection[str]) -> Mapping[str, list[ConfirmationRecord]]:
    """Return what assessors said about each class and its learners, oldest first."""
    query = select(ConfirmationRecord).where(ConfirmationRecord.class_id.in_(class_ids))
    found: dict[str, list[ConfirmationRecord]] = {class_id: [] for class_id in class_ids}
    for record in database.scalars(query.order_by(ConfirmationRecord.number)):
        found[record.class_id].append(record)
    return found


def answers_to(row: Mapping[str, Any], said: Iterable[ConfirmationRecord]) -> dict[str, Answer]:
    """Return what assessors answered to the open tests of a row of eligibility, by code."""
    words = [Confirmation(one.enrolment_id, one.code, Answer(one.answer)) for one in said]
    given = answers(words, row["enrolment_id"])
    return {code: given[code] for code in row["unconfirmed"] if code in given}


def settled(database: Session, class_id: str) -> list[dict[str, Any]]:
    """Return a class's rows of eligibility as they hold with what assessors confirmed or denied."""
    said = confirmations(database, [class_id])[class_id]
    rows = queries.results_of_class(database, "eligibility", class_id)
    return [row | settle(row, answers_to(row, said)).as_row() for row in rows]


def put_confirmation(database: Session, record: ConfirmationRecord) -> None:
    """Keep a confirmation, in the log too.

    Raises:
        GuardError: Somebody else's came first.
    """
    remedy = "请重新查看后再试 / look again, then try again."
    with queries.told_when_refused("confirmation.refused", remedy):
        database.add(record)
        database.flush()
    sealed_log.append_all(database, logged_rows.confirmation_entries(record))


def surveys(database: Session, institution: str) -> list[SurveyRecord]:
    """Return the surveys of an institution, by day."""
    query = select(SurveyRecord).where(SurveyRecord.institution == institution)
    return list(database.scalars(query.order_by(SurveyRecord.surveyed_on, SurveyRecord.score)))


def put_survey(database: Session, record: SurveyRecord) -> None:
    """Keep a survey, in the log too."""
    database.add(record)
    database.flush()
    sealed_log.append_all(database, logged_rows.survey_entries(record))


def classes_of(database: Session, institution: str, platform_id: str | None = None) -> list[ClassRecord]:
    """Return the classes of an institution: all, or a platform's."""
    query = (
        select(ClassRecord)
        if platform_id is None
        else select(ClassRecord).where(ClassRecord.platform_id == platform_id)
    )
    return [record for record in database.scalars(query) if json.loads(record.body)["institution"] == institution]


def date_candidates(database: Session, class_id: str, digests: Mapping[tuple[str, str], str], now_ms: int) -> None:
    """Date the rows of a class that changed, by what their digests say.

    The clock's row is locked until the transaction ends, and each transaction's time is greater than those before:
    whoever reads the rows in order of time sees none appear behind what was read.

    Args:
        database: Open for writing.
        class_id: The class.
        digests: By window and enrolment.
        now_ms: The service's clock.
    """
    query = select(CandidateRecord).where(CandidateRecord.class_id == class_id)
    known = {(record.window, record.enrolment_id): record for record in database.scalars(query)}
    changed = {key: digest for key, digest in digests.items() if key not in known or known[key].digest != digest}
    if not changed:
        return
    clock = database.scalars(select(CandidateClockRecord).with_for_update()).one()
    clock.last_ms = max(now_ms, clock.last_ms + 1)
    for (window, enrolment_id), digest in changed.items():
        record = known.get((window, enrolment_id))
        if record is None:
            record = CandidateRecord(window=window, enrolment_id=enrolment_id, class_id=class_id)
            database.add(record)
        record.updated_ms, record.digest = clock.last_ms, digest
    database.flush()


def candidates(
    database: Session, window: str, platform_id: str | None, since_ms: int, after: Place | None, most: int
) -> list[CandidateRecord]:
    """Return candidates of a window in the order in which they changed.

    Args:
        database: Open for reading.
        window: The window.
        platform_id: Only of this platform's classes; None for all.
        since_ms: Only those that changed then or later.
        after: The place of the last one of the page before.
        most: How many at most.
    """
    query = select(CandidateRecord).where(CandidateRecord.window == window, CandidateRecord.updated_ms >= since_ms)
    if platform_id is not None:
        query = query.join(ClassRecord).where(ClassRecord.platform_id == platform_id)
    if after is not None:
        same = and_(CandidateRecord.updated_ms == after.updated_ms, CandidateRecord.enrolment_id > after.enrolment_id)
        query = query.where(or_(CandidateRecord.updated_ms > after.updated_ms, same))
    return list(database.scalars(query.order_by(CandidateRecord.updated_ms, CandidateRecord.enrolment_id).limit(most)))


def judged(database: Session, enrolment_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of eligibility of enrolments, as they were verified last."""
    query = select(ResultRecord.body).where(ResultRecord.kind == "eligibility", ResultRecord.owner.in_(enrolment_ids))
    return [json.loads(body) for body in database.scalars(query.order_by(ResultRecord.row_id))]
