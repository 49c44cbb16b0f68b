"""`Idempotency-Key` on every POST: the second time, the answer of the first."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from tempfile import SpooledTemporaryFile
from typing import IO

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from online_guard.api.callers import Caller
from online_guard.api.problems import told, unread
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House, clock_ms
from online_guard.service.receiving import repeated_requests
from online_guard.service.receiving.repeated_requests import KeptAnswer
from online_guard.store.answer_rows import Asked

HEADER = b"idempotency-key"
_KEY = re.compile(r"[!-~]{1,255}")
_BATCHES = re.compile(r"/v1/sessions/[^/]+/events")
IN_MEMORY = 1024 * 1024
PIECE = 64 * 1024
OK, MULTIPLE = 200, 300


class Idempotency:
    """Does a request with a key once; stands behind the authentication, as keys are each caller's own.

    The answer to a batch of events is kept with its events, in one transaction: `scope["state"]["asked"]` is for it.

    Args:
        app: Goes on with the request.
        house: The service.
    """

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer as before."""
        key = dict(scope["headers"]).get(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else None
        caller: Caller | None = scope.get("state", {}).get("caller")
        if key is None or caller is None:
            await self._app(scope, receive, send)
            return
        with SpooledTemporaryFile(IN_MEMORY) as body:
            try:
                asked = Asked(_name(caller), _checked(key), await _digest(scope, receive, body))
                if _BATCHES.fullmatch(scope["path"]):
                    scope["state"]["asked"] = asked
                    await self._app(scope, _again(body, receive), send)
                    return
                kept = await to_thread.run_sync(repeated_requests.begin, self._house, asked, clock_ms())
            except GuardError as error:
                await told(error)(scope, receive, send)
                return
            except HTTPException as error:
                await unread(error)(scope, receive, send)
                return
            if kept is not None:
                replayed = {"Idempotency-Replayed": "true"}
                await Response(kept.body, kept.status, replayed, kept.media_type)(scope, receive, send)
                return
            await self._once(asked, scope, _again(body, receive), send)

    async def _once(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request done, and keep its answer before it is sent."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        answer = None
        try:
            await self._app(scope, receive, hold)
            answer = _answer(messages)
        finally:
            if answer is None:
                await to_thread.run_sync(repeated_requests.abandon, self._house, asked)
            else:
                await to_thread.run_sync(repeated_requests.finish, self._house, asked, answer)
        for message in messages:
            await send(message)


def _name(caller: Caller) -> str:
    return f"platform {caller.platform_id}" if caller.platform_id is not None else f"person {caller.name}"


def _checked(key: bytes) -> str:
    text = key.decode("latin-1")
    if not _KEY.fullmatch(text):
        raise GuardError(
            ErrorKind.INVALID,
            "idempotency.bad_key",
            "须为 1–255 个可见 ASCII 字符 / it has 1 to 255 visible ASCII characters",
            where="Idempotency-Key",
            remedy="例如 UUID / such as a UUID.",
        )
    return text


async def _digest(scope: Scope, receive: Receive, body: IO[bytes]) -> str:
    """Return the digest of method, path, query and body, which is put into a file on its way."""
    digest = hashlib.sha256()
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    digest.update(b"\n".join((scope["method"].encode(), path, scope["query_string"], b"")))
    goes_on = True
    while goes_on:
        message = await receive()
        if message["type"] != "http.request":
            raise GuardError(ErrorKind.MALFORMED, "body.unreadable", "请求中断 / the request broke off")
        piece = message.get("body", b"")
        digest.update(piece)
        body.write(piece) if len(piece) < PIECE else await to_thread.run_sync(body.write, piece)
        goes_on = message.get("more_body", False)
    body.seek(0)
    return digest.hexdigest()


def _again(body: IO[bytes], receive: Receive) -> Receive:
    """Return a `receive` that gives a body from a file, and then what else comes."""
    ended = False

    async def read() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        piece = body.read(PIECE)
        ended = len(piece) < PIECE
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return read


def _answer(messages: list[Message]) -> KeptAnswer | None:
    """Return an answer that says that something was done."""
    start: Message = messages[0] if messages else {}
    if not OK <= start.get("status", 0) < MULTIPLE:
        return None
    headers: Mapping[bytes, bytes] = dict(start["headers"])
    media_type = headers.get(b"content-type", b"application/json").decode("latin-1")
    return KeptAnswer(start["status"], media_type, b"".join(message.get("body", b"") for message in messages[1:]))
