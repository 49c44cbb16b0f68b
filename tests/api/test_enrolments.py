"""Ledger, claims and eligibility over HTTP, and the whole way of one honest learner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from platform_client import NOON_MS, Platform, event, pointers, problem, signed_client

from online_guard.batch import revalidate
from online_guard.demo.people import Album, identity_number
from online_guard.demo.platform import Platform as Desktop
from online_guard.demo.service import RunningService, running_service
from online_guard.policy import load_policy
from online_guard.service.operating.export import export_bundle
from online_guard.settings import Settings
from online_guard.simulate.cheats import CHEATS
from online_guard.simulate.course import Course, Plan, study

COURSE = Course(class_id="honest-class")
LEARNER, CHEAT = "honest-class-001", "honest-class-002"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Return a service of its own: elsewhere many learners show one face, and are found (OG602, OG801)."""
    with running_service(tmp_path_factory.mktemp("honest"), None, keep=False) as running:
        yield running


@pytest.fixture(scope="module")
def platform(service: RunningService) -> Iterator[Platform]:
    with signed_client(service) as signed:
        yield signed


@pytest.fixture(scope="module")
def studied(platform: Platform, service: RunningService, sample_media: Path) -> Platform:
    """Return the platform after one learner studied all lessons honestly, and one skipped ahead in lesson 1."""
    album = Album(sample_media)
    platform.told("PUT", f"/v1/classes/{COURSE.class_id}", COURSE.class_row())
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False, auth=platform.http.auth) as http:
        desktop = Desktop(http, service.token, album, {LEARNER: 0, CHEAT: 1})
        for number, name in enumerate((LEARNER, CHEAT)):
            body = {"name": "王秀兰", "identity_number": identity_number(50 + number)}
            platform.told("PUT", f"/v1/classes/{COURSE.class_id}/enrolments/{name}", body)
            platform.told("PUT", f"/v1/enrolments/{name}/reference-photo", album.reference(number))
        study(COURSE.desk(desktop, LEARNER, Random("tests/honest")), Plan())
        CHEATS["skip_ahead"].run(COURSE.desk(desktop, CHEAT, Random("tests/cheat")), 1)
    rows = [COURSE.practice_row(name) for name in (LEARNER, CHEAT)]
    platform.told("POST", f"/v1/classes/{COURSE.class_id}/practice", rows)
    application = COURSE.application_row()
    platform.told("POST", f"/v1/assessments/{application.pop('window')}/applications", application)
    for name in (LEARNER, CHEAT):
        platform.verified(f"/v1/enrolments/{name}/ledger")
    return platform


def claim(platform: Platform, enrolment_id: str, hours: dict[int, float], **more: Any) -> dict[str, Any]:
    """Return the answer to a claim."""
    lessons = [{"lesson_no": number, "hours": value} for number, value in hours.items()]
    return platform.told("POST", f"/v1/enrolments/{enrolment_id}/claims", {"lessons": lessons} | more)


def test_an_honest_learner_earns_every_hour(studied: Platform) -> None:
    ledger = studied.told("GET", f"/v1/enrolments/{LEARNER}/ledger")
    assert (ledger["enrolment_id"], ledger["state"], ledger["hours"]) == (LEARNER, "verified", 3.0)
    assert [row["lesson_no"] for row in ledger["lessons"]] == [1, 2, 3]
    assert [row["refused_by"] for row in ledger["lessons"]] == [[], [], []]


def test_hours_are_granted_once(studied: Platform) -> None:
    first = claim(studied, LEARNER, {1: 1.0, 2: 1.0}, claim_id="june")
    assert first["accepted_hours"] == 2.0
    assert claim(studied, LEARNER, {1: 1.0, 2: 1.0}, claim_id="june") == first, "tried again"
    again = claim(studied, LEARNER, {1: 1.0, 3: 1.0}, claim_id="july")
    assert again["accepted_hours"] == 1.0
    assert [(row["accepted"], row["refused_by"]) for row in again["lessons"]] == [
        (False, ["already-claimed"]), (True, []),
    ]  # fmt: skip
    problem(
        studied.send(
            "POST",
            f"/v1/enrolments/{LEARNER}/claims",
            {"claim_id": "june", "lessons": [{"lesson_no": 1, "hours": 2}]},
        ),
        409,
        "claim.other",
    )


def test_refused_hours_are_refused_with_their_findings_again_and_again(studied: Platform) -> None:
    answers = [claim(studied, CHEAT, {1: 1.0, 2: 1.0}, claim_id=name) for name in ("one", "two")]
    bad, never_opened = answers[0]["lessons"]
    assert (bad["claimed"], bad["earned"], bad["accepted"]) == (1.0, 0, False)
    assert (never_opened["accepted"], never_opened["refused_by"]) == (False, [])
    assert "OG102" in bad["refused_by"]
    assert "OG102" in {finding["rule"] for finding in bad["findings"]}
    assert all(finding["name_zh"] and finding["clause"] for finding in bad["findings"])
    assert [answer["accepted_hours"] for answer in answers] == [0, 0]
    assert answers[1]["lessons"] == answers[0]["lessons"]


def test_more_than_earned_is_not_granted(studied: Platform) -> None:
    answer = claim(studied, LEARNER, {3: 1.1}, claim_id="greedy")
    assert answer["lessons"][0]["accepted"] is False
    assert answer["lessons"][0]["earned"] == 1.0


