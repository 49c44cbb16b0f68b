"""A county's month: how soon there is a plan, how good it is beside a clerk's, and how many move after a change.

Seconds are the wall's and the process's own (all threads); the second don't depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import date

from online_guard.assessment.planning import Blocked, Progress, check, plan
from online_guard.assessment.planning.measure import measure, weigh
from online_guard.assessment.planning.stating import usable_days
from online_guard.assessment.planning.weights import WEIGHTS
from online_guard.assessment.roster import Candidate, Plan, changes
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import read_working_days
from schedule_county import WINDOW, county
from schedule_greedy import greedy

PER_EXAMINER = 20
CALENDAR = read_working_days()


class Watch:
    """When which objective and bound were told."""

    def __init__(self) -> None:
        self.started = time.perf_counter(), time.process_time()
        self.told: list[tuple[float, float, Progress]] = []

    def __call__(self, progress: Progress) -> None:
        """Note what is told."""
        wall, own = time.perf_counter() - self.started[0], time.process_time() - self.started[1]
        self.told.append((wall, own, progress))

    def first_below(self, limit: float) -> str:
        """Return when an objective was at most so much."""
        for wall, own, progress in self.told:
            if progress.objective is not None and progress.objective <= limit:
                return f"{wall:6.1f} s wall, {own:6.1f} s CPU"
        return "not reached"


def planned(
    candidates: Sequence[Candidate], venues: Venues, arguments: argparse.Namespace, before: Plan | None
) -> Plan:
    watch = Watch()
    found = plan(
        candidates,
        venues,
        WINDOW,
        CALENDAR,
        candidates_per_examiner=PER_EXAMINER,
        seed=arguments.seed,
        deadline_s=arguments.effort,
        before=before,
        progress=watch,
    )
    if isinstance(found, Blocked):
        raise SystemExit(f"没有排出 / no plan: {found}")
    broken = check(found, candidates, venues, CALENDAR, candidates_per_examiner=PER_EXAMINER)
    if broken:
        raise SystemExit(f"方案有误 / the plan breaks {len(broken)} constraints: {broken[:3]}")
    print(f"  first plan                {watch.first_below(float('inf'))}")
    if before is None:
        print(f"  within 1 % of the bound   {watch.first_below(found.bound * 1.01)}")
    wall, own, _ = watch.told[-1]
    print(f"  done                      {wall:6.1f} s wall, {own:6.1f} s CPU")
    print(
        f"  objective {found.objective:,.0f}, bound {found.bound:,.0f}: {found.objective / found.bound - 1:.2%} above"
    )
    return found


def against_the_clerk(candidates: Sequence[Candidate], venues: Venues, found: Plan) -> None:
    started = time.process_time()
    days = usable_days(WINDOW, venues, CALENDAR)
    sittings, duties = greedy(candidates, venues, days, PER_EXAMINER)
    placed = {one.enrolment_id for one in sittings}
    some = [one for one in candidates if one.enrolment_id in placed]
    clerks = measure(sittings, duties, some, venues, WINDOW, CALENDAR)
    ours = measure(found.sittings, found.duties, candidates, venues, WINDOW, CALENDAR)
    own, share, times = time.process_time() - started, len(placed) / len(candidates), weigh(clerks) / weigh(ours)
    print(f"  greedy: {own:.1f} s CPU, {share:.1%} placed (plan: 100.0%)")
    print(f"  objective: greedy {weigh(clerks):,}, plan {weigh(ours):,}: {times:.2f} times as much")
    for name, weight in WEIGHTS.items():
        print(f"    {name:16} weight {weight.weight:4}: greedy {clerks[name]:7,}  plan {ours[name]:7,}")


def after_changes(candidates: list[Candidate], venues: Venues, found: Plan, arguments: argparse.Namespace) -> None:
    """An examiner falls ill, a room is lost for the month, candidates withdraw and others are added."""
    day = date(2021, 8, 11)
    ill = min({one.examiner_id for one in found.duties if one.on == day})
    examiners = tuple(
        one.model_copy(update={"days_off": one.days_off | {day}}) if one.examiner_id == ill else one
        for one in venues.examiners
    )
    closed = venues.sites[0].closed_on | {day}
    first = venues.sites[0].model_copy(update={"closed_on": closed})
    added = [
        one.model_copy(update={"enrolment_id": f"new-{n}", "learner_id": f"new-{n}", "class_id": "new"})
        for n, one in enumerate(candidates[:15])
    ]
    cases = (
        ("an examiner is ill on one day", candidates, venues.model_copy(update={"examiners": examiners})),
        ("a site is closed on one day", candidates, venues.model_copy(update={"sites": (first, *venues.sites[1:])})),
        ("20 withdraw, 15 are added", [*candidates[20:], *added], venues),
    )
    for name, people, changed in cases:
        print(f"After a change: {name}")
        must = {
            one.enrolment_id
            for one in found.sittings
            if one.on in {site.site_id: site for site in changed.sites}[one.site_id].closed_on
        }
        again = planned(people, changed, arguments, found)
        known = {one.enrolment_id for one in people}
        old = {one.enrolment_id for one in found.sittings}
        moved = [one for one in changes(found, again) if one.enrolment_id in known & old]
        print(f"  {len(moved)} people moved, {len(must)} had to")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--effort", type=float, default=60.0, help="solver's seconds")
    arguments = parser.parse_args()
    candidates, venues = county(arguments.seed)
    classes = len({one.class_id for one in candidates})
    rooms = sum(len(site.rooms) for site in venues.sites)
    days = len(usable_days(WINDOW, venues, CALENDAR))
    print(f"{len(candidates):,} candidates, {classes} classes, {rooms} rooms, {days} days, {len(venues.slots)} slots")
    found = planned(candidates, venues, arguments, None)
    against_the_clerk(candidates, venues, found)
    after_changes(candidates, venues, found, arguments)


if __name__ == "__main__":
    main()
