"""Counts over many sessions, findings and decisions, for the pages that show them at a glance; nothing is changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from online_guard.evidence import CHINA_OFFSET_MS, DAY_MS
from online_guard.store.decision_tables import CaseRecord, DecisionRecord
from online_guard.store.tables import (
    ClassRecord,
    DeadLetterRecord,
    EnrolmentRecord,
    FindingRecord,
    ResultRecord,
    SessionRecord,
)
from online_guard.terms import DecisionKind, Subject

WEEK_MS = 7 * DAY_MS
MONDAY_MS = CHINA_OFFSET_MS + 3 * DAY_MS
"""The epoch was a Thursday in UTC: with this much more, weeks begin on Mondays in China."""
BY_SESSION = (Subject.SESSION, Subject.SNAPSHOT)


class Count(NamedTuple):
    """How many there are of something in one week of one platform; `week` counts from the epoch's."""

    platform_id: str
    week: int
    number: int


class Decided(NamedTuple):
    """How many findings of a rule were last decided in one week, and how many of them upheld."""

    rule: str
    platform_id: str
    week: int
    upheld: int
    dismissed: int


class Hits(NamedTuple):
    """In how many sessions, opened in one week at one platform, a rule was found."""

    rule: str
    platform_id: str
    week: int
    number: int


class Total(NamedTuple):
    """How many findings of a rule there are, and of how many the last decision upheld and dismissed them."""

    rule: str
    findings: int
    upheld: int
    dismissed: int


def week_start_ms(week: int) -> int:
    """Return when a week began: midnight of its Monday in China, in ms since the epoch."""
    return week * WEEK_MS - MONDAY_MS


