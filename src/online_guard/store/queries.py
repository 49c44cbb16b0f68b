"""Look-ups and changes of single rows; every `SELECT` that a service function needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Events
from online_guard.store import event_chunks, jobs, logged_rows, sealed_log
from online_guard.store.tables import (
    ApplicationRecord,
    Base,
    ClaimRecord,
    ClassRecord,
    ConflictRecord,
    DirectiveRecord,
    EnrolmentRecord,
    FindingRecord,
    LikenessRecord,
    ResultRecord,
    SessionRecord,
    SnapshotRecord,
)

FEWEST_EVENTS = 20
VERIFY = "verify"
"""Duty of the job that verifies a class."""
DEVICE = tuple_(SessionRecord.platform_id, SessionRecord.device_id)
Row = TypeVar("Row", bound=Base)


def must_find(database: Session, table: type[Row], key: Any, what: str) -> Row:
    """Return the row of a key.

    Raises:
        GuardError: There is none; `what` names the thing in Chinese and English.
    """
    found = database.get(table, key)
    if found is None:
        raise not_found(what, key)
    return found


@contextmanager
def told_when_refused(code: str, remedy: str) -> Iterator[None]:
    """Say that the database refused a row: somebody wrote past the service, since that asks beforehand.

    Raises:
        GuardError: It did.
    """
    try:
        yield
    except IntegrityError as error:
        message = "数据库拒绝了这一步 / the database refuses this"
        raise GuardError(ErrorKind.CONFLICT, code, message, remedy=remedy) from error


def not_found(what: str, key: Any, where: str = "") -> GuardError:
    """Return the error for a thing that isn't there; `where` is the JSON pointer that named it."""
    return GuardError(ErrorKind.NOT_FOUND, "not_found", f"找不到 / not found: {what} `{key}`", where=where)


def find_session(database: Session, session_id: str, platform_id: str | None) -> SessionRecord:
    """Return a session by its id, and its platform where two platforms use the id.

    Raises:
        GuardError: There is none, or the platform must be said.
    """
    query = select(SessionRecord).where(SessionRecord.session_id == session_id)
    if platform_id is not None:
        query = query.where(SessionRecord.platform_id == platform_id)
    found = database.scalars(query.limit(2)).all()
    if not found:
        raise not_found("学习会话 session", session_id)
    if len(found) > 1:
        raise GuardError(
            ErrorKind.CONFLICT,
            "session.ambiguous",
            "多个平台使用该会话标识 / several platforms use this session id",
            where="?platform_id",
            remedy="请以 platform_id 指明平台 / say which with platform_id.",
        )
    return found[0]


def conflict_known(database: Session, session_row: int, seq: int, digest: str) -> bool:
    """Return whether this content was already kept aside under this number."""
    query = select(ConflictRecord.row_id).where(
        ConflictRecord.session_row == session_row, ConflictRecord.seq == seq, ConflictRecord.digest == digest
    )
    return database.scalar(query) is not None


def class_has_sessions(database: Session, class_id: str, lesson_no: int | None = None) -> bool:
    """Return whether a class, or one of its lessons, has a session."""
    query = select(SessionRecord.row_id).join(EnrolmentRecord).where(EnrolmentRecord.class_id == class_id)
    if lesson_no is not None:
        query = query.where(SessionRecord.lesson_no == lesson_no)
    return database.scalar(query.limit(1)) is not None


def directives(database: Session, session_row: int) -> list[DirectiveRecord]:
    """Return all directives drawn for a session, told or not."""
    query = select(DirectiveRecord).where(DirectiveRecord.session_row == session_row)
    return list(database.scalars(query.order_by(DirectiveRecord.due_playing_ms)))


def linked(sessions: Select[*tuple[Any, ...]], most_learners: int) -> ColumnElement[bool]:
    """Return the condition that a session shares device, picture or timeline with one of `sessions` (row ids).

    It shares a picture too where the duplicate search put captures of both beside each other.

    A device that more learners use is a label, not a device, and links nothing (SPEC OG802).
    """
    devices = select(SessionRecord.platform_id, SessionRecord.device_id).where(SessionRecord.row_id.in_(sessions))
    timelines = select(SessionRecord.timeline).where(SessionRecord.row_id.in_(sessions))
    pictures = [
        SessionRecord.row_id.in_(
            select(SnapshotRecord.session_row).where(
                column.in_(select(column).where(SnapshotRecord.session_row.in_(sessions)))
            )
        )
        for column in (SnapshotRecord.sha256, SnapshotRecord.phash)
    ]
    alike = [
        SessionRecord.row_id.in_(select(one).where(other.in_(sessions)))
        for one, other in (
            (LikenessRecord.session_row, LikenessRecord.other_row),
            (LikenessRecord.other_row, LikenessRecord.session_row),
        )
    ]
    return or_(
        and_(DEVICE.in_(devices), DEVICE.not_in(labels(devices, most_learners))),
        SessionRecord.timeline.in_(timelines),
        *pictures,
        *alike,
    )


