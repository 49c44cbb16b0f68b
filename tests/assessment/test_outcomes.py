"""When a project counts as assessed, and the figures of Annex 2."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from online_guard.api.bodies import ClassBody
from online_guard.assessment.attendance import Attendance
from online_guard.assessment.class_form import annex_two
from online_guard.assessment.outcomes import Figures, Result, assessed_on, figures
from online_guard.simulate.course import Course
from online_guard.terms import CertificateRoute

APRIL, AUGUST = date(2021, 4, 10), date(2021, 8, 14)
SKILL, COMPLETION = CertificateRoute.SKILL_LEVEL, CertificateRoute.COMPLETION


def result(
    enrolment_id: str,
    day: date | None = AUGUST,
    passed: bool = True,
    certified: bool = True,
    route: CertificateRoute = SKILL,
) -> Result:
    """Return a result of class `one`."""
    return Result("one", enrolment_id, route, day, passed, certified)


def test_a_project_is_assessed_on_the_last_day_on_which_its_learner_came() -> None:
    assert assessed_on([]) is None
    assert assessed_on([None, None]) is None
    assert assessed_on([AUGUST, None, APRIL]) == AUGUST


def test_figures_count_people_by_route() -> None:
    counted = figures(
        [
            result("a"),
            result("b", certified=False),
            result("c", passed=False, certified=False),
            result("d", None, passed=False, certified=False),
            result("e", route=COMPLETION),
        ]
    )
    assert set(counted) == set(CertificateRoute), "a route without anybody has its row too"
    assert counted[SKILL] == Figures(called=4, absent=1, assessed=3, passed=2, certified=1)
    assert counted[COMPLETION] == Figures(called=1, absent=0, assessed=1, passed=1, certified=1)
    assert counted[CertificateRoute.SPECIAL_ABILITY] == Figures()


def test_who_comes_again_is_one_person_and_counts_with_the_best() -> None:
    again = [result("a", APRIL, passed=False, certified=False), result("a"), result("a", None, False, False)]
    assert figures(again)[SKILL] == Figures(called=1, absent=0, assessed=1, passed=1, certified=1)
    other = [Result("one", "a", SKILL, AUGUST, True, True), Result("two", "a", SKILL, AUGUST, True, True)]
    assert figures(other)[SKILL].certified == 2, "of each class"


SOME = st.lists(
    st.builds(
        result,
        st.sampled_from("abc"),
        st.sampled_from([None, APRIL, AUGUST]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([SKILL, COMPLETION]),
    )
)


@given(data=st.data(), results=SOME)
def test_figures_depend_on_no_order_and_add_up(data: st.DataObject, results: list[Result]) -> None:
    counted = figures(results)
    assert figures(data.draw(st.permutations(results))) == counted
    assert figures(results * 2) == counted
    assert sum(one.called for one in counted.values()) == len({one.enrolment_id for one in results})
    for one in counted.values():
        assert one.called == one.absent + one.assessed


def test_the_form_of_annex_2_is_filled_in_once_there_are_results() -> None:
    course = ClassBody.model_validate(Course().class_row()).typed("one", "P")
    nobody_yet = Attendance(enrolled=3, days=(), attended=0, first_day=0, average=0)
    empty, filled = (
        annex_two(course, nobody_yet, rows) for rows in ([], [result("a"), result("b", None, False, False)])
    )
    assert (empty.sat, empty.certified) == (None, None)
    assert (filled.sat, filled.certified) == (1, 1)
