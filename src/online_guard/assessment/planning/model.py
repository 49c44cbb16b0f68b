"""The exact model of some days: every hard constraint and every weight, over counts of alike candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from ortools.sat.python import cp_model

from online_guard.assessment.planning.problem import Block, ClassKey, Journey, Problem
from online_guard.assessment.planning.weights import WEIGHTS

Var = cp_model.IntVar
THEORY, PRACTICE = 0, 1
"""Places in a journey."""


class Model:
    """Candidates of some groups, placed on some days or left over.

    Args:
        problem: What is planned.
        days: Numbers of the days on which they may be placed.
        amounts: How many of each group.
        moving: Whether anybody may be given other places than those in the plan in force.
    """

    def __init__(
        self, problem: Problem, days: Sequence[int], amounts: Mapping[int, int], *, moving: bool = True
    ) -> None:
        self.problem = problem
        self.moving = moving
        self.days = tuple(days)
        self.amounts = {g: amount for g, amount in sorted(amounts.items()) if amount}
        self.cp = cp_model.CpModel()
        self.counts: dict[str, dict[tuple[Any, ...], Var]] = defaultdict(dict)
        self.left: dict[int, Var] = {}
        self.terms: dict[str, list[cp_model.LinearExpr]] = defaultdict(list)
        self._coming: dict[tuple[int, int, Block], list[tuple[int, Var]]] = defaultdict(list)
        self._staying: dict[tuple[int, int, int, int, str], list[Var]] = defaultdict(list)
        self._candidates()
        for day in self.days:
            self._theory_rooms(day)
            self._practice_rooms(day)
            self._examiners(day)
        self._learners()
        self._togetherness()

    @property
    def unwanted(self) -> cp_model.LinearExpr:
        """The weighted sum."""
        weighted = [WEIGHTS[name].weight * term for name, terms in self.terms.items() for term in terms]
        return cp_model.LinearExpr.sum(weighted)

    @property
    def leftover(self) -> cp_model.LinearExpr:
        """How many find no place."""
        return cp_model.LinearExpr.sum(list(self.left.values()))

    @property
    def moved(self) -> cp_model.LinearExpr:
        """How many who could stay don't."""
        could = sum(self.amounts[g] for (_, g) in self.counts["stay"])
        return could - cp_model.LinearExpr.sum(list(self.counts["stay"].values()))

    def _count(self, most: int) -> Var:
        return self.cp.new_int_var(0, most, "")

    def _named(self, name: str, key: tuple[Any, ...], most: int) -> Var:
        var = self.counts[name][key] = self._count(most)
        return var

    def _candidates(self) -> None:
        """Each candidate goes one way on one day, or is left over; later days and overloaded days are unwanted."""
        on_day: dict[int, list[Var]] = defaultdict(list)
        for g, amount in self.amounts.items():
            group = self.problem.groups[g]
            mine = []
            for day in self.days:
                if day < group.first_day:
                    continue
                ways = [
                    (journey, self._named("ways", (day, g, journey), amount))
                    for journey in self.problem.journeys(group.occupation)
                    if self.moving and self.problem.is_open(day, journey)
                ]
                if group.has is not None and group.has.day == day:
                    stay = self._named("stay", (day, g), amount)
                    ways.append((group.has.journey, stay))
                    self._staying[day, THEORY, group.has.theory_room, group.has.journey[THEORY][1], ""].append(stay)
                    practice = (group.has.practice_room, group.has.journey[PRACTICE][1], group.occupation)
                    self._staying[day, PRACTICE, *practice].append(stay)
                for journey, var in ways:
                    for part, block in enumerate(journey):
                        self._coming[day, part, block].append((g, var))
                    self.terms["waiting"].append(group.urgency * (day - group.first_day) * var)
                    on_day[day].append(var)
                    mine.append(var)
            self.left[g] = self._count(amount)
            self.cp.add(sum(mine) + self.left[g] == amount)
        for coming in on_day.values():
            over = self._count(sum(self.amounts.values()))
            self.cp.add(over >= sum(coming) - self.problem.even)
            self.terms["overload"].append(over)

    def _theory_rooms(self, day: int) -> None:
        """Seats, and one examiner of any occupation for each so many candidates of a room."""
        per_examiner = self.problem.per_examiner
        for site, slot in self.problem.blocks:
            coming = self._coming.get((day, THEORY, (site, slot)))
            if not coming:
                continue
            seated, needed = [], []
            for r, room in enumerate(self.problem.theory):
                if room.site == site:
                    var = self._named("theory", (day, r, slot), room.seats)
                    need = self._count(-(-room.seats // per_examiner))
                    self.cp.add(per_examiner * need >= var)
                    self.cp.add(need <= var)
                    self.cp.add(var >= sum(self._staying.get((day, THEORY, r, slot, ""), ())))
                    seated.append(var)
                    needed.append(need)
            self.cp.add(sum(seated) == sum(var for _, var in coming))
            watching = [
                self._named("theory_duties", (day, k, (site, slot)), len(kind.on_day(day)))
                for k, kind in enumerate(self.problem.kinds)
                if kind.on_day(day)
            ]
            self.cp.add(sum(watching) == sum(needed))

    def _practice_rooms(self, day: int) -> None:
        """Workstations by occupation."""
        for site, slot in self.problem.blocks:
            coming: dict[str, list[Var]] = defaultdict(list)
            for g, var in self._coming.get((day, PRACTICE, (site, slot)), ()):
                coming[self.problem.groups[g].occupation].append(var)
            rooms = [r for r, room in enumerate(self.problem.practice) if room.site == site]
            for occupation, some in coming.items():
                seated = []
                for r in rooms:
                    places = self.problem.practice[r].workstations.get(occupation)
                    if places:
                        var = self._named("practice", (day, r, slot, occupation), places)
                        self.cp.add(var >= sum(self._staying.get((day, PRACTICE, r, slot, occupation), ())))
                        seated.append(var)
                self.cp.add(sum(seated) == sum(some))
            for r in rooms:
                self._practice_examiners(day, r, slot, sorted(coming))

    def _practice_examiners(self, day: int, r: int, slot: int, occupations: Iterable[str]) -> None:
        """Each candidate is watched by an examiner of the occupation, who watches no more than so many."""
        seated = self.counts["practice"]
        here = {name: seated[day, r, slot, name] for name in occupations if (day, r, slot, name) in seated}
        watched: dict[str, list[Var]] = defaultdict(list)
        for k, kind in enumerate(self.problem.kinds):
            fit = sorted(kind.occupations & here.keys())
            if not fit or not kind.on_day(day):
                continue
            duties = self._named("practice_duties", (day, k, r, slot), len(kind.on_day(day)))
            shares = []
            for name in fit:
                share = self._count(self.problem.practice[r].workstations[name])
                watched[name].append(share)
                shares.append(share)
            self.cp.add(sum(shares) <= self.problem.per_examiner * duties)
            self.cp.add(sum(shares) >= duties)
        for name, var in here.items():
            self.cp.add(sum(watched[name]) == var)

    def _examiners(self, day: int) -> None:
        """As many examiners of a kind come as chains of places, each reached in time, are needed to be everywhere."""
        busy: dict[int, dict[Block, list[Var]]] = defaultdict(lambda: defaultdict(list))
        for (on, k, block), var in self.counts["theory_duties"].items():
            if on == day:
                busy[k][block].append(var)
        for (on, k, r, slot), var in self.counts["practice_duties"].items():
            if on == day:
                busy[k][self.problem.practice[r].site, slot].append(var)
        for k, places in busy.items():
            most = len(self.problem.kinds[k].on_day(day))
            into: dict[Block, list[Var]] = defaultdict(list)
            out: dict[Block, list[Var]] = defaultdict(list)
            for first, second in self.problem.arcs:
                if first in places and second in places:
                    walk = self._named("walks", (day, k, first, second), most)
                    out[first].append(walk)
                    into[second].append(walk)
            for block, duties in places.items():
                self.cp.add(sum(into[block]) <= sum(duties))
                self.cp.add(sum(out[block]) <= sum(duties))
            used = self._count(most)
            self.cp.add(used == sum(sum(duties) - sum(into[block]) for block, duties in places.items()))
            for slot in {slot for _, slot in places}:
                self.cp.add(used >= sum(sum(duties) for block, duties in places.items() if block[1] == slot))
            self.terms["examiner_days"].append(used)

    def _learners(self) -> None:
        """A learner with two enrolments is never twice at once, and comes from one place to the next in time."""
        enrolments: dict[tuple[str, int], list[tuple[int, Journey, Var]]] = defaultdict(list)
        for (day, g, journey), var in self.counts["ways"].items():
            enrolments[self.problem.groups[g].learner_id or "", day].append((g, journey, var))
        for (day, g), var in self.counts["stay"].items():
            group = self.problem.groups[g]
            if group.has is not None:
                enrolments[group.learner_id or "", day].append((g, group.has.journey, var))
        for (learner, _), going in enrolments.items():
            if not learner:  # somebody with one enrolment
                continue
            for (g, mine, var), (other, others, other_var) in combinations(going, 2):
                places = sorted((*mine, *others), key=lambda block: block[1])
                if g != other and not all(self.problem.follows(a, b) for a, b in pairwise(places)):
                    self.cp.add(var + other_var <= 1)

    def _togetherness(self) -> None:
        """A class in few places, an enterprise on few days."""
        parts: dict[tuple[ClassKey, int, int, Block], list[tuple[int, Var]]] = defaultdict(list)
        for (day, part, block), all_coming in self._coming.items():
            for g, var in all_coming:
                parts[self.problem.groups[g].class_key, part, day, block].append((g, var))
        sites: dict[tuple[ClassKey, int, int], list[Var]] = defaultdict(list)
        for (class_key, _, day, (site, _)), coming in parts.items():
            used = self.cp.new_bool_var("")
            self.cp.add(sum(var for _, var in coming) <= sum(self.amounts[g] for g in {g for g, _ in coming}) * used)
            sites[class_key, day, site].append(used)
            self.terms["slots"].append(used)
        enterprises: dict[tuple[str, int], list[Var]] = defaultdict(list)
        for (class_key, day, _), some in sites.items():
            there = self._any(some)
            self.terms["sites"].append(there)
            enterprises[class_key[2], day].append(there)
        for some in enterprises.values():
            self.terms["enterprise_days"].append(self._any(some))

    def _any(self, some: Sequence[Var]) -> Var:
        found = self.cp.new_bool_var("")
        for var in some:
            self.cp.add_implication(var, found)
        return found