def like_references_of(class_id: str) -> ColumnElement[bool]:
    """Return the condition that a session has a capture beside a reference photo of a class's learner."""
    references = select(EnrolmentRecord.enrolment_id).where(EnrolmentRecord.class_id == class_id)
    beside = select(LikenessRecord.session_row).where(
        LikenessRecord.other_kind == "reference", LikenessRecord.other_id.in_(references)
    )
    return SessionRecord.row_id.in_(beside)


def labels(devices: Select[*tuple[Any, ...]], most_learners: int) -> Select[*tuple[Any, ...]]:
    """Return those of some devices (platform, id) that more than `most_learners` learners use."""
    users = select(SessionRecord.platform_id, SessionRecord.device_id).join(EnrolmentRecord).where(DEVICE.in_(devices))
    learners = func.count(EnrolmentRecord.learner_id.distinct())
    return users.group_by(SessionRecord.platform_id, SessionRecord.device_id).having(learners > most_learners)


def label_users(database: Session, sessions: Select[*tuple[Any, ...]], most_learners: int) -> list[SessionRecord]:
    """Return one session of each learner on each label that `sessions` (row ids) use: they show that it is one."""
    devices = select(SessionRecord.platform_id, SessionRecord.device_id).where(SessionRecord.row_id.in_(sessions))
    first = (
        select(func.min(SessionRecord.row_id))
        .join(EnrolmentRecord)
        .where(DEVICE.in_(labels(devices, most_learners)))
        .group_by(SessionRecord.platform_id, SessionRecord.device_id, EnrolmentRecord.learner_id)
    )
    return list(database.scalars(select(SessionRecord).where(SessionRecord.row_id.in_(first))))


def classes_touched(database: Session, record: SessionRecord, most_learners: int) -> list[str]:
    """Return the classes of a session's learner, and those with a session that is linked to it."""
    learner = select(EnrolmentRecord.learner_id).where(EnrolmentRecord.enrolment_id == record.enrolment_id)
    this = select(SessionRecord.row_id).where(SessionRecord.row_id == record.row_id)
    own = select(EnrolmentRecord.class_id).where(EnrolmentRecord.learner_id.in_(learner))
    others = select(EnrolmentRecord.class_id).join(SessionRecord).where(linked(this, most_learners))
    return sorted({*database.scalars(own), *database.scalars(others)})


def timeline(database: Session, record: SessionRecord) -> str | None:
    """Return a fingerprint of what OG804 compares, None for a session too short for it.

    Source: SPEC OG804: the list of (type, time since the opening in whole 100 ms, rounded down) of ≥ 20 events.
    """
    return timeline_of(event_chunks.of_sessions(database, {record.row_id: 0}), record.opened_at_ms)


def timeline_of(events: Events, opened_at_ms: int) -> str | None:
    """Return the fingerprint of a session's events, sorted by `seq`; None for a session too short for it."""
    if len(events) < FEWEST_EVENTS:
        return None
    tenths = (events.at_ms - opened_at_ms) // 100
    marks = [*zip(events.type.tolist(), tenths.tolist(), strict=True)]
    return hashlib.sha256(repr(marks).encode()).hexdigest()


def enqueue(database: Session, class_ids: Iterable[str], now_ms: int) -> None:
    """Ask for the verification of classes, once each: one that already waits isn't asked for again."""
    for class_id in sorted(set(class_ids)):
        jobs.ask(database, VERIFY, class_id, now_ms)


def is_pending(database: Session, class_id: str) -> bool:
    """Return whether a class waits for its verification, be it parked."""
    return jobs.held(database, VERIFY, class_id) is not None


def replace_results(
    database: Session, class_id: str, findings: Sequence[FindingRecord], results: Sequence[ResultRecord]
) -> set[str]:
    """Put a class's new verification in the place of the one before; return what the log says anew, and of whom."""
    before = logged_rows.verdict_entries(
        of_class(database, FindingRecord, class_id), of_class(database, ResultRecord, class_id)
    )
    database.execute(delete(FindingRecord).where(FindingRecord.class_id == class_id))
    database.execute(delete(ResultRecord).where(ResultRecord.class_id == class_id))
    database.add_all(findings)
    database.add_all(results)
    database.flush()
    changed = logged_rows.changes(before, logged_rows.verdict_entries(findings, results))
    sealed_log.append_all(database, changed)
    return {entry.subject for entry in changed}


