"""The history of dead letters."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.sealed_text import SealedText
from online_guard.store.tables import Base, BigKey

NOTHING_TOLD = "{}"
"""What a step tells once its letter was forgotten."""


class LetterStepRecord(Base):
    """Something an operator did with a dead letter: `repaired` or `replayed`; never changed.

    told: JSON, sealed: the content before a repair, or what became of a replay.
    """

    __tablename__ = "dead_letter_step"

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    letter_row: Mapped[int] = mapped_column(ForeignKey("dead_letter.row_id"), index=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(160))
    action: Mapped[str] = mapped_column(String(16))
    told: Mapped[str] = mapped_column(SealedText("dead_letter_step.told"))
