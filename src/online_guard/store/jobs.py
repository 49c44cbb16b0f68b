"""Work that is to be done once, by whichever worker takes it: asked for in the transaction that makes it necessary.

There is one row for each duty and key, so that no two workers do the same thing at once. Asking again while it waits
changes nothing; asking while it is being done lets it wait once more afterwards. A worker holds a job by a lease that
it renews; when it dies the lease runs out and another takes over, and what the first still wants to write is refused.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.tables import JobRecord

MOST_ATTEMPTS = 8
"""Of a job that fails again and again; with the waits between them some ten minutes. Then it is parked for a person."""
BACK_OFF_MS = 5_000
"""Wait after the first failure; each further one doubles it."""


@dataclass(frozen=True)
class Job:
    """A job at one moment. asked: how often it was asked for; lease: of the worker that holds it, if one does."""

    row_id: int
    duty: str
    key: str
    asked: int
    attempts: int
    lease: str | None


@dataclass(frozen=True)
class Standing:
    """How much work there is: jobs that wait, are being done, and are parked; when the oldest was asked for, in ms."""

    waiting: int
    held: int
    parked: int
    oldest_ms: int | None


def ask(database: Session, duty: str, key: str, now_ms: int) -> None:
    """Ask for a job, in the caller's transaction; one that was parked gets new attempts.

    Args:
        database: Open for writing.
        duty: What is to be done, a key of `worker.DUTIES`.
        key: With what: a class, an import, a message.
        now_ms: From when on, in ms; of several wishes the earliest counts.
    """
    parked = JobRecord.parked_ms.is_not(None)
    first_since_taken = JobRecord.lease.is_not(None) & (JobRecord.asked == JobRecord.taken)
    counts = or_(parked, first_since_taken, JobRecord.run_after_ms > now_ms)
    known = database.execute(
        update(JobRecord)
        .where(JobRecord.duty == duty, JobRecord.key == key)
        .values(
            asked=JobRecord.asked + 1,
            run_after_ms=case((counts, now_ms), else_=JobRecord.run_after_ms),
            attempts=case((parked, 0), else_=JobRecord.attempts),
            parked_ms=None,
        )
        .returning(JobRecord.row_id)
        .execution_options(synchronize_session=False)
    ).scalar()
    if known is None:
        row = {"duty": duty, "key": key, "asked_ms": now_ms, "run_after_ms": now_ms}
        database.execute(insert(JobRecord).values(**row, asked=1, taken=0, attempts=0))


def take(database: Session, duties: Sequence[str], now_ms: int, lease_ms: int) -> Job | None:
    """Return the job of some duties that is due longest, held from now on; None when there is none.

    One whose worker died again and again is parked on the way: it may be what kills them.
    """
    due = (
        select(JobRecord)
        .where(JobRecord.duty.in_(duties), JobRecord.parked_ms.is_(None), JobRecord.run_after_ms <= now_ms)
        .where(or_(JobRecord.lease.is_(None), JobRecord.leased_until_ms < now_ms))
        .order_by(JobRecord.run_after_ms, JobRecord.row_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while (record := database.scalar(due)) is not None:
        if record.attempts >= MOST_ATTEMPTS:
            record.lease, record.parked_ms, record.last_error = None, now_ms, "its worker died each time"
            database.flush()
            continue
        record.lease, record.leased_until_ms = _new_lease(), now_ms + lease_ms
        record.taken, record.attempts = record.asked, record.attempts + 1
        return _job(record)
    return None


def _new_lease() -> str:
    """Return a name that no other lease has; it tells a person which process holds the job."""
    return f"{os.getpid()}@{socket.gethostname()[:32]} {secrets.token_hex(4)}"


def held(database: Session, duty: str, key: str) -> Job | None:
    """Return how a job stands now; None when nothing is to be done."""
    record = database.scalar(select(JobRecord).where(JobRecord.duty == duty, JobRecord.key == key))
    return None if record is None else _job(record)


def _job(record: JobRecord) -> Job:
    return Job(record.row_id, record.duty, record.key, record.asked, record.attempts, record.lease)


def _still(job: Job) -> ColumnElement[bool]:
    return (JobRecord.row_id == job.row_id) & JobRecord.lease.is_not_distinct_from(job.lease)


def extend(database: Session, job: Job, now_ms: int, lease_ms: int) -> bool:
    """Hold a job longer; return whether it was still held."""
    return _changed(database, job, leased_until_ms=now_ms + lease_ms)


def finish(database: Session, job: Job) -> bool:
    """Note that a job is done as it was asked for at `job`; return False when somebody else has taken it meanwhile.

    When it was asked for since, it waits again. In the transaction that keeps what a job gave, False must undo it.
    """
    done = delete(JobRecord).where(_still(job), JobRecord.asked == job.asked).returning(JobRecord.row_id)
    if database.execute(done.execution_options(synchronize_session=False)).scalar() is not None:
        return True
    return _changed(database, job, lease=None, leased_until_ms=None, attempts=0, last_error=None)


def fail(database: Session, job: Job, reason: str, now_ms: int) -> None:
    """Push a job that failed away, or park it after `MOST_ATTEMPTS`; one that somebody else has taken is left alone."""
    wait_ms = BACK_OFF_MS * 2 ** (job.attempts - 1)
    parked_ms = now_ms if job.attempts >= MOST_ATTEMPTS else None
    values = {"lease": None, "leased_until_ms": None, "last_error": reason, "parked_ms": parked_ms}
    _changed(database, job, run_after_ms=now_ms + wait_ms, **values)


def _changed(database: Session, job: Job, **values: object) -> bool:
    change = update(JobRecord).where(_still(job)).values(**values).returning(JobRecord.row_id)
    return database.execute(change.execution_options(synchronize_session=False)).scalar() is not None


def replay(database: Session, row_id: int, now_ms: int) -> None:
    """Let a parked job be tried again from the first attempt on.

    Raises:
        GuardError: No job of that number is parked.
    """
    record = database.get(JobRecord, row_id)
    if record is None or record.parked_ms is None:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "job.not_parked",
            f"没有编号为 {row_id} 的搁置任务 / no job {row_id} is parked",
            remedy="`online-guard worker --list` 可列出 / lists them.",
        )
    record.parked_ms, record.attempts, record.run_after_ms = None, 0, now_ms


def listed(database: Session, *, parked_only: bool = False, most: int | None = None) -> list[JobRecord]:
    """Return all jobs, or those that are parked, in the order in which they were first asked for."""
    query = select(JobRecord).order_by(JobRecord.row_id).limit(most)
    return list(database.scalars(query.where(JobRecord.parked_ms.is_not(None)) if parked_only else query))


def standing(database: Session, now_ms: int) -> Standing:
    """Return how much work there is now; a lease that ran out holds nothing."""
    parked = JobRecord.parked_ms.is_not(None)
    is_held = JobRecord.lease.is_not(None) & (JobRecord.leased_until_ms >= now_ms)
    kind = case((parked, "parked"), (is_held, "held"), else_="waiting")
    query = select(kind, func.count(), func.min(JobRecord.asked_ms)).group_by(kind)
    rows = {name: (count, oldest_ms) for name, count, oldest_ms in database.execute(query)}
    counts = {name: rows.get(name, (0, None))[0] for name in ("waiting", "held", "parked")}
    oldest = [oldest_ms for name, (_, oldest_ms) in rows.items() if name != "parked"]
    return Standing(**counts, oldest_ms=min(oldest, default=None))
