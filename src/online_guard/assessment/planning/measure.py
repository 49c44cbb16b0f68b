"""What is unwanted about a plan, counted on its sittings and duties alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from online_guard.assessment.planning.stating import usable_days
from online_guard.assessment.planning.weights import WEIGHTS, even_load, urgency
from online_guard.assessment.roster import Candidate, Duty, Sitting
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import WorkingDays
from online_guard.terms import AssessmentPart


def measure(
    sittings: Sequence[Sitting],
    duties: Sequence[Duty],
    candidates: Sequence[Candidate],
    venues: Venues,
    window: str,
    calendar: WorkingDays,
) -> Mapping[str, int]:
    """Return how often each thing of `WEIGHTS` happens; the objective is their weighted sum.

    Args:
        sittings: Both of each candidate.
        duties: Of examiners.
        candidates: Everybody.
        venues: Sites, rooms, slots, examiners.
        window: Such as `2021-08`.
        calendar: Working days.
    """
    known = {one.enrolment_id: one for one in candidates}
    days = {day: number for number, day in enumerate(usable_days(window, venues, calendar))}
    blocks, sites, enterprise_days = set(), set(), set()
    load: Counter[date] = Counter()
    waiting = 0
    opens = date.fromisoformat(f"{window}-01")
    for one in sittings:
        who = known[one.enrolment_id]
        together = (who.platform_id, who.class_id, who.enterprise)
        blocks.add((together, one.part, one.on, one.site_id, one.slot_no))
        sites.add((together, one.on, one.site_id))
        enterprise_days.add((who.enterprise, one.on))
        if one.part is AssessmentPart.THEORY:
            load[one.on] += 1
            first_day = sum(day < who.not_before for day in days)
            waiting += urgency(who.waiting_since, opens) * (days[one.on] - first_day)
    sizes = Counter((who.platform_id, who.class_id, who.enterprise) for who in candidates)
    even = even_load(len(candidates), len(days), max(sizes.values()))
    return {
        "slots": len(blocks) - 2 * len(sizes),
        "sites": len(sites) - len(sizes),
        "enterprise_days": len(enterprise_days) - len({who.enterprise for who in candidates}),
        "overload": sum(max(0, amount - even) for amount in load.values()),
        "examiner_days": len({(one.examiner_id, one.on) for one in duties}),
        "waiting": waiting,
    }


def weigh(counts: Mapping[str, int]) -> int:
    """Return the weighted sum."""
    return sum(WEIGHTS[name].weight * count for name, count in counts.items())
