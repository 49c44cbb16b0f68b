"""The tables of the evidence log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, BigKey


class LogEntryRecord(Base):
    """An entry: `leaf` is public, all else stays in the house.

    `subject` and `payload` are what the leaf's keyed hashes stand for. `position` in the tree and `leaf_hash` are given
    by the sequencer.
    """

    __tablename__ = "log_entry"
    __table_args__ = (Index(None, "subject", "kind"),)

    entry_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(400))
    leaf: Mapped[str] = mapped_column(Text)
    payload: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    leaf_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)


class LogTileRecord(Base):
    """Up to 256 hashes of the tree, one after the other (see `merkle`)."""

    __tablename__ = "log_tile"

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class LogHeadRecord(Base):
    """A signed head of the tree; `body` is what was signed, canonical JSON."""

    __tablename__ = "log_head"

    number: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(String(128))


class LogStateRecord(Base):
    """One row: locked by whoever gives places in the tree. `secret` keys the names of subjects in leaves."""

    __tablename__ = "log_state"

    row_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
