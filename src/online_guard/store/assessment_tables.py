"""The tables of candidates: what assessors confirmed or denied, and when each candidate's row changed last.

Confirmations are append-only. The database itself refuses what must not be: see the guards in the migration
`2026_11_25_applications_name_their_papers`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.decision_tables import WITHOUT_ROW_ID
from online_guard.store.tables import Base, Key


class ConfirmationRecord(Base):
    """What an assessor said of a test that lacked data: the `number`-th word about a class. Never changed.

    `enrolment_id` is null where it is about every learner of the class.
    """

    __tablename__ = "confirmation"
    __table_args__ = (
        CheckConstraint("answer IN ('confirm', 'deny')", name="ck_confirmation_answer"),
        CheckConstraint("length(trim(reason)) > 0", name="ck_confirmation_reason"),
        CheckConstraint("length(trim(reviewer)) > 0", name="ck_confirmation_reviewer"),
        WITHOUT_ROW_ID,
    )

    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    enrolment_id: Mapped[str | None] = mapped_column(ForeignKey("enrolment.enrolment_id"))
    code: Mapped[str] = mapped_column(String(8))
    answer: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    reviewer: Mapped[str] = mapped_column(Key)
    role: Mapped[str] = mapped_column(String(16))
    said_ms: Mapped[int] = mapped_column(BigInteger)


class CandidateRecord(Base):
    """When the row of an enrolment in a window changed last, told by a digest of the row and what was confirmed.

    `updated_ms` only grows, and those of one transaction are greater than all before: a reader that goes by it misses
    nothing (`CandidateClockRecord`).
    """

    __tablename__ = "candidate"
    __table_args__ = (Index(None, "window", "updated_ms", "enrolment_id"),)

    window: Mapped[str] = mapped_column(String(7), primary_key=True)
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), index=True)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class CandidateClockRecord(Base):
    """The one row that is locked to change candidates, with the newest `updated_ms`."""

    __tablename__ = "candidate_clock"

    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_ms: Mapped[int] = mapped_column(BigInteger)