def _week(moment_ms: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """Return the week of a moment; its numbers are literals, as PostgreSQL can't tell two parameters to be equal."""
    return (moment_ms + literal_column(str(MONDAY_MS), BigInteger)) // literal_column(str(WEEK_MS), BigInteger)


def last_opened_ms(database: Session) -> int | None:
    """Return when the newest session was opened (service clock), None if there is none."""
    return database.scalar(select(func.max(SessionRecord.opened_received_ms)))


def sessions_by_week(database: Session, since_ms: int) -> list[Count]:
    """Return the number of sessions opened since a moment (service clock), by platform and week."""
    week = _week(SessionRecord.opened_received_ms)
    query = (
        select(SessionRecord.platform_id, week, func.count())
        .where(SessionRecord.opened_received_ms >= since_ms)
        .group_by(SessionRecord.platform_id, week)
    )
    return [Count(*row) for row in database.execute(query)]


def hits_by_week(database: Session, since_ms: int, rules: Collection[str] = ()) -> list[Hits]:
    """Return in how many sessions opened since a moment each rule was found, in them or their snapshots.

    Args:
        database: Open for reading.
        since_ms: Service clock.
        rules: Only these; all, if empty.
    """
    week = _week(SessionRecord.opened_received_ms)
    is_case = and_(
        SessionRecord.enrolment_id == FindingRecord.enrolment_id,
        SessionRecord.platform_id + "/" + SessionRecord.session_id == CaseRecord.subject_id,
    )
    query = (
        select(FindingRecord.rule, SessionRecord.platform_id, week, func.count(SessionRecord.row_id.distinct()))
        .join(CaseRecord, CaseRecord.case_id == FindingRecord.case_id)
        .join(SessionRecord, is_case)
        .where(FindingRecord.subject.in_(BY_SESSION), SessionRecord.opened_received_ms >= since_ms)
        .group_by(FindingRecord.rule, SessionRecord.platform_id, week)
    )
    if rules:
        query = query.where(FindingRecord.rule.in_(rules))
    return [Hits(*row) for row in database.execute(query)]


def _last_decisions() -> Select[str, int]:
    return select(DecisionRecord.finding_id, func.max(DecisionRecord.number).label("number")).group_by(
        DecisionRecord.finding_id
    )


def _number_of(kind: DecisionKind) -> ColumnElement[int]:
    return func.count(case((DecisionRecord.decision == kind, 1)))


def decided_by_week(database: Session, since_ms: int, rules: Collection[str] = ()) -> list[Decided]:
    """Return what was last said of findings, by rule, platform and the week of that decision (service clock)."""
    last, week = _last_decisions().subquery(), _week(DecisionRecord.decided_ms)
    is_last = and_(DecisionRecord.finding_id == last.c.finding_id, DecisionRecord.number == last.c.number)
    query = (
        select(
            DecisionRecord.rule, ClassRecord.platform_id, week,
            _number_of(DecisionKind.UPHOLD), _number_of(DecisionKind.DISMISS),
        )
        .join(last, is_last)
        .join(ClassRecord, ClassRecord.class_id == DecisionRecord.class_id)
        .where(DecisionRecord.decided_ms >= since_ms)
        .group_by(DecisionRecord.rule, ClassRecord.platform_id, week)
    )  # fmt: skip
    if rules:
        query = query.where(DecisionRecord.rule.in_(rules))
    return [Decided(*row) for row in database.execute(query)]


def totals(database: Session) -> list[Total]:
    """Return the findings of each rule that was found or decided, and their last decisions, whenever made."""
    found = dict(database.execute(select(FindingRecord.rule, func.count()).group_by(FindingRecord.rule)).all())
    last = _last_decisions().subquery()
    is_last = and_(DecisionRecord.finding_id == last.c.finding_id, DecisionRecord.number == last.c.number)
    decided = (
        select(DecisionRecord.rule, _number_of(DecisionKind.UPHOLD), _number_of(DecisionKind.DISMISS))
        .join(last, is_last)
        .group_by(DecisionRecord.rule)
    )
    said = {rule: (upheld, dismissed) for rule, upheld, dismissed in database.execute(decided)}
    return [Total(rule, found.get(rule, 0), *said.get(rule, (0, 0))) for rule in sorted(found.keys() | said.keys())]


def platforms(database: Session) -> list[tuple[str, int, int]]:
    """Return each platform with its numbers of classes and of sessions."""
    classes = database.execute(select(ClassRecord.platform_id, func.count()).group_by(ClassRecord.platform_id))
    counted = select(SessionRecord.platform_id, func.count()).group_by(SessionRecord.platform_id)
    sessions = dict(database.execute(counted).all())
    return sorted((platform_id, number, sessions.get(platform_id, 0)) for platform_id, number in classes)


def dead_letters(database: Session, platform_id: str) -> list[tuple[str, str, int]]:
    """Return kind, state and number of what was refused to a platform."""
    query = (
        select(DeadLetterRecord.kind, DeadLetterRecord.state, func.count())
        .outerjoin(SessionRecord, SessionRecord.row_id == DeadLetterRecord.session_row)
        .where(or_(SessionRecord.platform_id == platform_id, DeadLetterRecord.platform_id == platform_id))
        .group_by(DeadLetterRecord.kind, DeadLetterRecord.state)
        .order_by(DeadLetterRecord.kind, DeadLetterRecord.state)
    )
    return list(database.execute(query))


def class_findings(database: Session, platform_id: str) -> list[FindingRecord]:
    """Return the findings about a platform's classes themselves, by class and rule."""
    query = (
        select(FindingRecord)
        .join(ClassRecord, ClassRecord.class_id == FindingRecord.class_id)
        .where(ClassRecord.platform_id == platform_id, FindingRecord.subject == Subject.CLASS)
        .order_by(FindingRecord.class_id, FindingRecord.rule)
    )
    return list(database.scalars(query))


def enrolments_of(database: Session, learner_id: str) -> list[tuple[EnrolmentRecord, ClassRecord]]:
    """Return the enrolments of a learner at any platform, each with its class."""
    query = (
        select(EnrolmentRecord, ClassRecord)
        .join(ClassRecord, ClassRecord.class_id == EnrolmentRecord.class_id)
        .where(EnrolmentRecord.learner_id == learner_id)
        .order_by(EnrolmentRecord.enrolment_id)
    )
    return list(database.execute(query))


def ledgers(database: Session, enrolment_ids: Collection[str]) -> list[ResultRecord]:
    """Return the rows of the ledgers of some enrolments."""
    query = select(ResultRecord).where(ResultRecord.kind == "ledger", ResultRecord.owner.in_(enrolment_ids))
    return list(database.scalars(query))


def cases_of(database: Session, enrolment_ids: Collection[str]) -> list[CaseRecord]:
    """Return the cases about some enrolments, the most urgent first."""
    query = select(CaseRecord).where(CaseRecord.enrolment_id.in_(enrolment_ids))
    return list(database.scalars(query.order_by(CaseRecord.priority, CaseRecord.case_id)))
