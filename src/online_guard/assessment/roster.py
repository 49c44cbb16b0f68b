"""Who sits where and when: candidates, their places, a plan of them, and a published roster, which never changes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from online_guard.assessment.venues import Id, Site, Slot, Stated, Text, Venues
from online_guard.policy import Policy
from online_guard.terms import AssessmentPart, CertificateRoute

PositiveInt = Annotated[int, Field(ge=1, strict=True)]


class Candidate(Stated):
    """An eligible learner of a class, who is to sit theory and then practice on one day.

    Attributes:
        enrolment_id: The learner's enrolment.
        learner_id: Who it is; two enrolments of one learner can't be in two places at once.
        class_id: The class.
        platform_id: Where the class studied.
        enterprise: The applicant.
        institution: Who taught.
        occupation: 职业(工种).
        certificate_route: One of the five of Annex 2.
        not_before: The day applied for: notice (E09) and practice (E04) were tested as of that day.
        waiting_since: The day on which the class ended.
        unconfirmed: Tests that an assessor has still to confirm.
    """

    enrolment_id: Id
    learner_id: Id
    class_id: Id
    platform_id: Id
    enterprise: Text
    institution: Text
    occupation: Text
    certificate_route: CertificateRoute
    not_before: date
    waiting_since: date
    unconfirmed: tuple[str, ...] = ()


class Sitting(Stated):
    """A candidate's place in one part: day, slot, room and seat, from 1 in each room and slot."""

    enrolment_id: Id
    part: AssessmentPart
    on: date
    slot_no: PositiveInt
    site_id: Id
    room_id: Id
    seat_no: PositiveInt


class Duty(Stated):
    """An examiner's watch over a room in a slot."""

    examiner_id: Id
    on: date
    slot_no: PositiveInt
    site_id: Id
    room_id: Id


class Plan(Stated):
    """A place in both parts for each candidate; sittings are sorted by enrolment and part, duties by all fields.

    Attributes:
        window: Such as `2021-08`.
        sittings: Two for each candidate.
        duties: Enough examiners for each room and slot in use.
        objective: The weighted sum of what is unwanted; less is better.
        bound: No plan can have less.
        seed: With which the same input gives the same plan.
    """

    window: str
    sittings: tuple[Sitting, ...]
    duties: tuple[Duty, ...]
    objective: float
    bound: float
    seed: int


class Change(Stated):
    """What became of a candidate between two versions: added (`before` empty), removed (`after` empty) or moved."""

    enrolment_id: Id
    before: tuple[Sitting, ...]
    after: tuple[Sitting, ...]


class Roster(Stated):
    """A published version of a window's plan, complete in itself; names of persons aren't in it.

    Attributes:
        window: Such as `2021-08`.
        version: From 1.
        published_ms: When, ms since the epoch.
        published_by: Name of the account.
        policy_id: Under which eligibility was judged, with version and SHA-256.
        sites: The sites as they were stated.
        slots: The times of day.
        candidates: Sorted by enrolment.
        plan: Who sits where and when.
        changes: Against the version before, sorted by enrolment; empty in the first.
    """

    window: str
    version: PositiveInt
    published_ms: int
    published_by: Text
    policy_id: str
    policy_version: str
    policy_sha256: str
    sites: tuple[Site, ...]
    slots: tuple[Slot, ...]
    candidates: tuple[Candidate, ...]
    plan: Plan
    changes: tuple[Change, ...] = ()


def published(
    before: Roster | None,
    plan: Plan,
    candidates: tuple[Candidate, ...],
    venues: Venues,
    policy: Policy,
    published_by: str,
    published_ms: int,
) -> Roster:
    """Return a plan as the version after one, or as the first."""
    return Roster(
        window=plan.window,
        version=1 if before is None else before.version + 1,
        published_ms=published_ms,
        published_by=published_by,
        policy_id=policy.id,
        policy_version=policy.version,
        policy_sha256=policy.sha256,
        sites=venues.sites,
        slots=venues.slots,
        candidates=candidates,
        plan=plan,
        changes=() if before is None else changes(before.plan, plan),
    )


def changes(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Return what became of each candidate whose places differ, sorted by enrolment."""
    old, new = _by_enrolment(before), _by_enrolment(after)
    return tuple(
        Change(enrolment_id=who, before=old.get(who, ()), after=new.get(who, ()))
        for who in sorted(old.keys() | new.keys())
        if old.get(who) != new.get(who)
    )


def _by_enrolment(plan: Plan) -> dict[str, tuple[Sitting, ...]]:
    found: dict[str, tuple[Sitting, ...]] = {}
    for sitting in sorted(plan.sittings, key=lambda one: (one.enrolment_id, one.part)):
        found[sitting.enrolment_id] = (*found.get(sitting.enrolment_id, ()), sitting)
    return found
