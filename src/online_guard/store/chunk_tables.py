"""The table of events: one row holds a batch of one session, or a whole closed session, as columns."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, BigKey


class EventChunkRecord(Base):
    """Events of one session that count (SPEC 3.2), each `seq` in exactly one chunk; ranges of chunks may interleave.

    first_seq, last_seq: least and greatest number in it. received_ms: when the last of them was received. count: how
    many they are. columns: as `event_chunks` writes and reads them.
    """

    __tablename__ = "event_chunk"
    __table_args__ = (Index(None, "session_row", "first_seq", unique=True),)

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    session_row: Mapped[int] = mapped_column(ForeignKey("session.row_id"))
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    received_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    count: Mapped[int]
    columns: Mapped[bytes] = mapped_column(LargeBinary)
