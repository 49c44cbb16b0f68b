"""From counts to persons: who sits on which seat, and which examiner watches which room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from online_guard.assessment.planning.layout import DayLayout, Layout
from online_guard.assessment.planning.problem import Block, PlannedRoom, Problem
from online_guard.assessment.roster import Duty, Sitting
from online_guard.terms import AssessmentPart

Seats = dict[tuple[str, AssessmentPart], int]
"""The seat that a candidate has in a part, by enrolment."""


def seat(problem: Problem, layout: Layout, had: Seats) -> tuple[tuple[Sitting, ...], tuple[Duty, ...]]:
    """Return sittings and duties, sorted; who stays keeps the seat, others get the lowest free ones, class by class.

    Args:
        problem: What was planned.
        layout: Everybody's ways, rooms' loads and examiners' duties.
        had: The seats of those who may stay.
    """
    sittings: list[Sitting] = []
    duties: list[Duty] = []
    waiting = {g: list(group.members) for g, group in enumerate(problem.groups)}
    for day in sorted(layout):
        sittings.extend(_DaySeats(problem, day, layout[day], waiting, had).sittings())
        duties.extend(_duties(problem, day, layout[day]))
    return (
        tuple(sorted(sittings, key=lambda one: (one.enrolment_id, one.part))),
        tuple(sorted(duties, key=lambda one: (one.on, one.slot_no, one.site_id, one.room_id, one.examiner_id))),
    )


class _DaySeats:
    """One day's seats; candidates are taken from `waiting`, group by group."""

    def __init__(
        self, problem: Problem, day: int, layout: DayLayout, waiting: dict[int, list[str]], had: Seats
    ) -> None:
        self.problem, self.day, self.layout, self.had = problem, day, layout, had
        self.fixed: dict[tuple[AssessmentPart, int, int, str], list[str]] = defaultdict(list)
        self.coming: dict[tuple[AssessmentPart, Block, str], list[str]] = defaultdict(list)
        for (g,), amount in sorted(layout.stay.items()):
            group = problem.groups[g]
            if group.has is not None:
                (_, slot), (_, later) = group.has.journey
                some = _take(waiting[g], amount)
                self.fixed[AssessmentPart.THEORY, group.has.theory_room, slot, ""].extend(some)
                self.fixed[AssessmentPart.PRACTICE, group.has.practice_room, later, group.occupation].extend(some)
        for (g, (theory, practice)), amount in sorted(layout.ways.items()):
            some = _take(waiting[g], amount)
            self.coming[AssessmentPart.THEORY, theory, ""].extend(some)
            self.coming[AssessmentPart.PRACTICE, practice, problem.groups[g].occupation].extend(some)

    def sittings(self) -> Iterator[Sitting]:
        """Yield everybody's seats of the day."""
        seated: dict[tuple[AssessmentPart, int, int], list[tuple[str, bool]]] = defaultdict(list)
        theory = [(r, slot, "", load) for (r, slot), load in sorted(self.layout.theory.items())]
        practice = [(r, slot, name, load) for (r, slot, name), load in sorted(self.layout.practice.items())]
        for part, loads in ((AssessmentPart.THEORY, theory), (AssessmentPart.PRACTICE, practice)):
            for r, slot, name, load in loads:
                staying = self.fixed[part, r, slot, name]
                arriving = _take(self.coming[part, (self._rooms(part)[r].site, slot), name], load - len(staying))
                seated[part, r, slot] += [(who, True) for who in staying] + [(who, False) for who in arriving]
        for (part, r, slot), some in seated.items():
            yield from self._seats(part, self._rooms(part)[r], slot, some)

    def _rooms(self, part: AssessmentPart) -> tuple[PlannedRoom, ...]:
        return self.problem.theory if part is AssessmentPart.THEORY else self.problem.practice

    def _seats(
        self, part: AssessmentPart, room: PlannedRoom, slot: int, some: list[tuple[str, bool]]
    ) -> Iterator[Sitting]:
        kept = {who: self.had[who, part] for who, stays in some if stays and self.had[who, part] <= room.seats}
        free = iter(sorted(set(range(1, room.seats + 1)) - set(kept.values())))
        for who, _ in some:
            yield Sitting(
                enrolment_id=who,
                part=part,
                on=self.problem.days[self.day],
                slot_no=self.problem.slots[slot].slot_no,
                site_id=self.problem.sites[room.site],
                room_id=room.room_id,
                seat_no=kept[who] if who in kept else next(free),
            )


def _take(some: list[str], amount: int) -> list[str]:
    taken = some[:amount]
    del some[:amount]
    return taken


def _duties(problem: Problem, day: int, layout: DayLayout) -> Iterator[Duty]:
    """Yield the duties: each examiner walks from place to place as the layout says."""
    posts: dict[tuple[int, Block], list[PlannedRoom | None]] = defaultdict(list)
    open_posts: dict[Block, list[PlannedRoom]] = defaultdict(list)
    for (r, slot), load in sorted(layout.theory.items()):
        room = problem.theory[r]
        open_posts[room.site, slot] += [room] * -(-load // problem.per_examiner)
    for (k, block), amount in sorted(layout.theory_duties.items()):
        posts[k, block] += [open_posts[block].pop() if open_posts[block] else None for _ in range(amount)]
    for (k, r, slot), amount in sorted(layout.practice_duties.items()):
        room = problem.practice[r]
        posts[k, (room.site, slot)] += [room] * amount
    fresh = {k: list(reversed(kind.on_day(day))) for k, kind in enumerate(problem.kinds)}
    there: dict[tuple[int, Block], list[str]] = defaultdict(list)
    for (k, block), rooms in sorted(posts.items(), key=lambda item: (item[0][1][1], item[0])):
        arriving = [
            there[k, first].pop()
            for (of, first, second), amount in sorted(layout.walks.items())
            if of == k and second == block
            for _ in range(min(amount, len(there[k, first])))
        ]
        for post in rooms:
            who = arriving.pop() if arriving else fresh[k].pop()
            there[k, block].append(who)
            if post is None:  # the solver had one more than the room needs
                continue
            yield Duty(
                examiner_id=who,
                on=problem.days[day],
                slot_no=problem.slots[block[1]].slot_no,
                site_id=problem.sites[block[0]],
                room_id=post.room_id,
            )
