"""Webhook endpoints, and messages that wait for them: the outbox."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from online_guard.store.webhook_tables import EndpointRecord, MessageRecord

WAITING, DELIVERED, PARKED = "waiting", "delivered", "parked"
"""States of a message; a parked one was given up, and is told again when an operator asks for it."""


def endpoints(database: Session, platform_id: str | None = None) -> list[EndpointRecord]:
    """Return the endpoints in use, of a platform or of all, oldest first."""
    query = select(EndpointRecord).where(EndpointRecord.removed_ms.is_(None))
    if platform_id is not None:
        query = query.where(EndpointRecord.platform_id == platform_id)
    return list(database.scalars(query.order_by(EndpointRecord.created_ms, EndpointRecord.endpoint_id)))


def put(database: Session, endpoint: EndpointRecord, kind: str, subject: str, body: str, now_ms: int) -> None:
    """Keep a message for an endpoint, due now."""
    database.add(
        MessageRecord(
            message_id=f"msg_{secrets.token_hex(16)}",
            endpoint_id=endpoint.endpoint_id,
            type=kind,
            subject=subject,
            body=body,
            created_ms=now_ms,
            first_ms=now_ms,
            next_ms=now_ms,
            attempts=0,
            state=WAITING,
        )
    )
    database.flush()
