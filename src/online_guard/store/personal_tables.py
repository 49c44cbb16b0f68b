"""The tables of persons' data keys and of those who were erased."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, BigKey, Key


class PersonKeyRecord(Base):
    """A person's data key, wrapped by the master key; without the row nothing sealed for the person opens."""

    __tablename__ = "person_key"

    learner_id: Mapped[str] = mapped_column(Key, primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    made_ms: Mapped[int] = mapped_column(BigInteger)


class ErasureRecord(Base):
    """An erasure that was ordered; a restored backup is brought up to date from these."""

    __tablename__ = "erasure"

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    learner_id: Mapped[str] = mapped_column(Key, index=True)
    erased_ms: Mapped[int] = mapped_column(BigInteger)
    ordered_by: Mapped[str] = mapped_column(Key)
    reason: Mapped[str] = mapped_column(Text)
