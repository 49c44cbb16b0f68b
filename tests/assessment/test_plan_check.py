"""The proof of a plan finds each thing that can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from assessment_month import (
    CALENDAR,
    SLOTS,
    a_plan,
    all_but,
    candidate,
    class_of,
    examiner,
    practice,
    site,
    theory,
)
from online_guard.assessment.planning import check
from online_guard.assessment.roster import Plan
from online_guard.assessment.venues import Venues
from online_guard.terms import AssessmentPart

PEOPLE = class_of(3)
OPEN = all_but(2, 3)
VENUES = Venues(
    sites=(site("s1", theory(3), practice(电工=3), closed_on=OPEN), site("s2", theory(3, "T2"), closed_on=OPEN)),
    slots=SLOTS,
    examiners=(examiner("x1", "电工"), examiner("x2")),
    travel_minutes=61,
)
Damage = Callable[[Plan], Plan]


@pytest.fixture(scope="module")
def good() -> Plan:
    return a_plan(PEOPLE, VENUES)


def with_sitting(number: int, **update: Any) -> Damage:
    """A plan with one sitting changed: 0 is the first candidate's practice, 1 their theory."""

    def damaged(plan: Plan) -> Plan:
        sittings = list(plan.sittings)
        sittings[number] = sittings[number].model_copy(update=update)
        return plan.model_copy(update={"sittings": tuple(sittings)})

    return damaged


def with_duties(**update: Any) -> Damage:
    return lambda plan: plan.model_copy(update={"duties": tuple(one.model_copy(update=update) for one in plan.duties)})


def test_a_good_plan_breaks_nothing(good: Plan) -> None:
    assert [one.part for one in good.sittings[:2]] == [AssessmentPart.PRACTICE, AssessmentPart.THEORY]
    assert check(good, PEOPLE, VENUES, CALENDAR, candidates_per_examiner=20) == ()


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (with_sitting(1, enrolment_id="nobody"), "unknown_candidate"),
        (with_sitting(1, room_id="P1"), "unknown_place"),
        (with_duties(examiner_id="nobody"), "unknown_place"),
        (lambda plan: plan.model_copy(update={"sittings": plan.sittings[1:]}), "incomplete"),
        (lambda plan: plan.model_copy(update={"sittings": (*plan.sittings, plan.sittings[0])}), "incomplete"),
        (with_sitting(1, on=date(2021, 9, 1)), "outside_window"),
        (with_sitting(1, on=date(2021, 8, 7)), "not_a_working_day"),
        (with_sitting(1, on=date(2021, 8, 4)), "site_closed"),
        (with_sitting(1, seat_no=2), "seat_twice"),
        (with_sitting(1, seat_no=4), "too_few_seats"),
        (lambda plan: plan.model_copy(update={"duties": ()}), "too_few_examiners"),
        (lambda plan: plan.model_copy(update={"sittings": ()}), "idle_examiner"),
        (with_duties(examiner_id="x2"), "occupation_unwatched"),
        (with_sitting(1, slot_no=3), "wrong_order"),
        (with_sitting(1, on=date(2021, 8, 3)), "wrong_order"),
        (with_sitting(1, slot_no=2), "person_twice_at_once"),
        (with_sitting(1, site_id="s2", room_id="T2"), "person_on_the_way"),
        (with_duties(slot_no=1), "examiner_twice_at_once"),
    ],
)
def test_each_damage_is_found(good: Plan, damage: Damage, code: str) -> None:
    found = check(damage(good), PEOPLE, VENUES, CALENDAR, candidates_per_examiner=20)
    assert code in {violation.code for violation in found}


@pytest.mark.parametrize(
    ("venues", "people", "code"),
    [
        (VENUES.model_copy(update={"slots": SLOTS[1:]}), PEOPLE, "unknown_place"),
        (
            VENUES.model_copy(update={"examiners": (examiner("x1", "电工", off=frozenset({date(2021, 8, 2)})),)}),
            PEOPLE,
            "examiner_off",
        ),
        (VENUES, [candidate(n, occupation="焊工") for n in (1, 2, 3)], "too_few_workstations"),
        (VENUES, class_of(3, not_before=date(2021, 8, 3)), "too_early"),
        (VENUES, [*PEOPLE, candidate(4)], "incomplete"),
    ],
)
def test_a_plan_of_other_facts_is_found(good: Plan, venues: Venues, people: list[Any], code: str) -> None:
    found = check(good, people, venues, CALENDAR, candidates_per_examiner=20)
    assert code in {violation.code for violation in found}


def test_an_examiner_too_few_by_one_candidate(good: Plan) -> None:
    assert check(good, PEOPLE, VENUES, CALENDAR, candidates_per_examiner=3) == ()
    assert {one.code for one in check(good, PEOPLE, VENUES, CALENDAR, candidates_per_examiner=2)} == {
        "too_few_examiners"
    }


def test_an_examiner_who_cannot_come_in_time(good: Plan) -> None:
    theory_there = [
        one.model_copy(update={"site_id": "s2", "room_id": "T2"}) for one in good.duties if one.slot_no == 1
    ]
    rest = [one for one in good.duties if one.slot_no != 1]
    moved = good.model_copy(update={"duties": (*theory_there, *rest)})
    assert "examiner_on_the_way" in {
        one.code for one in check(moved, PEOPLE, VENUES, CALENDAR, candidates_per_examiner=20)
    }
