"""Candidates and venues as the planner sees them: alike candidates as one group, alike examiners as one kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from online_guard.assessment.planning.weights import even_load
from online_guard.assessment.venues import Slot

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
