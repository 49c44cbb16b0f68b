"""Takes waiting jobs and has them done; one thread beside the service, or a process of its own."""

from __future__ import annotations

import logging
import threading
from typing import Self

from online_guard.service import evidence_log
from online_guard.service.house import House
from online_guard.service.verification import work_once

IDLE_S = 1.0
log = logging.getLogger(__name__)


class Worker:
    """A thread that does jobs while its context lasts.

    Args:
        house: Whose jobs.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verification", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the job at hand, and end."""
        self._stopping.set()
        self._house.work.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._house.work.clear()
            if not self._work():
                self._house.work.wait(IDLE_S)

    def _work(self) -> bool:
        try:
            evidence_log.keep_up(self._house)
            return work_once(self._house)
        except Exception:
            log.exception("a job could not be taken")
            self._stopping.wait(IDLE_S)
            return False
