"""How a county's month is planned (days, then blocks, then examiners), on cases small enough to be solved exactly."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessment_month import SLOTS, a_plan, all_but, candidate, class_of, examiner, practice, site, theory
from online_guard.assessment.planning import Progress, placing
from online_guard.assessment.planning.board import Board
from online_guard.assessment.planning.improve import improve, start
from online_guard.assessment.planning.relaxation import relax
from online_guard.assessment.planning.stating import state
from online_guard.assessment.roster import Candidate, Plan, changes
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import read_working_days

OPEN = all_but(2, 3, 4)
VENUES = Venues(
    sites=(
        site("s1", theory(25), practice(电工=20, 焊工=12), closed_on=OPEN),
        site("s2", theory(20, "T2"), practice("P2", 电工=24), closed_on=OPEN),
    ),
    slots=SLOTS,
    examiners=tuple(examiner(f"x{n}", *(("电工", "焊工")[: 1 + n % 2])) for n in range(6)),
    travel_minutes=30,
)


def people_of(sizes: list[int], days: list[int]) -> list[Candidate]:
    """A class of each size, every third of welders; one learner is in the first and in the last class."""
    people = [
        one
        for number, (size, day) in enumerate(zip(sizes, days, strict=True))
        for one in class_of(
            size,
            first=100 * number,
            class_id=f"class-{number}",
            enterprise=f"企业 {number // 2}",
            occupation="焊工" if number % 3 == 2 else "电工",
            not_before=date(2021, 8, day),
            waiting_since=date(2021, 7 - number % 3, 1),
        )
    ]
    people[-1] = people[-1].model_copy(update={"learner_id": people[0].learner_id})
    return people


PEOPLE = people_of([18, 12, 9, 22, 14, 11], [1, 1, 1, 1, 3, 1])


@pytest.fixture(autouse=True)
def _as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "SMALL", 0)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 26), min_size=2, max_size=5), st.data())
def test_a_plan_breaks_nothing_and_lies_above_the_bound(sizes: list[int], data: st.DataObject) -> None:
    days = data.draw(st.lists(st.sampled_from([1, 2, 3]), min_size=len(sizes), max_size=len(sizes)))
    found = a_plan(people_of(sizes, days), VENUES, deadline_s=1)
    assert 0 <= found.bound <= found.objective


def test_the_bound_holds_for_the_exact_model_and_the_plan_is_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    some = PEOPLE[:30]
    quickly = a_plan(some, VENUES, deadline_s=2)
    monkeypatch.setattr(placing, "SMALL", 10**9)
    exactly = a_plan(some, VENUES, deadline_s=2)
    assert quickly.bound <= exactly.bound <= exactly.objective <= quickly.objective <= exactly.objective * 1.2


def test_a_better_plan_follows_the_first_and_all_is_repeated() -> None:
    told: list[Progress] = []
    found = a_plan(PEOPLE, VENUES, deadline_s=1, progress=told.append)
    assert told[-1].objective == found.objective
    assert (told[0].objective or 0) >= found.objective
    assert a_plan(PEOPLE[::-1], VENUES, deadline_s=1) == found


@pytest.fixture(scope="module")
def in_force() -> Plan:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "SMALL", 0)
        return a_plan(PEOPLE, VENUES, deadline_s=1)


def test_when_nothing_changes_nothing_does(in_force: Plan) -> None:
    again = a_plan(PEOPLE, VENUES, before=in_force)
    assert (again.sittings, again.duties) == (in_force.sittings, in_force.duties)


def test_who_withdraws_and_who_is_added_move_nobody(in_force: Plan) -> None:
    people = [*PEOPLE[2:], candidate(999, class_id="class-9", enterprise="新企业")]
    again = a_plan(people, VENUES, before=in_force)
    assert {one.enrolment_id for one in changes(in_force, again)} == {
        PEOPLE[0].enrolment_id,
        PEOPLE[1].enrolment_id,
        "e999",
    }


def test_only_who_must_moves_when_a_site_is_closed(in_force: Plan) -> None:
    day = in_force.sittings[0].on
    first = VENUES.sites[0]
    closed = first.model_copy(update={"closed_on": first.closed_on | {day}})
    must = {one.enrolment_id for one in in_force.sittings if one.on == day and one.site_id == "s1"}
    again = a_plan(PEOPLE, VENUES.model_copy(update={"sites": (closed, VENUES.sites[1])}), before=in_force)
    assert {one.enrolment_id for one in changes(in_force, again)} == must


def test_an_examiner_who_is_ill_moves_nobody_while_others_can_stand_in(in_force: Plan) -> None:
    day = in_force.duties[0].on
    ill = in_force.duties[0].examiner_id
    examiners = tuple(
        one.model_copy(update={"days_off": frozenset({day})}) if one.examiner_id == ill else one
        for one in VENUES.examiners
    )
    again = a_plan(PEOPLE, VENUES.model_copy(update={"examiners": examiners}), before=in_force)
    assert changes(in_force, again) == ()
    other_days = [one for one in again.duties if one.on != day]
    assert other_days == [one for one in in_force.duties if one.on != day]


def test_a_board_counts_the_same_however_it_came_about() -> None:
    problem = state(PEOPLE, VENUES, "2021-08", read_working_days(), 20)
    board, left = start(problem, relax(problem).wanted, {})
    assert left == {}
    improve(board, 60, seed=3)
    fresh = Board(problem, {})
    for g, places in board.placed.items():
        for (day, journey), amount in places.items():
            fresh.put(g, day, journey, amount)
    assert fresh.value == board.value
    for g in list(board.placed):
        board.take(g)
    assert board.value == 0
