"""E01 to E12, each just met and just missed (SPEC 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from evidence_builder import evidence_of, training_class

from online_guard.assessment.eligibility import TESTS, Eligibility, Waiting, assess
from online_guard.evidence import Application, Enrolment, Practice, Project, Survey
from online_guard.ledger import LedgerEntry
from online_guard.policy import Policy, load_policy
from online_guard.policy.pack import plain
from online_guard.terms import ApplicantKind, CertificateRoute, Mode

NOTHING = Waiting({}, {}, frozenset())
FILED = Application("c1", "2021-04", date(2021, 4, 1), date(2021, 4, 10))
CHECKED = load_policy("huangchuan-2021")
BLENDED = {"mode": Mode.BLENDED, "occupation": "电子商务师"}
COMPLETION = {"certificate_route": CertificateRoute.COMPLETION}


def rows_of(
    hours: Mapping[str, float] | float = 2.0,
    *,
    enrolments: Sequence[Enrolment] = (Enrolment("e1", "c1", "l1"),),
    applications: Sequence[Application] = (FILED,),
    waiting: Waiting = NOTHING,
    policy: Policy = CHECKED,
    practice: Sequence[Practice] = (),
    projects: Sequence[Project] = (),
    surveys: Sequence[Survey] = (),
    **changes: Any,
) -> list[Eligibility]:
    """Return the rows of class `c1` (March 2021, two online hours needed), changed as named."""
    evidence = evidence_of(
        classes=[training_class(**changes)],
        enrolments=enrolments,
        applications=applications,
        practice=practice,
        projects=projects,
        surveys=surveys,
    )
    earned = hours if isinstance(hours, Mapping) else {"e1": hours}
    book = [LedgerEntry(name, 1, amount, 0.0, 0.0, ()) for name, amount in earned.items()]
    return assess(evidence, book, waiting, policy)


def failed(hours: float = 2.0, **given: Any) -> tuple[str, ...]:
    """Return the failed tests of the only row."""
    (row,) = rows_of(hours, **given)
    assert row.eligible == (not row.failed)
    return row.failed


def test_everything_holds() -> None:
    (row,) = rows_of()
    assert row == Eligibility("c1", "2021-04", "e1", True, (), (), {})
    assert row.as_row() == {
        "class_id": "c1",
        "window": "2021-04",
        "enrolment_id": "e1",
        "eligible": True,
        "failed": [],
        "unconfirmed": [],
        "evidence": {},
    }


@pytest.mark.parametrize(
    ("occupation", "mode", "missed"),
    [
        ("电子商务师", Mode.ONLINE, ()),
        ("跨境电子商务师", Mode.ONLINE, ()),
        ("电子商务师", Mode.BLENDED, ("E04",)),
        ("社会工作者", Mode.ONLINE, ()),
        ("社会工作者", Mode.BLENDED, ("E01", "E04")),
        ("跨境电子商务师", Mode.BLENDED, ("E01", "E04")),
        ("宇航员", Mode.ONLINE, ("E01",)),
    ],
)
def test_e01_the_mode_decides_which_row_of_annex_3_counts(occupation: str, mode: Mode, missed: tuple[str, ...]) -> None:
    assert failed(occupation=occupation, mode=mode) == missed


@pytest.mark.parametrize("kind", list(ApplicantKind))
def test_e02_the_applicant_is_an_enterprise(kind: ApplicantKind) -> None:
    assert failed(applicant_kind=kind) == (() if kind is ApplicantKind.ENTERPRISE else ("E02",))


@pytest.mark.parametrize(("hours", "missed"), [(1.99, ("E03",)), (2.0, ()), (2.0 - 1e-10, ()), (3, ())])
def test_e03_the_ledger_reaches_the_hours_required(hours: float, missed: tuple[str, ...]) -> None:
    assert failed(hours) == missed


def test_e03_adds_up_the_hours_of_the_lessons() -> None:
    evidence = evidence_of(applications=[FILED])
    book = [LedgerEntry("e1", n, 0.1, 0.0, 0.0, ()) for n in range(20)]
    assert assess(evidence, book, NOTHING, CHECKED)[0].failed == ()
    assert assess(evidence, book[1:], NOTHING, CHECKED)[0].failed == ("E03",)


def test_e03_counts_nobody_elses_hours() -> None:
    rows = rows_of({"e2": 2.0}, enrolments=[Enrolment("e1", "c1", "l1"), Enrolment("e2", "c1", "l2")])
    assert [(row.enrolment_id, row.failed) for row in rows] == [("e1", ("E03",)), ("e2", ())]


@pytest.mark.parametrize(("hours", "missed"), [(7.99, ("E04",)), (8, ())])
def test_e04_blended_needs_practice(hours: float, missed: tuple[str, ...]) -> None:
    assert failed(practice=[Practice("e1", date(2021, 3, 10), hours)], **BLENDED) == missed


def test_e04_online_needs_none() -> None:
    assert failed() == ()


@pytest.mark.parametrize(
    ("day", "missed"),
    [
        (date(2021, 2, 28), ("E04",)),
        (date(2021, 3, 1), ()),
        (date(2021, 4, 10), ()),
        (date(2021, 4, 11), ("E04",)),
    ],
)
def test_e04_practice_counts_from_the_start_to_the_day_of_assessment(day: date, missed: tuple[str, ...]) -> None:
    assert failed(practice=[Practice("e1", day, 8)], **BLENDED) == missed


def test_e04_without_an_application_any_later_day_counts() -> None:
    (late,) = rows_of(practice=[Practice("e1", date(2031, 1, 1), 8)], applications=(), **BLENDED)
    assert late.failed == ("E09",)
    (early,) = rows_of(practice=[Practice("e1", date(2021, 2, 28), 8)], applications=(), **BLENDED)
    assert early.failed == ("E04", "E09")


def test_e04_adds_up_days_of_this_enrolment_only() -> None:
    days = [Practice("e1", date(2021, 3, day), 2) for day in (3, 4, 5)]
    assert failed(practice=[*days, Practice("e2", date(2021, 3, 6), 2)], **BLENDED) == ("E04",)
    assert failed(practice=[*days, Practice("e1", date(2021, 3, 6), 2)], **BLENDED) == ()


@pytest.mark.parametrize(("hours", "missed"), [(31.9, ("E05",)), (32, ())])
def test_e05_completion_needs_forty_hours_with_practice(hours: float, missed: tuple[str, ...]) -> None:
    assert failed(hours, practice=[Practice("e1", date(2021, 3, 10), 8)], **COMPLETION) == missed


def test_e05_counts_practice_within_the_days_only() -> None:
    assert failed(32, practice=[Practice("e1", date(2021, 4, 11), 8)], **COMPLETION) == ("E05",)


@pytest.mark.parametrize("route", [route for route in CertificateRoute if route is not CertificateRoute.COMPLETION])
def test_e05_other_routes_need_no_forty_hours(route: CertificateRoute) -> None:
    (row,) = rows_of(certificate_route=route)
    assert (row.failed, row.unconfirmed) == ((), ())


@pytest.mark.parametrize(
    ("waiting", "missed"),
    [
        (Waiting({"e1": ["p/s1"]}, {}, frozenset()), ("E06",)),
        (Waiting({}, {"c1": ["OG701 c1"]}, frozenset()), ("E06",)),
        (Waiting({"e2": ["p/s1"]}, {"c2": ["OG701 c2"]}, frozenset({"c2"})), ()),
        (Waiting({}, {}, frozenset({"c1"})), ("E07",)),
    ],
)
def test_e06_and_e07_nothing_waits_and_no_control_is_missing(waiting: Waiting, missed: tuple[str, ...]) -> None:
    assert failed(waiting=waiting) == missed


def test_e06_names_what_waits() -> None:
    (row,) = rows_of(waiting=Waiting({"e1": ["p/s1", "OG801 e1"]}, {"c1": ["OG701 c1"]}, frozenset()))
    assert row.evidence["E06"]["waiting"] == ["OG701 c1", "OG801 e1", "p/s1"]


def project(assessed_on: date | None, ended_on: date = date(2021, 1, 20), **changes: str) -> Project:
    return Project(changes.get("learner", "l1"), changes.get("class_id", "c0"), ended_on, assessed_on)


@pytest.mark.parametrize(
    ("assessed_on", "starts_on", "missed"),
    [
        (None, date(2021, 3, 1), ("E08",)),
        (date(2021, 1, 31), date(2021, 2, 27), ("E08",)),
        (date(2021, 1, 31), date(2021, 2, 28), ()),
        (date(2021, 2, 1), date(2021, 3, 1), ()),
        (date(2021, 2, 2), date(2021, 3, 1), ("E08",)),
    ],
)
def test_e08_rest_of_a_month_after_the_project_before(
    assessed_on: date | None, starts_on: date, missed: tuple[str, ...]
) -> None:
    assert failed(projects=[project(assessed_on)], starts_on=starts_on) == missed


def test_e08_august_31_plus_a_month_is_september_30() -> None:
    filed = [Application("c1", "2021-12", date(2021, 12, 1), date(2021, 12, 10))]
    given = {"applications": filed, "ends_on": date(2021, 11, 1)}
    before = project(date(2021, 8, 31), date(2021, 8, 1))
    assert failed(projects=[before], starts_on=date(2021, 9, 29), **given) == ("E08",)
    assert failed(projects=[before], starts_on=date(2021, 9, 30), **given) == ()


@pytest.mark.parametrize(
    ("one", "missed"),
    [
        (project(None, date(2021, 3, 31)), ("E08",)),
        (project(None, date(2021, 4, 1)), ()),
        (project(None, class_id="c1"), ()),
        (project(None, learner="l2"), ()),
    ],
    ids=["ended with this class", "ended after this class", "this class", "another learner"],
)
def test_e08_only_earlier_projects_of_the_learner(one: Project, missed: tuple[str, ...]) -> None:
    assert failed(projects=[one]) == missed


def test_e08_names_every_project_that_fails() -> None:
    projects = [project(None, class_id="cy"), project(date(2020, 1, 1), class_id="cx"), project(None, class_id="ca")]
    (row,) = rows_of(projects=projects)
    assert row.evidence["E08"]["projects"] == ["ca", "cy"]


@pytest.mark.parametrize(
    ("filed", "missed"),
    [
        (("2021-04", date(2021, 4, 7), date(2021, 4, 10)), ()),
        (("2021-04", date(2021, 4, 8), date(2021, 4, 10)), ("E09",)),
        (("2021-04", date(2021, 3, 20), date(2021, 4, 1)), ()),
        (("2021-04", date(2021, 3, 20), date(2021, 4, 30)), ()),
        (("2021-04", date(2021, 3, 20), date(2021, 5, 1)), ("E09",)),
        (("2021-05", date(2021, 3, 20), date(2021, 5, 1)), ("E09",)),
        (("2022-04", date(2021, 3, 20), date(2021, 4, 10)), ("E09",)),
        (("2021-08", date(2021, 3, 20), date(2021, 8, 31)), ()),
        (("2021-12", date(2021, 3, 20), date(2021, 12, 1)), ()),
    ],
)
def test_e09_notice_window_and_month(filed: tuple[str, date, date], missed: tuple[str, ...]) -> None:
    assert failed(applications=[Application("c1", *filed)]) == missed


@pytest.mark.parametrize(("ends_on", "missed"), [(date(2021, 4, 9), ()), (date(2021, 4, 10), ("E09",))])
def test_e09_assessment_comes_after_the_class(ends_on: date, missed: tuple[str, ...]) -> None:
    assert failed(ends_on=ends_on) == missed


def test_a_class_without_an_application_gets_a_row_without_a_window() -> None:
    (row,) = rows_of(applications=[Application("c2", "2021-04", date(2021, 4, 1), date(2021, 4, 10))])
    assert (row.window, row.failed) == (None, ("E09",))
    assert row.as_row()["window"] is None


def test_two_applications_give_two_rows_each_judged_alone() -> None:
    rows = rows_of(
        enrolments=[Enrolment("e2", "c1", "l2"), Enrolment("e1", "c1", "l1")],
        hours={"e1": 2, "e2": 2},
        applications=[Application("c1", "2021-08", date(2021, 8, 9), date(2021, 8, 10)), FILED],
    )
    assert [(row.window, row.enrolment_id, row.failed) for row in rows] == [
        ("2021-04", "e1", ()),
        ("2021-04", "e2", ()),
        ("2021-08", "e1", ("E09",)),
        ("2021-08", "e2", ("E09",)),
    ]


@pytest.mark.parametrize(
    ("learners", "teachers", "missed"),
    [(80, 4, ()), (81, 5, ("E10",)), (20, 1, ()), (21, 1, ("E10",)), (40, 2, ()), (41, 2, ("E10",)), (1, 0, ("E10",))],
)
def test_e10_size_of_the_class(learners: int, teachers: int, missed: tuple[str, ...]) -> None:
    members = [Enrolment(f"e{n}", "c1", f"l{n}") for n in range(learners)]
    rows = rows_of({member.enrolment_id: 2 for member in members}, enrolments=members, teachers=teachers)
    assert {row.failed for row in rows} == {missed}
    assert len(rows) == learners


@pytest.mark.parametrize(("learners", "missed"), [(20, ()), (21, ("E10",))])
def test_e10_counts_learners_not_enrolments(learners: int, missed: tuple[str, ...]) -> None:
    members = [Enrolment(f"e{n}", "c1", f"l{n % learners}") for n in range(24)]
    rows = rows_of({member.enrolment_id: 2 for member in members}, enrolments=members, teachers=1)
    assert {row.failed for row in rows} == {missed}


@pytest.mark.parametrize(
    ("surveyed_on", "score", "missed"),
    [
        (date(2021, 3, 1), 0.849, ("E11",)),
        (date(2021, 3, 1), 0.85, ()),
        (date(2021, 3, 1), 0.85 - 1e-10, ()),
        (date(2021, 3, 2), 0.1, ()),
        (date(2021, 2, 2), 0.1, ("E11",)),
        (date(2021, 2, 1), 0.1, ()),
        (date(2021, 1, 31), 0.1, ()),
    ],
)
def test_e11_the_institution_was_suspended_for_a_month(
    surveyed_on: date, score: float, missed: tuple[str, ...]
) -> None:
    assert failed(surveys=[Survey("某职业培训学校", surveyed_on, score)]) == missed


def test_e11_the_suspension_of_january_31_ends_with_february() -> None:
    survey = [Survey("某职业培训学校", date(2021, 1, 31), 0.5)]
    assert failed(surveys=survey, starts_on=date(2021, 2, 27)) == ("E11",)
    assert failed(surveys=survey, starts_on=date(2021, 2, 28)) == ()


def test_e11_any_survey_of_this_institution() -> None:
    good, bad = Survey("某职业培训学校", date(2021, 2, 20), 0.99), Survey("某职业培训学校", date(2021, 2, 10), 0.2)
    assert failed(surveys=[bad, good]) == ("E11",)
    assert failed(surveys=[Survey("别的学校", date(2021, 2, 10), 0.2)]) == ()


def with_certificate(word: str) -> Policy:
    """Return the policy that says whether the class's occupation has a vocational certificate."""
    rows = [plain(entry) for entry in CHECKED.occupations.online]
    for row in rows:
        if row["name"] == "电子商务师":
            row["vocational_certificate"] = word
    text = ", ".join("{" + ", ".join(f"{key} = {_toml(value)}" for key, value in row.items()) + "}" for row in rows)
    return load_policy("huangchuan-2021", [f"occupations.online=[{text}]"])


