"""Everybody's places: exactly for small problems; for a county's month days first, then blocks, then examiners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil, inf

import numpy as np

from online_guard.assessment.planning.day_choice import DayChoice
from online_guard.assessment.planning.improve import improve, settle, start
from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.model import Model
from online_guard.assessment.planning.problem import Journey, Problem
from online_guard.assessment.planning.relaxation import relax
from online_guard.assessment.planning.search import least, price, solve

SMALL = 20_000
"""Up to so many counts the whole month is one exact model (measured: proved best in seconds)."""
TRIAL_EFFORT = 5.0
"""Solver's seconds for one piece of advice."""
QUICK_EFFORT, QUICK_CHOICES, QUICK_ROUNDS = 0.3, 20_000, 300
"""For the first plan: solver's seconds of a day's examiners; classes moved among days; classes put back on a board."""
CHOICES_A_SECOND, ROUNDS_A_SECOND, DAY_SHARE = 25_000, 150, 0.02
"""What one second of effort is spent on (measured: together about a second)."""
TURNS = 5
"""How often those are placed again elsewhere whom nobody can watch where they are."""
THREADS = 2
Tell = Callable[[Layout, int], int]
"""Told of a layout of everybody, and of the bound; answers the layout's objective."""


@dataclass(frozen=True)
class Placed:
    """A layout, who of each group is left over, and what is proved: the bound, or that somebody must be left over."""

    layout: Layout
    left: Mapping[int, int]
    bound: int
    proved: bool


def place(problem: Problem, kept: Layout, seed: int, effort: float, tell: Tell) -> Placed:
    """Return the best layout found within an effort.

    Args:
        problem: What is planned.
        kept: Days of the plan in force that can stay as they are.
        seed: Of the search.
        effort: In seconds, about; the same number gives the same layout on any machine.
        tell: Told of layouts on the way.
    """
    if not problem.days:
        return Placed({}, {g: group.size for g, group in enumerate(problem.groups)}, 0, proved=True)
    relaxation = relax(problem)
    layout, left = quick(problem, relaxation.wanted, kept, seed)
    if relaxation.bound is None:
        return Placed(layout, left, 0, proved=True)
    first = Placed(layout, left, relaxation.bound, proved=False)
    objective = inf if left else tell(layout, first.bound)
    if size(problem) <= SMALL:
        return _exactly(problem, first, seed, effort)
    if not left and any(one.stay for one in layout.values()):
        return first
    choice = DayChoice(problem, relaxation.wanted)
    choice.anneal(int(CHOICES_A_SECOND * effort), seed)
    rounds = int(ROUNDS_A_SECOND * effort)
    better, remaining = _around(problem, choice.wanted(), {}, seed, rounds, DAY_SHARE * effort)
    second = Placed(better, remaining, first.bound, proved=False)
    if remaining:
        return second if sum(remaining.values()) < sum(left.values()) else first
    return second if tell(better, first.bound) < objective else first


def is_possible(problem: Problem, seed: int) -> bool:
    """Return whether there is a plan; of large problems, whether one is found quickly."""
    relaxation = relax(problem)
    if not problem.days or relaxation.bound is None:
        return False
    if size(problem) > SMALL:
        return not quick(problem, relaxation.wanted, {}, seed)[1]
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


def _exactly(problem: Problem, quickly: Placed, seed: int, effort: float) -> Placed:
    """Return the best of all layouts, or the best found in time.

    Its bound is the objective's only where nobody has places to keep.
    """
    model = _whole(problem)
    solution = solve(model, seed=seed, effort=effort, hint=quickly.layout)
    if solution is None:
        return quickly
    bound = quickly.bound
    if not model.counts["stay"]:
        bound = max(bound, ceil(solution.bound - 1e-6) - least(model))
    return Placed(solution.layout, solution.left, bound, proved=solution.bound >= price(model))


def quick(problem: Problem, wanted: Mapping[int, int], kept: Layout, seed: int) -> tuple[Layout, dict[int, int]]:
    """Return ways for as many as find them quickly, with rooms and examiners; and who is left over.

    As many as can stay where they were; only the others are given new places.
    """
    if not any(group.has for group in problem.groups):
        classes = len(problem.classes)
        choice = DayChoice(problem, wanted)
        choice.anneal(min(QUICK_CHOICES, 50 * classes), seed)
        return _around(problem, choice.wanted(), {}, seed, min(QUICK_ROUNDS, classes), 0.0)
    staying = {day: kept[day] if day in kept else stay_on(problem, day, seed) for day in range(len(problem.days))}
    return _around(problem, wanted, staying, seed, 0, QUICK_EFFORT)


def _around(
    problem: Problem, wanted: Mapping[int, int], kept: Layout, seed: int, rounds: int, effort: float
) -> tuple[Layout, dict[int, int]]:
    """Place everybody around those who stay; who can't be watched somewhere is placed once more, elsewhere."""
    board, left = start(problem, wanted, kept)
    improve(board, rounds, seed)
    found = dict(kept)
    old: dict[int, Counter[tuple[int, Journey]]] = {}
    every = np.arange(len(problem.days))
    tried: set[tuple[int, int]] = set()
    for _ in range(TURNS):
        ways = board.layout()
        changed = [day for day, one in ways.items() if one.ways and one.ways != old.get(day)]
        with ThreadPoolExecutor(THREADS) as threads:
            layouts = [ways[day] for day in changed]
            solved = threads.map(partial(with_examiners, problem, seed=seed, effort=effort), changed, layouts)
        unwatched: Counter[int] = Counter()
        for day, (layout, missing) in zip(changed, solved, strict=True):
            found[day], old[day] = layout, layout.ways
            unwatched.update(missing)
            tried.update((g, day) for g in missing)
            board.accept(day, layout)
        if not unwatched:
            break
        for g, amount in sorted(unwatched.items()):
            others = every[[(g, int(day)) not in tried for day in every]]
            if rest := settle(board, g, amount, others):
                left[g] = left.get(g, 0) + rest
    return found, left


def stay_on(problem: Problem, day: int, seed: int) -> DayLayout:
    """Return a day on which as many as can be have the places that they had, and nobody else comes."""
    had = DayLayout()
    had.stay.update({(g,): group.size for g, group in enumerate(problem.groups) if group.has and group.has.day == day})
    return with_examiners(problem, day, had, seed=seed, effort=QUICK_EFFORT)[0] if had.stay else had


def with_examiners(
    problem: Problem, day: int, ways: DayLayout, *, seed: int, effort: float
) -> tuple[DayLayout, dict[int, int]]:
    """Return rooms and examiners for people's ways, and how many of each group nobody can watch.

    Without effort the first examiners found are taken, however many.
    """
    amounts: Counter[int] = Counter()
    for (g, _), amount in ways.ways.items():
        amounts[g] += amount
    for (g,), amount in ways.stay.items():
        amounts[g] += amount
    for exactly in (True, False):
        model = Model(problem, [day], amounts, moving=bool(ways.ways))
        for name in ("ways", "stay"):
            for (_, *key), var in model.counts[name].items():
                wanted = getattr(ways, name)[tuple(key)]
                model.cp.add(var == wanted if exactly else var <= wanted)
        if exactly:
            model.cp.add(model.leftover == 0)
        solution = solve(model, seed=seed, effort=effort or QUICK_EFFORT, first=exactly and not effort)
        if solution is not None:
            return solution.layout[day], dict(solution.left)
    return DayLayout(), dict(amounts)
