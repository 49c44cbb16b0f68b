"""A class at a glance: learners × lessons, coloured by what the ledger says of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from online_guard.ledger import UNFINISHED, LedgerEntry
from online_guard.pictures import svg
from online_guard.pictures.canvas import shortened, wide
from online_guard.pictures.legend import legend
from online_guard.pictures.words import Language, say

MOST_CELL_PX, LEAST_CELL_PX = 30.0, 4.0
ROW_PX, LOW_ROW_PX = 18.0, 12.0
MANY_LEARNERS = 40
"""A class of more learners is drawn with lower rows."""
SMALL_PX = 9.5 / 11


class Hours(StrEnum):
    """What became of a lesson for a learner."""

    EARNED = "earned"
    HELD = "held"
    """A finding waits for a decision."""
    REFUSED = "refused"
    UNFINISHED = "unfinished"
    """Nothing is held against it but that too little was watched."""
    UNOPENED = "unopened"


LEAST_PX = 520
"""A class of few lessons is drawn no wider than this, so that its cells aren't blown up."""
TOP_PX = 22.0
"""Where the first row begins, below the numbers of the lessons."""
PLAIN = (Hours.EARNED, Hours.UNOPENED)
"""What needs no words: all such cells are one path."""


@dataclass(frozen=True)
class Cell:
    """One lesson of one learner; `rules` are those that refuse or hold it."""

    state: Hours
    hours: float
    coverage: float
    rules: tuple[str, ...]

    @classmethod
    def of(cls, entry: LedgerEntry, waits: bool) -> Cell:
        """Return the cell of a row of the ledger; `waits`: whether a finding that waits keeps it from earning."""
        if entry.hours > 0:
            state = Hours.EARNED
        elif not entry.refused_by:
            state = Hours.UNOPENED
        elif waits:
            state = Hours.HELD
        else:
            state = Hours.UNFINISHED if entry.refused_by == (UNFINISHED,) else Hours.REFUSED
        return cls(state, entry.hours, entry.coverage, entry.refused_by)


NOTHING = Cell(Hours.UNOPENED, 0, 0, ())


@dataclass(frozen=True)
class Learner:
    """A row: `name` is shown, `cells` are by lesson number; one that is missing is drawn as unopened."""

    name: str
    cells: Mapping[int, Cell]


def ledger_heat_map(
    learners: Sequence[Learner], lessons: Sequence[int], language: Language = Language.ZH, *, width: int = 860
) -> str:
    """Return the heat map of a class: a row for each learner, a column for each lesson.

    Whatever did not earn names its rules in a title; a mark in the cell says the same as its colour.

    Args:
        learners: In the order of the rows.
        lessons: Their numbers, in the order of the columns, at least one.
        language: In which it speaks.
        width: In px, at most; few lessons take less.
    """
    left = min(max([wide(learner.name) * SMALL_PX for learner in learners] or [0.0]) + 16, width / 3)
    size = min(MOST_CELL_PX, max(LEAST_CELL_PX, (width - left - 12) / len(lessons)))
    row_px = LOW_ROW_PX if len(learners) > MANY_LEARNERS else ROW_PX
    parts = list(_numbers(lessons, left, size))
    joined: dict[str, list[str]] = defaultdict(list)
    counts = dict.fromkeys(Hours, 0)
    for row, learner in enumerate(learners):
        y = TOP_PX + row * row_px
        name = shortened(learner.name, (left - 12) / SMALL_PX)
        parts.append(svg.text(left - 6, y + row_px / 2 + 3.5, "small row end", name, learner.name))
        for column, lesson_no in enumerate(lessons):
            cell = learner.cells.get(lesson_no, NOTHING)
            box = (left + column * size, y, size - 1, row_px - 1)
            counts[cell.state] += 1
            joined[f"sign {cell.state}"].append(_mark(cell.state, *box))
            if cell.state in PLAIN:
                joined[f"cell {cell.state}"].append(svg.bars([(box[0], box[0] + box[2])], y, box[3]))
            else:
                parts.append(svg.bar(*box, f"cell {cell.state}", _said(cell, learner.name, lesson_no, language)))
    parts += [svg.path("".join(places), name) for name, places in joined.items()]
    keys = ((_key(state), f"{say(language, state)} {count}") for state, count in counts.items())
    width = round(max(min(width, LEAST_PX), left + size * len(lessons) + 12))
    rows, height = legend(keys, TOP_PX + len(learners) * row_px, width)
    told = [say(language, "heat_told", state=say(language, state), count=count) for state, count in counts.items()]
    return svg.picture("heat", width, height, say(language, "heat"), told, [*parts, *rows])


def _numbers(lessons: Sequence[int], left: float, size: float) -> list[str]:
    """Return the numbers of the lessons, as many as there is room for."""
    every = max(1, round(16 / size + 0.49))
    return [
        svg.text(left + (column + 0.5) * size, 14, "small mid", str(lesson_no))
        for column, lesson_no in enumerate(lessons)
        if column % every == 0
    ]


def _said(cell: Cell, name: str, lesson_no: int, language: Language) -> str:
    """Return what a cell says: whose lesson, what became of it, and why."""
    return say(
        language, "heat_cell", name=name, lesson_no=lesson_no, state=say(language, cell.state),
        coverage=cell.coverage, rules=" ".join(cell.rules),
    )  # fmt: skip


def _mark(state: Hours, x: float, y: float, width: float, height: float) -> str:
    """Return the mark of a state, so that no one needs its colour: a cross, a bar or a dot."""
    middle_x, middle_y, reach = x + width / 2, y + height / 2, min(width, height) / 4
    a, b, c, d = (svg.number(n) for n in (middle_x - reach, middle_x + reach, middle_y - reach, middle_y + reach))
    marks = {
        Hours.REFUSED: f"M{a} {c}L{b} {d}M{a} {d}L{b} {c}",
        Hours.HELD: f"M{svg.number(middle_x)} {svg.number(middle_y)}h0",
    }
    return marks.get(state, f"M{a} {svg.number(middle_y)}H{b}" if state is Hours.UNFINISHED else "")


def _key(state: Hours) -> str:
    """Return the sign of a state for the legend."""
    box = (4.0, -7.0, 14.0, 13.0)
    return svg.bar(*box, f"cell {state}") + svg.path(_mark(state, *box), f"sign {state}")
