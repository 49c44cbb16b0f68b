"""Delivers what waits for an endpoint: signed, tried again for 72 h, messages about one subject in order."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from standardwebhooks import Webhook

from online_guard.service.house import House, clock_ms
from online_guard.service.notifying.webhook_client import NotDeliveredError, post
from online_guard.service.notifying.webhooks import DELIVER, SECRET
from online_guard.store import jobs, outbox
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.webhook_tables import EndpointRecord, MessageRecord

FIRST_WAIT_MS, LONGEST_WAIT_MS = 5_000, 6 * 3_600_000
GROWTH = 4
"""Waits of 5 s, 20 s, 80 s … 6 h, each four times the one before."""
GIVE_UP_MS = 72 * 3_600_000
OVERLAP_MS = 24 * 3_600_000
"""After a rotation messages are signed with the old secret too, for so long."""
TURN_S = 10.0
"""An endpoint has the worker for so long, and then makes room for other work."""


def deliver(house: House, endpoint_id: str) -> None:
    """Deliver what is due for an endpoint; what failed, and what waits behind it, is asked for again later."""
    until = time.monotonic() + TURN_S
    while time.monotonic() < until and _deliver_next(house, endpoint_id):
        pass
    with writing(house.engine) as database:
        next_ms = outbox.next_try_ms(database, endpoint_id)
        if next_ms is not None:
            jobs.ask(database, DELIVER, endpoint_id, max(next_ms, clock_ms()))


def _deliver_next(house: House, endpoint_id: str) -> bool:
    """Try one message that is due; return whether it arrived, so that the next one may be tried at once."""
    with reading(house.engine) as database:
        message = outbox.next_due(database, endpoint_id, clock_ms())
        if message is None:
            return False
        endpoint = outbox.find_endpoint(database, endpoint_id)
    try:
        post(endpoint.url, message.body, _headers(house, endpoint, message), house.settings.webhook_networks)
    except NotDeliveredError as error:
        _keep(house, message, str(error))
        return False
    _keep(house, message, None)
    return True


def _headers(house: House, endpoint: EndpointRecord, message: MessageRecord) -> dict[str, str]:
    """Return the headers of Standard Webhooks; each try has its own time, and the message's id stays."""
    now = datetime.now(UTC)
    secrets = [endpoint.secret]
    if endpoint.previous_secret is not None and clock_ms() - (endpoint.rotated_ms or 0) < OVERLAP_MS:
        secrets.append(endpoint.previous_secret)
    signatures = [
        Webhook(house.vault.open(secret, SECRET)).sign(message.message_id, now, message.body) for secret in secrets
    ]
    return {
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _keep(house: House, tried: MessageRecord, error: str | None) -> None:
    """Note what came of a try: delivered, to be tried again, or parked."""
    now_ms = clock_ms()
    with writing(house.engine) as database:
        message = database.get_one(MessageRecord, tried.row_id)
        message.attempts += 1
        message.last_error = error
        if error is None:
            message.state, message.next_ms = outbox.DELIVERED, None
            return
        wait_ms = min(FIRST_WAIT_MS * GROWTH ** min(message.attempts - 1, 9), LONGEST_WAIT_MS)
        if now_ms + wait_ms - message.first_ms > GIVE_UP_MS:
            message.state, message.next_ms = outbox.PARKED, None
        else:
            message.next_ms = now_ms + wait_ms
