"""One `Idempotency-Key`, one effect, one answer: however often and however fast a request is repeated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from platform_client import NOON_MS, Platform, count, event, problem

KEY = "Idempotency-Key"


def test_the_second_time_comes_the_answer_of_the_first(platform: Platform) -> None:
    body, key = platform.opening(), {KEY: platform.new("key")}
    first = platform.send("POST", "/v1/sessions", body, headers=key)
    again = platform.send("POST", "/v1/sessions", body, headers=key, now_ms=NOON_MS + 5_000)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (again.headers.get("idempotency-replayed"), first.headers.get("idempotency-replayed")) == ("true", None)
    without = platform.send("POST", "/v1/sessions", body, now_ms=NOON_MS + 5_000)
    assert (without.status_code, without.json()["opened_received_ms"]) == (200, NOON_MS + 5_000)


def test_the_key_of_another_request_is_refused(platform: Platform) -> None:
    body, key = platform.opening(), {KEY: platform.new("key")}
    platform.told("POST", "/v1/sessions", body, headers=key)
    problem(
        platform.send("POST", "/v1/sessions", body | {"device_id": "pc-2"}, headers=key),
        422,
        "idempotency.other_request",
    )
    path = f"/v1/sessions/{body['session_id']}/close"
    problem(platform.send("POST", path, headers=key), 422, "idempotency.other_request")
    batch = {"events": [event(0)]}
    path = f"/v1/sessions/{body['session_id']}/events"
    problem(platform.send("POST", path, batch, headers=key), 422, "idempotency.other_request")


def test_keys_are_each_callers_own(platform: Platform, another_platform: Platform) -> None:
    key = {KEY: platform.new("key")}
    for caller in (platform, another_platform):
        answer = caller.send("POST", "/v1/sessions", caller.opening(), headers=key)
        assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, None)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "schlüssel"])
def test_a_key_is_visible_ascii_of_bounded_length(platform: Platform, key: str) -> None:
    answer = platform.send("POST", "/v1/sessions", platform.opening(), headers={KEY: key.encode("latin-1")})
    problem(answer, 422, "idempotency.bad_key")


def test_after_a_refusal_the_key_may_be_used_again(platform: Platform) -> None:
    body, key = platform.opening(enrolment_id="not yet"), {KEY: platform.new("key")}
    problem(platform.send("POST", "/v1/sessions", body, headers=key), 404, "not_found")
    body["enrolment_id"] = platform.an_enrolment()
    assert platform.send("POST", "/v1/sessions", body, headers=key).status_code == 201


def test_of_many_at_once_one_has_the_effect(platform: Platform) -> None:
    class_id = platform.a_class()
    rows = [{"enrolment_id": platform.an_enrolment(class_id), "on": "2021-06-10", "class_hours": 2.0}]
    key = {KEY: platform.new("key")}

    def send(_: int) -> tuple[int, str]:
        answer = platform.send("POST", f"/v1/classes/{class_id}/practice", rows, headers=key)
        return answer.status_code, answer.text

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    done = [text for status, text in answers if status == 200]
    assert {status for status, _ in answers} <= {200, 409}
    assert len(set(done)) == 1
    assert '"recorded":1' in done[0]


def test_a_batch_has_one_answer_too(platform: Platform) -> None:
    session_id, key = platform.a_session(), {KEY: platform.new("key")}
    path, batch = f"/v1/sessions/{session_id}/events", {"events": [event(0, "play"), event(1, second=10)]}

    def send(_: int) -> tuple[int, str]:
        answer = platform.send("POST", path, batch, headers=key)
        return answer.status_code, answer.text

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(16)))
    [(status, text)] = answers
    assert status == 200
    assert '"counts":{"accepted":2}' in text
    platform.post(session_id, [event(2, second=20)])
    assert send(0) == (200, text), "later batches change nothing"
    problem(platform.send("POST", path, {"events": [event(3)]}, headers=key), 422, "idempotency.other_request")
    assert count(platform, "event", session_id) == 3


def test_a_batch_that_was_refused_may_come_again_under_its_key(platform: Platform) -> None:
    key, body = {KEY: platform.new("key")}, platform.opening()
    path, batch = f"/v1/sessions/{body['session_id']}/events", {"events": [event(0, "play")]}
    problem(platform.send("POST", path, batch, headers=key), 404, "not_found")
    platform.told("POST", "/v1/sessions", body)
    assert platform.told("POST", path, batch, headers=key)["counts"] == {"accepted": 1}
