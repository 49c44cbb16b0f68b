"""Plans of a window before anyone publishes one: asked for, made by a worker, and told with what they would change.

A draft keeps all that it is made from, so that a worker that dies is followed by another who makes the same plan.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from online_guard.assessment.planning import Blocked, Progress, plan
from online_guard.assessment.rest_of_window import plan_rest
from online_guard.assessment.roster import Candidate, Plan, Roster
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import read_working_days
from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.evidence import day_of
from online_guard.service.assessing.candidacy import Candidacy
from online_guard.service.assessing.drafts_told import (
    CANDIDATES,
    candidates_in,
    refuse_closed,
    roster_before,
    told,
    told_draft,
)
from online_guard.service.assessing.venues import must_be_stated
from online_guard.service.house import House, clock_ms
from online_guard.store import jobs, roster_rows
from online_guard.store.roster_rows import BLOCKED, FAILED, PLANNED, PLANNING
from online_guard.store.roster_tables import DraftRecord
from online_guard.store.unit_of_work import reading, writing

TOLD_EVERY_S = 1.0
"""How far a planning is is written down no more often."""
LEFT_ALONE_MS = 600_000
"""So long workers leave a plan to the process that makes it by itself."""
Tell = Callable[[Progress], object]


class Wish(NamedTuple):
    """For which window a plan is wanted.

    Attributes:
        window: Such as `2021-08`.
        seed: With which the same candidates and venues give the same plan.
        asked_by: Name of the account.
        now_ms: The service's clock.
    """

    window: str
    seed: int
    asked_by: str
    now_ms: int


def ask(house: House, wish: Wish) -> dict[str, Any]:
    """Have a plan made of who is eligible now; return the draft, which a worker fills.

    Raises:
        GuardError: No venues were stated, nobody is eligible, or the window has results already.
    """
    answer = _ask(house, wish, clock_ms())
    house.work.set()
    return answer


def plan_here(house: House, wish: Wish, tell: Tell) -> dict[str, Any]:
    """Make a plan in this process and return the draft; should it die, a worker makes the same plan later.

    Args:
        house: The service.
        wish: For which window.
        tell: Told of each better plan.

    Raises:
        GuardError: No venues were stated, nobody is eligible, or the window has results already.
    """
    plan_id = _ask(house, wish, clock_ms() + LEFT_ALONE_MS)["plan_id"]
    plan_once(house, plan_id, tell)
    with writing(house.engine) as database:
        job = jobs.held(database, roster_rows.DUTY, plan_id)
        if job is not None:
            jobs.finish(database, job)
    return told(house, wish.window, plan_id)


def _ask(house: House, wish: Wish, run_after_ms: int) -> dict[str, Any]:
    with writing(house.engine) as database:
        record = _draft(database, wish)
        database.add(record)
        database.flush()
        jobs.ask(database, roster_rows.DUTY, record.plan_id, run_after_ms)
        return told_draft(database, record)


def plan_once(house: House, plan_id: str, tell: Tell = bool) -> None:
    """Make the plan of a draft, or keep what blocks; a draft that is finished stays as it is.

    Args:
        house: The service.
        plan_id: Of the draft.
        tell: Told of each better plan.
    """
    with reading(house.engine) as database:
        record = database.get_one(DraftRecord, plan_id)
        if record.state != PLANNING:
            return
        venues = roster_rows.venues_of(database, record.venues_version)
        before = roster_before(database, record)
    keep = _kept_now_and_then(house, plan_id)

    def both(progress: Progress) -> None:
        keep(progress)
        tell(progress)

    values = _made(house, record, venues, before, both)
    with writing(house.engine) as database:
        roster_rows.move_draft(database, plan_id, finished_ms=clock_ms(), **values)


def _made(
    house: House, record: DraftRecord, venues: Venues, before: Roster | None, progress: Callable[[Progress], None]
) -> dict[str, str]:
    """Return the state that planning a draft leads to, with the plan, what blocks, or what went wrong."""

    def planned(candidates: Sequence[Candidate], where: Venues, changed: Plan | None) -> Plan | Blocked:
        return plan(
            candidates,
            where,
            record.window,
            read_working_days(),
            candidates_per_examiner=house.policy.training_class.learners_per_teacher,
            seed=record.seed,
            before=changed,
            progress=progress,
        )

    in_force = None if before is None else before.plan
    try:
        found = plan_rest(candidates_in(record), venues, in_force, day_of(record.asked_ms), planned)
    except GuardError as error:
        return {"state": FAILED, "told": json.dumps(_problem(error), ensure_ascii=False)}
    if isinstance(found, Plan):
        return {"state": PLANNED, "plan": found.model_dump_json()}
    return {"state": BLOCKED, "told": found.model_dump_json()}


def _draft(database: Session, wish: Wish) -> DraftRecord:
    refuse_closed(database, wish.window)
    stated = must_be_stated(database)
    newest = roster_rows.newest_roster(database, wish.window)
    now = Candidacy.of(database, wish.window)
    if not now.candidates:
        raise GuardError(
            ErrorKind.CONFLICT,
            "plan.nobody",
            "本批次尚无可考人员 / nobody is eligible for this window",
            remedy="见 candidates 所列原因 / see the reasons at …/candidates.",
            faults=tuple(Fault(one, "班次待核验 / the class waits for its verification") for one in now.pending),
        )
    return DraftRecord(
        plan_id=f"plan-{secrets.token_hex(12)}",
        window=wish.window,
        state=PLANNING,
        seed=wish.seed,
        asked_ms=wish.now_ms,
        asked_by=wish.asked_by,
        venues_version=stated.version,
        before_version=None if newest is None else newest.version,
        candidates=CANDIDATES.dump_json(tuple(now.candidates[who] for who in sorted(now.candidates))).decode(),
        pending=json.dumps(now.pending),
    )


def _kept_now_and_then(house: House, plan_id: str) -> Tell:
    """Return what writes down how far a planning is."""
    last_s = -TOLD_EVERY_S

    def keep(progress: Progress) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= TOLD_EVERY_S:
            last_s = time.monotonic()
            said = json.dumps({"objective": progress.objective, "bound": progress.bound})
            with writing(house.engine) as database:
                roster_rows.move_draft(database, plan_id, progress=said)

    return keep


def _problem(error: GuardError) -> dict[str, Any]:
    return {"code": error.code, "detail": " ".join(filter(None, (error.message, error.remedy))), "where": error.where}
