"""A month's load as arrays, on which groups are put and taken off again, and what that makes unwanted."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.problem import Block, ClassKey, Journey, Problem
from online_guard.assessment.planning.weights import WEIGHTS

Integers = NDArray[np.int64]
DUTY = 3
"""What each watch of a room weighs besides the examiners' days: fuller rooms leave more ways open (engineering)."""
NEVER = 10**9
"""The cost of a way that isn't free."""


class Board:
    """Who is where, by day and block; rooms are counted by site, examiners of practice by occupation.

    Args:
        problem: What is planned.
        kept: Who stays where they were: they can't be taken off.
    """

    def __init__(self, problem: Problem, kept: Layout) -> None:
        self.problem = problem
        self.number = {block: n for n, block in enumerate(problem.blocks)}
        self.site = np.array([site for site, _ in problem.blocks], np.int64)
        self.occupation = {name: n for n, name in enumerate(problem.occupations)}
        days, blocks, occupations = len(problem.days), len(problem.blocks), len(self.occupation)
        self.seats = np.zeros((days, blocks), np.int64)
        self.stations = np.zeros((days, blocks, occupations), np.int64)
        self.theory_load = np.zeros((days, blocks), np.int64)
        self.practice_load = np.zeros((days, blocks, occupations), np.int64)
        self.load = np.zeros(days, np.int64)
        self.at_once = _at_once(problem)
        self.watches = np.zeros((days, blocks), np.int64)
        self.value = 0
        self.placed: dict[int, Counter[tuple[int, Journey]]] = defaultdict(Counter)
        self.class_at: Counter[tuple[object, ...]] = Counter()
        self.learner_days: Counter[tuple[str, int]] = Counter()
        self._open_rooms()
        self.ways = {name: self._ways(name) for name in problem.occupations}
        self.kept = kept
        for day, one in kept.items():
            for (g,), amount in one.stay.items():
                has = problem.groups[g].has
                if has is not None:
                    self._change(g, day, has.journey, amount)

    def _open_rooms(self) -> None:
        problem = self.problem
        self.theory_need = np.zeros((len(problem.blocks), sum(room.seats for room in problem.theory) + 1), np.int64)
        for (site, _), b in self.number.items():
            is_open = np.array([(day, site) not in problem.closed for day in range(len(problem.days))])
            rooms = [room.seats for room in problem.theory if room.site == site]
            self.seats[:, b] = sum(rooms) * is_open
            self.theory_need[b] = _least_watches(rooms, problem.per_examiner, self.theory_need.shape[1])
            for room in problem.practice:
                if room.site == site:
                    for name, places in room.workstations.items():
                        if name in self.occupation:
                            self.stations[:, b, self.occupation[name]] += places * is_open

    def _ways(self, occupation: str) -> tuple[Integers, Integers]:
        """Return the blocks of each journey."""
        journeys = self.problem.journeys(occupation)
        first = np.array([self.number[journey[0]] for journey in journeys], np.int64)
        second = np.array([self.number[journey[1]] for journey in journeys], np.int64)
        return first, second

    # -- looking

    def free(self, g: int, days: Integers) -> Integers:
        """Return how many more of a group find a place, by day and journey."""
        group = self.problem.groups[g]
        first, second = self.ways[group.occupation]
        stations = self.stations[:, :, self.occupation[group.occupation]]
        free = np.minimum(self.seats[days][:, first], stations[days][:, second])
        free[days < group.first_day] = 0
        if group.learner_id is not None:
            free[[self.learner_days[group.learner_id, int(day)] > 0 for day in days]] = 0
        return np.maximum(free, 0)

    def costs(self, g: int, amount: int, days: Integers) -> Integers:
        """Return what some of a group add that is unwanted, by day and journey."""
        problem, group = self.problem, self.problem.groups[g]
        first, second = self.ways[group.occupation]
        weight = {name: one.weight for name, one in WEIGHTS.items()}
        late = weight["waiting"] * group.urgency * amount * (days - group.first_day)
        load = self.load[days]
        over = np.maximum(0, load + amount - problem.even) - np.maximum(0, load - problem.even)
        new_days = np.array([not self.class_at[group.class_key[2], int(day)] for day in days])
        by_day = late + weight["overload"] * over + weight["enterprise_days"] * new_days
        theory = self.theory_load[days][:, first]
        fullest = self.theory_need.shape[1] - 1  # beyond it there are no seats, and the way isn't free
        more_theory = self.theory_need[first, np.minimum(theory + amount, fullest)] - self.theory_need[first, theory]
        practice, each = self.practice_load[days][:, second, self.occupation[group.occupation]], problem.per_examiner
        more_practice = -(-(practice + amount) // each) - -(-practice // each)
        once = self.watches[days] @ self.at_once
        peak = once[:, None, :] + more_theory[:, :, None] * self.at_once[first]
        peak += more_practice[:, :, None] * self.at_once[second]
        more_examiners = peak.max(axis=2) - once.max(axis=1)[:, None]
        found = by_day[:, None] + weight["examiner_days"] * more_examiners + DUTY * (more_theory + more_practice)
        return np.asarray(found + self._apart(group.class_key, first, second, days))

    def _apart(self, key: ClassKey, first: Integers, second: Integers, days: Integers) -> Integers:
        """Return what it costs that the class isn't there yet, by day and journey."""
        at = np.ones((len(days), len(self.problem.sites)), np.int64)
        known = np.ones((2, len(days), len(self.problem.blocks)), np.int64)
        for n, day in enumerate(days):
            if self.class_at[key, int(day)]:
                for block, b in self.number.items():
                    at[n, block[0]] = not self.class_at[key, int(day), block[0]]
                    known[:, n, b] = [not self.class_at[key, part, int(day), block] for part in (0, 1)]
        start, end = self.site[first], self.site[second]
        new_sites = at[:, start] + np.where(start == end, 0, at[:, end])
        new_blocks = known[0][:, first] + known[1][:, second]
        return np.asarray(WEIGHTS["slots"].weight * new_blocks + WEIGHTS["sites"].weight * new_sites)

    # -- changing

    def put(self, g: int, day: int, journey: Journey, amount: int) -> None:
        """Put some of a group on the board."""
        self._change(g, day, journey, amount)
        self.placed[g][day, journey] += amount

    def take(self, g: int) -> list[tuple[int, Journey, int]]:
        """Take a group off the board, but for who stays; return where they were."""
        were = [(day, journey, amount) for (day, journey), amount in self.placed.pop(g, Counter()).items()]
        for day, journey, amount in were:
            self._change(g, day, journey, -amount)
        return were

    def _day_value(self, day: int) -> int:
        over = max(0, int(self.load[day]) - self.problem.even)
        peak = int((self.watches[day] @ self.at_once).max())
        watches = DUTY * int(self.watches[day].sum())
        return WEIGHTS["overload"].weight * over + WEIGHTS["examiner_days"].weight * peak + watches

    def _change(self, g: int, day: int, journey: Journey, amount: int) -> None:
        group = self.problem.groups[g]
        before = self._day_value(day)
        theory, practice = (self.number[block] for block in journey)
        self.load[day] += amount
        self.seats[day, theory] -= amount
        self.stations[day, practice, self.occupation[group.occupation]] -= amount
        self.theory_load[day, theory] += amount
        self.practice_load[day, practice, self.occupation[group.occupation]] += amount
        for b in {theory, practice}:
            rooms = -(-self.practice_load[day, b] // self.problem.per_examiner)
            self.watches[day, b] = self.theory_need[b, self.theory_load[day, b]] + rooms.sum()
        self.value += self._day_value(day) - before
        self.value += WEIGHTS["waiting"].weight * group.urgency * (day - group.first_day) * amount
        if group.learner_id is not None:
            self.learner_days[group.learner_id, day] += amount
        key = group.class_key
        self.class_at[key, day] += amount
        self._count((key[2], day), amount, WEIGHTS["enterprise_days"].weight)
        for part, block in enumerate(journey):
            self._count((key, part, day, block), amount, WEIGHTS["slots"].weight)
            self._count((key, day, block[0]), amount, WEIGHTS["sites"].weight)

    def _count(self, place: tuple[object, ...], amount: int, weight: int) -> None:
        was = self.class_at[place] > 0
        self.class_at[place] += amount
        self.value += weight * ((self.class_at[place] > 0) - was)

    def accept(self, day: int, layout: DayLayout) -> None:
        """Take those off who aren't in a day's layout, though they are on the board."""
        for g, places in self.placed.items():
            for (on, journey), amount in list(places.items()):
                fewer = amount - layout.ways[g, journey]
                if on == day and fewer:
                    self._change(g, day, journey, -fewer)
                    places[on, journey] -= fewer
        for (g,), amount in self.kept[day].stay.items() if day in self.kept else ():
            has = self.problem.groups[g].has
            if has is not None:
                self._change(g, day, has.journey, layout.stay[g,] - amount)
        self.kept = {**self.kept, day: layout}

    def layout(self) -> Layout:
        """Return everybody's ways by day; rooms and examiners are left out."""
        found = {day: DayLayout() for day in range(len(self.problem.days))}
        for day, one in self.kept.items():
            found[day].stay.update(one.stay)
        for g, places in self.placed.items():
            for (day, journey), amount in places.items():
                if amount:
                    found[day].ways[g, journey] += amount
        return found


def _least_watches(rooms: list[int], each: int, size: int) -> Integers:
    """Return how many examiners a site's theory rooms need at least, by how many candidates come."""
    gains = sorted((min(each, seats - taken) for seats in rooms for taken in range(0, seats, each)), reverse=True)
    reach = np.cumsum([0, *gains])
    return np.minimum(np.searchsorted(reach, np.arange(size)), len(gains)).astype(np.int64)


def _at_once(problem: Problem) -> Integers:
    """Return sets of blocks (a column each) that no examiner can watch two of: all of a slot, or too far apart.

    As many examiners are needed as there are watches in the fullest set; where more than two slots are nearer than
    the travel between their sites, it may be one more.
    """
    follows = set(problem.arcs)
    slots = range(len(problem.slots))
    sets: list[set[Block]] = [{(site, slot) for site in range(len(problem.sites))} for slot in slots]
    for slot, later in pairwise(slots):
        for site in range(len(problem.sites)):
            here = (site, slot)
            far = {(other, later) for other in range(len(problem.sites)) if (here, (other, later)) not in follows}
            before = {(other, slot) for other in range(len(problem.sites))}
            if far:
                sets.append(far | {block for block in before if all((block, after) not in follows for after in far)})
    unique = sorted({tuple(sorted(some)) for some in sets})
    return np.array([[block in some for some in unique] for block in problem.blocks], np.int64)
