"""How much a caller may send: no body is read further than its limit, whatever its declared length."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from online_guard.ingest import archives
from online_guard.service.importing import uploads

MOST_BYTES = 4 * 1024 * 1024
"""Of an image (SPEC 8), and of everything but a clip."""
MOST_CLIP_BYTES = 32 * 1024 * 1024
"""Of a clip that answers a liveness challenge; frames as JSON are a third larger than their pictures."""
_MOST = {
    re.compile(r"/v1/liveness/[^/]+/frames"): MOST_CLIP_BYTES,
    re.compile(r"/v1/imports"): archives.MOST_BYTES,
    re.compile(r"/v1/imports/[^/]+"): uploads.MOST_PART_BYTES,
}
TOO_LARGE = 413


def most_bytes(path: str) -> int:
    """Return how many bytes a request to a path may have."""
    return next((most for pattern, most in _MOST.items() if pattern.fullmatch(path)), MOST_BYTES)


class LimitedBodies:
    """Stops reading a request's body behind `MOST_BYTES`, or what `_MOST` says where more is expected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        size = 0
        most = most_bytes(scope.get("path", ""))

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(TOO_LARGE)
            return message

        await self._app(scope, limited if scope["type"] == "http" else receive, send)
