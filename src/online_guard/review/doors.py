"""Around the pages: what a browser may do with them, and problems as pages; whoever isn't signed in is asked to.

Who asks for HTML gets a problem as a page; a script or program gets the problem itself.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from online_guard.review.pages import ROOT, page, shell_of

UNAUTHENTICATED = 401
SEE_OTHER = 303
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Nothing runs, and nothing is shown, that isn't a file of this service."""


class Doors:
    """Stands before an application: pages get their headers, and a problem in place of a page becomes one.

    Args:
        app: Answers pages under `ROOT`, and problems as JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what isn't about a page stays as it is."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{ROOT}/"):
            await self._app(scope, receive, send)
            return
        for_people = "text/html" in Headers(scope=scope).get("accept", "")
        problem: list[bytes] = []
        start: Message = {}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers.update(HEADERS)
                start.update(message)
                if not (for_people and _is_problem(message)):
                    await send(message)
            elif not (for_people and _is_problem(start)):
                await send(message)
            else:
                problem.append(message.get("body", b""))
                if not message.get("more_body", False):
                    await _told(Request(scope), int(start["status"]), b"".join(problem))(scope, receive, _with(start))

        def _with(start: Message) -> Send:
            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    headers = MutableHeaders(scope=message)
                    kept = Headers(raw=start["headers"])
                    headers.update({k: v for k, v in kept.items() if k not in {"content-type", "content-length"}})
                await send(message)

            return sent

        await self._app(scope, receive, answer)


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("application/problem+json")


def _told(request: Request, status: int, body: bytes) -> Response:
    """Return the page of a problem; whoever isn't signed in is sent to where one does, and comes back afterwards."""
    shell = shell_of(request)
    if status == UNAUTHENTICATED:
        return RedirectResponse(f"{ROOT}/sign-in?{urlencode({'next': shell.path})}", SEE_OTHER)
    return page(shell, "problem.html", status, problem=json.loads(body))
