"""Every error is a problem document (RFC 9457) that says nothing about the inside and repeats nothing private."""

from __future__ import annotations

from pathlib import Path

import pytest
from platform_client import CLASS, Platform, ask, pointers, problem

from online_guard.api import problems
from online_guard.api.app import create_app
from online_guard.api.callers import ANYONE, callers
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.signatures import content_digest


def test_an_unknown_route_is_a_problem(platform: Platform) -> None:
    for path in ("/nowhere", "/v1", "/v1/class/x", "/v1/classes/a%2Fb", "/docs"):
        problem(platform.send("GET", path), 404, "route.not_found")


def test_another_method_is_a_problem_that_names_the_right_one(platform: Platform) -> None:
    answer = platform.send("DELETE", "/v1/classes/x")
    problem(answer, 405, "route.method")
    assert answer.headers["allow"] == "PUT"


@pytest.mark.parametrize("body", [b"{", b"", b"\x80", b'{"a": 1,}', b"[" * 100_000], ids=range(5))
def test_a_body_that_is_no_json_can_not_be_read(platform: Platform, body: bytes) -> None:
    answer = platform.send("POST", "/v1/sessions", body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422) if body == b"" else answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_json_of_another_shape_is_wrong(platform: Platform) -> None:
    for body in ([], "text", 7):
        problem(platform.send("POST", "/v1/sessions", body), 422, "body.invalid")


def test_a_body_over_the_limit_is_not_read_to_its_end(platform: Platform) -> None:
    body = CLASS | {"institution": "校" * 5_000_000}
    problem(platform.send("PUT", "/v1/classes/large", body), 413, "body.too_large")


def test_an_endless_body_without_a_length_is_stopped(platform: Platform) -> None:
    chunks = (bytes(64 * 1024) for _ in range(1_000))
    path = f"{platform.service.url}/v1/enrolments/{platform.an_enrolment()}/reference-photo"
    problem(
        platform.http.put(path, content=chunks, headers={"Content-Digest": content_digest(b"")}), 413, "body.too_large"
    )


def test_several_faults_are_all_named(platform: Platform) -> None:
    answer = platform.send("PUT", "/v1/classes/x", {"platform_id": "", "colour": 1})
    named = pointers(problem(answer, 422, "body.invalid"))
    assert {"/platform_id", "/colour", "/lessons", "/mode"} <= set(named)


def test_every_kind_of_error_has_a_status_and_every_status_a_title() -> None:
    assert set(problems.STATUS) == set(ErrorKind)
    assert set(problems.STATUS.values()) <= set(problems.TITLES)
    assert all(" / " in title for title in problems.TITLES.values())


def test_what_nobody_foresaw_tells_nothing(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path))
    app = create_app(house)

    @app.get("/broken", openapi_extra=callers(ANYONE))
    def broken() -> None:
        raise ZeroDivisionError("secret of the inside")

    @app.get("/guarded", openapi_extra=callers(ANYONE))
    def guarded() -> None:
        raise GuardError(ErrorKind.UNAVAILABLE, "store.busy", "忙 / busy", remedy="稍后 / later", where="/x")

    answer = ask(app, "GET", "/broken")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert problem(ask(app, "GET", "/guarded"), 503, "store.busy")["detail"] == "忙 / busy 稍后 / later"
    house.engine.dispose()
