"""A first layout's ways: class by class, each where it adds the least that is unwanted; rooms and examiners follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.problem import Block, Group, Journey, Problem
from online_guard.assessment.planning.weights import WEIGHTS

NEW_DUTY = 12
"""What one more room to be watched weighs: a share of an examiner's day; engineering."""


class Construction:
    """Candidates placed one group after another; seats and workstations are counted by site and slot.

    Args:
        problem: What is planned.
        kept: Who stays where they were.
    """

    def __init__(self, problem: Problem, kept: Layout) -> None:
        self.problem = problem
        self.layout = {day: DayLayout() for day in range(len(problem.days))}
        self.load: Counter[int] = Counter()
        self.seats: Counter[tuple[int, Block]] = Counter()
        self.stations: Counter[tuple[int, Block, str]] = Counter()
        self.watched: Counter[tuple[int, Block, int]] = Counter()
        self.busy: Counter[tuple[int, int]] = Counter()
        self.peak: Counter[int] = Counter()
        self.class_places: set[tuple[object, ...]] = set()
        self.learner_days: set[tuple[str, int]] = set()
        for day in range(len(problem.days)):
            for slot in range(len(problem.slots)):
                for room in problem.theory:
                    self.seats[day, (room.site, slot)] += room.seats
                for room in problem.practice:
                    for occupation, places in room.workstations.items():
                        self.stations[day, (room.site, slot), occupation] += places
        for day, one in kept.items():
            for (g,), amount in one.stay.items():
                has = problem.groups[g].has
                if has is not None:
                    self.layout[day].stay[g,] = amount
                    self._take(problem.groups[g], day, has.journey, amount)

    def room(self, group: Group, day: int, journey: Journey) -> int:
        """Return how many more of a group find a place in both parts."""
        theory, practice = journey
        return min(self.seats[day, theory], self.stations[day, practice, group.occupation])

    def cost(self, group: Group, day: int, journey: Journey, amount: int) -> int:
        """Return what is unwanted about a way, of what is there already."""
        key = group.class_key
        over = max(0, self.load[day] + amount - self.problem.even) - max(0, self.load[day] - self.problem.even)
        blocks = sum((key, part, day, block) not in self.class_places for part, block in enumerate(journey))
        sites = len({(day, site) for site, _ in journey if (key, day, site) not in self.class_places})
        peak = self.peak[day]
        duties = 0
        for part, block in enumerate(journey):
            more = self.duties(day, block, part, amount, group.occupation)
            duties += more
            peak = max(peak, self.busy[day, block[1]] + more)
        return (
            WEIGHTS["waiting"].weight * group.urgency * (day - group.first_day) * amount
            + WEIGHTS["overload"].weight * over
            + WEIGHTS["slots"].weight * blocks
            + WEIGHTS["sites"].weight * sites
            + WEIGHTS["enterprise_days"].weight * ((key[2], day) not in self.class_places)
            + WEIGHTS["examiner_days"].weight * (peak - self.peak[day])
            + NEW_DUTY * duties
        )

    def watch(self, day: int, block: Block, part: int, occupation: str) -> tuple[int, Block, int]:
        """Return where examiners are counted: theory by site and slot, practice by the first room that fits."""
        room = -1
        if part:
            room = min(
                r
                for r, room in enumerate(self.problem.practice)
                if room.site == block[0] and occupation in room.workstations
            )
        return day, block, room

    def duties(self, day: int, block: Block, part: int, amount: int, occupation: str) -> int:
        """Return how many more examiners a place needs for some more candidates."""
        here, each = self.watched[self.watch(day, block, part, occupation)], self.problem.per_examiner
        return -(-(here + amount) // each) - -(-here // each)

    def put(self, g: int, day: int, journey: Journey, amount: int) -> None:
        """Place some of a group."""
        self.layout[day].ways[g, journey] += amount
        self._take(self.problem.groups[g], day, journey, amount)

    def _take(self, group: Group, day: int, journey: Journey, amount: int) -> None:
        self.load[day] += amount
        self.seats[day, journey[0]] -= amount
        self.stations[day, journey[1], group.occupation] -= amount
        self.class_places.add((group.class_key[2], day))
        for part, block in enumerate(journey):
            self.busy[day, block[1]] += self.duties(day, block, part, amount, group.occupation)
            self.peak[day] = max(self.peak[day], self.busy[day, block[1]])
            self.watched[self.watch(day, block, part, group.occupation)] += amount
            self.class_places.add((group.class_key, part, day, block))
            self.class_places.add((group.class_key, day, block[0]))
        if group.learner_id is not None:
            self.learner_days.add((group.learner_id, day))

    def place_near(self, g: int, amount: int, wanted: int) -> int:
        """Place all of a group on the nearest day to the one wanted that isn't overloaded, or else wherever it can be.

        Return how many are left over.
        """
        every = range(len(self.problem.days))
        for day in sorted(every, key=lambda day: (abs(day - wanted), day)):
            if amount and self.load[day] + amount <= self.problem.even:
                amount = self.place(g, amount, [day], whole=True)
        return self.place(g, amount, every)

    def place(self, g: int, amount: int, days: Iterable[int], *, whole: bool = False) -> int:
        """Place some of a group on the days given, all on one way where it can be; return how many are left over.

        Args:
            g: The group.
            amount: How many.
            days: Numbers of days.
            whole: Leave all over rather than divide them.
        """
        group = self.problem.groups[g]
        days = [day for day in days if day >= group.first_day and (group.learner_id, day) not in self.learner_days]
        while amount:
            best: tuple[int, int, int, Journey] | None = None
            for day in days:
                for journey in self.problem.journeys(group.occupation):
                    some = min(amount, self.room(group, day, journey))
                    if some and self.problem.is_open(day, journey):
                        key = (-some, self.cost(group, day, journey, some), day, journey)
                        if best is None or key < best:
                            best = key
            if best is None or (whole and -best[0] < amount):
                break
            self.put(g, best[2], best[3], -best[0])
            amount += best[0]
        return amount


def construct(problem: Problem, wanted: Mapping[int, int], kept: Layout) -> tuple[Layout, dict[int, int]]:
    """Return the ways of all who found a place, and how many of each group didn't.

    Args:
        problem: What is planned.
        wanted: By group, the day to try first.
        kept: Who stays where they were.
    """
    work = Construction(problem, kept)
    staying = Counter({g: amount for one in kept.values() for (g,), amount in one.stay.items()})
    left = {}
    for key in sorted(problem.classes, key=lambda key: (-problem.class_size[key], key)):
        for g in sorted(problem.classes[key], key=lambda g: (-problem.groups[g].size, g)):
            rest = work.place_near(g, problem.groups[g].size - staying[g], wanted.get(g, 0))
            if rest:
                left[g] = rest
    return work.layout, left
