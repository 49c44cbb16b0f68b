"""Look-ups and additions of decisions, appeals, notices and cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, select, tuple_
from sqlalchemy.orm import Session

from online_guard.evidence import Decision
from online_guard.policy import Policy
from online_guard.store import assignment_rows, logged_rows, queries, sealed_log
from online_guard.store.decision_tables import (
    AppealRecord,
    CaseRecord,
    DecisionRecord,
    GroundRecord,
    LawRecord,
    NoticeRecord,
)
from online_guard.store.tables import FindingRecord
from online_guard.terms import DecisionKind, Subject

Place = tuple[int, int, str]
"""Where a case stands in the queue: priority, since when in ms or how urgent, case id."""
REFUSED = (
    "review.refused",
    "请重新查看案件;若再次发生,请管理员核对日志 / look at the case again; else check the evidence log.",
)
"""Code and remedy where the database refuses a row."""


def as_decision(record: DecisionRecord) -> Decision:
    """Return a stored decision as evidence."""
    return Decision(
        record.rule,
        Subject(record.subject),
        record.subject_id,
        DecisionKind(record.decision),
        record.reason,
        record.decided_ms,
        record.reviewer,
    )


def decisions_of_classes(database: Session, class_ids: Sequence[str]) -> list[Decision]:
    """Return all decisions on findings of some classes."""
    query = select(DecisionRecord).where(DecisionRecord.class_id.in_(class_ids))
    return [as_decision(record) for record in database.scalars(query)]


def decisions_where(database: Session, condition: ColumnElement[bool]) -> dict[str, list[DecisionRecord]]:
    """Return some findings' decisions, in the order in which they were made."""
    query = select(DecisionRecord).where(condition).order_by(DecisionRecord.finding_id, DecisionRecord.number)
    found: dict[str, list[DecisionRecord]] = {}
    for record in database.scalars(query):
        found.setdefault(record.finding_id, []).append(record)
    return found


def appeals_where(database: Session, condition: ColumnElement[bool]) -> dict[str, list[AppealRecord]]:
    """Return some findings' appeals, oldest first."""
    query = select(AppealRecord).where(condition).order_by(AppealRecord.finding_id, AppealRecord.number)
    found: dict[str, list[AppealRecord]] = {}
    for record in database.scalars(query):
        found.setdefault(record.finding_id, []).append(record)
    return found


def find_finding(database: Session, finding_id: str) -> FindingRecord | None:
    """Return a finding of the last verification."""
    return database.scalar(select(FindingRecord).where(FindingRecord.finding_id == finding_id))


def findings_where(database: Session, condition: ColumnElement[bool]) -> list[FindingRecord]:
    """Return some findings, by rule and subject."""
    query = select(FindingRecord).where(condition)
    return sorted(database.scalars(query), key=lambda record: (record.rule, record.subject, record.subject_id))


def know_law(database: Session, policy: Policy) -> None:
    """Keep that findings are judged and decided by a policy."""
    if database.get(LawRecord, policy.sha256) is None:
        database.add(
            LawRecord(
                policy_sha256=policy.sha256,
                policy_id=policy.id,
                policy_version=policy.version,
                second_person=policy.review.second_person,
            )
        )
        database.flush()


def forget_cases(database: Session, case_ids: Sequence[str]) -> None:
    """Forget cases that have neither findings nor a history."""
    database.execute(delete(CaseRecord).where(CaseRecord.case_id.in_(case_ids)))


def cases_of_class(database: Session, class_id: str) -> dict[str, CaseRecord]:
    """Return the cases of a class by id."""
    query = select(CaseRecord).where(CaseRecord.class_id == class_id)
    return {record.case_id: record for record in database.scalars(query)}


@dataclass(frozen=True)
class Taken:
    """Who has taken a case at a moment: `reviewer`, or nobody else where `or_nobody`; without a reviewer, nobody."""

    at_ms: int
    reviewer: str | None = None
    or_nobody: bool = False

    def where(self) -> ColumnElement[bool]:
        """Return the condition."""
        if self.reviewer is None:
            return ~assignment_rows.taken_by(None, self.at_ms)
        if self.or_nobody:
            return assignment_rows.not_others(self.reviewer, self.at_ms)
        return assignment_rows.taken_by(self.reviewer, self.at_ms)


