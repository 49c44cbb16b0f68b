"""Around every request: its id, one line in the log, the numbers of `metrics`, and a problem where something broke."""

from __future__ import annotations

import itertools
import secrets
import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from online_guard import logs, metrics
from online_guard.api import problems
from online_guard.service.house import House

VERSION = "/v1"
HEADER = b"x-request-id"
UNKNOWN_ROUTE = "unknown"
NOBODY_LISTENED = 499
"""Status in log and metrics of a request whose caller hung up before it was answered."""
_METHODS = {"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"}
log = structlog.get_logger(__name__)


class Observed:
    """Counts, logs and names each request of an application.

    Args:
        app: The application inside.
        house: Once it is `closing`, every answer says that the connection ends with it.
    """

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house
        self._begin = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        request_id = f"{self._begin}-{next(self._numbers):x}"  # unique is enough; drawing each lets other threads run
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._headers(request_id)]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            status = NOBODY_LISTENED
        except Exception:
            log.exception("a request broke")
            if status:
                raise
            await problems.broken()(scope, receive, answer)
        finally:
            _record(scope, status or NOBODY_LISTENED, time.perf_counter() - began)

    def _headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        told = [(HEADER, request_id.encode())]
        return [*told, (b"connection", b"close")] if self._house.closing.is_set() else told


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.REQUESTS.labels(method, route, str(status)).inc()
    metrics.SECONDS.labels(route).observe(seconds)
    told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
    logs.say_request(__name__, told)


def _route(scope: Scope) -> str:
    """Return the path of the route with its parameters' names; FastAPI keeps it without the prefix of its router."""
    path: str = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
    is_versioned = scope["path"].startswith(f"{VERSION}/") and not path.startswith(f"{VERSION}/")
    return f"{VERSION}{path}" if is_versioned and path != UNKNOWN_ROUTE else path
