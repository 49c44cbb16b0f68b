"""On which day each class comes: annealing over whole classes, from the relaxation's days; blocks and rooms follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from math import log
from random import Random

from online_guard.assessment.planning.problem import Problem
from online_guard.assessment.planning.weights import WEIGHTS

HOT, COLD = 12.0, 2.0
"""From which loss that is often accepted to which (measured on the county's month)."""
ALONE, OF_ENTERPRISE = 0.2, 0.6
"""Shares of moves of one class, and to the day of another class of its enterprise; the rest changes with any class."""
NEAR, PARTNERS = 35, 8
"""By how many ranks of size partners differ, and how many are looked at."""


class DayChoice:
    """Classes on days; what is unwanted is counted as the objective counts it, blocks only as bins by occupation."""

    def __init__(self, problem: Problem, wanted: Mapping[int, int]) -> None:
        self.problem = problem
        self.keys = sorted(problem.classes)
        self.size = [problem.class_size[key] for key in self.keys]
        groups = [[problem.groups[g] for g in problem.classes[key]] for key in self.keys]
        self.first = [max(group.first_day for group in some) for some in groups]
        self.rate = [sum(group.urgency * group.size for group in some) for some in groups]
        self.occupation = [some[0].occupation for some in groups]
        self.bins = {name: _bins(problem, name) for name in problem.occupations}
        self.by_size = sorted(range(len(self.keys)), key=lambda c: self.size[c])
        self.rank = {c: n for n, c in enumerate(self.by_size)}
        self.of_enterprise: dict[str, list[int]] = defaultdict(list)
        for c, key in enumerate(self.keys):
            self.of_enterprise[key[2]].append(c)
        last = len(problem.days) - 1
        self.day = [
            min(last, max(self.first[c], wanted.get(problem.classes[key][0], 0))) for c, key in enumerate(self.keys)
        ]
        self.load = [0] * len(problem.days)
        self.enterprises: Counter[tuple[str, int]] = Counter()
        self.together: dict[tuple[int, str], list[int]] = defaultdict(list)
        for c, day in enumerate(self.day):
            self._add(c, day)

    def _add(self, c: int, day: int) -> None:
        self.load[day] += self.size[c]
        self.enterprises[self.keys[c][2], day] += 1
        self.together[day, self.occupation[c]].append(self.size[c])

    def _remove(self, c: int) -> None:
        day = self.day[c]
        self.load[day] -= self.size[c]
        self.enterprises[self.keys[c][2], day] -= 1
        self.together[day, self.occupation[c]].remove(self.size[c])

    def _cost(self, c: int, day: int) -> float:
        """Return what a class that isn't on the board adds on a day."""
        size, even = self.size[c], self.problem.even
        over = max(0, self.load[day] + size - even) - max(0, self.load[day] - even)
        bins, here = self.bins[self.occupation[c]], self.together[day, self.occupation[c]]
        return (
            WEIGHTS["waiting"].weight * self.rate[c] * (day - self.first[c])
            + WEIGHTS["overload"].weight * over
            + WEIGHTS["enterprise_days"].weight * (not self.enterprises[self.keys[c][2], day])
            + WEIGHTS["slots"].weight * (_further_blocks([*here, size], bins) - _further_blocks(here, bins))
        )

    def anneal(self, rounds: int, seed: int) -> None:
        """Move a class, or change the days of two of nearly the same size, so many times."""
        random = Random(seed)  # noqa: S311 (not for secrets)
        warmth, cooling = HOT, (COLD / HOT) ** (1 / max(1, rounds))
        for _ in range(rounds):
            warmth *= cooling
            c = int(random.random() * len(self.keys))
            other, new = self._move(c, random)
            old = self.day[c]
            if new != old and new >= self.first[c] and (other == c or old >= self.first[other]):
                self._try(c, other, new, -warmth * log(1 - random.random()))

    def _move(self, c: int, random: Random) -> tuple[int, int]:
        """Return a class to change days with (itself: none) and the new day: mostly that of one of its enterprise."""
        kind, classes = random.random(), len(self.keys)
        if kind < ALONE:
            return c, int(random.random() * len(self.load))
        if kind < ALONE + OF_ENTERPRISE:
            some = self.of_enterprise[self.keys[c][2]]
            new = self.day[some[int(random.random() * len(some))]]
            for _ in range(PARTNERS):
                n = self.rank[c] + int(random.gauss(0, NEAR))
                if 0 <= n < classes and self.day[self.by_size[n]] == new:
                    return self.by_size[n], new
            return c, new
        other = self.by_size[(self.rank[c] + int(random.gauss(0, NEAR))) % classes]
        return other, self.day[other]

    def _try(self, c: int, other: int, new: int, limit: float) -> None:
        """Change days if it adds no more than a limit."""
        old = self.day[c]
        moves = {c: (old, new)} if other == c else {c: (old, new), other: (new, old)}
        worse = 0.0
        for one, (start, _) in moves.items():
            self._remove(one)
            worse -= self._cost(one, start)
        for one, (_, end) in moves.items():
            worse += self._cost(one, end)
            self.day[one] = end
            self._add(one, end)
        if worse > limit:
            for one, (start, _) in moves.items():
                self._remove(one)
                self.day[one] = start
                self._add(one, start)

    def wanted(self) -> dict[int, int]:
        """Return the day of each group."""
        return {g: day for key, day in zip(self.keys, self.day, strict=True) for g in self.problem.classes[key]}


def _bins(problem: Problem, occupation: str) -> list[int]:
    """Return how many of an occupation sit practice at once, by site and slot, the largest first."""
    ends = {end for _, end in problem.journeys(occupation)}
    places = Counter[tuple[int, int]]()
    for room in problem.practice:
        for slot in range(len(problem.slots)):
            if (room.site, slot) in ends:
                places[room.site, slot] += room.workstations.get(occupation, 0)
    return sorted((count for count in places.values() if count), reverse=True)


def _further_blocks(sizes: list[int], bins: list[int]) -> int:
    """Return into how many further blocks classes must be divided that practise on one day.

    The largest goes first into the fullest block that has room; what is larger than any block comes last, and who
    finds no place at all counts as if alone.
    """
    left = bins.copy()
    most = left[0] if left else 0
    further = 0
    for size in sorted(sizes, key=lambda size: (size > most, -size)):
        fit = min((room for room in left if room >= size), default=None)
        if fit is not None:
            left[left.index(fit)] = fit - size
            continue
        rest = size
        while rest > 0:
            largest = max(left, default=0)
            if not largest:
                further += rest
                break
            left[left.index(largest)] = max(0, largest - rest)
            rest -= largest
            further += rest > 0
    return further