def test_a_lesson_that_does_not_exist_earns_nothing(studied: Platform) -> None:
    answer = claim(studied, LEARNER, {9: 1.0}, claim_id="nine")
    assert (answer["lessons"][0]["accepted"], answer["lessons"][0]["earned"]) == (False, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"lessons": []}, "/lessons"),
        ({"lessons": [{"lesson_no": 1, "hours": "1"}]}, "/lessons/0/hours"),
        ({"lessons": [{"lesson_no": 1, "hours": 0}]}, "/lessons/0/hours"),
        ({"lessons": [{"lesson_no": 1, "hours": -1}]}, "/lessons/0/hours"),
        ({"lessons": [{"lesson_no": 1, "minutes": 40}]}, "/lessons/0/hours"),
        ({"lessons": [{"lesson_no": 1, "hours": 1}] * 2}, "/"),
        ({"lessons": [{"lesson_no": 1, "hours": 1}], "sum": 1}, "/sum"),
    ],
)
def test_a_wrong_claim_is_refused_at_its_place(platform: Platform, body: dict[str, Any], pointer: str) -> None:
    answer = platform.send("POST", f"/v1/enrolments/{platform.an_enrolment()}/claims", body)
    assert pointers(problem(answer, 422, "body.invalid"))[0] == pointer


def test_numbers_that_json_does_not_know_are_refused(platform: Platform) -> None:
    body = b'{"lessons": [{"lesson_no": 1, "hours": NaN}]}'
    path = f"/v1/enrolments/{platform.an_enrolment()}/claims"
    answer = platform.send("POST", path, body, headers={"Content-Type": "application/json"})
    assert pointers(problem(answer, 422, "body.invalid")) == ["/lessons/0/hours"]


@pytest.mark.parametrize("what", ["ledger", "eligibility"])
def test_nobody_has_no_hours(platform: Platform, what: str) -> None:
    problem(platform.send("GET", f"/v1/enrolments/nobody/{what}"), 404, "not_found")


def test_nobody_can_claim(platform: Platform) -> None:
    body = {"lessons": [{"lesson_no": 1, "hours": 1}]}
    problem(platform.send("POST", "/v1/enrolments/nobody/claims", body), 404, "not_found")


def test_an_enrolment_that_never_studied_earns_nothing(platform: Platform) -> None:
    answer = claim(platform, platform.an_enrolment(), {1: 1.0})
    assert (answer["accepted_hours"], answer["lessons"][0]["accepted"]) == (0, False)


def test_late_events_can_take_hours_back_but_no_claim_grants_them_twice(platform: Platform) -> None:
    enrolment_id = platform.an_enrolment()
    session_id = platform.a_session(enrolment_id)
    platform.post(session_id, [event(0, "play"), event(1, second=20)])
    platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 30_000)
    assert platform.verified(f"/v1/enrolments/{enrolment_id}/ledger")["hours"] == 0
    answer = claim(platform, enrolment_id, {1: 1.0})
    assert "OG702" in answer["lessons"][0]["refused_by"]


def test_eligibility_lists_failed_tests_with_words_and_clause(studied: Platform) -> None:
    good = studied.told("GET", f"/v1/enrolments/{LEARNER}/eligibility")
    bad = studied.told("GET", f"/v1/enrolments/{CHEAT}/eligibility")
    assert (good["state"], good["rows"][0]["eligible"], good["rows"][0]["failed"]) == ("verified", True, [])
    assert (bad["rows"][0]["eligible"], bad["rows"][0]["window"]) == (False, "2021-08")
    assert "E03" in bad["rows"][0]["failed"]
    assert set(bad["rows"][0]["tests"]["E03"]) == {"zh", "en", "clause", "cure"}


def test_the_candidates_of_the_window_are_the_eligible(studied: Platform) -> None:
    feed = studied.told("GET", "/v1/assessments/2021-08/candidates")
    assert LEARNER in {row["enrolment_id"] for row in feed["candidates"]}
    assert CHEAT in {row["enrolment_id"] for row in feed["refused"]}
    assert feed["window"] == "2021-08"


def test_the_exported_bundle_gives_the_same_judgement(studied: Platform, tmp_path: Path) -> None:
    export_bundle(Settings(data_dir=studied.service.data_dir), tmp_path / "bundle")
    result = revalidate(tmp_path / "bundle", load_policy("huangchuan-2021"), workers=1)
    assert not result.refused
    judgement = result.judgement
    for enrolment_id in (LEARNER, CHEAT):
        ledger = studied.told("GET", f"/v1/enrolments/{enrolment_id}/ledger")
        assert {row.pop("provenance") for row in ledger["lessons"]} <= {"live", None}
        assert ledger["lessons"] == [row.as_row() for row in judgement.ledger if row.enrolment_id == enrolment_id]
    sessions = [row for row in judgement.sessions if row.session_id.startswith(COURSE.platform_id)]
    compared = 0
    for row in sessions:
        told = studied.told("GET", f"/v1/sessions/{row.session_id.partition('/')[2]}/verdict", platform_id="hc-online")
        if told["state"] != "verified":
            continue
        compared += 1
        assert (told["verdict"], told["playing_ms"], told["watched_s"]) == (
            str(row.verdict), row.playing_ms, row.watched_s,
        )  # fmt: skip
        own = [f.as_row() for f in judgement.findings if f.subject_id.startswith(row.session_id + "/")]
        own += [f.as_row() for f in judgement.findings if f.subject_id == row.session_id]
        bare = [{name: finding[name] for name in own[0]} for finding in told["findings"]] if own else told["findings"]
        assert sorted(bare, key=str) == sorted(own, key=str)
    assert compared >= 4
    text = b"".join(path.read_bytes() for path in (tmp_path / "bundle").iterdir())
    assert "王秀兰".encode() not in text
    assert identity_number(50).encode() not in text
