"""Applications and candidates over HTTP: works, malformed, missing, repeated, conflict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platform_client import CLASS, Platform, pointers, problem

from online_guard.terms import Role

People = Callable[[Role], Platform]


def application(class_id: str, **changes: Any) -> dict[str, Any]:
    """Return the body of an application."""
    return {"class_id": class_id, "applied_on": "2021-08-02", "assessment_on": "2021-08-14"} | changes


def test_an_application_is_kept_once(platform: Platform) -> None:
    class_id, path = platform.a_class(), "/v1/assessments/2021-08/applications"
    first, again = (platform.send("POST", path, application(class_id)) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == application(class_id, window="2021-08")
    other = platform.send("POST", path, application(class_id, assessment_on="2021-08-15"))
    assert pointers(problem(other, 409, "application.exists")) == ["/class_id"]
    assert platform.send("POST", "/v1/assessments/2021-12/applications", application(class_id)).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"applied_on": "2 August"}, "/applied_on"),
        ({"applied_on": 20210802}, "/applied_on"),
        ({"assessment_on": "2021-08-32"}, "/assessment_on"),
        ({"assessment_on": None}, "/assessment_on"),
        ({"route": "completion"}, "/route"),
        ({"certificate_route": "diploma"}, "/certificate_route"),
        ({"papers": ["roster", "photo"]}, "/papers/1"),
        ({"task_row": 0}, "/task_row"),
    ],
)
def test_a_wrong_application_is_refused_at_its_place(platform: Platform, change: dict[str, Any], pointer: str) -> None:
    body = application(platform.a_class(), **change)
    answer = platform.send("POST", "/v1/assessments/2021-08/applications", body)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


@pytest.mark.parametrize("window", ["2021-13", "2021-8", "August", "2021-08-01"])
def test_a_window_is_a_month(platform: Platform, window: str) -> None:
    answer = platform.send("GET", f"/v1/assessments/{window}/candidates")
    assert pointers(problem(answer, 422, "body.invalid")) == ["?window"]


def test_an_application_needs_its_class(platform: Platform) -> None:
    answer = platform.send("POST", "/v1/assessments/2021-08/applications", application("nowhere"))
    problem(answer, 404, "not_found")


def test_a_window_that_nobody_applied_for_is_empty(platform: Platform) -> None:
    feed = platform.told("GET", "/v1/assessments/2031-04/candidates")
    assert feed == {"window": "2031-04", "pending": [], "candidates": [], "refused": []}


def test_the_refused_are_told_why(platform: Platform) -> None:
    class_id = platform.a_class()
    enrolment_id = platform.an_enrolment(class_id)
    platform.told("POST", "/v1/assessments/2022-04/applications", application(class_id))
    platform.verified(f"/v1/enrolments/{enrolment_id}/eligibility")
    feed = platform.told("GET", "/v1/assessments/2022-04/candidates")
    assert (feed["candidates"], feed["pending"]) == ([], [])
    (row,) = feed["refused"]
    assert (row["class_id"], row["enrolment_id"], row["window"]) == (class_id, enrolment_id, "2022-04")
    assert {"E03", "E09"} <= set(row["failed"])
    assert set(row["tests"]) == {*row["failed"], *row["unconfirmed"]}
    assert set(row["evidence"]) >= set(row["failed"])


def test_route_papers_and_task_are_kept_and_what_is_missing_is_told(platform: Platform) -> None:
    class_id, path = platform.a_class(), "/v1/assessments/2021-08/applications"
    more = {"certificate_route": "skill_level", "papers": ["roster", "attendance"], "task_row": 9}
    told = platform.told("POST", path, application(class_id, **more))
    missing = {row["paper"] for row in told.pop("missing_papers")}
    assert told == application(class_id, window="2021-08", **more | {"papers": ["attendance", "roster"]})
    assert {"video_recordings", "training_materials"} <= missing
    assert "leave_slips" not in missing, "nobody of the class had leave"
    unknown = platform.send("POST", path, application(class_id, task_row=15))
    assert pointers(problem(unknown, 422, "application.unknown_task")) == ["/task_row"]
    other = platform.send("POST", path, application(platform.a_class(), certificate_route="completion"))
    assert pointers(problem(other, 409, "application.other_route")) == ["/certificate_route"]


def test_an_application_by_no_enterprise_or_too_late_is_kept_and_tells_what_fails(platform: Platform) -> None:
    class_id = platform.a_class(applicant_kind="institution")
    body = application(class_id, applied_on="2021-08-12")
    told = platform.told("POST", "/v1/assessments/2021-08/applications", body)
    assert told["failed"] == ["E02", "E09"]
    assert told["tests"]["E02"]["clause"] == "(四)21(3)"
    (cure,) = told["tests"]["E09"]["cure"]
    assert (cure["window"], cure["until_on"]) == ("2021-12", "2021-12-28")
    assert "2021-08-11" in cure["zh"], "when that day had to be applied for"


def refused_row(platform: Platform, class_id: str, window: str) -> dict[str, Any]:
    """Return the row of a class with one learner."""
    feed = platform.told("GET", f"/v1/assessments/{window}/candidates", updated_since=0)
    (row,) = [row for row in feed["rows"] if row["class_id"] == class_id]
    return dict(row)


def test_an_assessor_confirms_for_a_class_and_denies_for_a_learner(platform: Platform, person: People) -> None:
    class_id = platform.a_class(certificate_route="completion")
    enrolment_id = platform.an_enrolment(class_id)
    platform.told("POST", "/v1/assessments/2024-04/applications", application(class_id))
    platform.verified(f"/v1/enrolments/{enrolment_id}/eligibility")
    assert refused_row(platform, class_id, "2024-04")["unconfirmed"] == ["E12"]
    assessor, body = person(Role.ASSESSOR), {"code": "E12", "answer": "confirm", "reason": "目录中没有"}
    path = f"/v1/classes/{class_id}/confirmations"
    assert [assessor.send("POST", path, body).status_code for _ in range(2)] == [201, 200]
    assert refused_row(platform, class_id, "2024-04")["settled"]["unconfirmed"] == []
    own = f"/v1/enrolments/{enrolment_id}/confirmations"
    assert assessor.told("POST", own, body | {"answer": "deny"})["number"] == 2
    row = refused_row(platform, class_id, "2024-04")
    assert ("E12" in row["settled"]["failed"], row["tests"]["E12"]["answer"]) == (True, "deny")
    told = platform.told("GET", path)["confirmations"]
    assert [(one["enrolment_id"], one["answer"], one["reviewer"]) for one in told] == [
        (None, "confirm", "some assessor"), (enrolment_id, "deny", "some assessor"),
    ]  # fmt: skip
    problem(assessor.send("POST", own, body | {"code": "E03"}), 409, "confirmation.nothing_open")
    named = assessor.send("POST", own, body | {"reason": "身份证 110101199003071233"})
    assert pointers(problem(named, 422, "body.invalid")) == ["/reason"]


def test_a_survey_suspends_an_institution_and_a_class_registered_then_is_told(
    platform: Platform, another_platform: Platform, person: People
) -> None:
    school = {"institution": "整改中的培训学校"}
    assessor = person(Role.ASSESSOR)
    body = school | {"surveyed_on": "2021-05-10", "score": 0.7, "asked": 30}
    problem(assessor.send("POST", "/v1/surveys", body), 404, "not_found")
    class_id = platform.a_class(**school)
    first, again = (assessor.send("POST", "/v1/surveys", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["judged_again"] == [class_id]
    assert first.json()["suspension"]["until_on"] == "2021-06-09"
    told = platform.told("GET", "/v1/surveys", **school)
    assert (told["minimum"], told["suspensions"]) == (0.85, [first.json()["suspension"]])
    problem(another_platform.send("GET", "/v1/surveys", **school), 404, "not_found")
    late = CLASS | school | {"class_id": "late-class", "starts_on": "2021-06-10"}
    assert "suspension" not in platform.told("PUT", "/v1/classes/late-class", late)
    early = platform.told(
        "PUT", "/v1/classes/early-class", late | {"class_id": "early-class", "starts_on": "2021-06-09"}
    )
    assert early["suspension"] == first.json()["suspension"]


@pytest.mark.parametrize(
    ("change", "pointer"), [({"score": 1.1}, "/score"), ({"score": "0.9"}, "/score"), ({"asked": 0}, "/asked")]
)
def test_a_wrong_survey_is_refused_at_its_place(person: People, change: dict[str, Any], pointer: str) -> None:
    body = {"institution": "学校", "surveyed_on": "2021-05-10", "score": 0.9, "asked": 30} | change
    answer = person(Role.ADMIN).send("POST", "/v1/surveys", body)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


def test_the_feed_comes_page_by_page_and_each_platform_sees_its_own(
    platform: Platform, another_platform: Platform
) -> None:
    path, class_id = "/v1/assessments/2024-08/candidates", platform.a_class()
    names = [platform.an_enrolment(class_id) for _ in range(3)]
    platform.told("POST", "/v1/assessments/2024-08/applications", application(class_id))
    platform.verified(f"/v1/enrolments/{names[0]}/eligibility")
    first = platform.told("GET", path, limit=2)
    rest = platform.told("GET", path, limit=2, cursor=first["next_cursor"])
    assert [row["enrolment_id"] for row in first["rows"] + rest["rows"]] == sorted(names)
    assert (len(first["rows"]), rest["next_cursor"]) == (2, None)
    assert {row["admitted"] for row in first["rows"]} == {False}
    newest = rest["rows"][-1]["updated_ms"]
    assert platform.told("GET", path, updated_since=newest + 1) == {
        "window": "2024-08", "rows": [], "next_cursor": None,
    }  # fmt: skip
    assert len(platform.told("GET", path, updated_since=newest)["rows"]) == 3
    assert another_platform.told("GET", path, updated_since=0)["rows"] == []
    assert pointers(problem(platform.send("GET", path, cursor="x"), 422, "cursor.invalid")) == ["?cursor"]
