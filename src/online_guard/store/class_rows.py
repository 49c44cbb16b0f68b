"""Classes and assessment windows as the pages list them; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from online_guard.store.decision_tables import CaseRecord
from online_guard.store.review_rows import NOTHING_LEFT
from online_guard.store.tables import ApplicationRecord, ClassRecord, EnrolmentRecord


def classes(database: Session, after: str, most: int) -> list[ClassRecord]:
    """Return classes by id, from behind one on."""
    query = select(ClassRecord).where(ClassRecord.class_id > after).order_by(ClassRecord.class_id)
    return list(database.scalars(query.limit(most)))


def learners(database: Session, class_ids: Sequence[str]) -> dict[str, int]:
    """Return how many enrolments some classes have, by class."""
    query = select(EnrolmentRecord.class_id, func.count()).where(EnrolmentRecord.class_id.in_(class_ids))
    return dict(database.execute(query.group_by(EnrolmentRecord.class_id)).tuples().all())


def waiting_cases(database: Session, class_ids: Sequence[str]) -> dict[str, int]:
    """Return how many cases of some classes wait for a person, by class."""
    query = select(CaseRecord.class_id, func.count()).where(
        CaseRecord.class_id.in_(class_ids), CaseRecord.priority < NOTHING_LEFT
    )
    return dict(database.execute(query.group_by(CaseRecord.class_id)).tuples().all())


def windows(database: Session, most: int) -> list[str]:
    """Return the newest assessment windows that anyone applied for, oldest first."""
    query = select(ApplicationRecord.window).distinct().order_by(ApplicationRecord.window.desc())
    return list(database.scalars(query.limit(most)))[::-1]