def results(database: Session, kind: str, owner: str) -> list[ResultRecord]:
    """Return the rows of the last verification about an owner, in the order in which they were written."""
    query = select(ResultRecord).where(ResultRecord.kind == kind, ResultRecord.owner == owner)
    return list(database.scalars(query.order_by(ResultRecord.row_id)))


def results_of_class(database: Session, kind: str, class_id: str) -> list[dict[str, Any]]:
    """Return the bodies of a class's rows of one kind."""
    query = select(ResultRecord.body).where(ResultRecord.kind == kind, ResultRecord.class_id == class_id)
    return [json.loads(body) for body in database.scalars(query.order_by(ResultRecord.row_id))]


def findings_about(database: Session, subjects: Sequence[tuple[str, str]]) -> list[FindingRecord]:
    """Return the findings about some (subject, subject id), by rule."""
    found: list[FindingRecord] = []
    for subject, subject_id in subjects:
        query = select(FindingRecord).where(FindingRecord.subject == subject, FindingRecord.subject_id == subject_id)
        found += database.scalars(query)
    return sorted(found, key=lambda record: (record.rule, record.subject_id))


def claims(database: Session, enrolment_id: str) -> list[ClaimRecord]:
    """Return the claims made for an enrolment, oldest first."""
    query = select(ClaimRecord).where(ClaimRecord.enrolment_id == enrolment_id)
    return list(database.scalars(query.order_by(ClaimRecord.received_ms, ClaimRecord.claim_id)))


def class_record(database: Session, class_id: str) -> ClassRecord:
    """Return a class.

    Raises:
        GuardError: There is none.
    """
    return must_find(database, ClassRecord, class_id, "培训班次 class")


def own_class(database: Session, class_id: str, platform_id: str | None) -> ClassRecord:
    """Return a class; another platform's is as if it weren't there, unless `platform_id` is None.

    Raises:
        GuardError: There is none.
    """
    record = class_record(database, class_id)
    if platform_id not in (None, record.platform_id):
        raise not_found("培训班次 class", class_id)
    return record


def own_enrolment(database: Session, enrolment_id: str, platform_id: str | None, where: str = "") -> EnrolmentRecord:
    """Return an enrolment; another platform's is as if it weren't there, unless `platform_id` is None.

    Raises:
        GuardError: There is none; `where` is the JSON pointer that named it.
    """
    record = database.get(EnrolmentRecord, enrolment_id)
    if record is None or platform_id not in (None, class_record(database, record.class_id).platform_id):
        raise not_found("学员报名 enrolment", enrolment_id, where)
    return record


def foreign_names(database: Session, names: Collection[str], platform_id: str) -> set[str]:
    """Return which of some names are another platform's: `platform/session…`, enrolments and classes."""
    first = {name: name.partition("/")[0] for name in names if "/" in name}
    others = select(ClassRecord.platform_id).where(
        ClassRecord.platform_id.in_(set(first.values())), ClassRecord.platform_id != platform_id
    )
    platforms = set(database.scalars(others.distinct()))
    classes = select(ClassRecord.class_id).where(
        ClassRecord.class_id.in_(names), ClassRecord.platform_id != platform_id
    )
    enrolments = (
        select(EnrolmentRecord.enrolment_id)
        .join(ClassRecord)
        .where(EnrolmentRecord.enrolment_id.in_(names), ClassRecord.platform_id != platform_id)
    )
    sessions = {name for name, platform in first.items() if platform in platforms}
    return sessions | set(database.scalars(classes)) | set(database.scalars(enrolments))


def findings_of_snapshots(database: Session, session_key: str) -> list[FindingRecord]:
    """Return the findings about a session's snapshots."""
    prefix = f"{session_key}/"
    query = select(FindingRecord).where(
        FindingRecord.subject == "snapshot",
        func.substr(FindingRecord.subject_id, 1, len(prefix)) == prefix,  # SQLite's LIKE takes `S` for `s`
    )
    return list(database.scalars(query.order_by(FindingRecord.rule, FindingRecord.subject_id)))


def of_class(database: Session, table: type[Row], class_id: str) -> list[Row]:
    """Return a table's rows about a class."""
    column = table.__table__.c.class_id
    return list(database.scalars(select(table).where(column == class_id)))


def has_applied(database: Session, class_id: str) -> bool:
    """Return whether a class has applied for an assessment."""
    return database.scalar(select(ApplicationRecord.window).where(ApplicationRecord.class_id == class_id)) is not None


def classes_applying(database: Session, window: str, platform_id: str | None) -> list[str]:
    """Return the classes that apply for an assessment window: all, or a platform's."""
    query = select(ApplicationRecord.class_id).where(ApplicationRecord.window == window)
    if platform_id is not None:
        query = query.join(ClassRecord).where(ClassRecord.platform_id == platform_id)
    return sorted(database.scalars(query))
