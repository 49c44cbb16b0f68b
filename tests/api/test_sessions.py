"""Sessions over HTTP: opening, events, directives, closing, verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from platform_client import DAY_MS, NOON_MS, Platform, count, dead_letters, event, pointers, problem

from online_guard.terms import Role


def test_a_session_is_opened_and_an_opening_tried_again_is_stamped_anew(platform: Platform) -> None:
    body = platform.opening()
    first = platform.send("POST", "/v1/sessions", body)
    again = platform.send("POST", "/v1/sessions", body, now_ms=NOON_MS + 5000)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["opened_received_ms"], again.json()["opened_received_ms"]) == (NOON_MS, NOON_MS + 5000)
    assert first.json()["session_id"] == body["session_id"]
    assert first.json()["next_seq"] == again.json()["next_seq"] == 0


def test_the_stamp_of_a_session_that_has_events_stays(platform: Platform) -> None:
    body = platform.opening()
    platform.told("POST", "/v1/sessions", body)
    platform.post(body["session_id"], [event(0, "play")])
    again = platform.told("POST", "/v1/sessions", body, now_ms=NOON_MS + 5000)
    assert (again["opened_received_ms"], again["next_seq"]) == (NOON_MS, 1)


def test_a_session_id_stands_for_one_session_of_its_platform(platform: Platform) -> None:
    body = platform.opening()
    platform.told("POST", "/v1/sessions", body)
    for change in ({"lesson_no": 2}, {"device_id": "pc-2"}, {"enrolment_id": platform.an_enrolment()}):
        problem(platform.send("POST", "/v1/sessions", body | change), 409, "session.other")


def test_times_may_be_rfc_3339_with_an_offset(platform: Platform) -> None:
    body = platform.opening(opened_at_ms="2021-06-08T12:00:00.250+08:00")
    platform.told("POST", "/v1/sessions", body)
    again = platform.send("POST", "/v1/sessions", body | {"opened_at_ms": NOON_MS + 250})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"opened_at_ms": "2021-06-08T12:00:00"}, "/opened_at_ms"),
        ({"opened_at_ms": "noon"}, "/opened_at_ms"),
        ({"opened_at_ms": 1_623_124_800.5}, "/opened_at_ms"),
        ({"opened_at_ms": True}, "/opened_at_ms"),
        ({"opened_at_ms": -1}, "/opened_at_ms"),
        ({"lesson_no": "1"}, "/lesson_no"),
        ({"lesson_no": 0}, "/lesson_no"),
        ({"session_id": "a/b"}, "/session_id"),
        ({"session_id": "a\n"}, "/session_id"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_opening_is_refused_at_its_place(platform: Platform, change: dict[str, Any], pointer: str) -> None:
    answer = platform.send("POST", "/v1/sessions", platform.opening() | change)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


@pytest.mark.parametrize("change", [{"enrolment_id": "nobody"}, {"lesson_no": 3}])
def test_a_session_needs_its_enrolment_and_lesson(platform: Platform, change: dict[str, Any]) -> None:
    problem(platform.send("POST", "/v1/sessions", platform.opening() | change), 404, "not_found")


def test_a_batch_is_answered_event_by_event(platform: Platform) -> None:
    session_id = platform.a_session()
    batch = [event(0, "play"), event(1, second=20), event(1, second=20), event(1, second=21), event(2, "dance")]
    answer = platform.post(session_id, batch)
    assert [row["status"] for row in answer["results"]] == ["accepted", "accepted", "duplicate", "conflict", "refused"]
    assert [row["index"] for row in answer["results"]] == [0, 1, 2, 3, 4]
    assert [row["seq"] for row in answer["results"]] == [0, 1, 1, 1, 2]
    assert ["reason" in row for row in answer["results"]] == [False, False, False, True, True]
    assert (answer["received_ms"], answer["next_seq"]) == (NOON_MS, 2)


def test_the_same_batch_later_changes_nothing(platform: Platform) -> None:
    session_id = platform.a_session()
    batch = [event(0, "play"), event(1, "seek", 20, from_s=10.5), event(2, "popup_shown", 21, popup="p-1")]
    platform.post(session_id, batch)
    again = platform.post(session_id, batch, now_ms=NOON_MS + 60_000)
    assert {row["status"] for row in again["results"]} == {"duplicate"}


def test_the_answer_names_the_next_number_over_gaps_and_late_events(platform: Platform) -> None:
    session_id = platform.a_session()
    assert platform.post(session_id, [event(5, second=50)])["next_seq"] == 6
    assert platform.post(session_id, [event(2, second=20)])["next_seq"] == 6


BAD_EVENTS: list[tuple[str, dict[str, Any], str]] = [
    ("unknown type", {"type": "dance"}, "type"),
    ("negative position", {"position_s": -1.0}, "position_s"),
    ("past the end", {"position_s": 2460.5}, "position_s"),
    ("from past the end", {"type": "seek", "from_s": 2460.5}, "from_s"),
    ("pop-up without id", {"type": "popup_shown"}, "popup"),
    ("a day early", {"at_ms": NOON_MS - DAY_MS - 1}, "at_ms"),
    ("a day late", {"at_ms": NOON_MS + DAY_MS + 1}, "at_ms"),
    ("seconds, not ms", {"at_ms": NOON_MS // 1000}, "at_ms"),
    ("local time", {"at_ms": "2021-06-08T12:00:00"}, "offset"),
    ("fraction of a ms", {"at_ms": NOON_MS + 0.5}, "at_ms"),
    ("text for a number", {"position_s": "20"}, "position_s"),
    ("number for a flag", {"playing": 1}, "playing"),
    ("negative number", {"seq": -1}, "seq"),
    ("number too great", {"seq": 2**31}, "seq"),
    ("unknown key", {"colour": "red"}, "colour"),
    ("slash in an id", {"player": "a/b"}, "player"),
    ("empty id", {"player": ""}, "player"),
    ("null for a required field", {"rate": None}, "rate"),
    ("NaN", {"position_s": float("nan")}, "NaN"),
    ("Infinity", {"rate": float("inf")}, "Infinity"),
    ("rate beyond float32", {"rate": 1e300}, "rate"),
    ("int beyond int64", {"at_ms": 10**30}, "at_ms"),
]


@pytest.mark.parametrize(("change", "word"), [row[1:] for row in BAD_EVENTS], ids=[row[0] for row in BAD_EVENTS])
def test_a_bad_event_is_refused_alone_with_a_reason(platform: Platform, change: dict[str, Any], word: str) -> None:
    session_id = platform.a_session()
    batch = [event(0, "play"), event(1, second=20) | change, event(2, second=40)]
    body = json.dumps({"events": batch}).encode()
    answer = platform.told("POST", f"/v1/sessions/{session_id}/events", body)
    assert [row["status"] for row in answer["results"]] == ["accepted", "refused", "accepted"]
    assert "/ " in answer["results"][1]["reason"]
    assert word in answer["results"][1]["reason"]


def test_an_event_with_a_key_given_twice_is_refused(platform: Platform) -> None:
    twice = json.dumps(event(0, "play"))[:-1] + ', "rate": 2.0}'
    body = f'{{"events": [{twice}]}}'.encode()
    answer = platform.told("POST", f"/v1/sessions/{platform.a_session()}/events", body)
    assert answer["results"][0]["status"] == "refused"


def test_things_that_are_no_events_are_refused_alone(platform: Platform) -> None:
    session_id = platform.a_session()
    answer = platform.post(session_id, [event(0, "play"), 7, None, "play", [], {}])
    assert [row["status"] for row in answer["results"]] == ["accepted", *["refused"] * 5]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b'{"events": 1}', 422),
        (b'{"events": []}', 422),
        (b'{"events": [], "more": 1}', 422),
        (b"{}", 422),
        (b'{"events": [' + b"[" * 100_000, 400),
        (b'{"events": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}", 400),
        (json.dumps({"events": [{}] * 1001}).encode(), 422),
        (b'{"events": ["' + bytes(4 * 1024 * 1024) + b'"]}', 413),
    ],
    ids=["empty", "cut off", "no utf-8", "array", "no list", "none", "unknown key", "no key", "deep, cut off", "deep",
         "1001", "large"],
)  # fmt: skip
def test_a_body_that_is_no_batch_is_refused_whole(platform: Platform, body: bytes, status: int) -> None:
    session_id = platform.a_session()
    code = "body.too_large" if status == 413 else "events.bad_batch"
    problem(platform.send("POST", f"/v1/sessions/{session_id}/events", body), status, code)


def test_events_of_an_unknown_session_are_refused_and_kept_for_an_operator(platform: Platform) -> None:
    session_id = platform.new("unknown")
    answer = platform.send("POST", f"/v1/sessions/{session_id}/events", {"events": [event(0, "play"), event(1)]})
    problem(answer, 404, "not_found")
    letters = [row for row in dead_letters(platform) if row["session_id"] == session_id]
    assert len(letters) == 2


def test_two_platforms_may_use_one_session_id(
    platform: Platform, another_platform: Platform, person: Callable[[Role], Platform]
) -> None:
    session_id = platform.a_session()
    another_platform.a_session(session_id=session_id)
    path = f"/v1/sessions/{session_id}"
    for one in (platform, another_platform):
        answer = one.told("POST", f"{path}/events", {"events": [event(0, "play")]}, platform_id=one.platform_id)
        assert answer["results"][0]["status"] == "accepted"
        assert one.told("GET", f"{path}/verdict")["platform_id"] == one.platform_id
    answer = platform.send("POST", f"{path}/events", {"events": [event(0)]}, platform_id="another")
    problem(answer, 403, "platform.not_own")
    auditor = person(Role.AUDITOR)
    problem(auditor.send("GET", f"{path}/verdict"), 409, "session.ambiguous")
    assert auditor.told("GET", f"{path}/verdict", platform_id="another")["platform_id"] == "another"


def test_nothing_that_was_sent_is_lost(platform: Platform) -> None:
    session_id = platform.a_session()
    batches: list[list[Any]] = [
        [event(n, second=n) for n in range(10)],
        [event(n, second=n) for n in range(5, 15)],
        [event(n, second=n + 0.5) for n in range(3)],
        [event(20, "dance"), event(21, position_s=-1.0), 5, event(22, second=22)],
    ]
    told: list[str] = []
    for number, batch in enumerate(batches):
        results = platform.post(session_id, batch, now_ms=NOON_MS + 1000 * number)["results"]
        told += [row["status"] for row in results]
    assert len(told) == sum(map(len, batches))
    assert {status: told.count(status) for status in set(told)} == {
        "accepted": 16, "duplicate": 5, "conflict": 3, "refused": 3,
    }  # fmt: skip
    assert count(platform, "event", session_id) == 16
    assert count(platform, "event_conflict", session_id) == 3
    assert count(platform, "dead_letter", session_id) == 3
    assert all(row["reason"] for row in dead_letters(platform))


def test_one_batch_sent_by_many_at_once_counts_once(platform: Platform) -> None:
    session_id = platform.a_session()
    batch = [event(n, second=n) for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: platform.post(session_id, batch), range(16)))
    told = [row["status"] for answer in answers for row in answer["results"]]
    assert (told.count("accepted"), told.count("duplicate")) == (20, 300)
    assert count(platform, "event", session_id) == 20


def test_a_batch_of_a_thousand_is_taken(platform: Platform) -> None:
    session_id = platform.a_session()
    batch = [event(n, second=n) for n in range(1000)]
    answer = platform.post(session_id, batch)
    assert {row["status"] for row in answer["results"]} == {"accepted"}
    assert (answer["next_seq"], count(platform, "event", session_id)) == (1000, 1000)


def test_a_conflict_is_kept_aside_and_becomes_a_finding(platform: Platform) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(0, "play"), event(1, second=20)])
    answer = platform.post(session_id, [event(1, second=25)], now_ms=NOON_MS + 30_000)
    assert answer["results"][0]["status"] == "conflict"
    platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 60_000)
    verdict = platform.verified(f"/v1/sessions/{session_id}/verdict")
    assert "OG105" in {finding["rule"] for finding in verdict["findings"]}


def test_of_two_events_received_at_one_moment_the_one_that_sorts_first_counts(platform: Platform) -> None:
    session_id = platform.a_session()
    answer = platform.post(session_id, [event(0, position_s=9.0), event(0, position_s=5.0), event(0, position_s=7.0)])
    assert [row["status"] for row in answer["results"]] == ["accepted", "accepted", "conflict"]
    again = platform.post(session_id, [event(0, position_s=n) for n in (9.0, 5.0, 7.0)], now_ms=NOON_MS + 1)
    assert [row["status"] for row in again["results"]] == ["conflict", "duplicate", "conflict"]
    assert count(platform, "event_conflict", session_id) == 2


def test_directives_come_shortly_before_they_are_due_and_again_until_then(platform: Platform) -> None:
    body = platform.opening()
    told = platform.told("POST", "/v1/sessions", body)["directives"]
    seen: dict[str, tuple[str, int]] = {}
    for minute in range(13):
        events = [event(minute * 3 + third, second=minute * 60 + third * 20) for third in range(3)]
        now_ms, clock_ms = NOON_MS + minute * 60_000 + 41_000, minute * 60_000 + 40_000
        told += platform.post(body["session_id"], events, now_ms=now_ms)["directives"]
        for directive in told:
            assert set(directive) == {"directive_id", "kind", "due_playing_ms", "nonce"}
            known = seen.setdefault(directive["directive_id"], (directive["kind"], directive["due_playing_ms"]))
            assert known == (directive["kind"], directive["due_playing_ms"])
            assert directive["due_playing_ms"] <= clock_ms + 60_000
        told = []
    popups = sorted(due for kind, due in seen.values() if kind == "popup")
    gaps = np.diff([0, *popups])
    assert len(popups) >= 3
    assert ((gaps >= 120_000) & (gaps <= 240_000)).all(), gaps
    assert min(due for kind, due in seen.values() if kind == "liveness") < 60_000


def test_moments_of_directives_are_not_foreseen(platform: Platform) -> None:
    moments = set()
    for _ in range(4):
        for directive in platform.told("POST", "/v1/sessions", platform.opening())["directives"]:
            moments.add(directive["due_playing_ms"])
    assert len(moments) >= 3


def test_a_closed_session_takes_late_events_for_a_day_and_is_verified_anew(platform: Platform) -> None:
    session_id = platform.a_session()
    platform.post(session_id, [event(0, "play"), event(1, second=20)])
    closed = platform.send("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 30_000)
    assert (closed.status_code, closed.json()) == (202, {"session_id": session_id, "state": "closed"})
    assert platform.verified(f"/v1/sessions/{session_id}/verdict")["playing_ms"] == 20_000
    late = platform.post(session_id, [event(2, second=40)], now_ms=NOON_MS + 30_000 + DAY_MS - 60_000)
    assert (late["results"][0]["status"], late["directives"]) == ("accepted", [])
    assert platform.verified(f"/v1/sessions/{session_id}/verdict")["playing_ms"] == 40_000


def test_events_later_than_a_day_after_the_close_are_refused_and_kept_for_an_operator(platform: Platform) -> None:
    session_id = platform.a_session()
    platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS)
    body = {"events": [event(0, "play", at_ms=NOON_MS + DAY_MS), event(1, at_ms=NOON_MS + DAY_MS)]}
    answer = platform.send("POST", f"/v1/sessions/{session_id}/events", body, now_ms=NOON_MS + DAY_MS + 1)
    problem(answer, 409, "session.closed")
    assert count(platform, "dead_letter", session_id) == 2
    assert count(platform, "event", session_id) == 0


def test_closing_again_changes_nothing(platform: Platform) -> None:
    session_id = platform.a_session()
    for later in (0, 60_000):
        answer = platform.send("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + later)
        assert (answer.status_code, answer.json()["state"]) == (202, "closed")
    problem(platform.send("POST", "/v1/sessions/nowhere/close"), 404, "not_found")


def test_the_verdict_says_how_far_it_is(platform: Platform) -> None:
    session_id = platform.a_session()
    path = f"/v1/sessions/{session_id}/verdict"
    assert platform.told("GET", path)["state"] == "open"
    platform.post(session_id, [event(0, "play"), *(event(n, second=20 * n) for n in range(1, 20))])
    platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 400_000)
    verdict = platform.verified(path)
    assert verdict["verdict"] == "rejected"
    assert (verdict["playing_ms"], verdict["watched_s"]) == (380_000, 380.0)
    assert set(verdict["policy"]) == {"id", "version", "sha256"}
    rules = {finding["rule"] for finding in verdict["findings"]}
    assert {"OG301", "OG401"} <= rules
    for finding in verdict["findings"]:
        assert finding["subject_id"].startswith(f"hc-online/{session_id}")
        assert finding["name_zh"]
        assert finding["name_en"]
        assert finding["clause"]
    problem(platform.send("GET", "/v1/sessions/nowhere/verdict"), 404, "not_found")
