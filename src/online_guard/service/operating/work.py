"""What work there is, and the jobs that wait for a person."""

from __future__ import annotations

from typing import Any

from online_guard.service.house import House
from online_guard.store import jobs
from online_guard.store.unit_of_work import reading, writing

MOST_LISTED = 1_000


def count_jobs(house: House, now_ms: int) -> dict[str, int]:
    """Return how many jobs wait, are held, and are parked."""
    with reading(house.engine) as database:
        found = jobs.standing(database, now_ms)
    return {"waiting": found.waiting, "held": found.held, "parked": found.parked}


def list_jobs(house: House, *, parked_only: bool = False) -> list[dict[str, Any]]:
    """Return the oldest 1 000 jobs that aren't done: state (`waiting`, `held` or `parked`), by whom, times in ms."""
    with reading(house.engine) as database:
        return [
            {
                "job_id": row.row_id,
                "duty": row.duty,
                "key": row.key,
                "state": "parked" if row.parked_ms is not None else "held" if row.lease else "waiting",
                "held_by": row.lease and row.lease.partition(" ")[0],
                "attempts": row.attempts,
                "asked_ms": row.asked_ms,
                "run_after_ms": row.run_after_ms,
                "last_error": row.last_error,
            }
            for row in jobs.listed(database, parked_only=parked_only, most=MOST_LISTED)
        ]


def replay_job(house: House, job_id: int, now_ms: int) -> dict[str, Any]:
    """Let a parked job be tried again from the first attempt on.

    Raises:
        GuardError: No job of that number is parked.
    """
    with writing(house.engine) as database:
        jobs.replay(database, job_id, now_ms)
    house.work.set()
    return {"job_id": job_id, "state": "waiting"}
