"""Stored rows → the tables of a bundle, sorted, and its events block by block: one block of events is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from online_guard.assessment.windows import add_months
from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import CHINA_OFFSET_MS, Decision, Events, TrainingClass
from online_guard.store import review_rows
from online_guard.store.evidence_loader import (
    application,
    enrolment,
    facts_about,
    load_events,
    practice,
    project,
    survey,
    training_class,
)
from online_guard.store.import_tables import ProjectRecord, SurveyRecord
from online_guard.store.tables import ApplicationRecord, ClassRecord, EnrolmentRecord, PracticeRecord, SessionRecord
from online_guard.terms import Subject
from online_guard.verdict import case_of

SESSIONS_AT_ONCE = 500
"""About 150 000 events of class hours; SQLite takes 32 766 values in one query."""

KEYS = {
    "snapshots": ("snapshot_id",),
    "checks": ("check_id",),
    "directives": ("directive_id",),
    "likenesses": ("snapshot_id", "other_kind", "other_id"),
}
"""The tables of facts about sessions, and what tells apart the rows of one session."""
PERSONAL = {"ip", "user_agent"}
"""What a bundle may leave out of a session, and an export does."""


@dataclass(frozen=True)
class Selection:
    """Which sessions a bundle holds; by default all.

    Attributes:
        closed_only: Whether sessions that are still open are left out.
        platform_id: Only this platform's classes and sessions.
        month: Only sessions whose opening the service received in this civil month in China, such as `2021-06`.
    """

    closed_only: bool = False
    platform_id: str | None = None
    month: str | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions on sessions, but for being closed.

        Raises:
            GuardError: `month` is no month.
        """
        conditions = []
        if self.platform_id is not None:
            conditions.append(SessionRecord.platform_id == self.platform_id)
        if self.month is not None:
            first = _first_day(self.month)
            begin, end = (_midnight_ms(day) for day in (first, add_months(first, 1)))
            conditions += [SessionRecord.opened_received_ms >= begin, SessionRecord.opened_received_ms < end]
        return conditions


def _first_day(month: str) -> date:
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise GuardError(
            ErrorKind.INVALID,
            "archive.month",
            f"`{month}` 不是月份 / is no month",
            where="--month",
            remedy="请写成 2021-06 / write it as 2021-06.",
        ) from error


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000 - CHINA_OFFSET_MS


def count_open(database: Session, selection: Selection) -> int:
    """Return how many sessions are left out because they are open."""
    if not selection.closed_only:
        return 0
    still = select(func.count()).where(SessionRecord.closed_received_ms.is_(None), *selection.where())
    return database.scalar(still) or 0


def bundle_rows(database: Session, selection: Selection) -> dict[str, Any]:
    """Return what `write_bundle` takes; `events` is read from the database while it is written.

    Classes (of the platform, where one is named) come with all their enrolments, practice and applications whichever
    sessions are chosen, so that archives of several months can be judged together.
    """
    query = select(SessionRecord).where(*selection.where())
    if selection.closed_only:
        query = query.where(SessionRecord.closed_received_ms.is_not(None))
    # sorted here, not by the database: its collation may be another one
    sessions = sorted(database.scalars(query), key=lambda row: (row.platform_id, row.session_id))
    tables = _tables_of_classes(database, selection)
    tables |= {"decisions": _decisions(database, tables["classes"], sessions)}
    tables |= {"sessions": [_session(row) for row in sessions]} | {name: [] for name in KEYS}
    for _, chunk in _chunks(sessions):
        facts = facts_about(database, {row.row_id: row for row in chunk})
        for name, key in KEYS.items():
            tables[name] += sorted(facts[name], key=attrgetter("platform_id", "session_id", *key))
    return tables | {"events": _blocks(database, sessions)}


def _session(record: SessionRecord) -> SimpleNamespace:
    """Return a session as a bundle's row; that it was received live is said by saying nothing.

    Address and browser stay here: no rule reads them, and whoever gets a bundle needn't.
    """
    told = {column.key for column in SessionRecord.__table__.columns} - PERSONAL
    values = {name: getattr(record, name) for name in told}
    return SimpleNamespace(**values | {"provenance": None if record.provenance == "live" else record.provenance})


def _tables_of_classes(database: Session, selection: Selection) -> dict[str, Any]:
    query = select(ClassRecord)
    if selection.platform_id is not None:
        query = query.where(ClassRecord.platform_id == selection.platform_id)
    classes = sorted(map(training_class, database.scalars(query)), key=lambda row: row.class_id)
    kept = {row.class_id for row in classes}
    members = [enrolment(row) for row in database.scalars(select(EnrolmentRecord)) if row.class_id in kept]
    ids = {row.enrolment_id for row in members}
    days = [practice(row) for row in database.scalars(select(PracticeRecord)) if row.enrolment_id in ids]
    learners = {row.learner_id for row in members}
    earlier = [project(row) for row in database.scalars(select(ProjectRecord)) if row.learner_id in learners]
    institutions = {row.institution for row in classes}
    asked = [survey(row) for row in database.scalars(select(SurveyRecord)) if row.institution in institutions]
    filed = [application(row) for row in database.scalars(select(ApplicationRecord)) if row.class_id in kept]
    return {
        "classes": classes,
        "enrolments": sorted(members, key=lambda row: row.enrolment_id),
        "practice": sorted(days, key=lambda row: (row.enrolment_id, row.on)),
        "projects": sorted(earlier, key=lambda row: (row.learner_id, row.class_id)),
        "surveys": sorted(asked, key=lambda row: (row.institution, row.surveyed_on, row.score)),
        "applications": sorted(filed, key=lambda row: (row.class_id, row.window)),
    }


def _decisions(
    database: Session, classes: Sequence[TrainingClass], sessions: Sequence[SessionRecord]
) -> list[Decision]:
    """Return the decisions on findings about classes, enrolments and lessons, and about the chosen sessions."""
    keys = {f"{row.platform_id}/{row.session_id}" for row in sessions}
    made = review_rows.decisions_of_classes(database, [row.class_id for row in classes])
    kept = [row for row in made if _session_of(row) is None or _session_of(row) in keys]
    return sorted(kept, key=attrgetter("decided_ms", "reviewer", "rule", "subject", "subject_id", "decision", "reason"))


def _session_of(decision: Decision) -> str | None:
    about, subject_id = case_of(decision.subject, decision.subject_id)
    return subject_id if about == Subject.SESSION else None


def _chunks(sessions: Sequence[SessionRecord]) -> Iterator[tuple[int, Sequence[SessionRecord]]]:
    """Yield the place of the first session of each chunk, and the chunk."""
    for first in range(0, len(sessions), SESSIONS_AT_ONCE):
        yield first, sessions[first : first + SESSIONS_AT_ONCE]


def _blocks(database: Session, sessions: Sequence[SessionRecord]) -> Iterator[Events]:
    """Yield the events of whole sessions, those kept aside last; `session` is the place among the sorted sessions."""
    for first, chunk in _chunks(sessions):
        yield load_events(database, {row.row_id: first + place for place, row in enumerate(chunk)})
