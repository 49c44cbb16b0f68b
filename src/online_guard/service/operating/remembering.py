"""Lets the mark of the database grow while the service runs, so that an older copy is noticed (`store.marks`).

With it goes what must not stay in mind: faces of people whom another process erased.
"""

from __future__ import annotations

import logging
import threading
from typing import Self

from online_guard.service.house import House, clock_ms
from online_guard.service.operating.retention import forget_erased
from online_guard.store import marks

EVERY_S = 60.0
"""A copy of the database's files that is older than this is told from the one in use."""
log = logging.getLogger(__name__)


class Remembering:
    """A thread that lets the mark grow while its context lasts, and once more at its end.

    Args:
        house: Whose database.
        every_s: How often.
    """

    def __init__(self, house: House, every_s: float = EVERY_S) -> None:
        self._house = house
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remembering", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            is_last = self._stopping.wait(self._every_s)
            try:
                marks.advance(self._house.engine, self._house.settings.memory_file, clock_ms())
            except Exception:
                log.exception("the mark of the database could not be kept")
            try:
                forget_erased(self._house)
            except Exception:
                log.exception("whom another process erased could not be forgotten yet")
            if is_last:
                return
