"""Things that are dear to make and that one thread at a time may use."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Pool(Generic[Thing]):
    """Makes a thing when no free one is left, keeps it, and lends it to one thread after the other.

    Args:
        make: Makes one; what it raises goes to whoever wanted to borrow.
        most: How many are made at most; who comes when all are lent out waits.
    """

    def __init__(self, make: Callable[[], Thing], most: int) -> None:
        self._make = make
        self._free: queue.LifoQueue[Thing | None] = queue.LifoQueue()
        for _ in range(most):
            self._free.put(None)

    @contextmanager
    def borrow(self) -> Iterator[Thing]:
        """Lend a thing until the block ends."""
        thing = self._free.get()
        try:
            if thing is None:
                thing = self._make()
            yield thing
        finally:
            self._free.put(thing)
