"""Applications and candidates over HTTP: works, malformed, missing, repeated, conflict."""

from __future__ import annotations

from typing import Any

import pytest
from platform_client import Platform, pointers, problem


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
