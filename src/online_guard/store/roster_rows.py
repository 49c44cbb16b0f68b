"""Venues, plans and rosters: look-ups and additions; what is added is in the evidence log too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, defer

from online_guard.assessment.roster import Roster
from online_guard.assessment.venues import Venues
from online_guard.store import logged_rows, queries, sealed_log
from online_guard.store.import_rows import chunks
from online_guard.store.roster_tables import DraftRecord, RosterRecord, VenuesRecord
from online_guard.store.tables import ApplicationRecord, ClassRecord, EnrolmentRecord, JobRecord

DUTY = "plan"
"""The duty of a job that plans."""
PLANNING, PLANNED, BLOCKED, FAILED = STATES = ("planning", "planned", "blocked", "failed")
"""States of a draft: a worker is at it, or will be; there is a plan; there can't be one; the planning went wrong."""
REFUSED = "roster.refused", "请重新查看名单后再试 / look at the roster again, then try once more."
"""Code and remedy where the database refuses a row."""


def newest_venues(database: Session) -> VenuesRecord | None:
    """Return what assessments are held with now."""
    return database.scalar(select(VenuesRecord).order_by(VenuesRecord.version.desc()).limit(1))


def put_venues(database: Session, record: VenuesRecord) -> None:
    """Keep a statement of venues, in the log too."""
    with queries.told_when_refused(*REFUSED):
        database.add(record)
        database.flush()
    sealed_log.append_all(database, logged_rows.venues_entries(record))


def find_draft(database: Session, window: str, plan_id: str) -> DraftRecord:
    """Return a draft of a window.

    Raises:
        GuardError: There is none.
    """
    record = database.get(DraftRecord, plan_id)
    if record is None or record.window != window:
        raise queries.not_found("排考计划 plan", plan_id)
    return record


def move_draft(database: Session, plan_id: str, **values: Any) -> bool:
    """Change a draft that is still being planned; return whether it was."""
    query = update(DraftRecord).where(DraftRecord.plan_id == plan_id, DraftRecord.state == PLANNING)
    return database.scalar(query.values(**values).returning(DraftRecord.plan_id)) is not None


def is_parked(database: Session, plan_id: str) -> bool:
    """Return whether the planning of a draft was given up until a person looks."""
    query = select(JobRecord.row_id).where(JobRecord.duty == DUTY, JobRecord.key == plan_id)
    return database.scalar(query.where(JobRecord.parked_ms.is_not(None))) is not None


def venues_of(database: Session, version: int) -> Venues:
    """Return what assessments were held with by a version of the statement."""
    return Venues.model_validate_json(database.get_one(VenuesRecord, version).body)


def roster_of(record: RosterRecord) -> Roster:
    """Return a stored roster."""
    return Roster.model_validate_json(record.body)


def newest_roster(database: Session, window: str) -> RosterRecord | None:
    """Return the newest version of a window's roster."""
    query = select(RosterRecord).where(RosterRecord.window == window)
    return database.scalar(query.order_by(RosterRecord.version.desc()).limit(1))


def find_roster(database: Session, window: str, version: int | None) -> RosterRecord:
    """Return a version of a window's roster; the newest where none is named.

    Raises:
        GuardError: There is none.
    """
    newest = newest_roster(database, window) if version is None else database.get(RosterRecord, (window, version))
    if newest is None:
        raise queries.not_found("考核名单 roster", window if version is None else f"{window}/{version}")
    return newest


def roster_of_plan(database: Session, plan_id: str) -> RosterRecord | None:
    """Return the roster as which a plan was published."""
    return database.scalar(select(RosterRecord).where(RosterRecord.plan_id == plan_id))


def rosters(database: Session, window: str) -> Sequence[RosterRecord]:
    """Return all versions of a window's roster without their bodies, oldest first."""
    query = select(RosterRecord).where(RosterRecord.window == window).options(defer(RosterRecord.body))
    return database.scalars(query.order_by(RosterRecord.version)).all()


def put_roster(database: Session, record: RosterRecord) -> None:
    """Keep a published roster, in the log too.

    Raises:
        GuardError: Somebody published another version meanwhile.
    """
    with queries.told_when_refused(*REFUSED):
        database.add(record)
        database.flush()
    sealed_log.append_all(database, logged_rows.roster_entries(record))


def applications(
    database: Session, window: str, platform_id: str | None = None
) -> list[tuple[ApplicationRecord, ClassRecord]]:
    """Return the applications for a window with their classes, of all platforms or of one."""
    query = select(ApplicationRecord, ClassRecord).join(ClassRecord).where(ApplicationRecord.window == window)
    if platform_id is not None:
        query = query.where(ClassRecord.platform_id == platform_id)
    rows = database.execute(query.order_by(ApplicationRecord.class_id))
    return [(applied, of_class) for applied, of_class in rows]


def learners(database: Session, class_id: str) -> dict[str, str]:
    """Return the learner of each enrolment of a class."""
    query = select(EnrolmentRecord.enrolment_id, EnrolmentRecord.learner_id)
    return {row[0]: row[1] for row in database.execute(query.where(EnrolmentRecord.class_id == class_id))}


def enrolments(database: Session, enrolment_ids: Iterable[str]) -> Iterator[EnrolmentRecord]:
    """Yield some enrolments."""
    for chunk in chunks(sorted(enrolment_ids)):
        yield from database.scalars(select(EnrolmentRecord).where(EnrolmentRecord.enrolment_id.in_(chunk)))


def windows(database: Session, year: str) -> Sequence[str]:
    """Return the windows of a year that have a roster, in their order."""
    query = select(RosterRecord.window).where(RosterRecord.window.startswith(f"{year}-"))
    return database.scalars(query.distinct().order_by(RosterRecord.window)).all()
