"""A plan in counts: how many of each group go which way on a day, and how many of each kind of examiner are where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from online_guard.assessment.planning.problem import Block, Journey


@dataclass
class DayLayout:
    """One day; what isn't named is 0.

    Attributes:
        ways: Candidates by group and journey, without those who stay.
        stay: Candidates by group who keep the places that they had.
        theory: Candidates by theory room and slot.
        practice: Candidates by practice room, slot and occupation.
        theory_duties: Examiners by kind, site and slot.
        practice_duties: Examiners by kind, practice room and slot.
        walks: Examiners by kind who go from one place straight to the next.
    """

    ways: Counter[tuple[int, Journey]] = field(default_factory=Counter)
    stay: Counter[tuple[int]] = field(default_factory=Counter)
    theory: Counter[tuple[int, int]] = field(default_factory=Counter)
    practice: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    theory_duties: Counter[tuple[int, Block]] = field(default_factory=Counter)
    practice_duties: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    walks: Counter[tuple[int, Block, Block]] = field(default_factory=Counter)


COUNTS = ("ways", "stay", "theory", "practice", "theory_duties", "practice_duties", "walks")
Layout = dict[int, DayLayout]
"""The days in use, by number."""
