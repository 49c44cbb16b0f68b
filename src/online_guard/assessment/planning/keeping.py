"""The days of the plan in force that can stay as they are, examiners and all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.problem import Problem
from online_guard.assessment.roster import Duty, Plan, Sitting

Holds = Callable[[tuple[Sitting, ...], tuple[Duty, ...]], bool]
"""Whether these sittings and duties of one day break nothing."""


def keep(problem: Problem, before: Plan, holds: Holds) -> Layout:
    """Return each day of the plan in force on which everybody who is still to come can stay where they are.

    Args:
        problem: What is planned; its groups know what they had.
        before: The plan in force.
        holds: Whether what is left of a day breaks nothing.
    """
    staying: dict[int, dict[str, int]] = defaultdict(dict)
    for g, group in enumerate(problem.groups):
        if group.has is not None:
            staying[group.has.day].update(dict.fromkeys(group.members, g))
    kept = {}
    for day, groups in staying.items():
        on = problem.days[day]
        sittings = tuple(one for one in before.sittings if one.on == on and one.enrolment_id in groups)
        used = {(one.slot_no, one.site_id, one.room_id) for one in sittings}
        duties = tuple(one for one in before.duties if one.on == on and (one.slot_no, one.site_id, one.room_id) in used)
        if holds(sittings, duties):
            kept[day] = _layout(problem, day, duties)
    return kept


def _layout(problem: Problem, day: int, duties: tuple[Duty, ...]) -> DayLayout:
    """Return the day in counts."""
    layout = DayLayout()
    for g, group in enumerate(problem.groups):
        if group.has is not None and group.has.day == day:
            (_, slot), (_, later) = group.has.journey
            layout.stay[g,] = group.size
            layout.theory[group.has.theory_room, slot] += group.size
            layout.practice[group.has.practice_room, later, group.occupation] += group.size
    kinds = {name: k for k, kind in enumerate(problem.kinds) for name, _ in kind.members}
    sites = {site: number for number, site in enumerate(problem.sites)}
    slots = {slot.slot_no: number for number, slot in enumerate(problem.slots)}
    practice = {(room.site, room.room_id): r for r, room in enumerate(problem.practice)}
    walked: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for duty in duties:
        k, block = kinds[duty.examiner_id], (sites[duty.site_id], slots[duty.slot_no])
        walked[duty.examiner_id].append(block)
        room = practice.get((block[0], duty.room_id))
        if room is None:
            layout.theory_duties[k, block] += 1
        else:
            layout.practice_duties[k, room, block[1]] += 1
    for name, blocks in walked.items():
        for first, second in pairwise(sorted(blocks, key=lambda block: block[1])):
            layout.walks[kinds[name], first, second] += 1
    return layout
