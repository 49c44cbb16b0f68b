"""Who works on which case now, and the views of the queue that people keep.

Neither is evidence: an assignment ends by itself, and who decided is told by the decisions.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, Key


class AssignmentRecord(Base):
    """A case that a reviewer has taken, so that nobody else is offered it before `until_ms` (service clock)."""

    __tablename__ = "review_assignment"

    case_id: Mapped[str] = mapped_column(ForeignKey("review_case.case_id", ondelete="CASCADE"), primary_key=True)
    reviewer: Mapped[str] = mapped_column(Key, index=True)
    taken_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int] = mapped_column(BigInteger)


class SavedViewRecord(Base):
    """A view of the queue that a person keeps under a name: the query of its address."""

    __tablename__ = "review_saved_view"

    person: Mapped[str] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    query: Mapped[str] = mapped_column(String(600))
