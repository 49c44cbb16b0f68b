"""The plan of a window: the best that is found within an effort that doesn't depend on the machine's load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from online_guard.assessment.planning.answers import Blocked, Progress, Tell
from online_guard.assessment.planning.construct import construct
from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.measure import measure, weigh
from online_guard.assessment.planning.model import Model
from online_guard.assessment.planning.problem import Problem, state
from online_guard.assessment.planning.relaxation import relax
from online_guard.assessment.planning.search import solve
from online_guard.assessment.planning.seating import seat
from online_guard.assessment.planning.what_blocks import what_blocks
from online_guard.assessment.roster import Candidate, Plan
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import WorkingDays
from online_guard.errors import ErrorKind, GuardError

GUARDS_EFFORT = 0.3
TRIAL_EFFORT = 5.0
"""Solver's seconds for one piece of advice."""


def _untold(_: Progress) -> None:
    pass


SMALL = 20_000
"""Up to so many counts the whole month is one exact model (measured: proved best in seconds)."""


def plan(
    candidates: Sequence[Candidate],
    venues: Venues,
    window: str,
    calendar: WorkingDays,
    *,
    candidates_per_examiner: int,
    seed: int = 0,
    deadline_s: float = 60.0,
    before: Plan | None = None,
    progress: Tell = _untold,
) -> Plan | Blocked:
    """Return a place in both parts for each candidate and examiners for each room, or what stands in the way.

    The same input and seed give the same plan, whatever the order of candidates and however busy the machine.

    Args:
        candidates: Each enrolment once.
        venues: Sites, rooms, slots, examiners.
        window: The month, such as `2021-08`; its past days aren't left out: `Candidate.not_before` does that.
        calendar: Working days.
        candidates_per_examiner: Of a room and slot (policy `class.learners_per_teacher`, clause (四)21(1)).
        seed: Of the search.
        deadline_s: Effort, in the solver's own seconds: about as many on an idle machine.
        before: The plan in force: as few of its candidates as possible are given another day, slot or room.
        progress: Told of each better plan and bound.

    Raises:
        GuardError: `planning.candidate_twice`, `planning.no_candidates`.
    """
    _must_be_sound(candidates)
    problem = state(candidates, venues, window, calendar, candidates_per_examiner)
    found = place(problem, seed, deadline_s, progress)
    if found.left:

        def works(other: Venues) -> bool:
            changed = state(candidates, other, window, calendar, candidates_per_examiner)
            return is_possible(changed, seed)

        reasons, remedies = what_blocks(candidates, venues, window, calendar, works)
        unplaced = sum(found.left.values())
        return Blocked(window=window, unplaced=unplaced, proved=found.proved, reasons=reasons, remedies=remedies)
    sittings, duties = seat(problem, found.layout, {})
    objective = weigh(measure(sittings, duties, candidates, venues, window, calendar))
    bound = min(found.bound, objective)
    progress(Progress(objective, bound))
    return Plan(window=window, sittings=sittings, duties=duties, objective=objective, bound=bound, seed=seed)


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
    if relaxation.bound is None:
        layout, left = first_layout(problem, {}, seed)
        return Placed(layout, left, 0, proved=True)
    layout, left = first_layout(problem, relaxation.wanted, seed)
    if size(problem) > SMALL:
        return Placed(layout, left, relaxation.bound, proved=False)
    model = Model(problem, range(len(problem.days)), {g: group.size for g, group in enumerate(problem.groups)})
    solution = solve(model, seed=seed, effort=effort, hint=layout)
    if solution is None:
        return Placed(layout, left, relaxation.bound, proved=False)
    bound = max(relaxation.bound, ceil(solution.bound - 1e-6) - model.least)
    return Placed(solution.layout, solution.left, bound, proved=solution.bound >= model.worst)


def is_possible(problem: Problem, seed: int) -> bool:
    """Return whether there is a plan; of large problems, whether one is found quickly."""
    relaxation = relax(problem)
    if relaxation.bound is None:
        return False
    if size(problem) > SMALL:
        return not first_layout(problem, relaxation.wanted, seed)[1]
    model = Model(problem, range(len(problem.days)), {g: group.size for g, group in enumerate(problem.groups)})
    model.cp.add(model.leftover == 0)
    return solve(model, seed=seed, effort=TRIAL_EFFORT, first=True) is not None


def size(problem: Problem) -> int:
    """Return how many counts the exact model of the whole month has, about."""
    days = len(problem.days)
    ways = sum(len(problem.journeys(group.occupation)) for group in problem.groups)
    posts = len(problem.blocks) + len(problem.arcs) + len(problem.practice) * len(problem.slots)
    return days * (ways + len(problem.kinds) * posts)


def first_layout(problem: Problem, wanted: Mapping[int, int], seed: int) -> tuple[Layout, dict[int, int]]:
    """Return ways for as many as find them quickly, with rooms and examiners; and who is left over."""
    ways, left = construct(problem, wanted)
    layout: Layout = {}
    remaining = Counter(left)
    for day, one in ways.items():
        layout[day], missing = examiners_given_ways(problem, day, one, seed)
        remaining.update(missing)
    return layout, dict(remaining)


def examiners_given_ways(problem: Problem, day: int, ways: DayLayout, seed: int) -> tuple[DayLayout, dict[int, int]]:
    """Return rooms and examiners for people's ways, and how many of each group nobody can watch."""
    amounts: Counter[int] = Counter()
    for (g, _), amount in ways.ways.items():
        amounts[g] += amount
    for exactly in (True, False):
        model = Model(problem, [day], amounts)
        for (_, g, journey), var in model.counts["ways"].items():
            model.cp.add(var == ways.ways[g, journey] if exactly else var <= ways.ways[g, journey])
        if exactly:
            model.cp.add(model.leftover == 0)
        solution = solve(model, seed=seed, effort=GUARDS_EFFORT)
        if solution is not None:
            return solution.layout[day], dict(solution.left)
    return DayLayout(), dict(amounts)


def _must_be_sound(candidates: Sequence[Candidate]) -> None:
    if not candidates:
        raise GuardError(
            ErrorKind.INVALID,
            "planning.no_candidates",
            "没有考生可排 / there are no candidates to plan for",
            remedy="先受理申请 / decide on applications first",
        )
    twice = sorted(who for who, times in Counter(one.enrolment_id for one in candidates).items() if times > 1)
    if twice:
        raise GuardError(
            ErrorKind.INVALID,
            "planning.candidate_twice",
            f"同一报名出现多次 / an enrolment is given more than once: {', '.join(twice[:5])}",
            where="/candidates",
            remedy="每个报名只列一次 / name each enrolment once",
        )
