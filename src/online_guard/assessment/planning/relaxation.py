"""What no plan can go below: a linear relaxation by groups and days, which also says which day suits each group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from ortools.linear_solver import pywraplp

from online_guard.assessment.planning.problem import Problem
from online_guard.assessment.planning.weights import WEIGHTS

TOLERANCE = 1e-6
"""Of the solver: a bound is taken this share lower before it is rounded up to a whole number."""


@dataclass(frozen=True)
class Relaxation:
    """What no plan can go below, and the day that suits each group best; both None when there can be no plan."""

    bound: int | None
    wanted: Mapping[int, int]


def relax(problem: Problem) -> Relaxation:
    """Return the bound: groups may be divided at will, and only the seats and workstations of whole days count.

    To the relaxation are added what each class and the examiners cost at least: as many blocks as a class's size
    needs, and for all sittings together as few examiners as could watch them without a break.
    """
    solver = pywraplp.Solver.CreateSolver("GLOP")
    share, together = {}, defaultdict(list)
    loads: dict[int, list[pywraplp.LinearExpr]] = defaultdict(list)
    practising: dict[tuple[int, str], list[pywraplp.LinearExpr]] = defaultdict(list)
    costs = []
    for g, group in enumerate(problem.groups):
        days = [day for day in range(group.first_day, len(problem.days)) if day_places(problem, day, group.occupation)]
        for day in days:
            var = share[g, day] = solver.NumVar(0, 1, "")
            loads[day].append(group.size * var)
            practising[day, group.occupation].append(group.size * var)
            together[group.class_key[2], day].append(var)
            costs.append(WEIGHTS["waiting"].weight * group.urgency * group.size * (day - group.first_day) * var)
        solver.Add(sum(share[g, day] for day in days) == 1)
    for some in together.values():
        there = solver.NumVar(0, 1, "")
        costs.append(WEIGHTS["enterprise_days"].weight * there)
        for var in some:
            solver.Add(there >= var)
    for day, coming in loads.items():
        over = solver.NumVar(0, solver.infinity(), "")
        solver.Add(over >= sum(coming) - problem.even)
        solver.Add(sum(coming) <= day_seats(problem, day))
        costs.append(WEIGHTS["overload"].weight * over)
    for (day, occupation), some in practising.items():
        solver.Add(sum(some) <= day_places(problem, day, occupation))
    solver.Minimize(sum(costs))
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return Relaxation(None, {})
    wanted: dict[int, tuple[float, int]] = {}
    for (g, day), var in share.items():
        wanted[g] = max(wanted.get(g, (0.0, 0)), (round(var.solution_value(), 6), -day))
    enterprises = len({group.class_key[2] for group in problem.groups})
    least = solver.Objective().Value() - WEIGHTS["enterprise_days"].weight * enterprises
    bound = ceil(least - TOLERANCE * max(1.0, abs(least))) + _least_divided(problem) + _least_examiners(problem)
    return Relaxation(bound, {g: -day for g, (_, day) in wanted.items()})


def day_seats(problem: Problem, day: int) -> int:
    """Return the seats at computers of a day, in slots after which practice is possible."""
    starts = {start for name in problem.occupations for start, _ in problem.journeys(name)}
    return sum(
        room.seats
        for room in problem.theory
        for slot in range(len(problem.slots))
        if (room.site, slot) in starts and (day, room.site) not in problem.closed
    )


def day_places(problem: Problem, day: int, occupation: str) -> int:
    """Return the workstations of an occupation on a day, in slots before which theory is possible."""
    ends = {end for _, end in problem.journeys(occupation)}
    return sum(
        room.workstations.get(occupation, 0)
        for room in problem.practice
        for slot in range(len(problem.slots))
        if (room.site, slot) in ends and (day, room.site) not in problem.closed
    )


def _least_divided(problem: Problem) -> int:
    """Return what it costs at least that classes are larger than any site's seats or workstations."""
    total = 0
    for key, groups in problem.classes.items():
        occupations = {problem.groups[g].occupation for g in groups}
        if len(occupations) == 1:
            occupation = occupations.pop()
            size = problem.class_size[key]
            blocks = sum(ceil(size / most) - 1 for most in problem.most(occupation))
            apart = all(start[0] != end[0] for start, end in problem.journeys(occupation))
            total += WEIGHTS["slots"].weight * blocks + WEIGHTS["sites"].weight * apart
    return total


def _least_examiners(problem: Problem) -> int:
    """Return what examiners cost at least: nobody watches more than one room a slot."""
    watches = 2 * ceil(problem.candidates / problem.per_examiner)
    return WEIGHTS["examiner_days"].weight * ceil(watches / len(problem.slots))
