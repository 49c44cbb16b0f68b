"""Look-ups and changes of kept answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.orm import Session

from online_guard.store.answer_tables import KeptAnswerRecord


class Asked(NamedTuple):
    """A request that may come again: who sent it, its `Idempotency-Key`, and a digest of method, path and body."""

    caller: str
    key: str
    digest: str


def kept(database: Session, asked: Collection[Asked]) -> dict[tuple[str, str], KeptAnswerRecord]:
    """Return what is known of requests, by caller and key."""
    if not asked:
        return {}
    name = tuple_(KeptAnswerRecord.caller, KeptAnswerRecord.key)
    query = select(KeptAnswerRecord).where(name.in_([(one.caller, one.key) for one in asked]))
    return {(record.caller, record.key): record for record in database.scalars(query)}


def put(database: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Keep new answers."""
    if rows:
        database.execute(insert(KeptAnswerRecord), rows)


def forget(database: Session, asked: Asked) -> None:
    """Drop what is known of a request."""
    own = (KeptAnswerRecord.caller == asked.caller, KeptAnswerRecord.key == asked.key)
    database.execute(delete(KeptAnswerRecord).where(*own))


def forget_before(database: Session, moment_ms: int) -> None:
    """Drop what was asked before a moment."""
    database.execute(delete(KeptAnswerRecord).where(KeptAnswerRecord.begun_ms < moment_ms))
