"""Everybody's places: exactly for small problems, from a quick start and day by day for a county's month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from online_guard.assessment.planning.answers import Tell
from online_guard.assessment.planning.construct import construct
from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.model import Model
from online_guard.assessment.planning.problem import Problem
from online_guard.assessment.planning.relaxation import relax
from online_guard.assessment.planning.search import solve

SMALL = 20_000
"""Up to so many counts the whole month is one exact model (measured: proved best in seconds)."""
GUARDS_EFFORT = 0.3
TRIAL_EFFORT = 5.0
"""Solver's seconds for one piece of advice."""


@dataclass(frozen=True)
class Placed:
    """A layout, who of each group is left over, and what is proved: the bound, or that somebody must be left over."""

    layout: Layout
    left: Mapping[int, int]
    bound: int
    proved: bool


def place(problem: Problem, seed: int, effort: float, progress: Tell) -> Placed:
    """Return the best layout found within an effort."""
    relaxation = relax(problem)
    layout, left = first_layout(problem, relaxation.wanted, seed)
    if relaxation.bound is None:
        return Placed(layout, left, 0, proved=True)
    if size(problem) > SMALL:
        return Placed(layout, left, relaxation.bound, proved=False)
    model = _whole(problem)
    solution = solve(model, seed=seed, effort=effort, hint=layout)
    if solution is None:
        return Placed(layout, left, relaxation.bound, proved=False)
    bound = relaxation.bound
    if not model.counts["stay"]:
        bound = max(bound, ceil(solution.bound - 1e-6) - model.least)
    return Placed(solution.layout, solution.left, bound, proved=solution.bound >= model.price)


def is_possible(problem: Problem, seed: int) -> bool:
    """Return whether there is a plan; of large problems, whether one is found quickly."""
    relaxation = relax(problem)
    if relaxation.bound is None:
        return False
    if size(problem) > SMALL:
        return not first_layout(problem, relaxation.wanted, seed)[1]
    model = _whole(problem)
    model.cp.add(model.leftover == 0)
    return solve(model, seed=seed, effort=TRIAL_EFFORT, first=True) is not None


def size(problem: Problem) -> int:
    """Return how many counts the exact model of the whole month has, about."""
    days = len(problem.days)
    ways = sum(len(problem.journeys(group.occupation)) for group in problem.groups)
    posts = len(problem.blocks) + len(problem.arcs) + len(problem.practice) * len(problem.slots)
    return days * (ways + len(problem.kinds) * posts)


def _whole(problem: Problem) -> Model:
    return Model(problem, range(len(problem.days)), {g: group.size for g, group in enumerate(problem.groups)})


def first_layout(problem: Problem, wanted: Mapping[int, int], seed: int) -> tuple[Layout, dict[int, int]]:
    """Return ways for as many as find them quickly, with rooms and examiners; and who is left over.

    As many as can stay where they were; only the others are given new places.
    """
    kept = {day: stay_on(problem, day, seed) for day in range(len(problem.days))}
    ways, left = construct(problem, wanted, kept)
    layout: Layout = {}
    remaining = Counter(left)
    for day, one in ways.items():
        if not one.ways:
            layout[day] = kept[day]
            continue
        layout[day], missing = examiners_given_ways(problem, day, one, seed)
        remaining.update(missing)
    return layout, dict(remaining)


def stay_on(problem: Problem, day: int, seed: int) -> DayLayout:
    """Return a day on which as many as can be have the places that they had, and nobody else comes."""
    amounts = {g: group.size for g, group in enumerate(problem.groups) if group.has and group.has.day == day}
    if not amounts:
        return DayLayout()
    solution = solve(Model(problem, [day], amounts, moving=False), seed=seed, effort=GUARDS_EFFORT)
    return solution.layout[day] if solution is not None else DayLayout()


def examiners_given_ways(problem: Problem, day: int, ways: DayLayout, seed: int) -> tuple[DayLayout, dict[int, int]]:
    """Return rooms and examiners for people's ways, and how many of each group nobody can watch."""
    amounts: Counter[int] = Counter()
    for (g, _), amount in ways.ways.items():
        amounts[g] += amount
    for (g,), amount in ways.stay.items():
        amounts[g] += amount
    for exactly in (True, False):
        model = Model(problem, [day], amounts)
        for name in ("ways", "stay"):
            for (_, *key), var in model.counts[name].items():
                wanted = getattr(ways, name)[tuple(key)]
                model.cp.add(var == wanted if exactly else var <= wanted)
        if exactly:
            model.cp.add(model.leftover == 0)
        solution = solve(model, seed=seed, effort=GUARDS_EFFORT)
        if solution is not None:
            return solution.layout[day], dict(solution.left)
    return DayLayout(), dict(amounts)
