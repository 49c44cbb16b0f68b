"""What is over stays as it was; the planner sees only who is left, the days to come, and the plan of those."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

import pytest

from online_guard.assessment.planning import Blocked
from online_guard.assessment.rest_of_window import plan_rest
from online_guard.assessment.roster import Candidate, Duty, Plan, Sitting
from online_guard.assessment.venues import Examiner, Room, Site, Slot, Venues
from online_guard.terms import AssessmentPart, CertificateRoute

EARLY, TODAY, LATE = date(2021, 8, 16), date(2021, 8, 18), date(2021, 8, 20)
ROOM = Room(room_id="r", name="机房", part=AssessmentPart.THEORY, seats=9)
VENUES = Venues(
    sites=(Site(site_id="s", name="中心", address="路 1", rooms=(ROOM,), closed_on=frozenset({LATE})),),
    slots=(Slot(slot_no=1, starts=time(9), ends=time(10)),),
    examiners=(Examiner(examiner_id="x", name="甲"),),
)
BLOCKED = Blocked(window="2021-08", unplaced=1, proved=True, reasons=(), remedies=())


def candidate(who: str) -> Candidate:
    return Candidate(
        enrolment_id=who,
        learner_id=who,
        class_id="C",
        platform_id="P",
        enterprise="企业",
        institution="机构",
        occupation="焊工",
        certificate_route=CertificateRoute.COMPLETION,
        not_before=EARLY,
        waiting_since=EARLY,
    )


def sitting(who: str, on: date) -> Sitting:
    return Sitting(enrolment_id=who, part=AssessmentPart.THEORY, on=on, slot_no=1, site_id="s", room_id="r", seat_no=1)


def a_plan(*places: tuple[str, date]) -> Plan:
    duties = tuple(
        Duty(examiner_id="x", on=on, slot_no=1, site_id="s", room_id="r") for on in sorted({on for _, on in places})
    )
    sittings = tuple(sitting(who, on) for who, on in places)
    return Plan(window="2021-08", sittings=sittings, duties=duties, objective=7.0, bound=7.0, seed=0)


class Planner:
    """Notes what it is asked, and puts everybody on one day."""

    def __init__(self, on: date = LATE) -> None:
        self.on = on
        self.asked: list[tuple[list[str], frozenset[date], Plan | None]] = []

    def __call__(self, candidates: Sequence[Candidate], venues: Venues, before: Plan | None) -> Plan | Blocked:
        self.asked.append(([one.enrolment_id for one in candidates], venues.sites[0].closed_on, before))
        return a_plan(*((one.enrolment_id, self.on) for one in candidates)).model_copy(update={"objective": 3.0})


BEFORE = a_plan(("a", EARLY), ("b", TODAY), ("c", LATE), ("gone", EARLY))


def test_who_has_sat_keeps_the_place_and_the_others_are_planned_for_days_to_come() -> None:
    planner = Planner()
    found = plan_rest([candidate(who) for who in "abcd"], VENUES, BEFORE, TODAY, planner)
    assert isinstance(found, Plan)
    assert [(one.enrolment_id, one.on) for one in found.sittings] == [
        ("a", EARLY), ("b", TODAY), ("c", LATE), ("d", LATE),
    ]  # fmt: skip
    assert [one.on for one in found.duties] == [EARLY, TODAY, LATE]
    assert found.objective == 3.0
    ((left, closed, before),) = planner.asked
    assert left == ["c", "d"]
    assert closed == frozenset({date(2021, 8, day) for day in range(1, 19)} | {LATE})
    assert before is not None
    assert [(one.enrolment_id, one.on) for one in before.sittings] == [("c", LATE)]
    assert [one.on for one in before.duties] == [LATE]


def test_a_room_whose_only_candidate_is_gone_needs_no_examiner_any_more() -> None:
    before = a_plan(("gone", EARLY), ("b", TODAY))
    found = plan_rest([candidate("b")], VENUES, before, TODAY, Planner())
    assert isinstance(found, Plan)
    assert [one.on for one in found.duties] == [TODAY]


def test_nobody_is_planned_when_all_have_sat() -> None:
    planner = Planner()
    found = plan_rest([candidate("a"), candidate("b")], VENUES, BEFORE, TODAY, planner)
    assert isinstance(found, Plan)
    assert ([one.enrolment_id for one in found.sittings], found.objective, planner.asked) == (["a", "b"], 0.0, [])


def test_what_blocks_the_rest_blocks() -> None:
    assert plan_rest([candidate("d")], VENUES, BEFORE, TODAY, lambda *_: BLOCKED) is BLOCKED


@pytest.mark.parametrize(
    ("before", "today"),
    [(None, TODAY), (BEFORE, date(2021, 7, 31)), (BEFORE, date(2021, 9, 1))],
    ids=["nothing published", "the month before", "the month after"],
)
def test_outside_the_window_all_of_it_is_planned(before: Plan | None, today: date) -> None:
    planner = Planner()
    plan_rest([candidate("a"), candidate("c")], VENUES, before, today, planner)
    assert planner.asked == [(["a", "c"], frozenset({LATE}), before)]
