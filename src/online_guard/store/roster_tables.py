"""The tables of rosters: what assessments are held with, plans for a window, and what was published.

Published rosters and statements of venues are append-only. The database itself refuses what must not be: see the guards
in the migration `2026_11_25_rosters_are_planned_and_published`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.decision_tables import WITHOUT_ROW_ID
from online_guard.store.sealed_text import SealedText
from online_guard.store.tables import Base, Key


class VenuesRecord(Base):
    """What a county holds its assessments with, as it was stated: the newest version counts.

    `body` is `Venues` as JSON; it names examiners, so it is sealed. `sha256` is of the JSON.
    """

    __tablename__ = "venues"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stated_ms: Mapped[int] = mapped_column(BigInteger)
    stated_by: Mapped[str] = mapped_column(Key)
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(SealedText("venues.body"))


class DraftRecord(Base):
    """A plan for a window that nobody has published yet, and what it was made from.

    Attributes:
        state: One of `roster_rows.STATES`.
        venues_version: By which it is planned.
        before_version: The published version of which as little as possible is changed; null for none.
        candidates: Who is to be placed, JSON of `Candidate`.
        pending: JSON of the classes that apply, but wait for their verification: theirs aren't in it.
        progress: JSON of what the planning said last; null before it began.
        plan: JSON of `Plan` once there is one.
        told: JSON of what blocks, or of what went wrong.
    """

    __tablename__ = "roster_draft"

    plan_id: Mapped[str] = mapped_column(Key, primary_key=True)
    window: Mapped[str] = mapped_column(String(7), index=True)
    state: Mapped[str] = mapped_column(String(16))
    seed: Mapped[int] = mapped_column(BigInteger)
    asked_ms: Mapped[int] = mapped_column(BigInteger)
    asked_by: Mapped[str] = mapped_column(Key)
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)
    venues_version: Mapped[int] = mapped_column(ForeignKey("venues.version"))
    before_version: Mapped[int | None]
    candidates: Mapped[str] = mapped_column(Text)
    pending: Mapped[str] = mapped_column(Text)
    progress: Mapped[str | None] = mapped_column(Text)
    plan: Mapped[str | None] = mapped_column(Text)
    told: Mapped[str | None] = mapped_column(Text)


class RosterRecord(Base):
    """A published version of a window's roster; `body` is `Roster` as JSON, `sha256` is of it. Never changed."""

    __tablename__ = "roster"
    __table_args__ = (
        CheckConstraint("length(trim(published_by)) > 0", name="ck_roster_published_by"),
        WITHOUT_ROW_ID,
    )

    window: Mapped[str] = mapped_column(String(7), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plan_id: Mapped[str] = mapped_column(ForeignKey("roster_draft.plan_id"), unique=True)
    venues_version: Mapped[int] = mapped_column(ForeignKey("venues.version"))
    published_ms: Mapped[int] = mapped_column(BigInteger)
    published_by: Mapped[str] = mapped_column(Key)
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
