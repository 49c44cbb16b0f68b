"""Dry runs of a changed law: what was asked for, how far it is, and what it would change. No verdict is kept here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from online_guard.store import queries
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.tables import Base, EnrolmentRecord, JobRecord, Key, SessionRecord

DUTY = "dry_run"
"""The duty of a job that judges again."""
WAITING, JUDGING, DONE, FAILED = STATES = ("waiting", "judging", "done", "failed")
"""No worker has begun; one is at it, or died at it and another follows; there is a result; it can't be judged."""


class DryRunRecord(Base):
    """A changed threshold, tried on what was studied in some days.

    Attributes:
        state: One of `STATES`.
        policy_key: Which value is another, such as `popup.max_gap_s`.
        value: The other value, as TOML has it.
        old_value: The one in force, as JSON.
        old_sha256: Of the law in force when it was asked for.
        new_sha256: Of the law with the other value.
        since_ms: Classes with sessions from then on are judged,
        until_ms: to then.
        classes: How many there are; null before they were counted.
        judged: How many of them are judged.
        told: JSON of the result, or of what went wrong; null before.
    """

    __tablename__ = "dry_run"

    dry_run_id: Mapped[str] = mapped_column(Key, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    asked_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    asked_by: Mapped[str] = mapped_column(Key)
    policy_key: Mapped[str] = mapped_column(String(128))
    value: Mapped[str] = mapped_column(Text)
    old_value: Mapped[str] = mapped_column(Text)
    old_sha256: Mapped[str] = mapped_column(String(64))
    new_sha256: Mapped[str] = mapped_column(String(64))
    since_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int] = mapped_column(BigInteger)
    classes: Mapped[int | None]
    judged: Mapped[int]
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)
    told: Mapped[str | None] = mapped_column(Text)


class DryRunPartRecord(Base):
    """What one law gives for a class of a dry run that isn't finished: one table of a judgement, in Arrow's stream."""

    __tablename__ = "dry_run_part"

    dry_run_id: Mapped[str] = mapped_column(ForeignKey("dry_run.dry_run_id"), primary_key=True)
    class_id: Mapped[str] = mapped_column(Key, primary_key=True)
    side: Mapped[str] = mapped_column(String(3), primary_key=True)
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


def judged_classes(database: Session, dry_run_id: str) -> frozenset[str]:
    """Return the classes of a dry run that are judged."""
    query = select(DryRunPartRecord.class_id).where(DryRunPartRecord.dry_run_id == dry_run_id).distinct()
    return frozenset(database.scalars(query))


def parts(database: Session, dry_run_id: str, side: str, name: str) -> Sequence[bytes]:
    """Return a table of one law, class by class."""
    query = select(DryRunPartRecord.body).order_by(DryRunPartRecord.class_id)
    named = (DryRunPartRecord.dry_run_id == dry_run_id, DryRunPartRecord.side == side, DryRunPartRecord.name == name)
    return database.scalars(query.where(*named)).all()


def drop_parts(database: Session, dry_run_id: str) -> None:
    """Forget what a finished dry run was compared by."""
    database.execute(delete(DryRunPartRecord).where(DryRunPartRecord.dry_run_id == dry_run_id))


def find(database: Session, dry_run_id: str) -> DryRunRecord:
    """Return a dry run.

    Raises:
        GuardError: There is none.
    """
    record = database.get(DryRunRecord, dry_run_id)
    if record is None:
        raise queries.not_found("试算 dry run", dry_run_id)
    return record


def newest(database: Session, most: int) -> Sequence[DryRunRecord]:
    """Return the newest dry runs, without their results."""
    query = select(DryRunRecord).order_by(DryRunRecord.asked_ms.desc(), DryRunRecord.dry_run_id).limit(most)
    return database.scalars(query.options(defer(DryRunRecord.told))).all()


def unfinished(database: Session) -> int:
    """Return how many dry runs wait or are being judged."""
    query = select(func.count()).where(DryRunRecord.state.in_((WAITING, JUDGING)))
    return database.scalar(query) or 0


def move(database: Session, dry_run_id: str, **values: Any) -> None:
    """Change a dry run that isn't finished; one that is stays as it is."""
    query = update(DryRunRecord).where(DryRunRecord.dry_run_id == dry_run_id, DryRunRecord.finished_ms.is_(None))
    database.execute(query.values(**values))


def is_parked(database: Session, dry_run_id: str) -> bool:
    """Return whether a dry run was given up until a person looks."""
    query = select(JobRecord.row_id).where(JobRecord.duty == DUTY, JobRecord.key == dry_run_id)
    return database.scalar(query.where(JobRecord.parked_ms.is_not(None))) is not None


def newest_session_ms(database: Session, now_ms: int) -> int:
    """Return when the newest session was opened, in ms; now where there is none."""
    query = select(func.max(SessionRecord.opened_received_ms)).where(SessionRecord.opened_received_ms <= now_ms)
    return database.scalar(query) or now_ms


def classes_between(database: Session, since_ms: int, until_ms: int) -> Sequence[str]:
    """Return the classes of which a session was opened between two moments, both in ms and included, in their order."""
    query = select(EnrolmentRecord.class_id).join(SessionRecord).distinct().order_by(EnrolmentRecord.class_id)
    return database.scalars(query.where(SessionRecord.opened_received_ms.between(since_ms, until_ms))).all()


def cases_among(database: Session, case_ids: Collection[str]) -> frozenset[str]:
    """Return which of some ids are of cases."""
    return frozenset(database.scalars(select(CaseRecord.case_id).where(CaseRecord.case_id.in_(case_ids))))
