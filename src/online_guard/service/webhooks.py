"""Webhooks in the Standard Webhooks format: told in the caller's transaction, delivered later, at least once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from online_guard.service.house import clock_ms
from online_guard.store import outbox

TYPES = ("session.verified", "finding.decided", "roster.published")


def emit(database: Session, type: str, platform_id: str, subject: str, data: Mapping[str, Any]) -> None:  # noqa: A002
    """Tell the endpoints of a platform that something happened, in the caller's transaction.

    Args:
        database: Open for writing.
        type: One of `TYPES`.
        platform_id: Whose endpoints.
        subject: What it is about, as `platform_id/session_id`; messages about one subject are delivered in order.
        data: JSON values without a person's data.
    """
    assert type in TYPES
    now_ms = clock_ms()
    for endpoint in outbox.endpoints(database, platform_id):
        told = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
        body = json.dumps({"type": type, "timestamp": told, "data": data}, ensure_ascii=False)
        outbox.put(database, endpoint, type, subject, body, now_ms)
