"""Why there is no plan, and the least that would free one: each piece of advice is tried before it is given."""

from __future__ import annotations

import calendar as months
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from online_guard.assessment.planning.answers import Lack, Reason, Remedy, Step
from online_guard.assessment.planning.remedies import (
    day_steps,
    examiner_step,
    room_step,
    seat_step,
    station_step,
    with_steps,
)
from online_guard.assessment.roster import Candidate
from online_guard.assessment.venues import Room, Venues
from online_guard.assessment.working_days import DayKind, WorkingDays
from online_guard.terms import AssessmentPart

Works = Callable[[Venues], bool]
"""Whether there is a plan with other venues."""
MOST_PLACES, MOST_ROOMS = 1_000, 8
"""Up to how much is tried: places of a room as `venues.Places` allows them, examiners likewise; rooms."""


@dataclass(frozen=True)
class Family:
    """One way to add to the venues: the step that adds so many, from 1 to `most`."""

    lack: Lack
    occupation: str | None
    most: int
    steps: Callable[[int], tuple[Step, ...]]


def what_blocks(
    candidates: Sequence[Candidate],
    venues: Venues,
    window: str,
    calendar: WorkingDays,
    works: Works,
    only: frozenset[str] | None = None,
) -> tuple[tuple[Reason, ...], tuple[Remedy, ...]]:
    """Return what blocks and what would free a plan, the least first; nothing if even all together wouldn't.

    Args:
        candidates: Everybody.
        venues: With which there is no plan.
        window: Such as `2021-08`.
        calendar: Working days.
        works: Whether there is a plan with other venues.
        only: To spare trials, advice for these occupations alone and for the largest rooms.
    """
    families = tuple(_families(candidates, venues, window, calendar, only))
    alone = [family for family in families if works(with_steps(venues, family.steps(family.most)))]
    if alone:
        sets: list[tuple[Family, ...]] = [(family,) for family in alone]
    else:
        together = _irreducible(venues, families, works)
        sets = [together] if together else []
    remedies = [_least(venues, some, works) for some in sets]
    named = sorted({(family.lack, family.occupation or "") for some in sets for family in some})
    reasons = tuple(_reason(lack, name or None, candidates) for lack, name in named)
    if not sets:
        reasons = (_reason(Lack.SLOTS, None, candidates),)
    return reasons, tuple(sorted(remedies, key=lambda remedy: (len(remedy.steps), sum(s.count for s in remedy.steps))))


def _irreducible(venues: Venues, families: Sequence[Family], works: Works) -> tuple[Family, ...]:
    """Return families that free a plan together, none of which can be left out; none if all together don't."""
    kept = list(families)

    def all_of(some: Sequence[Family]) -> Venues:
        return with_steps(venues, [step for family in some for step in family.steps(family.most)])

    if not works(all_of(kept)):
        return ()
    for family in families:
        without = [one for one in kept if one is not family]
        if works(all_of(without)):
            kept = without
    return tuple(kept)


def _least(venues: Venues, families: Sequence[Family], works: Works) -> Remedy:
    """Return the fewest of each family, one after another, that still free a plan."""
    amounts = [family.most for family in families]

    def steps() -> list[Step]:
        return [step for family, amount in zip(families, amounts, strict=True) for step in family.steps(amount)]

    def enough(number: int, amount: int) -> bool:
        amounts[number] = amount
        return works(with_steps(venues, steps()))

    for number, family in enumerate(families):
        low, high = 0, 1
        while high < family.most and not enough(number, high):
            low, high = high, 2 * high
        high = min(high, family.most)  # known to be enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(number, middle) else (middle, high)
        amounts[number] = high
    return Remedy(steps=tuple(steps()))


def _families(
    candidates: Sequence[Candidate],
    venues: Venues,
    window: str,
    calendar: WorkingDays,
    only: frozenset[str] | None,
) -> Iterator[Family]:
    """Yield what may be added: days; seats, workstations, rooms; examiners."""
    count = len(candidates)
    days = _days(candidates, venues, window, calendar)
    if days:
        yield Family(Lack.DAYS, None, len(days), partial(day_steps, days))
    theory, practice = _rooms(venues, AssessmentPart.THEORY), _rooms(venues, AssessmentPart.PRACTICE)
    for site_id, room in theory[: 1 if only else None]:
        most = min(count, MOST_PLACES - (room.seats or 0))
        yield Family(Lack.THEORY_SEATS, None, most, partial(seat_step, site_id, room))
        yield Family(Lack.THEORY_SEATS, None, MOST_ROOMS, partial(room_step, site_id, room))
    if only is None:
        for site_id, room in practice:
            yield Family(Lack.WORKSTATIONS, None, MOST_ROOMS, partial(room_step, site_id, room))
    for occupation in sorted(only or {one.occupation for one in candidates}):
        size = sum(one.occupation == occupation for one in candidates)
        best = sorted(practice, key=lambda place: -place[1].workstations.get(occupation, 0))
        for site_id, room in best[: 1 if only else None]:
            most = min(size, MOST_PLACES - room.workstations.get(occupation, 0))
            steps = partial(station_step, site_id, room, occupation)
            yield Family(Lack.WORKSTATIONS, occupation, most, steps)
        yield Family(Lack.EXAMINERS, occupation, min(count, MOST_PLACES), partial(examiner_step, occupation))


def _rooms(venues: Venues, part: AssessmentPart) -> list[tuple[str, Room]]:
    """Return a part's rooms with their sites, the largest first."""
    rooms = [(site.site_id, room) for site in venues.sites for room in site.rooms if room.part is part]
    return sorted(rooms, key=lambda place: (-(place[1].seats or sum(place[1].workstations.values())), place[1].room_id))


def _days(candidates: Sequence[Candidate], venues: Venues, window: str, calendar: WorkingDays) -> tuple[date, ...]:
    """Return the days that could be opened: working days first, those that suit everybody first, then by date."""
    year, month = (int(part) for part in window.split("-"))
    every = [date(year, month, n) for n in range(1, months.monthrange(year, month)[1] + 1)]
    everybody = max(one.not_before for one in candidates)

    def is_used(day: date) -> bool:
        return _is_worked(day) and any(day not in site.closed_on for site in venues.sites)

    def _is_worked(day: date) -> bool:
        return calendar.kind(day) is DayKind.WORKING or day in venues.open_on

    closed = [day for day in every if not is_used(day)]
    return tuple(sorted(closed, key=lambda day: (not _is_worked(day), day < everybody, day)))


_WORDS = {
    Lack.DAYS: ("考核日不足", "too few days of assessment"),
    Lack.THEORY_SEATS: ("理论机位不足", "too few seats at computers"),
    Lack.WORKSTATIONS: ("实操工位不足", "too few workstations"),
    Lack.EXAMINERS: ("考评员不足", "too few examiners"),
    Lack.SLOTS: (
        "增加考核日、考场与考评员也排不下:须有同日先理论后实操、路程够用的两个场次",
        "no days, rooms or examiners would help: a day needs two slots, theory before practice, with time to travel",
    ),
}


def _reason(lack: Lack, occupation: str | None, candidates: Sequence[Candidate]) -> Reason:
    zh, en = _WORDS[lack]
    concerned = sum(occupation in (None, one.occupation) for one in candidates)
    of = f":{occupation}" if occupation else ""
    return Reason(
        lack=lack,
        occupation=occupation,
        candidates=concerned,
        zh=f"{zh}{of}",
        en=f"{en}{': ' + occupation if occupation else ''}",
    )
