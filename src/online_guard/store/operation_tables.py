"""Tables about the database as a whole: how far it has come, and who accepted that an old one was started."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, BigKey

ONLY_ROW = 1


class MarkRecord(Base):
    """One row: a number that only grows, and the name that this database got when it was made."""

    __tablename__ = "mark"

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    database_id: Mapped[str] = mapped_column(String(32))
    mark: Mapped[int] = mapped_column(BigInteger)
    marked_ms: Mapped[int] = mapped_column(BigInteger)


class RollbackRecord(Base):
    """An operator's word that the database is an older one and shall be used all the same."""

    __tablename__ = "rollback"

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    acknowledged_ms: Mapped[int] = mapped_column(BigInteger)
    found_mark: Mapped[int] = mapped_column(BigInteger)
    remembered_mark: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
