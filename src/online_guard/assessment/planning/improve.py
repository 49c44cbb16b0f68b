"""Ways for everybody: a quick start; then classes are taken off and put back, and what is better stays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from online_guard.assessment.planning.board import NEVER, Board, Integers
from online_guard.assessment.planning.layout import Layout
from online_guard.assessment.planning.problem import ClassKey, Problem

WARMTH = 6.0
"""By how much a worse board may be kept at first (measured on the county's month)."""


def start(problem: Problem, wanted: Mapping[int, int], kept: Layout) -> tuple[Board, dict[int, int]]:
    """Return a board with a place for as many as find one quickly, and how many of each group don't.

    Args:
        problem: What is planned.
        wanted: By group, the day that suits it best.
        kept: Who stays where they were.
    """
    board = Board(problem, kept)
    staying = {g: amount for one in kept.values() for (g,), amount in one.stay.items()}
    left = {}
    every = np.arange(len(problem.days))
    for key in sorted(problem.classes, key=lambda key: (-problem.class_size[key], key)):
        for g in sorted(problem.classes[key], key=lambda g: (-problem.groups[g].size, g)):
            rest = problem.groups[g].size - staying.get(g, 0)
            rest = settle(board, g, rest, every[[wanted.get(g, 0)]])
            rest = settle(board, g, rest, every)
            if rest:
                left[g] = rest
    return board, left


def settle(board: Board, g: int, amount: int, days: Integers) -> int:
    """Put some of a group where on some days they add the least that is unwanted, undivided if possible.

    Return how many found no place.
    """
    journeys = board.problem.journeys(board.problem.groups[g].occupation)
    while amount:
        free = board.free(g, days)
        some = min(amount, int(free.max(initial=0)))
        if not some:
            break
        best = int(np.where(free >= some, board.costs(g, some, days), NEVER).argmin())
        on, way = divmod(best, len(journeys))
        board.put(g, int(days[on]), journeys[way], some)
        amount -= some
    return amount


def improve(board: Board, rounds: int, seed: int) -> None:
    """Take a few classes off and put them back, so often; a worse board is rarely kept, and never towards the end.

    They are classes of one day, or of one occupation on several days, and come back on one of these days.
    """
    random = np.random.default_rng(seed)
    keys = sorted({board.problem.groups[g].class_key for g, places in board.placed.items() if places})
    if not keys:
        return
    alike: dict[str, list[ClassKey]] = {}
    for key in keys:
        alike.setdefault(_occupation(board, key), []).append(key)
    for turn in range(rounds):
        first = keys[int(random.integers(len(keys)))]
        if turn % 3:
            day = min(_days(board, first))
            some = [key for key in keys if key != first and board.class_at[key, day] > 0]
        else:
            some = [key for key in alike[_occupation(board, first)] if key != first]
        count = min(len(some), int(random.integers(1, 6 if turn % 3 else 4)))
        chosen = [first, *(some[int(n)] for n in random.permutation(len(some))[:count])]
        days = np.array(sorted({day for key in chosen for day in _days(board, key)}))
        _again(board, chosen, days, WARMTH * (1 - turn / rounds), random)


def _days(board: Board, key: ClassKey) -> set[int]:
    return {day for g in board.problem.classes[key] for day, _ in board.placed[g]}


def _occupation(board: Board, key: ClassKey) -> str:
    return board.problem.groups[board.problem.classes[key][0]].occupation


def _again(board: Board, keys: list[ClassKey], days: Integers, warmth: float, random: Generator) -> None:
    """Take classes off and put them back; undo it if that is worse by more than the warmth allows."""
    before = board.value
    groups = [g for key in keys for g in board.problem.classes[key] if board.placed.get(g)]
    were = {g: board.take(g) for g in groups}
    amounts = {g: sum(amount for _, _, amount in places) for g, places in were.items()}
    order = sorted(groups, key=lambda g: (-amounts[g] * random.uniform(0.3, 1.7), g))
    full = all(settle(board, g, amounts[g], days) == 0 for g in order)
    if not full or board.value > before - warmth * np.log(random.uniform(1e-9, 1)):
        for g in groups:
            board.take(g)
        for g, places in were.items():
            for day, journey, amount in places:
                board.put(g, day, journey, amount)
