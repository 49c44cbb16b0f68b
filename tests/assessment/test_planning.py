"""Plans: boundaries of each hard constraint, the best plan of small cases, and the same plan whatever the order."""

from __future__ import annotations

from datetime import date, time
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessment_month import (
    CALENDAR,
    MONDAY,
    SLOTS,
    WINDOW,
    a_plan,
    all_but,
    candidate,
    class_of,
    examiner,
    one_site,
    planned,
    practice,
    site,
    theory,
)
from online_guard.assessment.planning import Blocked, check
from online_guard.assessment.planning.measure import measure, weigh
from online_guard.assessment.roster import Candidate, Duty, Plan, Sitting
from online_guard.assessment.venues import Examiner, Slot, Travel, Venues
from online_guard.errors import GuardError
from online_guard.terms import AssessmentPart


def examiners_of(plan: Plan) -> int:
    return len({one.examiner_id for one in plan.duties})


@pytest.mark.parametrize(("size", "examiners"), [(20, 1), (21, 2), (40, 2)])
def test_an_examiner_watches_20_of_a_room(size: int, examiners: int) -> None:
    assert examiners_of(a_plan(class_of(size), one_site(2))) == examiners


def test_the_21st_candidate_finds_no_examiner() -> None:
    assert isinstance(planned(class_of(20), one_site(2, examiners=1)), Plan)
    assert isinstance(planned(class_of(21), one_site(2, examiners=1)), Blocked)


@pytest.mark.parametrize("places", [{"seats": 20}, {"stations": 20}])
def test_the_last_seat_is_used_and_none_beyond(places: dict[str, int]) -> None:
    assert isinstance(planned(class_of(20), one_site(2, **places)), Plan)
    assert isinstance(planned(class_of(21), one_site(2, **places)), Blocked)


def two_sites(minutes: int) -> Venues:
    return Venues(
        sites=(
            site("s1", theory(20), closed_on=all_but(2)),
            site("s2", practice(电工=20), closed_on=all_but(2)),
        ),
        slots=SLOTS[:2],
        examiners=(examiner("x1"), examiner("x2", "电工")),
        travel=(Travel(between=("s2", "s1"), minutes=minutes),),
    )


def test_travel_between_theory_and_practice_may_take_the_whole_break() -> None:
    assert isinstance(planned(class_of(3), two_sites(60)), Plan)
    assert isinstance(planned(class_of(3), two_sites(61)), Blocked)


@pytest.mark.parametrize(("minutes", "examiners"), [(60, 1), (61, 2)])
def test_an_examiner_needs_the_same_time_between_sites(minutes: int, examiners: int) -> None:
    """One class each at two sites: theory at one o'clock here and practice there, an hour later."""
    venues = two_sites(minutes).model_copy(
        update={"slots": (*SLOTS[:2],), "examiners": (examiner("x1", "电工"), examiner("x2", "电工"))}
    )
    found = planned(class_of(3), venues)
    assert isinstance(found, Blocked) if minutes == 61 else (isinstance(found, Plan) and examiners_of(found) == 1)


def test_a_learner_with_two_enrolments_is_never_twice_at_once() -> None:
    people = [candidate(1, learner_id="l"), candidate(2, learner_id="l", class_id="class-2")]
    assert isinstance(planned(people, one_site(2, slots=3)), Blocked), "four sittings in three slots"
    venues = one_site(2).model_copy(update={"slots": (*SLOTS, Slot(slot_no=4, starts=time(16), ends=time(17)))})
    found = a_plan(people, venues)
    assert len({one.slot_no for one in found.sittings}) == 4


@pytest.mark.parametrize(("opened", "expected"), [(frozenset(), None), ({date(2021, 8, 7)}, date(2021, 8, 7))])
def test_a_saturday_is_used_only_where_it_is_opened(opened: frozenset[date], expected: date | None) -> None:
    found = planned(class_of(2), one_site(7).model_copy(update={"open_on": frozenset(opened)}))
    assert (found.sittings[0].on if isinstance(found, Plan) else None) == expected


def test_nobody_comes_before_the_day_applied_for() -> None:
    venues = one_site(2, 3, 4)
    assert {one.on for one in a_plan(class_of(2, not_before=date(2021, 8, 3)), venues).sittings} == {date(2021, 8, 3)}
    assert isinstance(planned(class_of(2, not_before=date(2021, 8, 5)), venues), Blocked)


def test_an_examiner_on_a_day_off_watches_nobody() -> None:
    off = examiner("x0", "电工", off=frozenset({MONDAY}))
    venues = one_site(2, 3).model_copy(update={"examiners": (off,)})
    assert {one.on for one in a_plan(class_of(2), venues).sittings} == {date(2021, 8, 3)}


