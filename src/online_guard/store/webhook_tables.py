"""The tables of webhooks: where to, and what waits to be told."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, BigKey, Key


class EndpointRecord(Base):
    """An address of a platform that is told of events. Removed ones keep their row.

    Secrets are sealed; the one before `rotated_ms` signs beside the new one for a day.
    """

    __tablename__ = "webhook_endpoint"

    endpoint_id: Mapped[str] = mapped_column(Key, primary_key=True)
    platform_id: Mapped[str] = mapped_column(Key, index=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    rotated_ms: Mapped[int | None] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    removed_ms: Mapped[int | None] = mapped_column(BigInteger)


class MessageRecord(Base):
    """A message to an endpoint; `next_ms` is when it is tried (again), null once delivered or parked."""

    __tablename__ = "webhook_message"
    __table_args__ = (Index(None, "endpoint_id", "next_ms"), Index(None, "endpoint_id", "subject"))

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    message_id: Mapped[str] = mapped_column(String(64), index=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.endpoint_id"))
    type: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(400))
    body: Mapped[str] = mapped_column(Text)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    first_ms: Mapped[int] = mapped_column(BigInteger)
    next_ms: Mapped[int | None] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))
    last_error: Mapped[str | None] = mapped_column(Text)
