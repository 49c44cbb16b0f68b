"""Webhook endpoints, and messages that wait for them: the outbox."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.webhook_tables import EndpointRecord, MessageRecord

WAITING, DELIVERED, PARKED = "waiting", "delivered", "parked"
"""States of a message; a parked one was given up, and is told again when somebody asks for it."""


def endpoints(database: Session, platform_id: str | None = None) -> list[EndpointRecord]:
    """Return the endpoints in use, of a platform or of all, oldest first."""
    query = select(EndpointRecord).where(EndpointRecord.removed_ms.is_(None))
    if platform_id is not None:
        query = query.where(EndpointRecord.platform_id == platform_id)
    return list(database.scalars(query.order_by(EndpointRecord.created_ms, EndpointRecord.endpoint_id)))


def find_endpoint(database: Session, endpoint_id: str) -> EndpointRecord:
    """Return an endpoint in use.

    Raises:
        GuardError: There is none.
    """
    row = database.get(EndpointRecord, endpoint_id)
    if row is None or row.removed_ms is not None:
        raise GuardError(
            ErrorKind.NOT_FOUND, "not_found", f"找不到 / not found: 推送地址 webhook endpoint `{endpoint_id}`"
        )
    return row


def remove(database: Session, endpoint: EndpointRecord, now_ms: int) -> None:
    """Take an endpoint out of use; what waits for it is parked."""
    endpoint.removed_ms = now_ms
    database.execute(
        update(MessageRecord)
        .where(MessageRecord.endpoint_id == endpoint.endpoint_id, MessageRecord.state == WAITING)
        .values(state=PARKED, next_ms=None, last_error="the endpoint was removed")
    )


def put(
    database: Session, endpoint: EndpointRecord, kind: str, messages: Iterable[tuple[str, str]], now_ms: int
) -> None:
    """Keep messages (subject and body) for an endpoint, due now, in their order."""
    same = {
        "endpoint_id": endpoint.endpoint_id,
        "type": kind,
        "created_ms": now_ms,
        "first_ms": now_ms,
        "next_ms": now_ms,
        "attempts": 0,
        "state": WAITING,
    }
    rows = [
        same | {"message_id": f"msg_{secrets.token_hex(16)}", "subject": subject, "body": body}
        for subject, body in messages
    ]
    if rows:
        database.execute(insert(MessageRecord), rows)


def _first_of_their_subject(endpoint_id: str) -> ColumnElement[bool]:
    """Return the condition that a message waits, and for no earlier one about its subject."""
    earlier = aliased(MessageRecord)
    before = exists().where(
        earlier.endpoint_id == MessageRecord.endpoint_id,
        earlier.subject == MessageRecord.subject,
        earlier.state == WAITING,
        earlier.row_id < MessageRecord.row_id,
    )
    return (MessageRecord.endpoint_id == endpoint_id) & MessageRecord.next_ms.is_not(None) & ~before


def next_due(database: Session, endpoint_id: str, now_ms: int) -> MessageRecord | None:
    """Return the message of an endpoint that is due longest; one that waits for an earlier one isn't."""
    query = select(MessageRecord).where(_first_of_their_subject(endpoint_id), MessageRecord.next_ms <= now_ms)
    return database.scalar(query.order_by(MessageRecord.next_ms, MessageRecord.row_id).limit(1))


def next_try_ms(database: Session, endpoint_id: str) -> int | None:
    """Return when the next message of an endpoint is due, None when none waits."""
    return database.scalar(select(func.min(MessageRecord.next_ms)).where(_first_of_their_subject(endpoint_id)))


def messages(
    database: Session, platform_id: str | None, state: str | None, start: int, limit: int
) -> list[tuple[MessageRecord, EndpointRecord]]:
    """Return messages of a platform's endpoints, or of all, from a row on, oldest first."""
    query = select(MessageRecord, EndpointRecord).join(EndpointRecord).where(MessageRecord.row_id >= start)
    if platform_id is not None:
        query = query.where(EndpointRecord.platform_id == platform_id)
    if state is not None:
        query = query.where(MessageRecord.state == state)
    rows = database.execute(query.order_by(MessageRecord.row_id).limit(limit))
    return [(message, endpoint) for message, endpoint in rows]


def find_message(database: Session, message_id: str, platform_id: str | None) -> MessageRecord:
    """Return a message; another platform's is as if it weren't there.

    Raises:
        GuardError: There is none.
    """
    query = select(MessageRecord).join(EndpointRecord).where(MessageRecord.message_id == message_id)
    if platform_id is not None:
        query = query.where(EndpointRecord.platform_id == platform_id)
    row = database.scalar(query)
    if row is None:
        raise GuardError(ErrorKind.NOT_FOUND, "not_found", f"找不到 / not found: 推送消息 message `{message_id}`")
    return row