def _toml(value: Any) -> str:
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list) else f'"{value}"'


@pytest.mark.parametrize(
    ("word", "missed", "unconfirmed", "eligible"),
    [("no", (), (), True), ("yes", ("E12",), (), False), ("unknown", (), ("E12",), True)],
)
def test_e12_whether_a_vocational_certificate_exists(
    word: str, missed: tuple[str, ...], unconfirmed: tuple[str, ...], eligible: bool
) -> None:
    (row,) = rows_of(40, policy=with_certificate(word), **COMPLETION)
    assert (row.failed, row.unconfirmed, row.eligible) == (missed, unconfirmed, eligible)
    assert set(row.evidence) == {*missed, *unconfirmed}


def test_e12_other_routes_do_not_ask() -> None:
    assert failed(policy=with_certificate("yes")) == ()


def test_e12_the_shipped_pack_knows_nothing() -> None:
    (row,) = rows_of(40, **COMPLETION)
    assert (row.failed, row.unconfirmed) == ((), ("E12",))


def test_every_failed_test_is_listed_with_clause_and_evidence() -> None:
    (row,) = rows_of(
        0,
        occupation="宇航员",
        mode=Mode.BLENDED,
        applicant_kind=ApplicantKind.INDIVIDUAL,
        teachers=0,
        applications=(),
        waiting=Waiting({"e1": ["p/s1"]}, {}, frozenset({"c1"})),
        projects=[project(None)],
        surveys=[Survey("某职业培训学校", date(2021, 2, 10), 0.2)],
        **COMPLETION,
    )
    assert row.failed == tuple(f"E{n:02}" for n in range(1, 12))
    assert row.unconfirmed == ("E12",)
    assert list(row.evidence) == list(TESTS)
    for code, details in row.evidence.items():
        assert details["clause"] == TESTS[code].clause
    assert row.evidence["E03"] == {"clause": TESTS["E03"].clause, "value": 0.0, "limit": 2}
    assert row.evidence["E10"]["limit"] == 0
    assert row.evidence["E11"]["surveyed_on"] == ["2021-02-10"]


def test_another_county_has_other_limits() -> None:
    other = load_policy(
        "huangchuan-2021",
        ["assessment.notice_days=10", "assessment.months=[4]", 'assessment.applicant="institution"'],
    )
    assert failed(policy=other) == ("E02", "E09")
    early = Application("c1", "2021-04", date(2021, 4, 10) - timedelta(days=10), date(2021, 4, 10))
    assert failed(policy=other, applications=[early], applicant_kind=ApplicantKind.INSTITUTION) == ()


def test_rows_are_sorted_by_class_window_and_enrolment() -> None:
    evidence = evidence_of(
        classes=[training_class("c2"), training_class("c1")],
        enrolments=[Enrolment("e1", "c2", "l1"), Enrolment("e3", "c1", "l1"), Enrolment("e2", "c1", "l2")],
        applications=[FILED],
    )
    rows = assess(evidence, [], NOTHING, CHECKED)
    assert [(row.class_id, row.window, row.enrolment_id) for row in rows] == [
        ("c1", "2021-04", "e2"),
        ("c1", "2021-04", "e3"),
        ("c2", None, "e1"),
    ]
