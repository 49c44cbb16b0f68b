"""What those who run the service are told: that it is ready and what isn't, its numbers, and one line a request."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from platform_client import Platform, ask, event, problem
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from online_guard import logs
from online_guard.api.app import create_app
from online_guard.api.callers import ANYONE, callers
from online_guard.api.observed import NOBODY_LISTENED, Observed
from online_guard.metrics import REQUESTS, reason_class
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.operating.readiness import MOST_LAG_S, Readiness
from online_guard.settings import LogFormat, Settings
from online_guard.store import jobs
from online_guard.store.tables import ClassRecord, JobRecord
from online_guard.store.unit_of_work import writing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(Settings(data_dir=tmp_path, least_free_mib=0))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def app(house: House) -> FastAPI:
    return create_app(house)


def not_ready(app: FastAPI) -> dict[str, str]:
    """Return what isn't ready, and why."""
    document = problem(ask(app, "GET", "/readyz"), 503, "service.not_ready")
    return {fault["pointer"]: fault["detail"] for fault in document["errors"]}


def test_a_new_service_is_ready(app: FastAPI) -> None:
    assert ask(app, "GET", "/readyz").json() == {"status": "ready"}


def test_a_service_that_stops_is_not_ready_and_ends_its_connections(app: FastAPI, house: House) -> None:
    assert "connection" not in ask(app, "GET", "/healthz").headers
    house.closing.set()
    assert list(not_ready(app)) == ["stopping"]
    answer = ask(app, "GET", "/healthz")
    assert answer.json() == {"status": "ok"}
    assert answer.headers["connection"] == "close"


def test_each_thing_that_is_missing_is_named(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path, least_free_mib=1 << 40))
    house.settings.key_file.unlink()
    with closing(sqlite3.connect(tmp_path / "online-guard.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'an-older-one'")
    told = not_ready(create_app(house))
    house.engine.dispose()
    assert list(told) == ["tables", "key", "disk"]
    assert all(" / " in why for why in told.values())
    assert "an-older-one" in told["tables"]


def test_a_job_that_nobody_takes_shows_that_no_worker_is_there(app: FastAPI, house: House) -> None:
    with writing(house.engine) as database:
        database.add(ClassRecord(class_id="c", platform_id="p", body="{}"))
        database.flush()
        jobs.ask(database, "verify", "c", clock_ms() - round(MOST_LAG_S * 1000) + 30_000)
    assert ask(app, "GET", "/readyz").is_success
    app.state.readiness = Readiness(house)
    with writing(house.engine) as database:
        database.get_one(JobRecord, 1).run_after_ms -= 60_000
    assert list(not_ready(app)) == ["worker"]
    app.state.readiness = Readiness(house)
    with writing(house.engine) as database:
        database.get_one(JobRecord, 1).parked_ms = clock_ms()
    assert ask(app, "GET", "/readyz").is_success


def test_a_database_that_is_held_makes_it_unready_within_the_bound(app: FastAPI, house: House, tmp_path: Path) -> None:
    app.state.readiness = Readiness(house, bound_s=0.2)
    with closing(sqlite3.connect(tmp_path / "online-guard.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert list(not_ready(app)) == ["database"]
        assert list(not_ready(app)) == ["database"]
        assert time.monotonic() - began < 2
        other.rollback()
    deadline = time.monotonic() + 10
    while not ask(app, "GET", "/readyz").is_success:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def numbers(text: str) -> dict[tuple[str, ...], float]:
    """Return every sample of our own metrics by name and labels."""
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples if one.name.startswith("online_guard")}


def test_the_numbers_tell_what_happened_and_never_of_whom(platform: Platform) -> None:
    def told() -> dict[tuple[str, ...], float]:
        return numbers(platform.send("GET", "/metrics").text)

    before = told()
    session_id = platform.a_session()
    platform.post(session_id, [event(0), event(0), event(1, type="nonsense"), event(2, second=9_999.0)])
    after = told()

    def more(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    path = "/v1/sessions/{session_id}/events"
    assert more("online_guard_requests_total", "POST", path, "200") == 1
    assert more("online_guard_request_seconds_count", path) == 1
    assert more("online_guard_events_total", "accepted") == 1
    assert more("online_guard_events_total", "duplicate") == 1
    assert more("online_guard_events_total", "refused") == 2
    assert more("online_guard_refused_events_total", "unknown_value") == 1
    assert more("online_guard_refused_events_total", "past_the_end") == 1
    assert ("online_guard_verification_lag_seconds",) in after
    for key in after:
        assert not any(session_id in word or "hc-online" in word or "enrolment-" in word for word in key)


def test_the_numbers_of_the_database_are_verdicts_and_what_waits(platform: Platform) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(0, "play"), event(1, "heartbeat", 30, rate=2.0), event(2, "ended", 60)])
    platform.told("POST", f"/v1/sessions/{session_id}/close")
    platform.verified(f"/v1/sessions/{session_id}/verdict")
    deadline = time.monotonic() + 20
    while True:
        told = numbers(platform.send("GET", "/metrics").text)
        if told.get(("online_guard_findings", "OG103", "rejected"), 0) >= 1:
            break
        assert time.monotonic() < deadline, told
        time.sleep(0.5)
    assert told["online_guard_sessions", "rejected"] >= 1
    assert told["online_guard_verification_queue",] >= 0


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("未知取值 'x' / unknown value 'x' `type`", "unknown_value"),
        ("字段重复 / key given twice `王秀兰`", "repeated_key"),
        ("别的 / something else", "other"),
        ("", "other"),
    ],
)
def test_reasons_fall_into_few_classes(reason: str, name: str) -> None:
    assert reason_class(reason) == name


