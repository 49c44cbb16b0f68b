"""The table of answers that are kept for requests that may come again."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base


class KeptAnswerRecord(Base):
    """A request with an `Idempotency-Key`, and the answer to it; `status` null while it is worked on.

    caller: who sent it. digest: of method, path and body. begun_ms: when work began. answer: sealed body.
    """

    __tablename__ = "kept_answer"

    caller: Mapped[str] = mapped_column(String(160), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    begun_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    status: Mapped[int | None]
    media_type: Mapped[str | None] = mapped_column(String(128))
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
