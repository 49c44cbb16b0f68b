"""Proof of a plan: every hard constraint looked at again, place by place, without any of the planner's code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from math import ceil

from online_guard.assessment.planning.answers import Violation
from online_guard.assessment.roster import Candidate, Duty, Plan, Sitting
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Venues
from online_guard.assessment.windows import window_of
from online_guard.assessment.working_days import DayKind, WorkingDays
from online_guard.terms import AssessmentPart

Where = tuple[object, ...]
Place = Sitting | Duty


def check(
    plan: Plan,
    candidates: Sequence[Candidate],
    venues: Venues,
    calendar: WorkingDays,
    *,
    candidates_per_examiner: int,
) -> tuple[Violation, ...]:
    """Return each hard constraint that a plan breaks; none for a plan that can be published.

    Args:
        plan: Of these candidates.
        candidates: Everybody who is to be placed.
        venues: Sites, rooms, slots, examiners.
        calendar: Working days.
        candidates_per_examiner: Of a room and slot (policy `class.learners_per_teacher`).
    """
    book = _Book(plan, candidates, venues, calendar, candidates_per_examiner)
    unknown = tuple(book.unknown_names())
    if unknown:
        return unknown
    questions = (book.completeness, book.days, book.seats, book.examiners, book.persons, book.examiners_ways)
    return tuple(found for question in questions for found in question())


class _Book:
    """A plan with look-ups over what it names."""

    def __init__(
        self, plan: Plan, candidates: Sequence[Candidate], venues: Venues, calendar: WorkingDays, per_examiner: int
    ) -> None:
        self.plan, self.venues, self.calendar, self.per_examiner = plan, venues, calendar, per_examiner
        self.candidates = {one.enrolment_id: one for one in candidates}
        self.sites: dict[str, Site] = {site.site_id: site for site in venues.sites}
        self.rooms: dict[tuple[str, str], Room] = {
            (site.site_id, room.room_id): room for site in venues.sites for room in site.rooms
        }
        self.slots: dict[int, Slot] = {slot.slot_no: slot for slot in venues.slots}
        self.guards: dict[str, Examiner] = {one.examiner_id: one for one in venues.examiners}
        self.minutes = {frozenset(way.between): way.minutes for way in venues.travel}

    def unknown_names(self) -> Iterator[Violation]:
        for sitting in self.plan.sittings:
            room = self.rooms.get((sitting.site_id, sitting.room_id))
            if sitting.enrolment_id not in self.candidates:
                yield _broken("unknown_candidate", sitting, "名单外的考生 / nobody of the candidates")
            elif sitting.slot_no not in self.slots or room is None or room.part is not sitting.part:
                yield _broken(
                    "unknown_place", sitting, "没有这个考场或场次 / no such room of this part, or no such slot"
                )
        for duty in self.plan.duties:
            known = duty.slot_no in self.slots and (duty.site_id, duty.room_id) in self.rooms
            if not known or duty.examiner_id not in self.guards:
                yield _broken("unknown_place", duty, "没有这个考场、场次或考评员 / no such room, slot or examiner")

    def completeness(self) -> Iterator[Violation]:
        parts = Counter((one.enrolment_id, one.part) for one in self.plan.sittings)
        for who in sorted(self.candidates):
            for part in AssessmentPart:
                if parts[who, part] != 1:
                    yield Violation("incomplete", f"{who} {part}", f"{parts[who, part]} 次 / times, not once")

    def days(self) -> Iterator[Violation]:
        places: tuple[Place, ...] = (*self.plan.sittings, *self.plan.duties)
        for one in places:
            if window_of(one.on) != self.plan.window:
                yield _broken("outside_window", one, "不在批次月份 / not in the window's month")
            worked = self.calendar.kind(one.on) is DayKind.WORKING or one.on in self.venues.open_on
            if not worked:
                yield _broken("not_a_working_day", one, "不是工作日 / not known to be a working day")
            if one.on in self.sites[one.site_id].closed_on:
                yield _broken("site_closed", one, "考点不开放 / the site is closed")
            if isinstance(one, Sitting) and one.on < self.candidates[one.enrolment_id].not_before:
                yield _broken("too_early", one, "早于申请的日期 / before the day applied for")
            if isinstance(one, Duty) and one.on in self.guards[one.examiner_id].days_off:
                yield _broken("examiner_off", one, "考评员当天休息 / the examiner's day off")

    def seats(self) -> Iterator[Violation]:
        taken = Counter((one.on, one.slot_no, one.site_id, one.room_id, one.seat_no) for one in self.plan.sittings)
        for place, times in taken.items():
            if times > 1:
                yield Violation("seat_twice", _words(place), f"{times} 人同座 / persons on one seat")
        for where, seated in self._by_room().items():
            room = self.rooms[str(where[2]), str(where[3])]
            places = room.seats if room.seats is not None else sum(room.workstations.values())
            if len(seated) > places or any(one.seat_no > places for one in seated):
                yield Violation("too_few_seats", _words(where), f"{len(seated)} 人,{places} 座 / persons, seats")
            if room.part is AssessmentPart.PRACTICE:
                for occupation, count in self._occupations(seated).items():
                    if count > room.workstations.get(occupation, 0):
                        yield Violation("too_few_workstations", _words(where), f"{occupation}: {count}")

    def examiners(self) -> Iterator[Violation]:
        on_duty: dict[Where, list[Examiner]] = defaultdict(list)
        for duty in self.plan.duties:
            on_duty[duty.on, duty.slot_no, duty.site_id, duty.room_id].append(self.guards[duty.examiner_id])
        seated_by_room = self._by_room()
        for where in sorted(on_duty.keys() - seated_by_room.keys(), key=str):
            yield Violation("idle_examiner", _words(where), "空考场有考评员 / an examiner in an empty room")
        for where, seated in seated_by_room.items():
            guards = on_duty[where]
            if len(guards) < ceil(len(seated) / self.per_examiner):
                yield Violation(
                    "too_few_examiners", _words(where), f"{len(seated)} 人,{len(guards)} 名考评员 / examiners"
                )
            elif self.rooms[str(where[2]), str(where[3])].part is AssessmentPart.PRACTICE:
                yield from self._occupations_watched(where, self._occupations(seated), guards)

    def _occupations_watched(
        self, where: Where, counts: Counter[str], guards: Sequence[Examiner]
    ) -> Iterator[Violation]:
        """Each candidate needs a share of an examiner of the occupation: Hall's condition over sets of occupations."""
        for size in range(1, len(counts) + 1):
            for some in combinations(sorted(counts), size):
                fit = sum(1 for one in guards if one.occupations & set(some))
                if sum(counts[name] for name in some) > fit * self.per_examiner:
                    yield Violation(
                        "occupation_unwatched",
                        _words(where),
                        f"{'、'.join(some)} 考评员不足 / too few examiners of the occupation",
                    )

    def persons(self) -> Iterator[Violation]:
        by_learner: dict[str, list[Sitting]] = defaultdict(list)
        by_enrolment: dict[str, list[Sitting]] = defaultdict(list)
        for sitting in self.plan.sittings:
            by_learner[self.candidates[sitting.enrolment_id].learner_id].append(sitting)
            by_enrolment[sitting.enrolment_id].append(sitting)
        for sittings in by_enrolment.values():
            theory = [one for one in sittings if one.part is AssessmentPart.THEORY]
            practice = [one for one in sittings if one.part is AssessmentPart.PRACTICE]
            for first, second in zip(theory, practice, strict=False):
                if first.on != second.on or self._starts(first) >= self._starts(second):
                    yield _broken(
                        "wrong_order", second, "理论须在同日实操之前 / theory comes before practice, on one day"
                    )
        for sittings in by_learner.values():
            yield from self._ways(sittings, "person")

    def examiners_ways(self) -> Iterator[Violation]:
        by_examiner: dict[str, list[Duty]] = defaultdict(list)
        for duty in self.plan.duties:
            by_examiner[duty.examiner_id].append(duty)
        for duties in by_examiner.values():
            yield from self._ways(duties, "examiner")

    def _ways(self, places: Sequence[Place], who: str) -> Iterator[Violation]:
        """Yield whoever is in two places at once, or can't come from one to the next in time."""
        for first, second in pairwise(sorted(places, key=self._starts)):
            if first.on != second.on:
                continue
            if first.slot_no == second.slot_no:
                yield _broken(f"{who}_twice_at_once", second, "同一时间两处 / in two places at once")
            elif first.site_id != second.site_id:
                way = self.minutes.get(frozenset((first.site_id, second.site_id)), self.venues.travel_minutes)
                left = datetime.combine(first.on, self.slots[first.slot_no].ends)
                if left + timedelta(minutes=way) > self._starts(second):
                    yield _broken(f"{who}_on_the_way", second, f"路上需要 {way} 分钟 / minutes of travel are needed")

    def _starts(self, one: Place) -> datetime:
        return datetime.combine(one.on, self.slots[one.slot_no].starts)

    def _by_room(self) -> dict[Where, list[Sitting]]:
        found: dict[Where, list[Sitting]] = defaultdict(list)
        for one in self.plan.sittings:
            found[one.on, one.slot_no, one.site_id, one.room_id].append(one)
        return found

    def _occupations(self, seated: Sequence[Sitting]) -> Counter[str]:
        return Counter(self.candidates[one.enrolment_id].occupation for one in seated)


def _broken(code: str, one: Place, message: str) -> Violation:
    who = one.enrolment_id if isinstance(one, Sitting) else one.examiner_id
    return Violation(code, _words((who, one.on, one.slot_no, one.site_id, one.room_id)), message)


def _words(place: Where) -> str:
    return " ".join(str(part) for part in place)
