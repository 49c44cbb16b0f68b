"""Small venues and candidates for tests of planning."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from online_guard.assessment.planning import Blocked, check, plan
from online_guard.assessment.planning.placing import is_possible
from online_guard.assessment.planning.stating import state
from online_guard.assessment.roster import Candidate, Plan
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Venues
from online_guard.assessment.working_days import read_working_days
from online_guard.terms import AssessmentPart, CertificateRoute

WINDOW = "2021-08"
MONDAY = date(2021, 8, 2)
CALENDAR = read_working_days()
SLOTS = (
    Slot(slot_no=1, starts=time(8), ends=time(9)),
    Slot(slot_no=2, starts=time(10), ends=time(11)),
    Slot(slot_no=3, starts=time(14), ends=time(15)),
)


def candidate(number: int, **other: Any) -> Candidate:
    known: dict[str, Any] = {
        "enrolment_id": f"e{number:02d}",
        "learner_id": f"l{number:02d}",
        "class_id": "class-1",
        "platform_id": "p",
        "enterprise": "甲公司",
        "institution": "乙学校",
        "occupation": "电工",
        "certificate_route": CertificateRoute.COMPLETION,
        "not_before": MONDAY,
        "waiting_since": date(2021, 7, 20),
    }
    return Candidate(**(known | other))


def class_of(size: int, first: int = 1, **other: Any) -> list[Candidate]:
    return [candidate(first + n, **other) for n in range(size)]


def theory(seats: int, room_id: str = "T1") -> Room:
    return Room(room_id=room_id, name=room_id, part=AssessmentPart.THEORY, seats=seats)


def practice(room_id: str = "P1", **workstations: int) -> Room:
    return Room(room_id=room_id, name=room_id, part=AssessmentPart.PRACTICE, workstations=workstations)


def examiner(examiner_id: str, *occupations: str, off: frozenset[date] = frozenset()) -> Examiner:
    return Examiner(examiner_id=examiner_id, name=examiner_id, occupations=frozenset(occupations), days_off=off)


def site(site_id: str, *rooms: Room, closed_on: frozenset[date] = frozenset()) -> Site:
    return Site(site_id=site_id, name=site_id, address=site_id, rooms=rooms, closed_on=closed_on)


def all_but(*days: int) -> frozenset[date]:
    """The days of the window on which a site is closed, so that only some are left."""
    return frozenset(date(2021, 8, n) for n in range(1, 32) if n not in days)


def one_site(*days: int, seats: int = 40, stations: int = 40, examiners: int = 4, slots: int = 2) -> Venues:
    return Venues(
        sites=(site("s1", theory(seats), practice(电工=stations), closed_on=all_but(*days)),),
        slots=SLOTS[:slots],
        examiners=tuple(examiner(f"x{n}", "电工") for n in range(examiners)),
    )


def planned(candidates: list[Candidate], venues: Venues, *, per_examiner: int = 20, **other: Any) -> Plan | Blocked:
    """Plan, and prove the plan."""
    found = plan(candidates, venues, WINDOW, CALENDAR, candidates_per_examiner=per_examiner, **other)
    if isinstance(found, Plan):
        broken = check(found, candidates, venues, CALENDAR, candidates_per_examiner=per_examiner)
        assert broken == ()
    return found


def possible(candidates: list[Candidate], venues: Venues) -> bool:
    return is_possible(state(candidates, venues, WINDOW, CALENDAR, 20), seed=0)


def a_plan(candidates: list[Candidate], venues: Venues, **other: Any) -> Plan:
    found = planned(candidates, venues, **other)
    assert isinstance(found, Plan), found
    return found
