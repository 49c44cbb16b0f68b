"""The solver, run within an effort that is the same on any machine."""

from __future__ import annotations

from dataclasses import dataclass

from ortools.sat.python import cp_model

from online_guard.assessment.planning.layout import COUNTS, DayLayout, Layout
from online_guard.assessment.planning.model import Model
from online_guard.assessment.planning.weights import MOST_URGENT, WEIGHTS


def least(model: Model) -> int:
    """Return what the weighted sum counts although it can't be otherwise: each class is at one place, one day."""
    keys = {model.problem.groups[g].class_key for g in model.amounts}
    each = 2 * WEIGHTS["slots"].weight + WEIGHTS["sites"].weight
    return len(keys) * each + len({key[2] for key in keys}) * WEIGHTS["enterprise_days"].weight


def worst(model: Model) -> int:
    """Return more than any layout's weighted sum, so that a place for everybody comes first."""
    weights = {name: weight.weight for name, weight in WEIGHTS.items()}
    people = sum(model.amounts.values())
    latest = MOST_URGENT * weights["waiting"] * len(model.problem.days)
    each = latest + weights["overload"] + 2 * (weights["slots"] + weights["sites"]) + weights["enterprise_days"]
    examiners = sum(len(kind.members) for kind in model.problem.kinds) * len(model.days)
    return 1 + people * each + examiners * weights["examiner_days"]


def price(model: Model) -> int:
    """Return the price of one who is left over: more than moving everybody."""
    return worst(model) * (1 + sum(model.amounts.values()))


@dataclass(frozen=True)
class Solution:
    """A layout, who is left over, and the objective with its bound."""

    layout: Layout
    left: dict[int, int]
    objective: float
    bound: float


def solve(
    model: Model,
    *,
    seed: int,
    effort: float,
    hint: Layout | None = None,
    first: bool = False,
) -> Solution | None:
    """Return the best that is found; None when nothing was found in time.

    Args:
        model: Of some days.
        seed: Of the search.
        effort: In the solver's deterministic seconds.
        hint: A layout to start from.
        first: Stop at the first layout.
    """
    if not first:
        # First those left over, then those moved, then what is unwanted.
        model.cp.minimize(price(model) * model.leftover + worst(model) * model.moved + model.unwanted)
    if hint is not None:
        _hint(model, hint)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.interleave_search = True
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = effort
    status = solver.solve(model.cp)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return Solution(
        layout=_layout(model, solver),
        left={g: solver.value(var) for g, var in model.left.items() if solver.value(var)},
        objective=solver.objective_value,
        bound=solver.best_objective_bound,
    )


def _hint(model: Model, layout: Layout) -> None:
    for name in COUNTS:
        for (day, *key), var in model.counts[name].items():
            if day in layout:
                model.cp.add_hint(var, getattr(layout[day], name)[tuple(key)])


def _layout(model: Model, solver: cp_model.CpSolver) -> Layout:
    layout = {day: DayLayout() for day in model.days}
    for name in COUNTS:
        for (day, *key), var in model.counts[name].items():
            if value := solver.value(var):
                getattr(layout[day], name)[tuple(key)] = value
    return layout
