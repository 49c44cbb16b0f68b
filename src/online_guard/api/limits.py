"""How much a caller may send: no body is read further than its limit, whatever its declared length."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 4 * 1024 * 1024
"""Of an image (SPEC 8), and of everything but a clip."""
MOST_CLIP_BYTES = 32 * 1024 * 1024
"""Of a clip that answers a liveness challenge; frames as JSON are a third larger than their pictures."""
_OF_A_CLIP = re.compile(r"/v1/liveness/[^/]+/frames")
TOO_LARGE = 413


class LimitedBodies:
    """Stops reading a request's body behind `MOST_BYTES`, or `MOST_CLIP_BYTES` where a clip is expected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        size = 0
        most = MOST_CLIP_BYTES if _OF_A_CLIP.fullmatch(scope.get("path", "")) else MOST_BYTES

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(TOO_LARGE)
            return message

        await self._app(scope, limited if scope["type"] == "http" else receive, send)
