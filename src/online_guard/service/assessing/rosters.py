"""Rosters: a plan is published as a version that never changes, and told to those who have candidates in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from online_guard.assessment.planning import check
from online_guard.assessment.roster import Candidate, Plan, Roster, published
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import read_working_days
from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.policy import Policy
from online_guard.service.assessing.candidacy import Candidacy
from online_guard.service.assessing.drafts_told import candidates_in, refuse_closed
from online_guard.service.assessing.venues import must_be_stated
from online_guard.service.house import House
from online_guard.service.notifying import webhooks
from online_guard.service.notifying.webhooks import Told
from online_guard.store import roster_rows
from online_guard.store.roster_tables import DraftRecord, RosterRecord
from online_guard.store.unit_of_work import reading, writing

VERSION = ("window", "version", "plan_id", "published_ms", "published_by", "sha256")
"""What is told of a version without its content."""


def publish(house: House, window: str, plan_id: str, published_by: str, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Publish a plan as the next version of its window's roster; return whether it is new, and the version.

    The same plan again is the version that it was published as.

    Args:
        house: The service.
        window: Such as `2021-08`.
        plan_id: Of a finished plan.
        published_by: Name of the account.
        now_ms: The service's clock.

    Raises:
        GuardError: No such plan, or it isn't finished; the window has results already; another version was published
            since the plan was asked for; who is eligible has changed since; or it doesn't hold by the venues as they
            are stated now.
    """
    with writing(house.engine) as database:
        draft = roster_rows.find_draft(database, window, plan_id)
        known = roster_rows.roster_of_plan(database, plan_id)
        if known is not None:
            return False, _version(known)
        refuse_closed(database, window)
        plan, now = _finished(draft), Candidacy.of(database, window)
        newest = roster_rows.newest_roster(database, window)
        _refuse_overtaken(draft, newest)
        _refuse_changed(now, candidates_in(draft))
        candidates = tuple(now.candidates[who] for who in sorted(now.candidates))
        stated = must_be_stated(database)
        venues = Venues.model_validate_json(stated.body)
        _refuse_violations(plan, candidates, venues, house.policy)
        before = None if newest is None else roster_rows.roster_of(newest)
        roster = published(before, plan, candidates, venues, house.policy, published_by, now_ms)
        record = _record(roster, plan_id, stated.version)
        roster_rows.put_roster(database, record)
        webhooks.emit_all(database, "roster.published", _messages(roster, before, record.sha256))
    house.work.set()
    return True, _version(record)


def versions(house: House, window: str) -> dict[str, Any]:
    """Return all versions of a window's roster without their content, oldest first."""
    with reading(house.engine) as database:
        return {"window": window, "versions": [_version(record) for record in roster_rows.rosters(database, window)]}


def _version(record: RosterRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in VERSION}


def _record(roster: Roster, plan_id: str, venues_version: int) -> RosterRecord:
    body = roster.model_dump_json()
    return RosterRecord(
        window=roster.window,
        version=roster.version,
        plan_id=plan_id,
        venues_version=venues_version,
        published_ms=roster.published_ms,
        published_by=roster.published_by,
        sha256=hashlib.sha256(body.encode()).hexdigest(),
        body=body,
    )


def _finished(draft: DraftRecord) -> Plan:
    if draft.plan is None:
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.no_plan",
            f"该计划不能发布 / this plan can't be published: {draft.state}",
            where="/plan_id",
            remedy="见 GET …/plans/{plan_id} / see there.",
        )
    return Plan.model_validate_json(draft.plan)


def _refuse_overtaken(draft: DraftRecord, newest: RosterRecord | None) -> None:
    if draft.before_version != (None if newest is None else newest.version):
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.overtaken",
            "编排之后已发布另一版本 / another version was published since this plan was asked for",
            where="/plan_id",
            remedy="请重新编排 / plan again.",
        )


def _refuse_changed(now: Candidacy, candidates: Sequence[Candidate]) -> None:
    """Refuse to publish for others than the eligible; whom that concerns is said."""
    waiting = sorted({one.class_id for one in candidates} & set(now.pending))
    faults = [Fault(class_id, "班次待核验 / the class waits for its verification") for class_id in waiting]
    for told in now.differences(candidates):
        why = "; ".join(f"{reason['zh']} / {reason['en']}" for reason in told["why"])
        faults.append(Fault(told["enrolment_id"], f"{told['what']}: {why}"))
    if faults:
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.outdated",
            f"编排之后可考人员已有变化({len(faults)} 处) / who is eligible has changed since it was planned",
            remedy="请重新编排 / plan again.",
            faults=tuple(faults),
        )


def _refuse_violations(plan: Plan, candidates: Sequence[Candidate], venues: Venues, policy: Policy) -> None:
    per_examiner = policy.training_class.learners_per_teacher
    found = check(plan, candidates, venues, read_working_days(), candidates_per_examiner=per_examiner)
    if found:
        raise GuardError(
            ErrorKind.CONFLICT,
            "roster.violations",
            f"按现有考点,该计划有 {len(found)} 处不成立 / by the venues as they are now the plan doesn't hold",
            remedy="请重新编排 / plan again.",
            faults=tuple(Fault(one.where, f"{one.code}: {one.message}") for one in found),
        )


def _messages(roster: Roster, before: Roster | None, sha256: str) -> list[Told]:
    """Return what each platform is told that has candidates in a version or in the one before: of its own alone."""
    changed = {one.enrolment_id for one in roster.changes}
    known = (*roster.candidates, *(() if before is None else before.candidates))
    platform_of = {one.enrolment_id: one.platform_id for one in known}
    messages = []
    for platform_id in sorted(set(platform_of.values())):
        own = [who for who, platform in platform_of.items() if platform == platform_id]
        data = {
            "window": roster.window,
            "version": roster.version,
            "published_ms": roster.published_ms,
            "sha256": sha256,
            "candidates": sum(one.platform_id == platform_id for one in roster.candidates),
            "changed": sorted(changed.intersection(own)),
        }
        messages.append(Told(platform_id, f"{platform_id}/roster {roster.window}", data))
    return messages
