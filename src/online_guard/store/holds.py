"""What keeps a person's data: findings that still wait for a decision, or for that on an appeal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from online_guard.store.decision_tables import CaseRecord
from online_guard.store.tables import EnrolmentRecord, FindingRecord, SessionRecord
from online_guard.terms import CaseState, Effect, Subject


def held(database: Session, learner_id: str | None = None) -> dict[str, list[FindingRecord]]:
    """Return, by enrolment, the findings that wait for a person's decision; of one learner, or of all.

    Who judges them needs the pictures, and the learner may need them to answer.
    """
    appealed = set(database.scalars(select(CaseRecord.case_id).where(CaseRecord.state == str(CaseState.APPEALED))))
    waits = FindingRecord.effect == str(Effect.REVIEW)
    query = select(FindingRecord).where(or_(waits, FindingRecord.case_id.in_(appealed)))
    members = select(EnrolmentRecord.enrolment_id, EnrolmentRecord.class_id)
    if learner_id is not None:
        own = select(EnrolmentRecord.class_id).where(EnrolmentRecord.learner_id == learner_id)
        query, members = (
            query.where(FindingRecord.class_id.in_(own)),
            members.where(EnrolmentRecord.learner_id == learner_id),
        )
    waiting = [
        finding
        for finding in database.scalars(query)
        if finding.case_id in appealed or "decision" not in json.loads(finding.evidence)
    ]
    classes = {finding.class_id for finding in waiting}
    wanted = {row.enrolment_id: row.class_id for row in database.execute(members) if row.class_id in classes}
    found: dict[str, list[FindingRecord]] = defaultdict(list)
    sessions = _sessions(database, wanted)
    for finding in waiting:
        for enrolment_id in _held_by(finding, sessions, wanted):
            if enrolment_id in wanted:
                found[enrolment_id].append(finding)
    return dict(found)


def _sessions(database: Session, enrolments: dict[str, str]) -> dict[str, str]:
    """Return the enrolment of each session, by its key."""
    query = select(SessionRecord.platform_id, SessionRecord.session_id, SessionRecord.enrolment_id)
    query = query.join(EnrolmentRecord).where(EnrolmentRecord.class_id.in_(set(enrolments.values())))
    return {f"{row.platform_id}/{row.session_id}": row.enrolment_id for row in database.execute(query)}


def _held_by(finding: FindingRecord, sessions: dict[str, str], enrolments: dict[str, str]) -> Iterable[str]:
    match Subject(finding.subject):
        case Subject.SESSION:
            return [sessions.get(finding.subject_id, "")]
        case Subject.SNAPSHOT:
            return [sessions.get(finding.subject_id.rpartition("/")[0], "")]
        case Subject.LESSON:
            return [finding.subject_id.rpartition("/")[0]]
        case Subject.ENROLMENT:
            return [finding.subject_id]
        case Subject.CLASS:
            return [one for one, class_id in enrolments.items() if class_id == finding.subject_id]
