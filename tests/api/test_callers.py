"""The trusted test client is off unless switched on, nobody else sets the clock, and nobody claims liveness."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from fastapi import FastAPI
from platform_client import NOON_MS, Platform, ask, pointers, problem
from pydantic import SecretStr

from online_guard.api.app import create_app
from online_guard.api.callers import looking_at_pictures
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.signatures import SignedRequests

TOKEN, NOW = "Online-Guard-Test-Client", "Online-Guard-Test-Now-Ms"


@pytest.fixture
def production(tmp_path: Path) -> Iterator[FastAPI]:
    """Return a service without a test client."""
    house = open_house(Settings(data_dir=tmp_path))
    yield create_app(house)
    house.engine.dispose()


def auth(app: FastAPI) -> SignedRequests:
    """Return what signs requests to an application in this process."""
    key = create_key(app.state.house, "hc-online")
    return SignedRequests(key.key_id, key.secret)


@pytest.mark.parametrize("headers", [{TOKEN: ""}, {TOKEN: "x"}, {NOW: "1"}, {TOKEN: "x", NOW: "1"}])
def test_in_production_both_headers_are_refused(production: FastAPI, headers: dict[str, str]) -> None:
    answer = ask(production, "POST", "/v1/sessions/x/close", headers=headers, auth=auth(production))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_test_client_claims_no_liveness_either(platform: Platform) -> None:
    path = f"/v1/sessions/{platform.a_session()}/liveness"
    claimed = {"check_id": "c", "at_ms": 1, "outcome": "passed", "distance": 0.3}
    refused = problem(platform.send("POST", path, claimed), 422, "body.invalid")
    assert sorted(pointers(refused)) == ["/at_ms", "/check_id", "/distance", "/outcome"]


@pytest.mark.parametrize("token", ["", "wrong", "令牌"])
def test_a_wrong_token_is_refused_even_where_nothing_needs_it(tmp_path: Path, token: str) -> None:
    settings = Settings(data_dir=tmp_path, test_client_token=SecretStr("right"))
    house = open_house(settings)
    app = create_app(house)
    signed = {"auth": auth(app)}
    answer = ask(app, "POST", "/v1/sessions/x/close", headers={TOKEN: token.encode()}, **signed)
    problem(answer, 403, "test_client.refused")
    assert ask(app, "POST", "/v1/sessions/x/close", headers={TOKEN: "right"}, **signed).status_code == 404
    problem(ask(app, "POST", "/v1/sessions/x/close", headers={TOKEN: "right"}), 401, "caller.unknown")
    house.engine.dispose()


def test_the_clock_is_set_for_one_request_only(platform: Platform) -> None:
    body = platform.opening()
    assert platform.told("POST", "/v1/sessions", body)["opened_received_ms"] == NOON_MS
    platform.now_ms = None
    try:
        assert platform.told("POST", "/v1/sessions", body)["opened_received_ms"] > NOON_MS
    finally:
        platform.now_ms = NOON_MS


@pytest.mark.parametrize("told", ["noon", "-1", "1.5", "NaN", str(10**30)])
def test_a_clock_that_is_no_time_is_refused(platform: Platform, told: str) -> None:
    problem(platform.send("POST", "/v1/sessions/x/close", headers={NOW: told}), 422, "body.invalid")


def test_pictures_that_wait_hold_up_no_other_request() -> None:
    gate = threading.Event()

    async def crowd() -> int:
        async with anyio.create_task_group() as tasks:
            for _ in range(60):
                tasks.start_soon(looking_at_pictures, gate.wait)
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(30):
                answer = await anyio.to_thread.run_sync(lambda: 7)
            gate.set()
        return answer

    assert anyio.run(crowd) == 7