def test_the_numbers_are_for_this_machine_or_for_the_bearer_of_the_token(app: FastAPI, tmp_path: Path) -> None:
    assert ask(app, "GET", "/metrics").is_success
    problem(ask(app, "GET", "/metrics", headers={"X-Forwarded-For": "10.0.0.1"}), 403, "metrics.refused")
    house = open_house(Settings(data_dir=tmp_path / "other", metrics_token=SecretStr("t0ken")))
    guarded = create_app(house)
    for headers in ({}, {"Authorization": "Bearer t0k"}, {"Authorization": "t0ken"}, {"Authorization": "Bearer 令牌"}):
        sent = {name: value.encode() for name, value in headers.items()}
        problem(ask(guarded, "GET", "/metrics", headers=sent), 403, "metrics.refused")
    assert ask(guarded, "GET", "/metrics", headers={"Authorization": "Bearer t0ken"}).is_success
    house.engine.dispose()


@contextmanager
def logged(house: House, capsys: pytest.CaptureFixture[str]) -> Iterator[list[dict[str, object]]]:
    """Yield a list that is filled, at the end, with the lines of the log."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    told: list[dict[str, object]] = []
    logs.set_up(house.settings)
    try:
        yield told
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        told.extend(json.loads(line) for line in capsys.readouterr().err.splitlines())


def test_every_request_has_an_id_in_header_problem_and_log(
    app: FastAPI, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(house, capsys) as told:
        answer = ask(app, "GET", "/v1/sessions/wang-xiulan/verdict", params={"platform_id": "secret-platform"})
    document = problem(answer, 401, "caller.unknown")
    request_id = answer.headers["x-request-id"]
    assert document["request_id"] == request_id
    (line,) = [one for one in told if one["event"] == "request"]
    assert line["request_id"] == request_id
    assert (line["method"], line["status"]) == ("GET", 401)
    assert "wang-xiulan" not in json.dumps(told)
    assert "secret-platform" not in json.dumps(told)
    assert ask(app, "GET", "/healthz").headers["x-request-id"] != request_id


def test_what_nobody_foresaw_is_a_problem_with_its_id_and_logged(
    app: FastAPI, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    app.add_api_route("/broken", broken, openapi_extra=callers(ANYONE))
    with logged(house, capsys) as told:
        answer = ask(app, "GET", "/broken")
    document = problem(answer, 500, "internal")
    assert document["request_id"] == answer.headers["x-request-id"]
    (line,) = [one for one in told if one["level"] == "error"]
    assert line["request_id"] == document["request_id"]
    assert "ZeroDivisionError" in str(line["exception"])


def test_logs_of_libraries_have_the_same_form(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(house, capsys) as told:
        logging.getLogger("a.library").warning("%d of %s", 3, "seven")
        logging.getLogger("uvicorn.access").info("GET /v1/sessions/wang")
    (line,) = told
    assert (line["event"], line["level"], line["logger"]) == ("3 of seven", "warning", "a.library")
    assert line["timestamp"]


def test_the_console_is_readable_too(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(house, capsys):
        logs.set_up(house.settings.model_copy(update={"log_format": LogFormat.CONSOLE}))
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("x").exception("it broke")
        text = capsys.readouterr().err
    assert "it broke" in text
    assert "ValueError: why" in text


def test_a_caller_that_hangs_up_is_counted_and_breaks_nothing(house: House) -> None:
    async def reads_a_body(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    asked = {"type": "http", "method": "BREW", "path": "/nowhere"}
    count = REQUESTS.labels("other", "unknown", str(NOBODY_LISTENED))
    before = next(one.value for metric in count.collect() for one in metric.samples)
    asyncio.run(Observed(reads_a_body, house)(asked, NotImplemented, NotImplemented))
    assert next(one.value for metric in count.collect() for one in metric.samples) == before + 1