def test_practice_is_watched_by_somebody_of_the_occupation() -> None:
    venues = Venues(
        sites=(site("s1", theory(20), practice(电工=20, 焊工=20), closed_on=all_but(2)),),
        slots=SLOTS[:2],
        examiners=(examiner("x1", "电工"), examiner("x2", "焊工")),
    )
    people = [*class_of(3), *class_of(3, first=11, occupation="焊工", class_id="class-2")]
    assert examiners_of(a_plan(people, venues)) == 2
    of_one = venues.model_copy(update={"examiners": (examiner("x1", "电工"), examiner("x2", "电工"))})
    assert isinstance(planned(people, of_one), Blocked)
    of_both = venues.model_copy(update={"examiners": (examiner("x1", "电工", "焊工"),)})
    assert examiners_of(a_plan(people, of_both)) == 1


def test_a_class_stays_together_and_those_who_wait_longest_come_first() -> None:
    late = class_of(15, first=20, class_id="class-2", enterprise="丙公司", waiting_since=date(2021, 5, 1))
    found = a_plan([*class_of(15), *late], one_site(2, 3, seats=20, stations=20))
    days = {number: {one.on for one in found.sittings if one.enrolment_id >= f"e{number}"} for number in (20,)}
    assert days[20] == {MONDAY}
    assert len({(one.on, one.slot_no) for one in found.sittings}) == 4


def test_order_of_input_does_not_matter_and_a_seed_repeats() -> None:
    people = [
        *class_of(12),
        *class_of(9, first=20, class_id="class-2", enterprise="丙公司"),
        *class_of(14, first=40, class_id="class-3", occupation="焊工"),
    ]
    venues = Venues(
        sites=(
            site("s1", theory(20), practice(电工=10, 焊工=8), closed_on=all_but(2, 3)),
            site("s2", theory(10, "T2"), practice("P2", 电工=10), closed_on=all_but(2, 3)),
        ),
        slots=SLOTS,
        examiners=(examiner("x1", "电工"), examiner("x2", "焊工", "电工"), examiner("x3", "焊工")),
    )
    first = a_plan(people, venues, seed=7, deadline_s=0.5)
    other = venues.model_copy(
        update={"sites": venues.sites[::-1], "examiners": venues.examiners[::-1], "slots": venues.slots[::-1]}
    )
    assert a_plan(people[::-1], other, seed=7, deadline_s=0.5) == first


def test_each_enrolment_is_given_once_and_somebody_is() -> None:
    with pytest.raises(GuardError, match="more than once"):
        planned([candidate(1), candidate(1)], one_site(2))
    with pytest.raises(GuardError, match="no candidates"):
        planned([], one_site(2))


# -- the best of all plans, by trying them all

OCCUPATIONS = ("电工", "焊工")


@st.composite
def tiny_cases(draw: st.DrawFn) -> tuple[list[Candidate], Venues, int]:
    """Two candidates, two examiners, at most two days and two practice rooms."""
    second_site = draw(st.booleans())
    days = draw(st.sampled_from([(2,), (2, 3), (3, 6)]))
    stations = st.dictionaries(st.sampled_from(OCCUPATIONS), st.integers(1, 2), min_size=1)
    rooms = [theory(draw(st.integers(1, 2))), practice(**draw(stations))]
    more = practice("P2", **draw(stations))
    sites = [site("s1", *rooms, *([] if second_site else [more]), closed_on=all_but(*days))]
    if second_site:
        sites.append(site("s2", more, closed_on=all_but(*draw(st.sampled_from([days, days[:1]])))))
    examiners: list[Examiner] = [
        examiner(
            f"x{n}",
            *draw(st.sets(st.sampled_from(OCCUPATIONS))),
            off=draw(st.sampled_from([frozenset(), frozenset({date(2021, 8, days[0])})])),
        )
        for n in range(2)
    ]
    venues = Venues(
        sites=tuple(sites),
        slots=SLOTS[:2],
        examiners=tuple(examiners),
        travel_minutes=draw(st.sampled_from([60, 61])),
    )
    people = [
        candidate(
            n,
            class_id=draw(st.sampled_from(["class-1", "class-2"])),
            occupation=draw(st.sampled_from(OCCUPATIONS)),
            enterprise=draw(st.sampled_from(["甲公司", "丙公司"])),
            not_before=draw(st.sampled_from([MONDAY, date(2021, 8, 3)])),
            waiting_since=draw(st.sampled_from([date(2021, 7, 20), date(2021, 5, 1)])),
            learner_id=draw(st.sampled_from([f"l{n}", "l"])),
        )
        for n in range(2)
    ]
    return people, venues, draw(st.integers(1, 2))


