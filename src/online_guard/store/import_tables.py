"""The tables of imports: what was posted, what became of it row by row, and what only imports know."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.sealed_text import SealedBytes, SealedText
from online_guard.store.tables import Base, BigKey, Key


class ImportRecord(Base):
    """A body that a platform posted; `kept_bytes` of `size` are on disk, `sha256` names the whole.

    `read` of `total` events are read (total null where the file doesn't say). `counts` (JSON by table) is set when it
    is done, `problem` (JSON: code, detail, where) when it failed.
    """

    __tablename__ = "log_import"
    __table_args__ = (UniqueConstraint("platform_id", "sha256"),)

    import_id: Mapped[str] = mapped_column(Key, primary_key=True)
    platform_id: Mapped[str] = mapped_column(Key)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    kept_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    created_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)
    read: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    counts: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(SealedText("log_import.problem"))


class ImportPageRecord(Base):
    """Some rows of an import's report, deflated JSON; `kind` is `refused`, `duplicate` or `conflict`.

    Reasons may repeat what a platform sent, so the rows are sealed.
    """

    __tablename__ = "log_import_page"

    import_id: Mapped[str] = mapped_column(ForeignKey("log_import.import_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[bytes] = mapped_column(SealedBytes("log_import_page.rows"))


class ImportedEnrolmentRecord(Base):
    """An enrolment that an import named, and a keyed fingerprint of the learner's pseudonym in the platform's bundles.

    Until it `is_registered` by identity number, that fingerprint stands for the learner.
    """

    __tablename__ = "imported_enrolment"

    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(Key, index=True)
    is_registered: Mapped[bool]


class ProjectRecord(Base):
    """A learner's earlier project, as a platform says; `assessed_on` null where it wasn't assessed."""

    __tablename__ = "earlier_project"

    learner_id: Mapped[str] = mapped_column(Key, primary_key=True)
    class_id: Mapped[str] = mapped_column(Key, primary_key=True)
    ended_on: Mapped[str] = mapped_column(String(10))
    assessed_on: Mapped[str | None] = mapped_column(String(10))


class SurveyRecord(Base):
    """A survey of an institution, as a platform or an assessor says; equal rows are one.

    `asked` is how many were asked, null where a bundle brought it.
    """

    __tablename__ = "survey"
    __table_args__ = (UniqueConstraint("institution", "surveyed_on", "score"),)

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    institution: Mapped[str] = mapped_column(String(400))
    surveyed_on: Mapped[str] = mapped_column(String(10))
    score: Mapped[float]
    asked: Mapped[int | None]
