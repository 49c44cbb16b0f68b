"""What a clerk does with a spreadsheet: one after another, who waits longest first, to the first place that is free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from online_guard.assessment.roster import Candidate, Duty, Sitting
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Venues
from online_guard.terms import AssessmentPart

Place = tuple[date, Slot, Site, Room]


class Clerk:
    """Rooms fill up one after another; an examiner stays at one site all day, and is called when a room needs one."""

    def __init__(self, venues: Venues, days: Sequence[date], per_examiner: int) -> None:
        self.venues, self.days, self.per_examiner = venues, days, per_examiner
        self.slots = sorted(venues.slots, key=lambda slot: slot.starts)
        self.seated: Counter[tuple[date, int, str]] = Counter()
        self.of_occupation: Counter[tuple[date, int, str, str]] = Counter()
        self.watching: Counter[tuple[date, int, str, str]] = Counter()
        self.site_of: dict[tuple[date, str], str] = {}
        self.busy: set[tuple[date, int, str]] = set()
        self.sittings: list[Sitting] = []
        self.duties: list[Duty] = []
        self.learners: set[tuple[str, date]] = set()

    def place(self, candidate: Candidate) -> bool:
        """Give the candidate the first places that are free, theory and then practice at one site."""
        for day in self.days:
            if day < candidate.not_before or (candidate.learner_id, day) in self.learners:
                continue
            for site in self.venues.sites:
                if day in site.closed_on:
                    continue
                for first in range(len(self.slots) - 1):
                    theory = self._free(day, self.slots[first], site, AssessmentPart.THEORY, candidate.occupation)
                    if theory is None:
                        continue
                    for later in self.slots[first + 1 :]:
                        practice = self._free(day, later, site, AssessmentPart.PRACTICE, candidate.occupation)
                        if practice is not None:
                            self._sit(candidate, theory)
                            self._sit(candidate, practice)
                            self.learners.add((candidate.learner_id, day))
                            return True
        return False

    def _free(self, day: date, slot: Slot, site: Site, part: AssessmentPart, occupation: str) -> Place | None:
        for room in site.rooms:
            if room.part is not part:
                continue
            key = (day, slot.slot_no, room.room_id)
            if room.seats is not None and self.seated[key] >= room.seats:
                continue
            if room.seats is None and self.of_occupation[*key, occupation] >= room.workstations.get(occupation, 0):
                continue
            if self._watched(key, part, occupation) or self._call(day, slot, site, part, occupation) is not None:
                return day, slot, site, room
        return None

    def _watched(self, key: tuple[date, int, str], part: AssessmentPart, occupation: str) -> bool:
        """Each examiner of a practice room is kept for one occupation."""
        if part is AssessmentPart.THEORY:
            return self.seated[key] < self.watching[*key, ""] * self.per_examiner
        return self.of_occupation[*key, occupation] < self.watching[*key, occupation] * self.per_examiner

    def _call(self, day: date, slot: Slot, site: Site, part: AssessmentPart, occupation: str) -> Examiner | None:
        def fits(one: Examiner) -> bool:
            return (
                day not in one.days_off
                and (day, slot.slot_no, one.examiner_id) not in self.busy
                and self.site_of.get((day, one.examiner_id), site.site_id) == site.site_id
                and (part is AssessmentPart.THEORY or occupation in one.occupations)
            )

        there = [one for one in self.venues.examiners if fits(one)]
        there.sort(key=lambda one: (day, one.examiner_id) not in self.site_of)
        return there[0] if there else None

    def _sit(self, candidate: Candidate, place: Place) -> None:
        day, slot, site, room = place
        key = (day, slot.slot_no, room.room_id)
        if not self._watched(key, room.part, candidate.occupation):
            examiner = self._call(day, slot, site, room.part, candidate.occupation)
            assert examiner is not None
            self.watching[*key, candidate.occupation if room.seats is None else ""] += 1
            self.busy.add((day, slot.slot_no, examiner.examiner_id))
            self.site_of[day, examiner.examiner_id] = site.site_id
            self.duties.append(
                Duty(
                    examiner_id=examiner.examiner_id,
                    on=day,
                    slot_no=slot.slot_no,
                    site_id=site.site_id,
                    room_id=room.room_id,
                )
            )
        self.seated[key] += 1
        self.of_occupation[*key, candidate.occupation] += 1
        self.sittings.append(
            Sitting(
                enrolment_id=candidate.enrolment_id,
                part=room.part,
                on=day,
                slot_no=slot.slot_no,
                site_id=site.site_id,
                room_id=room.room_id,
                seat_no=self.seated[key],
            )
        )


def greedy(
    candidates: Sequence[Candidate], venues: Venues, days: Sequence[date], per_examiner: int
) -> tuple[tuple[Sitting, ...], tuple[Duty, ...]]:
    """Return what the clerk makes of it; whoever found no place isn't in it."""
    clerk = Clerk(venues, days, per_examiner)
    for candidate in sorted(candidates, key=lambda one: (one.waiting_since, one.class_id, one.enrolment_id)):
        clerk.place(candidate)
    return tuple(clerk.sittings), tuple(clerk.duties)
