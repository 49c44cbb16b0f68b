"""Group commit: all batches that wait are settled in one transaction, and answered once it is committed."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from online_guard import metrics
from online_guard.errors import ErrorKind, GuardError
from online_guard.store.account_rows import UsedNonce
from online_guard.store.answer_rows import Asked

MOST_WAITING = 2_000
"""Batches that wait; a further one is told to come again. Two seconds of work on one core."""
MOST_AT_ONCE = 256
IDLE_S = 2.0
QUIET_S, GATHER_S = 0.001, 0.02
"""Where several came together the last time, the next are waited for: until for so long none came, at most so long.

A commit costs as much for one batch as for fifty, and who was just answered sends the next.
"""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it came.

    platform_id: None where the session id alone says which session is meant. used: the signature of the request, which
    is kept with what it brought. asked: set when the answer is to be kept for the same request again.
    first_received_ms: of a dead letter that is replayed, when it came: by that it is in time, or isn't.
    """

    session_id: str
    platform_id: str | None
    body: bytes
    now_ms: int
    used: UsedNonce | None = None
    asked: Asked | None = None
    first_received_ms: int | None = None


Answer = dict[str, Any] | Exception
Settle = Callable[[Sequence[Batch]], list[Answer]]
Waiting = tuple[Batch, Callable[[Answer], None], float]
"""A batch, what takes its answer, and when it came."""


class Intake:
    """A bounded queue of batches, and a thread that settles them while there are any."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._more = threading.Condition()
        self._runs = False
        self._last = 1

    def __len__(self) -> int:
        """Return the number of batches that wait."""
        return len(self._waiting)

    def submit(self, batch: Batch, settle: Settle, answer: Callable[[Answer], None]) -> None:
        """Have a batch settled; `answer` is called in another thread once what became of it is on disk.

        Raises:
            GuardError: Too many wait already.
        """
        with self._more:
            if len(self._waiting) >= MOST_WAITING:
                raise GuardError(
                    ErrorKind.UNAVAILABLE,
                    "intake.full",
                    "排队的事件批次过多 / too many batches wait",
                    remedy="未收,请稍后重发 / nothing was kept; send it again shortly.",
                )
            self._waiting.append((batch, answer, time.perf_counter()))
            if self._runs:
                if len(self._waiting) == 1:
                    self._more.notify()
            else:
                self._runs = True
                threading.Thread(target=self._run, args=(settle,), name="intake", daemon=True).start()

    def settled(self, batch: Batch, settle: Settle) -> dict[str, Any]:
        """Return what became of a batch, when it is on disk.

        Raises:
            GuardError: It was refused.
        """
        answered: Future[Answer] = Future()
        self.submit(batch, settle, answered.set_result)
        answer = answered.result()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _run(self, settle: Settle) -> None:
        while group := self._next():
            answers = _answers([batch for batch, _, _ in group], settle)
            metrics.COMMIT_SECONDS.observe(time.perf_counter() - group[0][2])
            for (_, answer, _), told in zip(group, answers, strict=True):
                answer(told)

    def _next(self) -> list[Waiting]:
        """Return what waits; nothing when nothing came for a while, and then the thread ends."""
        with self._more:
            self._more.wait_for(lambda: len(self._waiting) > 0, IDLE_S)
        if self._last > 1:
            self._gather()
        with self._more:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            self._last = len(group)
            self._runs = bool(group)
            return group

    def _gather(self) -> None:
        """Wait for more, without holding up those who bring it."""
        until, known = time.monotonic() + GATHER_S, 0
        while known < len(self._waiting) < MOST_AT_ONCE and time.monotonic() < until:
            known = len(self._waiting)
            time.sleep(QUIET_S)


def _answers(batches: Sequence[Batch], settle: Settle) -> list[Answer]:
    """Return the answers to batches; when they can't be kept together each is settled alone, to tell which is at fault.

    Their senders are told of the error, and the next group is settled.
    """
    try:
        return settle(batches)
    except GuardError as error:
        return [error] * len(batches)
    except Exception as error:
        log.exception("batches could not be settled together")
        return [error] if len(batches) == 1 else [_answers([batch], settle)[0] for batch in batches]
