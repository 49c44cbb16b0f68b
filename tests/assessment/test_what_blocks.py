"""Advice when there is no plan: what blocks, and that the least of each remedy frees a plan while less doesn't."""

from __future__ import annotations

from datetime import date

import pytest

from assessment_month import SLOTS, all_but, class_of, examiner, one_site, planned, possible, practice, site, theory
from online_guard.assessment.planning import Blocked, Lack, Remedy, with_steps
from online_guard.assessment.roster import Candidate, Plan
from online_guard.assessment.venues import Venues


def blocked(candidates: list[Candidate], venues: Venues) -> Blocked:
    found = planned(candidates, venues)
    assert isinstance(found, Blocked)
    return found


def less(remedy: Remedy) -> list[Remedy]:
    """Every remedy with one fewer of one thing."""
    fewer = []
    for number, step in enumerate(remedy.steps):
        rest = [*remedy.steps[:number], *remedy.steps[number + 1 :]]
        if step.count > 1:
            rest.insert(number, step.model_copy(update={"count": step.count - 1}))
        fewer.append(Remedy(steps=tuple(rest)))
    return fewer


@pytest.mark.parametrize(
    ("candidates", "venues", "lacks"),
    [
        pytest.param(class_of(23), one_site(2, seats=20), {Lack.THEORY_SEATS, Lack.DAYS}, id="three seats too few"),
        pytest.param(class_of(23), one_site(2, stations=20), {Lack.WORKSTATIONS, Lack.DAYS}, id="three stations"),
        pytest.param(
            class_of(45), one_site(2, seats=60, stations=60, examiners=2), {Lack.EXAMINERS, Lack.DAYS}, id="45"
        ),
        pytest.param(class_of(2, not_before=date(2021, 8, 5)), one_site(2, 3), {Lack.DAYS}, id="all days too early"),
        pytest.param(
            class_of(2, occupation="焊工"), one_site(2), {Lack.WORKSTATIONS, Lack.EXAMINERS}, id="two together"
        ),
    ],
)
def test_each_remedy_frees_a_plan_and_less_does_not(
    candidates: list[Candidate], venues: Venues, lacks: set[Lack]
) -> None:
    found = blocked(candidates, venues)
    assert found.proved
    assert {reason.lack for reason in found.reasons} == lacks
    assert found.remedies
    for remedy in found.remedies:
        assert isinstance(planned(candidates, with_steps(venues, remedy.steps)), Plan), remedy
        for fewer in less(remedy):
            assert not possible(candidates, with_steps(venues, fewer.steps)), fewer


def test_the_advice_says_how_many() -> None:
    remedies = blocked(class_of(23), one_site(2, seats=20)).remedies
    told = {(step.lack, step.count, step.new_room) for remedy in remedies for step in remedy.steps}
    assert told == {(Lack.THEORY_SEATS, 3, False), (Lack.THEORY_SEATS, 1, True), (Lack.DAYS, 1, False)}
    assert {step.en for remedy in remedies for step in remedy.steps} >= {"3 more seats in theory room T1"}


def test_without_two_slots_nothing_helps() -> None:
    found = blocked(class_of(2), one_site(2, slots=1))
    assert [reason.lack for reason in found.reasons] == [Lack.SLOTS]
    assert (found.remedies, found.proved, found.unplaced) == ((), True, 2)


def test_of_two_classes_only_one_is_left_over() -> None:
    venues = Venues(
        sites=(site("s1", theory(40), practice(电工=20, 焊工=4), closed_on=all_but(2)),),
        slots=SLOTS[:2],
        examiners=(examiner("x1", "电工"), examiner("x2", "焊工"), examiner("x3")),
    )
    found = blocked([*class_of(15), *class_of(7, first=20, class_id="class-2", occupation="焊工")], venues)
    assert found.unplaced == 3
    assert {(reason.lack, reason.occupation, reason.candidates) for reason in found.reasons} == {
        (Lack.DAYS, None, 22),
        (Lack.WORKSTATIONS, "焊工", 7),
    }
