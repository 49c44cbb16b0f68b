"""Rosters: a plan is published as a version that never changes, told to platforms, and compared with what is now."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.planning import check
from online_guard.assessment.roster import Candidate, Plan, Roster, changes
from online_guard.assessment.venues import Venues
from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.policy import Policy
from online_guard.service import webhooks
from online_guard.service.candidacy import CHANGED, Candidacy
from online_guard.service.house import House
from online_guard.service.personal_names import names_of
from online_guard.service.roster_drafts import candidates_in
from online_guard.service.venues import must_be_stated
from online_guard.service.webhooks import Told
from online_guard.store import roster_rows
from online_guard.store.roster_tables import DraftRecord, RosterRecord, VenuesRecord
from online_guard.store.unit_of_work import reading, writing

VERSION_FIELDS = ("window", "version", "plan_id", "published_ms", "published_by", "sha256")


def publish(house: House, window: str, plan_id: str, published_by: str, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Publish a plan as the next version of its window's roster; return whether it is new, and the version.

    The same plan again is the version that it was published as.

    Raises:
        GuardError: No such plan, or it isn't finished; another version was published since it was asked for; who is
            eligible has changed since; or it doesn't hold by the venues as they are stated now.
    """
    with writing(house.engine) as database:
        draft = roster_rows.find_draft(database, window, plan_id)
        known = roster_rows.roster_of_plan(database, plan_id)
        if known is not None:
            return False, _version(known)
        candidates = candidates_in(draft)
        plan = _finished(draft)
        before = roster_rows.newest_roster(database, window)
        _refuse_overtaken(draft, before)
        _refuse_changed(Candidacy.of(database, window), candidates)
        stated = must_be_stated(database)
        _refuse_violations(plan, candidates, Venues.model_validate_json(stated.body))
        last = None if before is None else read(before)
        roster = _roster(house.policy, plan, candidates, stated, last, (published_by, now_ms))
        record = _record(roster, plan_id, stated)
        roster_rows.put_roster(database, record)
        webhooks.emit_all(database, "roster.published", _messages(roster, last, record.sha256))
    house.work.set()
    return True, _version(record)


def read(record: RosterRecord) -> Roster:
    """Return a stored roster."""
    return Roster.model_validate_json(record.body)


def _finished(draft: DraftRecord) -> Plan:
    if draft.state != roster_rows.PLANNED or draft.plan is None:
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.no_plan",
            f"该计划尚不能发布 / this plan can't be published: {draft.state}",
            where="/plan_id",
        )
    return Plan.model_validate_json(draft.plan)


def _refuse_overtaken(draft: DraftRecord, newest: RosterRecord | None) -> None:
    if draft.before_version != (None if newest is None else newest.version):
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.overtaken",
            "计划之后已发布另一版本 / another version was published since this plan was asked for",
            where="/plan_id",
            remedy="请重新编排 / plan again.",
        )


def _refuse_changed(now: Candidacy, candidates: Sequence[Candidate]) -> None:
    """Refuse to publish for others than the eligible: who that concerns is said."""
    waiting = sorted({one.class_id for one in candidates} & set(now.pending))
    faults = [Fault(class_id, "班次待核验 / the class waits for its verification") for class_id in waiting]
    for told in now.differences(candidates):
        why = "; ".join(f"{reason['zh']} / {reason['en']}" for reason in told["why"])
        faults.append(Fault(told["enrolment_id"], f"{told['what']}: {why}"))
    if faults:
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.outdated",
            f"编排之后可考人员已有变化 / who is eligible has changed since it was planned: {len(faults)}",
            remedy="请重新编排 / plan again.",
            faults=tuple(faults),
        )


def _refuse_violations(plan: Plan, candidates: Sequence[Candidate], venues: Venues) -> None:
    found = check(plan, candidates, venues)
    if found:
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.violations",
            f"按现有考点,计划有 {len(found)} 处不成立 / by the venues as they are now the plan doesn't hold",
            remedy="请重新编排 / plan again.",
            faults=tuple(Fault(one.where, f"{one.zh} / {one.en}") for one in found),
        )
