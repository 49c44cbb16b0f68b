"""Candidates and venues as the planner sees them: alike candidates as one group, alike examiners as one kind."""

from __future__ import annotations

import calendar as months
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from online_guard.assessment.planning.weights import even_load, urgency
from online_guard.assessment.roster import Candidate
from online_guard.assessment.venues import Room, Slot, Venues
from online_guard.assessment.working_days import DayKind, WorkingDays
from online_guard.terms import AssessmentPart

Block = tuple[int, int]
"""Site and slot, by their numbers in the problem."""
Journey = tuple[Block, Block]
"""Where and when a candidate sits theory, then practice."""
ClassKey = tuple[str, str, str]
"""Platform, class and enterprise: who is kept together."""


@dataclass(frozen=True)
class Had:
    """The places that candidates have in the plan in force, and may keep."""

    day: int
    journey: Journey
    theory_room: int
    practice_room: int


@dataclass(frozen=True)
class Group:
    """Candidates of a class who are alike to the planner; a learner with two enrolments is a group of one."""

    members: tuple[str, ...]
    class_key: ClassKey
    occupation: str
    urgency: int
    first_day: int
    learner_id: str | None = None
    has: Had | None = None

    @property
    def size(self) -> int:
        """How many candidates."""
        return len(self.members)


@dataclass(frozen=True)
class PlannedRoom:
    """A room of a site."""

    site: int
    room_id: str
    seats: int
    workstations: dict[str, int]


@dataclass(frozen=True)
class Kind:
    """Examiners with the same occupations, and each one's days off."""

    occupations: frozenset[str]
    members: tuple[tuple[str, frozenset[int]], ...]

    def on_day(self, day: int) -> tuple[str, ...]:
        """Return who is there on a day."""
        return tuple(name for name, off in self.members if day not in off)


@dataclass(frozen=True)
class Problem:
    """What is to be planned; days, sites, slots and rooms are named by their numbers in these tuples."""

    groups: tuple[Group, ...]
    days: tuple[date, ...]
    slots: tuple[Slot, ...]
    sites: tuple[str, ...]
    closed: frozenset[tuple[int, int]]
    theory: tuple[PlannedRoom, ...]
    practice: tuple[PlannedRoom, ...]
    kinds: tuple[Kind, ...]
    minutes: dict[tuple[int, int], int]
    per_examiner: int
    journeys_of: dict[str, tuple[Journey, ...]] = field(default_factory=dict)

    def follows(self, first: Block, second: Block) -> bool:
        """Return whether one can be in the second place after the first on one day, travel counted in."""
        (site, slot), (next_site, next_slot) = first, second
        way = 0 if site == next_site else self.minutes[site, next_site]
        leaves = datetime.combine(date.min, self.slots[slot].ends) + timedelta(minutes=way)
        return leaves <= datetime.combine(date.min, self.slots[next_slot].starts)

    @cached_property
    def classes(self) -> dict[ClassKey, tuple[int, ...]]:
        """The groups of each class."""
        found: dict[ClassKey, list[int]] = defaultdict(list)
        for number, group in enumerate(self.groups):
            found[group.class_key].append(number)
        return {key: tuple(numbers) for key, numbers in found.items()}

    @cached_property
    def class_size(self) -> dict[ClassKey, int]:
        """How many candidates each class has."""
        return {key: sum(self.groups[g].size for g in numbers) for key, numbers in self.classes.items()}

    @cached_property
    def candidates(self) -> int:
        """How many candidates there are."""
        return sum(group.size for group in self.groups)

    @cached_property
    def even(self) -> int:
        """How many a day may have without being overloaded."""
        return even_load(self.candidates, max(1, len(self.days)), max(self.class_size.values(), default=1))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All sites and slots."""
        return tuple((site, slot) for site in range(len(self.sites)) for slot in range(len(self.slots)))

    @cached_property
    def arcs(self) -> tuple[tuple[Block, Block], ...]:
        """From which place an examiner can go on to which."""
        return tuple((a, b) for a in self.blocks for b in self.blocks if a[1] < b[1] and self.follows(a, b))

    def journeys(self, occupation: str) -> tuple[Journey, ...]:
        """Return all ways through a day for an occupation, by rooms and time alone."""
        if occupation not in self.journeys_of:
            starts = sorted({room.site for room in self.theory})
            ends = sorted({room.site for room in self.practice if room.workstations.get(occupation)})
            slots = range(len(self.slots))
            pairs = (((s, t), (e, p)) for s in starts for e in ends for t in slots for p in slots if t < p)
            self.journeys_of[occupation] = tuple(pair for pair in pairs if self.follows(*pair))
        return self.journeys_of[occupation]

    @cached_property
    def occupations(self) -> tuple[str, ...]:
        """Of the candidates."""
        return tuple(sorted({group.occupation for group in self.groups}))

    def most(self, occupation: str) -> tuple[int, int]:
        """Return how many of an occupation sit theory, and practice, at one site at once, at most."""
        places: Counter[int] = Counter()
        for room in self.practice:
            places[room.site] += room.workstations.get(occupation, 0)
        seats: Counter[int] = Counter()
        for room in self.theory:
            seats[room.site] += room.seats
        return max(seats.values(), default=0), max(places.values(), default=0)

    def is_open(self, day: int, journey: Journey) -> bool:
        """Return whether both sites of a journey are open."""
        return all((day, site) not in self.closed for site, _ in journey)


def usable_days(window: str, venues: Venues, calendar: WorkingDays) -> tuple[date, ...]:
    """Return the days of the window's month on which assessments may be held and a site is open."""
    year, month = (int(part) for part in window.split("-"))
    days = [date(year, month, n) for n in range(1, months.monthrange(year, month)[1] + 1)]
    held = [day for day in days if calendar.kind(day) is DayKind.WORKING or day in venues.open_on]
    return tuple(day for day in held if any(day not in site.closed_on for site in venues.sites))


