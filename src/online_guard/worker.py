"""Takes waiting jobs and has them done: one thread beside the service, or processes of their own on any host."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Self

from online_guard.errors import GuardError
from online_guard.service.assessing.roster_drafts import plan_once
from online_guard.service.house import House, clock_ms
from online_guard.service.importing.import_work import import_once
from online_guard.service.notifying.webhook_delivery import deliver
from online_guard.service.notifying.webhooks import DELIVER
from online_guard.service.operating import evidence_log
from online_guard.service.operating.retention import EXPIRE, ask_daily, expire_daily, forget_erased
from online_guard.service.reviewing.dry_runs import judge_once
from online_guard.service.verification import verify_class
from online_guard.store import dry_runs, import_rows, jobs, roster_rows
from online_guard.store.jobs import Job
from online_guard.store.queries import VERIFY
from online_guard.store.unit_of_work import writing

DUTIES: Mapping[str, Callable[[House, str], None]] = {
    VERIFY: verify_class,
    import_rows.DUTY: import_once,
    EXPIRE: expire_daily,
    DELIVER: deliver,
    roster_rows.DUTY: plan_once,
    dry_runs.DUTY: judge_once,
}
"""What does the jobs of each duty, given the job's key. It may be called again for what it has done already: a worker
can die after its work and before the job is noted as done."""
IDLE_S = 1.0
HOUSEKEEPING_S = 30.0
"""Between two jobs so often; the service itself drops erased faces every `remembering.EVERY_S`."""
RENEWALS = 3
"""A lease is renewed so often before it would run out."""
log = logging.getLogger(__name__)


def work_once(house: House) -> bool:
    """Do one waiting job; return whether there was one. A job that fails is pushed away and recorded, never lost."""
    with writing(house.engine) as database:
        job = jobs.take(database, list(DUTIES), clock_ms(), house.settings.job_lease_s * 1000)
    if job is None:
        return False
    try:
        with _held(house, job):
            DUTIES[job.duty](house, job.key)
    except Exception as error:
        log.exception("%s failed, attempt %d of %d", job.duty, job.attempts, jobs.MOST_ATTEMPTS)
        # no message of the error: it may quote what is stored
        reason = f"{type(error).__name__} {error.code}" if isinstance(error, GuardError) else type(error).__name__
        with writing(house.engine) as database:
            jobs.fail(database, job, reason, clock_ms())
    else:
        with writing(house.engine) as database:
            jobs.finish(database, job)
        log.info("%s done", job.duty)
    return True


@contextmanager
def _held(house: House, job: Job) -> Iterator[None]:
    """Renew the lease of a job, however long it takes."""
    done, lease_s = threading.Event(), house.settings.job_lease_s

    def renew() -> None:
        while not done.wait(lease_s / RENEWALS):
            try:
                with writing(house.engine) as database:
                    jobs.extend(database, job, clock_ms(), lease_s * 1000)
            except GuardError:
                log.warning("the lease of a job could not be renewed")  # it is tried again before it runs out

    renewing = threading.Thread(target=renew, name="lease", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        done.set()
        renewing.join()


def beside(house: House) -> AbstractContextManager[object]:
    """Return what does jobs beside a service: a thread, unless its settings leave that to other processes."""
    return Worker(house) if house.settings.in_process_worker else nullcontext()


class Worker:
    """A thread that does jobs while its context lasts.

    Args:
        house: Whose jobs.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopping = threading.Event()
        self._keep_house_s = 0.0
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the job at hand, and end."""
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """End after the job at hand."""
        self._stopping.set()
        self._house.work.set()

    def run(self) -> None:
        """Do jobs until told to stop."""
        while not self._stopping.is_set():
            self._house.work.clear()
            self._keep_house()
            if not self._work():
                self._house.work.wait(IDLE_S)

    def _keep_house(self) -> None:
        """Ask once a day for what has expired to be deleted, and forget faces that another process erased."""
        if time.monotonic() < self._keep_house_s:
            return
        self._keep_house_s = time.monotonic() + HOUSEKEEPING_S
        try:
            ask_daily(self._house)
            forget_erased(self._house)
        except Exception:
            log.exception("housekeeping failed, it is tried again")

    def _work(self) -> bool:
        try:
            evidence_log.keep_up(self._house)
            return work_once(self._house)
        except Exception:
            log.exception("a job could not be taken")
            self._stopping.wait(IDLE_S)
            return False
