"""Planning again in the middle of a window: who has sat keeps the place, all others get days that are still to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from online_guard.assessment.planning import Blocked
from online_guard.assessment.roster import Candidate, Plan
from online_guard.assessment.venues import Venues
from online_guard.assessment.windows import window_of

Planner = Callable[[Sequence[Candidate], Venues, Plan | None], Plan | Blocked]
"""Plans candidates at venues with few changes to a plan before."""


@dataclass(frozen=True)
class _Over:
    """The part of a plan that is over, up to and with a day."""

    plan: Plan
    today: date

    def sittings_of(self, candidates: Sequence[Candidate]) -> Plan:
        """Return the places of those candidates who have sat, with the examiners who watched them."""
        ids = {one.enrolment_id for one in candidates}
        sittings = tuple(one for one in self.plan.sittings if one.on <= self.today and one.enrolment_id in ids)
        used = {(one.on, one.slot_no, one.room_id) for one in sittings}
        duties = tuple(one for one in self.plan.duties if (one.on, one.slot_no, one.room_id) in used)
        return self.plan.model_copy(update={"sittings": sittings, "duties": duties})

    def still_to_come(self) -> Plan:
        """Return the places and duties of later days."""
        sittings = tuple(one for one in self.plan.sittings if one.on > self.today)
        duties = tuple(one for one in self.plan.duties if one.on > self.today)
        return self.plan.model_copy(update={"sittings": sittings, "duties": duties})


def plan_rest(
    candidates: Sequence[Candidate], venues: Venues, before: Plan | None, today: date, planner: Planner
) -> Plan | Blocked:
    """Return a plan in which no day that is over has changed; outside a window that began it is all planned anew.

    Args:
        candidates: Everybody who is to be placed, or has sat already.
        venues: Sites, rooms, slots, examiners.
        before: The plan in force, if any.
        today: The day on which it is planned; its sittings count as held.
        planner: Plans what is left; `objective` and `bound` are of that part.
    """
    if before is None or window_of(today) != before.window:
        return planner(candidates, venues, before)
    over = _Over(before, today)
    held = over.sittings_of(candidates)
    have_sat = {one.enrolment_id for one in held.sittings}
    left = [one for one in candidates if one.enrolment_id not in have_sat]
    if not left:
        return held.model_copy(update={"objective": 0.0, "bound": 0.0})
    found = planner(left, _closed_until(venues, today), over.still_to_come())
    if isinstance(found, Blocked):
        return found
    sittings = sorted((*held.sittings, *found.sittings), key=lambda one: (one.enrolment_id, one.part))
    duties = sorted((*held.duties, *found.duties), key=lambda one: tuple(vars(one).values()))
    return found.model_copy(update={"sittings": tuple(sittings), "duties": tuple(duties)})


def _closed_until(venues: Venues, today: date) -> Venues:
    """Return venues at which nothing is held on the days of the month that are over."""
    over = {today - timedelta(days) for days in range(today.day)}
    sites = tuple(site.model_copy(update={"closed_on": site.closed_on | over}) for site in venues.sites)
    return venues.model_copy(update={"sites": sites})