@dataclass(frozen=True)
class Wanted:
    """Which cases a queue shows; None means any.

    states: without any, those that wait for a person. urgent: the most urgent first, not the longest waiting.
    """

    states: tuple[str, ...] = ()
    platform_id: str | None = None
    class_id: str | None = None
    rule: str | None = None
    verdict: str | None = None
    subject: str | None = None
    taken: Taken | None = None
    urgent: bool = False

    @property
    def moment(self) -> str:
        """Return the name of the column that orders cases of one priority."""
        return "urgent_ms" if self.urgent else "waiting_since_ms"

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions, but for the rule."""
        conditions = [CaseRecord.state.in_(self.states) if self.states else CaseRecord.priority < NOTHING_LEFT]
        given = {name: getattr(self, name) for name in ("platform_id", "class_id", "verdict", "subject")}
        conditions += [getattr(CaseRecord, name) == value for name, value in given.items() if value is not None]
        return conditions if self.taken is None else [*conditions, self.taken.where()]


NOTHING_LEFT = 2
"""Priority of a case in which nothing is left to decide."""


FEW = 2_000


def _has_rule(database: Session, rule: str) -> ColumnElement[bool]:
    """Return the condition that a case has a finding of a rule; the cases of a rare rule are looked up from there.

    Of 100 000 cases a page then takes a few ms either way; one query for both took 200 ms of a common rule, or 1 s of
    a rare one.
    """
    named = select(FindingRecord.case_id).where(FindingRecord.rule == rule)
    if len(database.scalars(named.limit(FEW)).all()) < FEW:
        return CaseRecord.case_id.in_(named)
    return exists().where(FindingRecord.rule == rule, FindingRecord.case_id == CaseRecord.case_id)


def queue(database: Session, wanted: Wanted, after: Place | None, most: int) -> list[CaseRecord]:
    """Return cases in the order in which they should be decided, from some place on."""
    place = (CaseRecord.priority, getattr(CaseRecord, wanted.moment), CaseRecord.case_id)
    query = select(CaseRecord).where(*wanted.where())
    if wanted.rule is not None:
        query = query.where(_has_rule(database, wanted.rule))
    if after is not None:
        query = query.where(tuple_(*place) > after)
    return list(database.scalars(query.order_by(*place).limit(most)))


def put_decision(database: Session, record: DecisionRecord) -> None:
    """Keep a decision, in the log too."""
    with queries.told_when_refused(*REFUSED):
        database.add(record)
        database.flush()
    sealed_log.append_all(database, logged_rows.decision_entries(record))


def put_appeal(database: Session, record: AppealRecord) -> None:
    """Keep an appeal, in the log too."""
    with queries.told_when_refused(*REFUSED):
        database.add(record)
        database.flush()
    sealed_log.append_all(database, logged_rows.appeal_entries(record))


def notices_of(database: Session, enrolment_id: str) -> list[tuple[NoticeRecord, list[GroundRecord]]]:
    """Return the notices of an enrolment with their grounds, oldest first."""
    query = select(NoticeRecord).where(NoticeRecord.enrolment_id == enrolment_id)
    grounds = select(GroundRecord).where(GroundRecord.enrolment_id == enrolment_id)
    by_notice: dict[str, list[GroundRecord]] = {}
    for ground in database.scalars(grounds.order_by(GroundRecord.lesson_no, GroundRecord.finding_id)):
        by_notice.setdefault(ground.notice_id, []).append(ground)
    ordered = database.scalars(query.order_by(NoticeRecord.issued_ms, NoticeRecord.notice_id))
    return [(notice, by_notice[notice.notice_id]) for notice in ordered]


def put_notice(database: Session, notice: NoticeRecord, grounds: Sequence[GroundRecord]) -> None:
    """Keep a notice, in the log too: its grounds first, since the database refuses a notice without them."""
    with queries.told_when_refused(*REFUSED):
        database.add_all(grounds)
        database.flush()
        database.add(notice)
        database.flush()
    sealed_log.append_all(database, logged_rows.notice_entries(notice, grounds))


def known_cases(database: Session, case_ids: Sequence[str]) -> set[str]:
    """Return those of some names that are cases."""
    return set(database.scalars(select(CaseRecord.case_id).where(CaseRecord.case_id.in_(case_ids))))
