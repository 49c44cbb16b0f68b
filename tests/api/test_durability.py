"""A server that is killed: what it acknowledged is there afterwards, and what it didn't may be sent again."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
from platform_client import NOON_MS, Platform, event

from online_guard.demo.service import RunningService, running_service


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    with running_service(tmp_path, None, keep=False) as service, httpx.Client(trust_env=False, timeout=30) as http:
        http.base_url = httpx.URL(service.url)
        platform = Platform(http, service)
        session_id = platform.a_session()
        for batch in range(5):
            events = [event(seq, second=seq) for seq in range(batch * 20, batch * 20 + 20)]
            assert platform.post(session_id, events)["counts"] == {"accepted": 20}
        platform.post(session_id, [event(0, second=7)])
        unheard = begin_to_send(service, session_id, [event(100, second=100)])
        service.process.kill()
        service.process.wait()
        unheard.close()
    with running_service(tmp_path, None, keep=False) as service, httpx.Client(trust_env=False, timeout=30) as http:
        http.base_url = httpx.URL(service.url)
        again = Platform(http, service)
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
    host, port = service.url.removeprefix("http://").split(":")
    head = f"POST /v1/sessions/{session_id}/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    head += f"Online-Guard-Test-Client: {service.token}\r\nOnline-Guard-Test-Now-Ms: {NOON_MS}\r\n\r\n"
    connection = socket.create_connection((host, int(port)))
    connection.sendall(head.encode() + body[:-1])
    return connection
