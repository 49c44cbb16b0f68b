"""A server that is killed: what it acknowledged is there afterwards, and what it didn't may be sent again."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
from platform_client import NOON_MS, event, signed_client

from online_guard.demo.service import RunningService, running_service


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    with running_service(tmp_path, None, keep=False) as service, signed_client(service) as platform:
        session_id = platform.a_session()
        for batch in range(5):
            events = [event(seq, second=seq) for seq in range(batch * 20, batch * 20 + 20)]
            assert platform.post(session_id, events)["counts"] == {"accepted": 20}
        platform.post(session_id, [event(0, second=7)])
        unheard = begin_to_send(service, session_id, [event(100, second=100)])
        service.process.kill()
        service.process.wait()
        unheard.close()
    with running_service(tmp_path, None, keep=False) as service, signed_client(service) as again:
        later_ms = NOON_MS + 200_000
        repeated = again.post(session_id, [event(seq, second=seq) for seq in range(101)], now_ms=later_ms)
        statuses = [row["status"] for row in repeated["results"]]
        assert statuses == ["duplicate"] * 100 + ["accepted"]
        assert again.post(session_id, [event(0, second=7)], now_ms=later_ms)["counts"] == {"conflict": 1}
        again.told("POST", f"/v1/sessions/{session_id}/close", now_ms=later_ms)
        verdict = again.verified(f"/v1/sessions/{session_id}/verdict")
        assert verdict["playing_ms"] == 100_000
        conflict = next(row for row in verdict["findings"] if row["rule"] == "OG105")
        assert conflict["evidence"]["count"] == 1


def begin_to_send(service: RunningService, session_id: str, events: list[object]) -> socket.socket:
    """Send all of a batch but its last byte, so that the server can't acknowledge it."""
    body = json.dumps({"events": events}).encode()
    said = {"Online-Guard-Test-Client": service.token, "Online-Guard-Test-Now-Ms": str(NOON_MS)}
    request = httpx.Request("POST", f"{service.url}/v1/sessions/{session_id}/events", content=body, headers=said)
    signed = next(service.auth("hc-online").sync_auth_flow(request))
    lines = [f"POST {request.url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.headers.items())]
    connection = socket.create_connection((request.url.host, request.url.port or 80))
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[:-1])
    return connection