def all_plans(people: list[Candidate], venues: Venues, per_examiner: int) -> list[tuple[int, Plan]]:
    """Each plan that can be made at all and its objective, by trying every place and every examiner."""
    days = [date(2021, 8, n) for n in (2, 3, 6)]
    places = [
        (day, slot.slot_no, one.site_id, room)
        for day in days
        for slot in venues.slots
        for one in venues.sites
        if day not in one.closed_on
        for room in one.rooms
    ]
    ways = [
        (first, second)
        for first in places
        for second in places
        if first[3].part is AssessmentPart.THEORY
        and second[3].part is AssessmentPart.PRACTICE
        and first[0] == second[0]
        and first[1] < second[1]
    ]
    found = []
    for chosen in product(ways, repeat=len(people)):
        seated: dict[tuple[object, ...], list[Sitting]] = {}
        for person, way in zip(people, chosen, strict=True):
            for on, slot_no, site_id, room in way:
                there = seated.setdefault((on, slot_no, site_id, room.room_id), [])
                there.append(
                    Sitting(
                        enrolment_id=person.enrolment_id,
                        part=room.part,
                        on=on,
                        slot_no=slot_no,
                        site_id=site_id,
                        room_id=room.room_id,
                        seat_no=len(there) + 1,
                    )
                )
        sittings = tuple(one for some in seated.values() for one in some)
        teams = [combinations(venues.examiners, -(-len(some) // per_examiner)) for some in seated.values()]
        for team in product(*map(list, teams)):
            duties = tuple(
                Duty(
                    examiner_id=one.examiner_id,
                    on=some[0].on,
                    slot_no=some[0].slot_no,
                    site_id=some[0].site_id,
                    room_id=some[0].room_id,
                )
                for some, ones in zip(seated.values(), team, strict=True)
                for one in ones
            )
            tried = Plan(window=WINDOW, sittings=sittings, duties=duties, objective=0, bound=0, seed=0)
            if not check(tried, people, venues, CALENDAR, candidates_per_examiner=per_examiner):
                found.append((weigh(measure(sittings, duties, people, venues, WINDOW, CALENDAR)), tried))
    return found


@settings(max_examples=12)
@given(tiny_cases())
def test_tiny_cases_are_planned_as_well_as_can_be(case: tuple[list[Candidate], Venues, int]) -> None:
    people, venues, per_examiner = case
    best = min((objective for objective, _ in all_plans(people, venues, per_examiner)), default=None)
    found = planned(people, venues, per_examiner=per_examiner)
    if best is None:
        assert isinstance(found, Blocked)
        assert found.proved
    else:
        assert isinstance(found, Plan)
        assert (found.objective, found.bound) == (best, best)


def moved(before: Plan, after: Plan) -> set[str]:
    """Who of the first plan has another day, slot or room in the second."""

    def places(plan: Plan) -> dict[str, list[tuple[object, ...]]]:
        found: dict[str, list[tuple[object, ...]]] = {}
        for one in sorted(plan.sittings, key=lambda one: one.part):
            place = (one.on, one.slot_no, one.site_id, one.room_id)
            found.setdefault(one.enrolment_id, []).append(place)
        return found

    old, new = places(before), places(after)
    return {who for who in old.keys() & new.keys() if old[who] != new[who]}


@settings(max_examples=12)
@given(tiny_cases(), st.sampled_from(["examiner", "seats", "day", "withdrawn", "added"]))
def test_after_a_change_the_fewest_move(case: tuple[list[Candidate], Venues, int], change: str) -> None:
    people, venues, per_examiner = case
    before = planned(people if change != "added" else people[:1], venues, per_examiner=per_examiner)
    if isinstance(before, Blocked):
        return
    first = venues.sites[0]
    if change == "examiner":
        venues = venues.model_copy(update={"examiners": venues.examiners[:1]})
    elif change == "seats":
        rooms = (first.rooms[0].model_copy(update={"seats": 1}), *first.rooms[1:])
        venues = venues.model_copy(update={"sites": (first.model_copy(update={"rooms": rooms}), *venues.sites[1:])})
    elif change == "day":
        closed = first.closed_on | {before.sittings[0].on}
        venues = venues.model_copy(
            update={"sites": (first.model_copy(update={"closed_on": closed}), *venues.sites[1:])}
        )
    elif change == "withdrawn":
        people = people[:1]
    every = all_plans(people, venues, per_examiner)
    after = planned(people, venues, per_examiner=per_examiner, before=before)
    assert isinstance(after, Blocked) is (not every)
    if every:
        assert isinstance(after, Plan)
        fewest = min(len(moved(before, one)) for _, one in every)
        assert len(moved(before, after)) == fewest
        best = min(objective for objective, one in every if len(moved(before, one)) == fewest)
        assert after.objective == best
