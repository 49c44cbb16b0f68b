"""Webhooks in the Standard Webhooks format: told in the caller's transaction, delivered later, at least once."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from online_guard.service.house import House, clock_ms
from online_guard.service.notifying.webhook_client import check_url
from online_guard.store import jobs, outbox
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.webhook_tables import EndpointRecord, MessageRecord

TYPES = ("session.verified", "finding.decided", "roster.published")
DELIVER = "deliver"
"""Duty of the worker: what waits for an endpoint."""
SECRET = "webhook secret"  # noqa: S105 - what the vault seals it for
SECRET_BYTES = 32


class Told(NamedTuple):
    """What a platform is told: about what, as `platform_id/session_id`, and JSON values without a person's data."""

    platform_id: str
    subject: str
    data: Mapping[str, Any]


def emit(database: Session, type: str, platform_id: str, subject: str, data: Mapping[str, Any]) -> None:  # noqa: A002
    """Tell the endpoints of a platform that something happened, in the caller's transaction.

    Args:
        database: Open for writing.
        type: One of `TYPES`.
        platform_id: Whose endpoints.
        subject: What it is about, as `platform_id/session_id`; messages about one subject are delivered in order.
        data: JSON values without a person's data.
    """
    emit_all(database, type, [Told(platform_id, subject, data)])


def emit_all(database: Session, type: str, messages: Sequence[Told]) -> None:  # noqa: A002
    """Tell platforms of several things of one type, in the caller's transaction and by few statements."""
    assert type in TYPES
    now_ms = clock_ms()
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    for platform_id in sorted({message.platform_id for message in messages}):
        own = [message for message in messages if message.platform_id == platform_id]
        for endpoint in outbox.endpoints(database, platform_id):
            bodies = (
                (one.subject, json.dumps({"type": type, "timestamp": moment, "data": one.data}, ensure_ascii=False))
                for one in own
            )
            outbox.put(database, endpoint, type, bodies, now_ms)
            jobs.ask(database, DELIVER, endpoint.endpoint_id, now_ms)


def add(house: House, platform_id: str, url: str) -> dict[str, Any]:
    """Let a platform be told at an address; return the endpoint with its secret, which is shown this once.

    Raises:
        GuardError: The URL can't be an endpoint.
    """
    check_url(url, house.settings.webhook_networks)
    secret = secrets.token_bytes(SECRET_BYTES)
    endpoint = EndpointRecord(
        endpoint_id=f"ep_{secrets.token_hex(8)}",
        platform_id=platform_id,
        url=url,
        secret=house.vault.seal(secret, SECRET),
        created_ms=clock_ms(),
    )
    with writing(house.engine) as database:
        database.add(endpoint)
    return _told(endpoint) | {"secret": _shown(secret)}


def rotate(house: House, endpoint_id: str) -> dict[str, Any]:
    """Give an endpoint a new secret and return it; the one before signs beside it for a day.

    Raises:
        GuardError: No such endpoint.
    """
    secret = secrets.token_bytes(SECRET_BYTES)
    with writing(house.engine) as database:
        endpoint = outbox.find_endpoint(database, endpoint_id)
        endpoint.previous_secret, endpoint.rotated_ms = endpoint.secret, clock_ms()
        endpoint.secret = house.vault.seal(secret, SECRET)
    return _told(endpoint) | {"secret": _shown(secret)}


def remove(house: House, endpoint_id: str) -> None:
    """Tell an address nothing more; what waits for it is parked.

    Raises:
        GuardError: No such endpoint.
    """
    with writing(house.engine) as database:
        outbox.remove(database, outbox.find_endpoint(database, endpoint_id), clock_ms())


def listed(house: House, platform_id: str | None = None) -> list[dict[str, Any]]:
    """Return the endpoints of a platform, or all."""
    with reading(house.engine) as database:
        return [_told(endpoint) for endpoint in outbox.endpoints(database, platform_id)]


def messages(house: House, platform_id: str | None, state: str | None, start: int, limit: int) -> dict[str, Any]:
    """Return a page of messages, oldest first; `next` is the cursor of the next page, None at the end."""
    with reading(house.engine) as database:
        found = outbox.messages(database, platform_id, state, start, limit)
    after = found[-1][0].row_id + 1 if len(found) == limit else None
    return {"messages": [_told_message(message, endpoint) for message, endpoint in found], "next": after}


def replay(house: House, message_id: str, platform_id: str | None = None) -> dict[str, Any]:
    """Deliver a message again under its id, whatever came of it before, with 72 h of tries anew.

    Raises:
        GuardError: No such message, or its endpoint was removed.
    """
    now_ms = clock_ms()
    with writing(house.engine) as database:
        message = outbox.find_message(database, message_id, platform_id)
        endpoint = outbox.find_endpoint(database, message.endpoint_id)
        message.state, message.first_ms, message.next_ms, message.attempts = outbox.WAITING, now_ms, now_ms, 0
        jobs.ask(database, DELIVER, endpoint.endpoint_id, now_ms)
    house.work.set()
    return _told_message(message, endpoint)


def _shown(secret: bytes) -> str:
    return f"whsec_{b64encode(secret).decode()}"


def _told(endpoint: EndpointRecord) -> dict[str, Any]:
    names = ("endpoint_id", "platform_id", "url", "created_ms", "rotated_ms")
    return {name: getattr(endpoint, name) for name in names}


def _told_message(message: MessageRecord, endpoint: EndpointRecord) -> dict[str, Any]:
    names = ("message_id", "type", "subject", "state", "attempts", "created_ms", "next_ms", "last_error")
    told = {"endpoint_id": endpoint.endpoint_id, "platform_id": endpoint.platform_id}
    return told | {name: getattr(message, name) for name in names}
