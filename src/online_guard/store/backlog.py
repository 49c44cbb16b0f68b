"""What waits and what was found, counted in the database: for metrics, readiness and the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import JSON, ColumnElement, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from online_guard.store.tables import DeadLetterRecord, FindingRecord, JobRecord, ResultRecord
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
    yield from _dead_letters(database)
    yield from _verdicts(database)


def _jobs(database: Session, now_ms: int) -> Iterator[Measure]:
    waiting = database.scalar(select(func.count()).select_from(JobRecord)) or 0
    lag_s = verification_lag_s(database, now_ms)
    yield Measure("verification_queue", "等待核验的作业 / Jobs that wait", waiting)
    yield Measure("verification_lag_seconds", "最早的作业已等待的秒数 / Seconds that the oldest is overdue", lag_s)


def verification_lag_s(database: Session, now_ms: int) -> float:
    """Return for how many seconds the oldest job has been due that no worker has taken."""
    is_free = JobRecord.leased_until_ms.is_(None) | (JobRecord.leased_until_ms < now_ms)
    oldest_ms = database.scalar(select(func.min(JobRecord.run_after_ms)).where(is_free))
    return 0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000


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
