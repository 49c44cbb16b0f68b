"""Practice and results of assessments: whom a sheet means, what is known, and what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from online_guard.evidence import TrainingClass
from online_guard.store import import_rows
from online_guard.store.evidence_loader import training_class
from online_guard.store.import_tables import ProjectRecord
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.tables import ClassRecord, EnrolmentRecord, PracticeRecord


def lock_class(database: Session, class_id: str) -> None:
    """Let nobody else write the practice of a class in this transaction."""
    database.execute(select(ClassRecord.class_id).where(ClassRecord.class_id == class_id).with_for_update())


def practice_of(database: Session, class_id: str) -> dict[tuple[str, str], PracticeRecord]:
    """Return the practice of a class by enrolment and day, sorted."""
    members = select(EnrolmentRecord.enrolment_id).where(EnrolmentRecord.class_id == class_id)
    rows = database.scalars(select(PracticeRecord).where(PracticeRecord.enrolment_id.in_(members)))
    return {(row.enrolment_id, row.on): row for row in sorted(rows, key=lambda row: (row.enrolment_id, row.on))}


def put_practice(
    database: Session,
    known: Mapping[tuple[str, str], PracticeRecord],
    days: Mapping[tuple[str, str], tuple[float, float | None]],
) -> None:
    """Keep class hours and minutes of video by enrolment and day, in the place of what is known."""
    names = ("enrolment_id", "on", "class_hours", "video_minutes")
    new = [dict(zip(names, (*key, *days[key]), strict=True)) for key in sorted(days.keys() - known.keys())]
    import_rows.put(database, PracticeRecord, new)
    for key in days.keys() & known.keys():
        known[key].class_hours, known[key].video_minutes = days[key]


def learners_of(database: Session, enrolment_ids: Iterable[str]) -> set[str]:
    """Return the learners of enrolments."""
    rows = import_rows.stored(database, EnrolmentRecord, [EnrolmentRecord.enrolment_id], sorted(set(enrolment_ids)))
    return {row.learner_id for row in rows}


def enrolments_of(database: Session, learner_ids: Iterable[str]) -> dict[str, EnrolmentRecord]:
    """Return all enrolments of learners, in all classes of all platforms, by id."""
    rows = import_rows.stored(database, EnrolmentRecord, [EnrolmentRecord.learner_id], sorted(set(learner_ids)))
    return {row.enrolment_id: row for row in rows}


def classes_of(database: Session, enrolments: Iterable[EnrolmentRecord]) -> dict[str, TrainingClass]:
    """Return the classes of enrolments."""
    class_ids = sorted({record.class_id for record in enrolments})
    return {
        record.class_id: training_class(record)
        for record in import_rows.stored(database, ClassRecord, [ClassRecord.class_id], class_ids)
    }


def lock_learners(database: Session, learner_ids: Iterable[str]) -> None:
    """Let nobody else write results of learners in this transaction."""
    column = EnrolmentRecord.learner_id
    for chunk in import_rows.chunks(sorted(set(learner_ids))):
        named = select(EnrolmentRecord.enrolment_id).where(column.in_(chunk)).order_by(EnrolmentRecord.enrolment_id)
        database.execute(named.with_for_update())


def has_results(database: Session, window: str) -> bool:
    """Return whether a window's assessment was held: somebody has a result of it."""
    query = select(AssessmentResultRecord.enrolment_id).where(AssessmentResultRecord.window == window)
    return database.scalar(query.limit(1)) is not None


def result_key(record: AssessmentResultRecord) -> str:
    """Return what a result's sealed certificate number is bound to."""
    return f"{record.window}/{record.enrolment_id}/{record.version}"


def versions_of(database: Session, enrolment_ids: Iterable[str]) -> dict[tuple[str, str], list[AssessmentResultRecord]]:
    """Return all versions of results by window and enrolment, the oldest first."""
    found: dict[tuple[str, str], list[AssessmentResultRecord]] = {}
    table = AssessmentResultRecord
    rows = import_rows.stored(database, table, [table.enrolment_id], sorted(set(enrolment_ids)))
    for row in sorted(rows, key=lambda row: row.version):
        found.setdefault((row.window, row.enrolment_id), []).append(row)
    return found


def holders(database: Session, indexes: Iterable[str]) -> dict[str, str]:
    """Return by fingerprint of a certificate's number the learner who has it."""
    table, found = AssessmentResultRecord, dict[str, str]()
    for chunk in import_rows.chunks(sorted(set(indexes))):
        query = select(table.certificate_index, EnrolmentRecord.learner_id).join(EnrolmentRecord)
        found |= {str(row[0]): row[1] for row in database.execute(query.where(table.certificate_index.in_(chunk)))}
    return found


def put_projects(database: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Keep what is known of learners' projects, in the place of what was; return the learners for whom it changed."""
    columns = [ProjectRecord.learner_id, ProjectRecord.class_id]
    keys = [(row["learner_id"], row["class_id"]) for row in rows]
    known = {(row.learner_id, row.class_id): row for row in import_rows.stored(database, ProjectRecord, columns, keys)}
    changed = {key[0] for key in keys if key not in known}
    import_rows.put(database, ProjectRecord, [row for key, row in zip(keys, rows, strict=True) if key not in known])
    for key, row in zip(keys, rows, strict=True):
        record = known.get(key)
        if record is None:
            continue
        if (record.ended_on, record.assessed_on) != (row["ended_on"], row["assessed_on"]):
            record.ended_on, record.assessed_on = row["ended_on"], row["assessed_on"]
            changed.add(key[0])
    return changed


def prolong(database: Session, class_id: str, ended_on: str) -> set[str]:
    """Let projects that results of a class closed end when it does; return the classes of learners for whom it changed.

    What a platform told of such a project without a result stays as it was told.
    """
    members = select(EnrolmentRecord.learner_id).join(
        AssessmentResultRecord, AssessmentResultRecord.enrolment_id == EnrolmentRecord.enrolment_id
    )
    closed = update(ProjectRecord).where(
        ProjectRecord.class_id == class_id,
        ProjectRecord.ended_on != ended_on,
        ProjectRecord.learner_id.in_(members.where(EnrolmentRecord.class_id == class_id)),
    )
    learners = database.scalars(closed.values(ended_on=ended_on).returning(ProjectRecord.learner_id)).all()
    return {record.class_id for record in enrolments_of(database, learners).values()}


def newest(
    database: Session, window: str, platform_id: str | None
) -> list[tuple[AssessmentResultRecord, EnrolmentRecord]]:
    """Return the results of a window that count, by enrolment: of all platforms' classes, or of one's."""
    table = AssessmentResultRecord
    versions = select(table.enrolment_id, func.max(table.version)).where(table.window == window)
    query = (
        select(table, EnrolmentRecord)
        .join(EnrolmentRecord, EnrolmentRecord.enrolment_id == table.enrolment_id)
        .where(table.window == window)
        .where(tuple_(table.enrolment_id, table.version).in_(versions.group_by(table.enrolment_id)))
    )
    if platform_id is not None:
        query = query.join(ClassRecord).where(ClassRecord.platform_id == platform_id)
    return sorted(((row[0], row[1]) for row in database.execute(query)), key=lambda row: row[0].enrolment_id)
