"""What waits and what was found, counted in the database: for metrics, readiness and the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import JSON, ColumnElement, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from online_guard.store import outbox
from online_guard.store.queries import VERIFY
from online_guard.store.tables import DeadLetterRecord, FindingRecord, JobRecord, ResultRecord
from online_guard.store.webhook_tables import MessageRecord
from online_guard.terms import Subject


@dataclass(frozen=True)
class Measure:
    """One number of the whole service; labels never hold an id."""

    name: str
    meaning: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


def measures(database: Session, now_ms: int) -> Iterator[Measure]:
    """Yield how much waits and how long, dead letters, and what the last verifications said."""
    yield from _jobs(database, now_ms)
    yield from _webhooks(database, now_ms)
    yield from _dead_letters(database)
    yield from _verdicts(database)


def _jobs(database: Session, now_ms: int) -> Iterator[Measure]:
    parked = JobRecord.parked_ms.is_not(None)
    state = case((parked, "parked"), (_is_held(now_ms), "held"), else_="waiting")
    query = select(JobRecord.duty, state, func.count()).group_by(JobRecord.duty, state)
    counts = {(duty, kind): count for duty, kind, count in database.execute(query)}
    for (duty, kind), count in counts.items():
        yield Measure("jobs", "作业 / Jobs by duty and state", count, {"duty": duty, "state": kind})
    waiting = counts.get((VERIFY, "waiting"), 0)
    lag_s = waiting_s(database, now_ms, VERIFY)
    yield Measure("verification_queue", "等待核验的作业 / Verifications that wait", waiting)
    yield Measure("verification_lag_seconds", "最早的核验已等待的秒数 / Seconds that the oldest is overdue", lag_s)


def _is_held(now_ms: int) -> ColumnElement[bool]:
    return JobRecord.lease.is_not(None) & (JobRecord.leased_until_ms >= now_ms)


def waiting_s(database: Session, now_ms: int, duty: str | None = None) -> float:
    """Return for how many seconds the oldest job, of a duty or of all, has been due that no worker has taken."""
    query = select(func.min(JobRecord.run_after_ms)).where(JobRecord.parked_ms.is_(None), ~_is_held(now_ms))
    oldest_ms = database.scalar(query if duty is None else query.where(JobRecord.duty == duty))
    return 0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000


def parked_jobs(database: Session) -> int:
    """Return how many jobs failed again and again, and wait for a person."""
    return database.scalar(select(func.count()).where(JobRecord.parked_ms.is_not(None))) or 0


def _webhooks(database: Session, now_ms: int) -> Iterator[Measure]:
    query = select(func.count(), func.min(MessageRecord.created_ms)).where(MessageRecord.state == outbox.WAITING)
    waiting, oldest_ms = database.execute(query).one()
    lag_s = 0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000
    yield Measure("webhook_queue", "待送达的通知 / Webhooks that wait", waiting)
    yield Measure("webhook_lag_seconds", "最早的通知已等待的秒数 / Seconds that the oldest waits", lag_s)


def _dead_letters(database: Session) -> Iterator[Measure]:
    query = select(DeadLetterRecord.kind, func.count()).group_by(DeadLetterRecord.kind)
    for kind, count in database.execute(query):
        yield Measure("dead_letters", "死信 / Things refused and kept", count, {"kind": kind})


def _verdicts(database: Session) -> Iterator[Measure]:
    """Yield sessions by verdict, and findings about sessions by rule and the session's verdict."""
    verdict = _of_body(database, "verdict")
    is_session = ResultRecord.kind == "session"
    for name, count in database.execute(select(verdict, func.count()).where(is_session).group_by(verdict)):
        yield Measure("sessions", "已核验的会话 / Sessions by verdict", count, {"verdict": name})
    query = (
        select(FindingRecord.rule, verdict, func.count())
        .join(ResultRecord, (ResultRecord.owner == FindingRecord.subject_id) & is_session)
        .where(FindingRecord.subject == str(Subject.SESSION))
        .group_by(FindingRecord.rule, verdict)
    )
    for rule, name, count in database.execute(query):
        meaning = "会话疑点 / Findings about sessions by rule and verdict"
        yield Measure("findings", meaning, count, {"rule": rule, "verdict": name})


def _of_body(database: Session, name: str) -> ColumnElement[str]:
    """Return a text of a result's JSON as a column."""
    is_sqlite = database.get_bind().dialect.name == "sqlite"
    body = type_coerce(ResultRecord.body, JSON) if is_sqlite else cast(ResultRecord.body, JSON)
    column: ColumnElement[str] = body[name].as_string()
    return column
