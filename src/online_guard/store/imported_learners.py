"""Whose the enrolments are that imports named: what stands for a learner until one is registered."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from online_guard.store.import_rows import chunks
from online_guard.store.import_tables import ImportedEnrolmentRecord, ProjectRecord
from online_guard.store.tables import EnrolmentRecord


def registered_learners(database: Session, pseudonyms: Iterable[str]) -> dict[str, str]:
    """Return the registered learner that each pseudonym of an import stands for, where one is known."""
    found: dict[str, str] = {}
    link = ImportedEnrolmentRecord
    for chunk in chunks(pseudonyms):
        query = select(link.pseudonym, EnrolmentRecord.learner_id).join(
            EnrolmentRecord, EnrolmentRecord.enrolment_id == link.enrolment_id
        )
        query = query.where(link.pseudonym.in_(chunk), link.is_registered).order_by(link.enrolment_id.desc())
        found |= {row[0]: row[1] for row in database.execute(query)}
    return found


def adopt(database: Session, pseudonym: str, learner_id: str) -> list[str]:
    """Put a registered learner in the place of a pseudonym; return the classes of the enrolments that changed."""
    link = ImportedEnrolmentRecord
    waiting = select(link.enrolment_id).where(link.pseudonym == pseudonym, link.is_registered.is_(False))
    changed = update(EnrolmentRecord).where(
        EnrolmentRecord.enrolment_id.in_(waiting), EnrolmentRecord.learner_id != learner_id
    )
    classes = set(database.scalars(changed.values(learner_id=learner_id).returning(EnrolmentRecord.class_id)))
    known = select(ProjectRecord.class_id).where(ProjectRecord.learner_id == learner_id)
    database.execute(
        delete(ProjectRecord).where(ProjectRecord.learner_id == pseudonym, ProjectRecord.class_id.in_(known))
    )
    database.execute(update(ProjectRecord).where(ProjectRecord.learner_id == pseudonym).values(learner_id=learner_id))
    return sorted(classes)


def register(database: Session, enrolment_id: str, learner_id: str) -> list[str] | None:
    """Make an imported enrolment a registered learner's, and the others of its pseudonym with it.

    Returns:
        The classes that changed; None where the enrolment was registered already.
    """
    link = database.get(ImportedEnrolmentRecord, enrolment_id)
    if link is None or link.is_registered:
        return None
    classes = adopt(database, link.pseudonym, learner_id)
    link.is_registered = True
    return classes
