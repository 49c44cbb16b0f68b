"""What keeps a person's data: cases in which something is left to decide."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from online_guard.store.decision_tables import CaseRecord
from online_guard.store.review_rows import NOTHING_LEFT
from online_guard.store.tables import EnrolmentRecord


def held(database: Session, learner_id: str | None = None) -> dict[str, list[CaseRecord]]:
    """Return, by enrolment, the open cases about it or about its class; of one learner, or of all.

    Who decides them needs the pictures, and the learner may need them to answer: an undecided finding, one that rules
    refuse and no person has upheld yet, or an appeal.
    """
    found: dict[str, list[CaseRecord]] = defaultdict(list)
    of_class = and_(CaseRecord.enrolment_id.is_(None), CaseRecord.class_id == EnrolmentRecord.class_id)
    for about in (CaseRecord.enrolment_id == EnrolmentRecord.enrolment_id, of_class):
        query = select(EnrolmentRecord.enrolment_id, CaseRecord).join(CaseRecord, about)
        query = query.where(CaseRecord.priority < NOTHING_LEFT)
        if learner_id is not None:
            query = query.where(EnrolmentRecord.learner_id == learner_id)
        for enrolment_id, case in database.execute(query.order_by(CaseRecord.case_id)):
            found[enrolment_id].append(case)
    return dict(found)
