"""Plans of a window before anyone publishes one: asked for, made by a worker, and told with what they would change.

A draft keeps all that it is made from, so that a worker that dies is followed by another who makes the same plan.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from online_guard.assessment.planning import Progress, plan
from online_guard.assessment.roster import Candidate, Plan, Roster, changes
from online_guard.assessment.venues import Venues
from online_guard.assessment.windows import window_of
from online_guard.assessment.working_days import read_working_days
from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.evidence import civil_day
from online_guard.service.candidacy import Candidacy
from online_guard.service.house import House, clock_ms
from online_guard.service.venues import must_be_stated
from online_guard.store import jobs, roster_rows
from online_guard.store.roster_rows import BLOCKED, FAILED, PLANNED, PLANNING
from online_guard.store.roster_tables import DraftRecord, VenuesRecord
from online_guard.store.unit_of_work import reading, writing

TOLD_EVERY_S = 1.0
"""How far a planning is is written down no more often."""
PARKED = {
    "code": "plan.parked",
    "detail": "多次编排失败,等待运维人员处理 / planning failed again and again; an operator has to look",
}
LEFT_ALONE_MS = 600_000
"""So long workers leave a plan to the process that makes it by itself."""
CANDIDATES = TypeAdapter(tuple[Candidate, ...])
Tell = Callable[[Progress], object]


class _Wish(NamedTuple):
    """For which window a plan is wanted, by what seed, by whom and when (service clock)."""

    window: str
    seed: int
    asked_by: str
    now_ms: int


def ask(house: House, window: str, seed: int, asked_by: str, now_ms: int) -> dict[str, Any]:
    """Have a plan made of who is eligible now; return the draft, which a worker fills.

    Args:
        house: The service.
        window: Such as `2021-08`.
        seed: With which the same candidates and venues give the same plan.
        asked_by: Name of the account.
        now_ms: The service's clock.

    Raises:
        GuardError: No venues were stated, or nobody is eligible.
    """
    answer = _ask(house, _Wish(window, seed, asked_by, now_ms), clock_ms())
    house.work.set()
    return answer


def plan_here(house: House, window: str, seed: int, asked_by: str, now_ms: int, tell: Tell) -> dict[str, Any]:
    """Make a plan in this process and return the draft; should it die, a worker makes the same plan later.

    Args:
        house: The service.
        window: Such as `2021-08`.
        seed: With which the same candidates and venues give the same plan.
        asked_by: Name of the account.
        now_ms: The service's clock.
        tell: Told of each better plan.

    Raises:
        GuardError: No venues were stated, or nobody is eligible.
    """
    plan_id = _ask(house, _Wish(window, seed, asked_by, now_ms), clock_ms() + LEFT_ALONE_MS)["plan_id"]
    plan_once(house, plan_id, tell)
    with writing(house.engine) as database:
        job = jobs.held(database, roster_rows.DUTY, plan_id)
        if job is not None:
            jobs.finish(database, job)
    return told(house, window, plan_id)


def _ask(house: House, wish: _Wish, run_after_ms: int) -> dict[str, Any]:
    with writing(house.engine) as database:
        record = _draft(database, wish)
        database.add(record)
        database.flush()
        jobs.ask(database, roster_rows.DUTY, record.plan_id, run_after_ms)
        return _told(database, record)


def plan_once(house: House, plan_id: str, tell: Tell | None = None) -> None:
    """Make the plan of a draft, or keep what blocks; a draft that is finished stays as it is.

    Args:
        house: The service.
        plan_id: Of the draft.
        tell: Told of each better plan, if given.
    """
    with reading(house.engine) as database:
        record = database.get_one(DraftRecord, plan_id)
        if record.state != PLANNING:
            return
        venues = Venues.model_validate_json(database.get_one(VenuesRecord, record.venues_version).body)
        before = _before(database, record)
    keep = _kept_now_and_then(house, plan_id)

    def told(progress: Progress) -> None:
        keep(progress)
        if tell is not None:
            tell(progress)

    try:
        found = plan(
            placeable(record, before),
            venues,
            record.window,
            read_working_days(),
            candidates_per_examiner=house.policy.training_class.learners_per_teacher,
            seed=record.seed,
            before=None if before is None else before.plan,
            progress=told,
        )
    except GuardError as error:
        values = {"state": FAILED, "told": json.dumps(_problem(error), ensure_ascii=False)}
    else:
        is_plan = isinstance(found, Plan)
        values = {"state": PLANNED if is_plan else BLOCKED, "plan" if is_plan else "told": found.model_dump_json()}
    with writing(house.engine) as database:
        roster_rows.move_draft(database, plan_id, finished_ms=clock_ms(), **values)


def told(house: House, window: str, plan_id: str) -> dict[str, Any]:
    """Return a draft: its state, how far it is, the plan and what it would change, or what blocks.

    Raises:
        GuardError: No such plan.
    """
    with reading(house.engine) as database:
        return _told(database, roster_rows.find_draft(database, window, plan_id))


def candidates_in(record: DraftRecord) -> tuple[Candidate, ...]:
    """Return for whom a draft is made."""
    return CANDIDATES.validate_json(record.candidates)


def placeable(record: DraftRecord, before: Roster | None) -> Sequence[Candidate]:
    """Return the candidates of a draft, those who are new to a roster in force after the day on which it was asked for.

    In the middle of a window nobody can be given a day that is over.
    """
    candidates = candidates_in(record)
    today = date.fromisoformat(str(civil_day(np.array(record.asked_ms))))
    if before is None or window_of(today) != record.window:
        return candidates
    known = {one.enrolment_id for one in before.candidates}
    return [one if one.enrolment_id in known else _after(one, today) for one in candidates]


def _after(candidate: Candidate, today: date) -> Candidate:
    earliest = date.fromordinal(today.toordinal() + 1)
    return candidate.model_copy(update={"not_before": max(candidate.not_before, earliest)})


def _draft(database: Session, wish: _Wish) -> DraftRecord:
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


def _before(database: Session, record: DraftRecord) -> Roster | None:
    """Return the published version of which a draft is to change little."""
    if record.before_version is None:
        return None
    return Roster.model_validate_json(roster_rows.find_roster(database, record.window, record.before_version).body)


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


def _told(database: Session, record: DraftRecord) -> dict[str, Any]:
    names = ("plan_id", "window", "state", "seed", "asked_ms", "asked_by", "finished_ms", "venues_version")
    made = None if record.plan is None else Plan.model_validate_json(record.plan)
    before = _before(database, record)
    said = None if record.told is None else json.loads(record.told)
    parked = record.state == PLANNING and roster_rows.is_parked(database, record.plan_id)
    candidates = candidates_in(record)
    answer: dict[str, Any] = {name: getattr(record, name) for name in names}
    return answer | {
        "progress": None if record.progress is None else json.loads(record.progress),
        "problem": said if record.state == FAILED else PARKED if parked else None,
        "blocked": said if record.state == BLOCKED else None,
        "candidates": len(candidates),
        "unconfirmed": {one.enrolment_id: one.unconfirmed for one in candidates if one.unconfirmed},
        "pending": json.loads(record.pending),
        "plan": None if made is None else made.model_dump(mode="json"),
        "difference": {
            "version": record.before_version,
            "changes": [] if made is None or before is None else _changes(before.plan, made),
        },
    }


def _changes(before: Plan, after: Plan) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in changes(before, after)]
