"""The tables of review: what auditors decided, what was appealed, what was refused for good, and their cases.

Decisions, appeals and notices are append-only. The database itself refuses what must not be, whoever asks: see the
guards in the migration `2026_11_25_review_is_guarded_by_the_database`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, Key

FindingKey = String(40)
"""Rule and a digest of rule, subject and subject id: the same at each verification."""
WITHOUT_ROW_ID: dict[str, Any] = {"sqlite_with_rowid": False}
"""A row can't be replaced by naming its hidden row number: `INSERT OR REPLACE` wakes no guard against deletion."""


class LawRecord(Base):
    """A policy by which findings were judged or decided; once one asked for a second person, a notice needs two."""

    __tablename__ = "review_law"
    __table_args__ = (WITHOUT_ROW_ID,)

    policy_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    policy_id: Mapped[str] = mapped_column(String(128))
    policy_version: Mapped[str] = mapped_column(String(64))
    second_person: Mapped[bool]


class DecisionRecord(Base):
    """What one reviewer said of one finding: the `number`-th decision on it. Never changed."""

    __tablename__ = "review_decision"
    __table_args__ = (
        CheckConstraint("decision IN ('uphold', 'dismiss')", name="ck_review_decision_kind"),
        CheckConstraint("length(trim(reason)) > 0", name="ck_review_decision_reason"),
        CheckConstraint("length(trim(reviewer)) > 0", name="ck_review_decision_reviewer"),
        WITHOUT_ROW_ID,
    )

    finding_id: Mapped[str] = mapped_column(FindingKey, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rule: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(400))
    case_id: Mapped[str] = mapped_column(FindingKey, index=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), index=True)
    enrolment_id: Mapped[str | None] = mapped_column(ForeignKey("enrolment.enrolment_id"))
    decision: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    reviewer: Mapped[str] = mapped_column(Key)
    role: Mapped[str] = mapped_column(String(16))
    decided_ms: Mapped[int] = mapped_column(BigInteger)
    policy_sha256: Mapped[str] = mapped_column(ForeignKey("review_law.policy_sha256"))


class AppealRecord(Base):
    """An appeal against a finding that refuses: the `number`-th. It is open until a later decision takes effect.

    `decisions_before`: how many decisions the finding had; whoever made one of them can't decide the appeal.
    """

    __tablename__ = "review_appeal"
    __table_args__ = (
        CheckConstraint("length(trim(reason)) > 0", name="ck_review_appeal_reason"),
        CheckConstraint("appellant IN ('learner', 'platform')", name="ck_review_appeal_appellant"),
        WITHOUT_ROW_ID,
    )

    finding_id: Mapped[str] = mapped_column(FindingKey, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rule: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(400))
    case_id: Mapped[str] = mapped_column(FindingKey, index=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), index=True)
    appellant: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    opened_by: Mapped[str] = mapped_column(Key)
    opened_ms: Mapped[int] = mapped_column(BigInteger)
    decisions_before: Mapped[int]


class NoticeRecord(Base):
    """An adverse notice: a person refuses class hours of an enrolment for good. Without grounds there is none."""

    __tablename__ = "review_notice"
    __table_args__ = (
        CheckConstraint("length(trim(issued_by)) > 0", name="ck_review_notice_issued_by"),
        WITHOUT_ROW_ID,
    )

    notice_id: Mapped[str] = mapped_column(Key, primary_key=True)
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), index=True)
    issued_by: Mapped[str] = mapped_column(Key)
    issued_ms: Mapped[int] = mapped_column(BigInteger)
    policy_sha256: Mapped[str] = mapped_column(ForeignKey("review_law.policy_sha256"))


class GroundRecord(Base):
    """A finding that a notice rests on for a lesson, and the decision by which it was upheld with effect.

    Grounds are written before their notice, so that the notice can be refused where one is missing.
    """

    __tablename__ = "review_ground"
    __table_args__ = (
        ForeignKeyConstraint(
            ["finding_id", "decision_number"], ["review_decision.finding_id", "review_decision.number"]
        ),
        WITHOUT_ROW_ID,
    )

    notice_id: Mapped[str] = mapped_column(
        ForeignKey("review_notice.notice_id", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    lesson_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    finding_id: Mapped[str] = mapped_column(FindingKey, primary_key=True)
    decision_number: Mapped[int]
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"))
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"))


class CaseRecord(Base):
    """A session, lesson, enrolment or class with findings, as the queue shows it; follows from findings and decisions.

    Attributes:
        priority: 0 where a finding waits and nothing follows without an auditor, 1 where one refuses that nobody has
            upheld or that was appealed, 2 where nothing is left to decide.
        waiting_since_ms: Since when it has had its priority (service clock).
        class_hours: What is at stake: the class hours that its findings can refuse.
        due_ms: By when it should be decided, null without a deadline (service clock).
        urgent_ms: What orders cases of one priority, the least first; see `service.urgency`.
    """

    __tablename__ = "review_case"
    __table_args__ = (
        Index(None, "priority", "waiting_since_ms", "case_id"),
        Index(None, "priority", "urgent_ms", "case_id"),
        Index(None, "state", "priority", "waiting_since_ms", "case_id"),
        Index(None, "class_id", "priority", "waiting_since_ms", "case_id"),
        Index(None, "platform_id", "priority", "waiting_since_ms", "case_id"),
    )

    case_id: Mapped[str] = mapped_column(FindingKey, primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"))
    platform_id: Mapped[str] = mapped_column(Key)
    enrolment_id: Mapped[str | None] = mapped_column(ForeignKey("enrolment.enrolment_id"), index=True)
    subject: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(400))
    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int]
    verdict: Mapped[str | None] = mapped_column(String(16))
    waiting_since_ms: Mapped[int] = mapped_column(BigInteger)
    class_hours: Mapped[float] = mapped_column(default=0.0, server_default="0")
    due_ms: Mapped[int | None] = mapped_column(BigInteger)
    urgent_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
