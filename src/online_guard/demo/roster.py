"""The dozen learners of the demonstration: who studies how, and what must be found."""

from __future__ import annotations

from collections.abc import Mapping

from online_guard.demo.people import name_of
from online_guard.demo.report import Person
from online_guard.simulate.cheats import CHEATS
from online_guard.simulate.course import Plan
from online_guard.simulate.ways import HONEST_WAYS

PLANS: tuple[Plan, ...] = (
    Plan("lunch"),
    Plan("skewed"),
    Plan("hand_over"),
    Plan(cheats={2: "skip_ahead", 3: "fast_forward"}),
    Plan(cheats={2: "declared_rate", 3: "clock_lead"}),
    Plan(cheats={1: "rewritten_events", 2: "impossible_order", 3: "hidden_playback"}),
    Plan(cheats={2: "overlapping_sessions", 3: "popup_remover"}),
    Plan(cheats={1: "ignored_popups", 2: "scripted_answers", 3: "several_players"}),
    Plan(cheats={1: "liveness_doubtful", 2: "liveness_failed", 3: "liveness_missing"}),
    Plan(cheats={2: "out_of_order", 3: "outside_dates"}),
    Plan(cheats={1: "foreign_snapshots", 2: "no_snapshot", 3: "slicer"}),
    Plan(cheats={2: "unfinished"}),
)
"""Each cheat once, in a lesson of its own; no lesson that is left unfinished has another professional one behind it."""

REPLAYED: Mapping[str, frozenset[str]] = {"liveness_failed": frozenset({"OG602"})}
"""What a cheat shows besides where a camera stands before it: one of these clips is sent again."""


def person(number: int, plan: Plan) -> Person:
    """Return how the n-th learner, from 0, is shown, who studies by a plan."""
    if not plan.cheats:
        way = HONEST_WAYS[plan.honest]
        return Person(name_of(number), f"如实学习：{way.label_zh}", f"honest: {way.label_en}")
    lessons = sorted(plan.cheats.items())
    zh = "；".join(f"第 {_lessons(last, way)} 课：{CHEATS[way].label_zh}" for last, way in lessons)
    en = "; ".join(f"lesson {_lessons(last, way)}: {CHEATS[way].label_en}" for last, way in lessons)
    return Person(name_of(number), zh, en)


def _lessons(last: int, way: str) -> str:
    """Return the numbers of the lessons that a cheat takes."""
    return str(last) if CHEATS[way].lessons == 1 else f"{last - 1}+{last}"


def expected(plan: Plan, lesson_no: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return the rules that must be found in a lesson, and those that may be found besides. Notes don't matter."""
    must: set[str] = set()
    may: set[str] = set()
    for last, way in plan.cheats.items():
        cheat = CHEATS[way]
        if last == lesson_no:
            must.add(cheat.rule)
            may |= cheat.also | REPLAYED.get(way, frozenset()) | {"OG702"}
        elif last - cheat.lessons < lesson_no < last:
            may |= cheat.also | {cheat.rule, "OG702"}
    return frozenset(must), frozenset(may)
