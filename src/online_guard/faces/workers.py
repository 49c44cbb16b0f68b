"""Keeps the processes that decode: lends each to one thread at a time, ends them, is safe across a fork."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from .borrowed import Pool
from .worker_process import WorkerProcess

Process = TypeVar("Process", bound=WorkerProcess)


class Workers(Generic[Process]):
    """The processes of one kind: at most `most`, ended with this one, left alone by whatever is forked off it.

    Attributes:
        made: All of them, also those that wait to be started again.
    """

    def __init__(self, make: Callable[[], Process], most: int) -> None:
        self.made: list[Process] = []
        self._make, self._most = make, most
        self._lent = Pool(self._new, most)
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._after_fork)

    def borrow(self) -> AbstractContextManager[Process]:
        """Lend a process until the block ends."""
        return self._lent.borrow()

    def close(self) -> None:
        """End them all; the next request starts one."""
        for process in self.made:
            process.close()

    def _new(self) -> Process:
        self.made.append(self._make())
        return self.made[-1]

    def _after_fork(self) -> None:
        for process in self.made:
            process.forget()
        self.made.clear()
        self._lent = Pool(self._new, self._most)  # what was lent out at the moment of the fork never comes back here
