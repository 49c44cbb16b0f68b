"""From candidates, venues and calendar to the problem that is solved; and who may stay where they are."""

from __future__ import annotations

import calendar as months
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from online_guard.assessment.planning.problem import Group, Had, Kind, PlannedRoom, Problem
from online_guard.assessment.planning.weights import urgency
from online_guard.assessment.roster import Candidate, Plan, Sitting
from online_guard.assessment.venues import Room, Venues
from online_guard.assessment.working_days import DayKind, WorkingDays
from online_guard.terms import AssessmentPart


def usable_days(window: str, venues: Venues, calendar: WorkingDays) -> tuple[date, ...]:
    """Return the days of the window's month on which assessments may be held and a site is open."""
    year, month = (int(part) for part in window.split("-"))
    days = [date(year, month, n) for n in range(1, months.monthrange(year, month)[1] + 1)]
    held = [day for day in days if calendar.kind(day) is DayKind.WORKING or day in venues.open_on]
    return tuple(day for day in held if any(day not in site.closed_on for site in venues.sites))


def state(
    candidates: Sequence[Candidate],
    venues: Venues,
    window: str,
    calendar: WorkingDays,
    per_examiner: int,
    before: Plan | None = None,
) -> Problem:
    """Return the problem; the order of what is given doesn't matter, and who may stay as in `before` is known."""
    days = usable_days(window, venues, calendar)
    sites = sorted(venues.sites, key=lambda site: site.site_id)
    numbers = {site.site_id: number for number, site in enumerate(sites)}
    rooms = [
        (room.part, _room(number, room))
        for number, site in enumerate(sites)
        for room in sorted(site.rooms, key=lambda room: room.room_id)
    ]
    stated = {frozenset(way.between): way.minutes for way in venues.travel}
    problem = Problem(
        groups=(),
        days=days,
        slots=tuple(sorted(venues.slots, key=lambda slot: slot.starts)),
        sites=tuple(site.site_id for site in sites),
        closed=frozenset(
            (d, numbers[site.site_id]) for site in sites for d, day in enumerate(days) if day in site.closed_on
        ),
        theory=tuple(room for part, room in rooms if part is AssessmentPart.THEORY),
        practice=tuple(room for part, room in rooms if part is AssessmentPart.PRACTICE),
        kinds=_kinds(venues, days),
        minutes={
            (numbers[a], numbers[b]): stated.get(frozenset((a, b)), venues.travel_minutes)
            for a in numbers
            for b in numbers
            if a != b
        },
        per_examiner=per_examiner,
    )
    had = may_stay(problem, candidates, before) if before is not None else {}
    return replace(problem, groups=_groups(candidates, days, date.fromisoformat(f"{window}-01"), had))


def _room(site: int, room: Room) -> PlannedRoom:
    workstations = dict(sorted(room.workstations.items()))
    return PlannedRoom(site, room.room_id, room.seats or sum(workstations.values()), workstations)


def _groups(
    candidates: Sequence[Candidate], days: Sequence[date], opens: date, had: Mapping[str, Had]
) -> tuple[Group, ...]:
    enrolled = Counter(one.learner_id for one in candidates)
    alike: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for one in candidates:
        alone = (one.learner_id, one.enrolment_id) if enrolled[one.learner_id] > 1 else ()
        who = (one.platform_id, one.class_id, one.enterprise, one.occupation, one.not_before, one.waiting_since)
        alike[who, alone, had.get(one.enrolment_id)].append(one)
    groups = []
    for key in sorted(alike, key=str):
        some = alike[key]
        first = some[0]
        groups.append(
            Group(
                members=tuple(sorted(one.enrolment_id for one in some)),
                class_key=(first.platform_id, first.class_id, first.enterprise),
                occupation=first.occupation,
                urgency=urgency(first.waiting_since, opens),
                first_day=sum(day < first.not_before for day in days),
                learner_id=first.learner_id if enrolled[first.learner_id] > 1 else None,
                has=had.get(first.enrolment_id),
            )
        )
    return tuple(groups)


def _kinds(venues: Venues, days: Sequence[date]) -> tuple[Kind, ...]:
    alike: dict[tuple[str, ...], list[tuple[str, frozenset[int]]]] = defaultdict(list)
    for one in sorted(venues.examiners, key=lambda one: one.examiner_id):
        off = frozenset(number for number, day in enumerate(days) if day in one.days_off)
        alike[tuple(sorted(one.occupations))].append((one.examiner_id, off))
    return tuple(Kind(frozenset(occupations), tuple(members)) for occupations, members in sorted(alike.items()))


def may_stay(problem: Problem, candidates: Sequence[Candidate], before: Plan) -> dict[str, Had]:
    """Return the places in the plan in force of everybody who, alone, could keep them."""
    days = {day: number for number, day in enumerate(problem.days)}
    slots = {slot.slot_no: number for number, slot in enumerate(problem.slots)}
    rooms = {
        part: {(problem.sites[room.site], room.room_id): number for number, room in enumerate(some)}
        for part, some in ((AssessmentPart.THEORY, problem.theory), (AssessmentPart.PRACTICE, problem.practice))
    }
    known = {one.enrolment_id: one for one in candidates}
    theory: dict[str, Sitting] = {}
    found = {}
    for sitting in sorted(before.sittings, key=lambda one: one.part is AssessmentPart.PRACTICE):
        who = sitting.enrolment_id
        place = (sitting.site_id, sitting.room_id)
        if who not in known or place not in rooms[sitting.part] or sitting.slot_no not in slots:
            continue
        if sitting.part is AssessmentPart.THEORY:
            theory[who] = sitting
        elif who in theory and sitting.on in days and known[who].not_before <= sitting.on:
            first = theory[who]
            start = rooms[first.part][first.site_id, first.room_id]
            end = rooms[sitting.part][place]
            journey = (
                (problem.theory[start].site, slots[first.slot_no]),
                (problem.practice[end].site, slots[sitting.slot_no]),
            )
            had = Had(days[sitting.on], journey, start, end)
            fits = known[who].occupation in problem.practice[end].workstations
            if fits and journey in problem.journeys(known[who].occupation) and problem.is_open(had.day, journey):
                found[who] = had
    return found
