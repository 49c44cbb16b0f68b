"""Requests with an `Idempotency-Key`: however often one comes, it has one effect and one answer.

Answers that say that something was done are kept; after a refusal nothing was done, and the same key may be used again.
A process that dies at work leaves its request in flight for `LEASE_MS`; then it may be done anew, which the ids inside
requests make harmless. Source: SPEC 8, and the IETF's draft on the header.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.store import answer_rows
from online_guard.store.answer_rows import Asked
from online_guard.store.answer_tables import KeptAnswerRecord
from online_guard.store.unit_of_work import writing
from online_guard.store.vault import Vault

LEASE_MS = 2 * 60_000
KEPT_MS = 48 * 3_600_000
"""Answers are kept for two days."""
PURPOSE = "kept answer"


@dataclass(frozen=True)
class KeptAnswer:
    """The answer that a request got."""

    status: int
    media_type: str
    body: bytes


def begin(house: House, asked: Asked, now_ms: int) -> KeptAnswer | None:
    """Return the answer that a request got before; None when it is to be done now.

    Raises:
        GuardError: The key was used for another request, or this one is being worked on.
    """
    with writing(house.engine) as database:
        record = known(database, [asked], now_ms).get((asked.caller, asked.key))
        if record is None:
            row = {"status": None, "media_type": None, "answer": None, "begun_ms": now_ms}
            answer_rows.put(database, [asked._asdict() | row])
            return None
        refuse_other(record.digest, asked)
        if record.status is not None:
            return opened(house.vault, record)
        if record.begun_ms + LEASE_MS > now_ms:
            raise GuardError(
                ErrorKind.CONFLICT,
                "idempotency.in_flight",
                "同一请求正在处理 / the same request is being worked on",
                where="Idempotency-Key",
                remedy="请稍后重试 / try again shortly.",
                retry_after_s=1,
            )
        record.begun_ms = now_ms
        return None


def known(database: Session, asked: Collection[Asked], now_ms: int) -> dict[tuple[str, str], KeptAnswerRecord]:
    """Return what is kept of requests, by caller and key; what is too old is dropped."""
    if asked:
        answer_rows.forget_before(database, now_ms - KEPT_MS)
    return answer_rows.kept(database, asked)


def refuse_other(digest: str, asked: Asked) -> None:
    """Refuse a key that stands for another request.

    Raises:
        GuardError: It does.
    """
    if digest != asked.digest:
        raise GuardError(
            ErrorKind.INVALID,
            "idempotency.other_request",
            "该 Idempotency-Key 已用于另一请求 / the key was used for another request",
            where="Idempotency-Key",
            remedy="请换用新的键 / use a new key.",
        )


def opened(vault: Vault, record: KeptAnswerRecord) -> KeptAnswer:
    """Return a kept answer."""
    return KeptAnswer(record.status or 0, record.media_type or "", vault.open(record.answer or b"", PURPOSE))


def finish(house: House, asked: Asked, answer: KeptAnswer) -> None:
    """Keep the answer to a request."""
    with writing(house.engine) as database:
        record = answer_rows.kept(database, [asked]).get((asked.caller, asked.key))
        if record is not None:
            record.status, record.media_type = answer.status, answer.media_type
            record.answer = house.vault.seal(answer.body, PURPOSE)


def abandon(house: House, asked: Asked) -> None:
    """Forget a request that had no effect."""
    with writing(house.engine) as database:
        answer_rows.forget(database, asked)


def kept_with_batch(vault: Vault, asked: Asked, answer: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """Return the row that keeps the answer to a batch of events; it is written with the events."""
    sealed = vault.seal(msgspec.json.encode(answer), PURPOSE)
    row = {"status": 200, "media_type": "application/json", "answer": sealed, "begun_ms": now_ms}
    return asked._asdict() | row
