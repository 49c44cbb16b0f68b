"""All rows that the evidence log speaks of, but for events, each with what makes its entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from online_guard.store import logged_rows
from online_guard.store.assessment_tables import ConfirmationRecord
from online_guard.store.decision_tables import AppealRecord, DecisionRecord, GroundRecord, NoticeRecord
from online_guard.store.import_tables import SurveyRecord
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.roster_tables import RosterRecord, VenuesRecord
from online_guard.store.sealed_log import Entry
from online_guard.store.tables import (
    ApplicationRecord,
    CheckRecord,
    ClaimRecord,
    ClassRecord,
    FindingRecord,
    ResultRecord,
    SessionRecord,
    SnapshotRecord,
)

AT_ONCE = 500


class Row(NamedTuple):
    """A row, or rows that have one entry: `entries(*of)` gives what the log would say."""

    name: str
    entries: Callable[..., list[Entry]]
    of: tuple[Any, ...]


def rows(database: Session) -> Iterator[Row]:
    """Yield every row."""
    yield from _of_sessions(database)
    for claim in database.scalars(select(ClaimRecord).execution_options(yield_per=AT_ONCE)):
        yield Row(f"claim {claim.enrolment_id}/{claim.claim_id}", logged_rows.claim_entries, (claim,))
    for class_id in database.scalars(select(ClassRecord.class_id)).all():
        findings = database.scalars(select(FindingRecord).where(FindingRecord.class_id == class_id)).all()
        results = database.scalars(select(ResultRecord).where(ResultRecord.class_id == class_id)).all()
        yield Row(f"class {class_id}", logged_rows.verdict_entries, (findings, results))
    for result in database.scalars(select(AssessmentResultRecord).execution_options(yield_per=AT_ONCE)):
        name = f"result {result.window}/{result.enrolment_id}/{result.version}"
        yield Row(name, logged_rows.outcome_entries, (result,))
    yield from _of_review(database)
    yield from _of_rosters(database)
    yield from _of_assessments(database)


def _of_sessions(database: Session) -> Iterator[Row]:
    snapshots = select(SessionRecord, SnapshotRecord).join(SnapshotRecord).execution_options(yield_per=AT_ONCE)
    for session, snapshot in database.execute(snapshots):
        key = logged_rows.session_key(session)
        yield Row(f"snapshot {key}/{snapshot.snapshot_id}", logged_rows.snapshot_entries, (key, snapshot))
    # a check that was drawn here is logged once it was judged; an imported one has no nonce
    judged = CheckRecord.report.is_not(None) | CheckRecord.nonce.is_(None)
    checks = select(SessionRecord, CheckRecord).join(CheckRecord).where(judged).execution_options(yield_per=AT_ONCE)
    for session, check in database.execute(checks):
        key = logged_rows.session_key(session)
        yield Row(f"liveness {key}/{check.check_id}", logged_rows.liveness_entries, (key, check))


def _of_review(database: Session) -> Iterator[Row]:
    for decision in database.scalars(select(DecisionRecord)):
        name = f"decision {decision.finding_id}/{decision.number}"
        yield Row(name, logged_rows.decision_entries, (decision,))
    for appeal in database.scalars(select(AppealRecord)):
        yield Row(f"appeal {appeal.finding_id}/{appeal.number}", logged_rows.appeal_entries, (appeal,))
    for notice in database.scalars(select(NoticeRecord)):
        grounds = database.scalars(select(GroundRecord).where(GroundRecord.notice_id == notice.notice_id)).all()
        yield Row(f"notice {notice.notice_id}", logged_rows.notice_entries, (notice, grounds))


def _of_rosters(database: Session) -> Iterator[Row]:
    for stated in database.scalars(select(VenuesRecord)):
        yield Row(f"venues {stated.version}", logged_rows.venues_entries, (stated,))
    for roster in database.scalars(select(RosterRecord).execution_options(yield_per=1)):
        yield Row(f"roster {roster.window}/{roster.version}", logged_rows.roster_entries, (roster,))


def _of_assessments(database: Session) -> Iterator[Row]:
    for filed in database.scalars(select(ApplicationRecord)):
        yield Row(f"application {filed.class_id}/{filed.window}", logged_rows.application_entries, (filed,))
    for said in database.scalars(select(ConfirmationRecord)):
        yield Row(f"confirmation {said.class_id}/{said.number}", logged_rows.confirmation_entries, (said,))
    for survey in database.scalars(select(SurveyRecord)):
        yield Row(f"survey {survey.row_id}", logged_rows.survey_entries, (survey,))
