"""Waiting, without a thread for each request, for batches that another thread settles."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.applications import Starlette

from online_guard.service.house import House
from online_guard.service.receiving import batches
from online_guard.service.receiving.intake import Answer, Batch


class Postbox:
    """Brings answers into an event loop: those of one commit wake it once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._answers: deque[tuple[asyncio.Future[Answer], Answer]] = deque()
        self._is_called = False

    def put(self, waiting: asyncio.Future[Answer], answer: Answer) -> None:
        """Bring an answer, from any thread; nobody waits for it any more when the loop has ended."""
        self._answers.append((waiting, answer))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_called = False
        while self._answers:
            waiting, answer = self._answers.popleft()
            if not waiting.done():  # it is when the caller went away
                waiting.set_result(answer)


async def settled(app: Starlette, house: House, batch: Batch) -> dict[str, Any]:
    """Return what became of a batch, when it is on disk.

    Raises:
        GuardError: It was refused, too many wait, or the database is unavailable.
    """
    loop = asyncio.get_running_loop()
    postbox: Postbox | None = getattr(app.state, "postbox", None)
    if postbox is None or postbox.loop is not loop:
        postbox = app.state.postbox = Postbox(loop)
    waiting: asyncio.Future[Answer] = loop.create_future()
    house.intake.submit(batch, partial(batches.settle, house), partial(postbox.put, waiting))
    answer = await waiting
    if isinstance(answer, Exception):
        raise answer
    return answer
