"""What a machine caller's request costs before it is acted upon: read, verified, counted, its signature remembered.

Printed in CPU time of one core, beside the general library's verification and the same application without callers.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import Depends, FastAPI, Request
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver, algorithms

from online_guard.api.authentication import Authentication
from online_guard.api.callers import TheCaller, admit, callers
from online_guard.service.admitting.platform_keys import NewSecret, create_key
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.signatures import Message, SignedRequests, read_signature
from online_guard.terms import Role

BODY = b'{"events": [' + b",".join([b'{"seq": 1, "type": "heartbeat", "at_ms": 1623124800000}' * 4] * 12) + b"]}"
URL = "http://service/v1/sessions/s-1/events"
ROUNDS = 7


def least_us(work: Callable[[], object], times: int) -> float:
    """Return the least CPU time of some work in µs, over several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - began) / times * 1e6)
    return min(rounds)


def signed_requests(key: NewSecret, number: int) -> list[httpx.Request]:
    """Return requests that are signed, each good once."""
    auth = SignedRequests(key.key_id, key.secret)
    return [next(auth.sync_auth_flow(httpx.Request("POST", URL, content=BODY))) for _ in range(number)]


def alone(key: NewSecret) -> None:
    """Print what the verification alone takes, ours and the library's."""
    request = signed_requests(key, 1)[0]
    headers = dict(request.headers)
    secret = key.secret.encode()
    message = Message("POST", request.url.path, "", headers)
    resolver = MappingKeyResolver(public_keys={key.key_id: secret}, private_keys={})
    library = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=resolver)

    class Theirs:
        method, url = "POST", URL

    Theirs.headers = headers  # type: ignore[attr-defined]
    ours = least_us(lambda: read_signature(message).is_made_with(secret), 3_000)
    theirs = least_us(lambda: library.verify(Theirs, max_age=timedelta(days=1)), 100)
    digest = least_us(lambda: hashlib.sha256(BODY).digest(), 3_000)
    print(
        f"verify a signature: {ours:.1f} µs; the general library: {theirs:.0f} µs ({theirs / ours:.0f} times as long)"
    )
    print(f"digest of a body of {len(BODY)} bytes: {digest:.1f} µs")


async def served_us(app: FastAPI, requests: list[httpx.Request]) -> float:
    """Return the CPU time of a request to an application in this process, in µs."""

    async def nothing(_message: Any) -> None:
        """Take the answer."""

    began = time.process_time()
    for request in requests:
        body = [{"type": "http.request", "body": request.content, "more_body": False}]

        async def receive(body: list[dict[str, Any]] = body) -> dict[str, Any]:
            return body.pop() if body else {"type": "http.disconnect"}

        raw = [(name.lower(), value) for name, value in request.headers.raw]
        path = request.url.path
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
        await app({**scope, "headers": raw, "scheme": "http", "http_version": "1.1"}, receive, nothing)
    return (time.process_time() - began) / len(requests) * 1e6


def an_app(house: Any, is_guarded: bool) -> FastAPI:
    """Return an application of one route that does nothing."""
    app = FastAPI(dependencies=[Depends(admit)] if is_guarded else [])
    declared = callers(Role.PLATFORM, keeps_signature=True)
    if is_guarded:
        app.add_middleware(Authentication, house=house)

        @app.post("/v1/sessions/{session_id}/events", openapi_extra=declared)
        async def guarded(session_id: str, request: Request, caller: TheCaller) -> dict[str, str]:
            await request.body()
            return {"session_id": session_id, "platform_id": caller.platform_id or ""}
    else:

        @app.post("/v1/sessions/{session_id}/events")
        async def open_to_anyone(session_id: str, request: Request) -> dict[str, str]:
            await request.body()
            return {"session_id": session_id, "platform_id": ""}

    return app


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    number = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        house = open_house(Settings(data_dir=Path(folder), requests_per_key="100000000/minute"))
        key = create_key(house, "hc-online")
        alone(key)
        plain, guarded = an_app(house, is_guarded=False), an_app(house, is_guarded=True)
        pairs = [
            (
                asyncio.run(served_us(plain, signed_requests(key, number))),
                asyncio.run(served_us(guarded, signed_requests(key, number))),
            )
            for _ in range(ROUNDS)
        ]
        without, with_callers = min(one for one, _ in pairs), min(other for _, other in pairs)
        print(f"a request in the application: {without:.0f} µs without callers, {with_callers:.0f} µs with them")
        print(f"so a machine caller costs {with_callers - without:.0f} µs a request, digest and replay check included")
        house.engine.dispose()


if __name__ == "__main__":
    main()