def state(
    candidates: Sequence[Candidate], venues: Venues, window: str, calendar: WorkingDays, per_examiner: int
) -> Problem:
    """Return the problem; the order of what is given doesn't matter."""
    days = usable_days(window, venues, calendar)
    sites = sorted(venues.sites, key=lambda site: site.site_id)
    numbers = {site.site_id: number for number, site in enumerate(sites)}
    rooms = [
        (room.part, _room(number, room))
        for number, site in enumerate(sites)
        for room in sorted(site.rooms, key=lambda room: room.room_id)
    ]
    stated = {frozenset(way.between): way.minutes for way in venues.travel}
    return Problem(
        groups=_groups(candidates, days, date.fromisoformat(f"{window}-01")),
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


def _room(site: int, room: Room) -> PlannedRoom:
    workstations = dict(sorted(room.workstations.items()))
    return PlannedRoom(site, room.room_id, room.seats or sum(workstations.values()), workstations)


def _groups(candidates: Sequence[Candidate], days: Sequence[date], opens: date) -> tuple[Group, ...]:
    enrolled = Counter(one.learner_id for one in candidates)
    alike: dict[tuple[tuple[object, ...], tuple[str, ...]], list[Candidate]] = defaultdict(list)
    for one in candidates:
        alone = (one.learner_id, one.enrolment_id) if enrolled[one.learner_id] > 1 else ()
        who = (one.platform_id, one.class_id, one.enterprise, one.occupation, one.not_before, one.waiting_since)
        alike[who, alone].append(one)
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
            )
        )
    return tuple(groups)


def _kinds(venues: Venues, days: Sequence[date]) -> tuple[Kind, ...]:
    alike: dict[tuple[str, ...], list[tuple[str, frozenset[int]]]] = defaultdict(list)
    for one in sorted(venues.examiners, key=lambda one: one.examiner_id):
        off = frozenset(number for number, day in enumerate(days) if day in one.days_off)
        alike[tuple(sorted(one.occupations))].append((one.examiner_id, off))
    return tuple(Kind(frozenset(occupations), tuple(members)) for occupations, members in sorted(alike.items()))
