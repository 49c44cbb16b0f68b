"""A person is erased over HTTP, and everybody who asks is told so."""

from __future__ import annotations

from collections.abc import Callable

from platform_client import Platform, problem

from online_guard.demo.people import identity_number
from online_guard.terms import Role

REASON = "withdrawn consent"


def learner_of(platform: Platform, enrolment_id: str, class_id: str, person: int) -> str:
    """Enrol a person, and return the learner's id."""
    body = {"name": "王秀兰", "identity_number": identity_number(person)}
    return str(platform.told("PUT", f"/v1/classes/{class_id}/enrolments/{enrolment_id}", body)["learner_id"])


def test_erased_and_told_so(platform: Platform, person: Callable[[Role], Platform], photo: bytes) -> None:
    class_id, enrolment_id = platform.a_class(), platform.new("enrolment")
    learner_id = learner_of(platform, enrolment_id, class_id, 4_001)
    platform.told("PUT", f"/v1/enrolments/{enrolment_id}/reference-photo", photo)
    session_id = platform.a_session(enrolment_id)
    path = f"/v1/learners/{learner_id}"
    admin = person(Role.ADMIN)
    problem(admin.send("DELETE", path), 422, "body.invalid")
    named = problem(admin.send("DELETE", path, reason=f"{identity_number(4_001)} asked"), 422, "body.invalid")
    assert identity_number(4_001) not in str(named)
    told = admin.told("DELETE", path, reason=REASON)
    assert (told["enrolments"], told["captures"], told["files"]) == (1, 1, 1)
    assert admin.told("DELETE", path, reason=REASON)["erased_ms"] == told["erased_ms"]
    body = {"name": "王秀兰", "identity_number": identity_number(4_001)}
    for method, address, sent in (
        ("PUT", f"/v1/enrolments/{enrolment_id}/reference-photo", photo),
        ("PUT", f"/v1/classes/{class_id}/enrolments/{enrolment_id}", body),
        ("POST", f"/v1/sessions/{session_id}/liveness", None),
        ("POST", "/v1/sessions", platform.opening(enrolment_id)),
    ):
        problem(platform.send(method, address, sent), 404, "person.erased")
    snapshot = platform.send("POST", f"/v1/sessions/{session_id}/snapshots", photo, snapshot_id="p", at_ms=1)
    problem(snapshot, 404, "person.erased")
    platform.told("POST", f"/v1/sessions/{session_id}/close")
    assert platform.verified(f"/v1/enrolments/{enrolment_id}/ledger")["hours"] == 0
    assert platform.told("GET", f"/v1/sessions/{session_id}/verdict")["session_id"] == session_id


def test_nobody_is_erased_who_is_not_there(person: Callable[[Role], Platform]) -> None:
    problem(person(Role.ADMIN).send("DELETE", "/v1/learners/nobody", reason=REASON), 404, "not_found")


def test_no_answer_repeats_a_name_or_a_number(platform: Platform, person: Callable[[Role], Platform]) -> None:
    number, name = identity_number(4_002), "欧阳文武"
    class_id = platform.a_class()
    path = f"/v1/classes/{class_id}/enrolments/{platform.new('enrolment')}"
    good = {"name": name, "identity_number": number}
    wrong = (
        good | {"identity_number": number + number[:1]},
        good | {"identity_number": number * 3},
        good | {"name": name * 40},
        good | {"face_checks": number},
        good | {"leave": [{"from_on": number, "to_on": name, "approved": number}]},
        {"name": number, "identity_number": 5},
        [number, name],
    )
    answers = [platform.send("PUT", path, body) for body in (*wrong, good)]
    assert [answer.status_code for answer in answers] == [422] * len(wrong) + [201]
    enrolment_id = answers[-1].json()["enrolment_id"]
    session_id = platform.a_session(enrolment_id, user_agent=name, ip=number)
    platform.told("POST", f"/v1/sessions/{session_id}/close")
    platform.verified(f"/v1/enrolments/{enrolment_id}/ledger")
    for who in (platform, person(Role.ASSESSOR)):
        for where in (f"sessions/{session_id}/verdict", f"enrolments/{enrolment_id}/ledger"):
            answers.append(who.send("GET", f"/v1/{where}"))
            assert answers[-1].is_success
    for answer in answers:
        assert number not in answer.text + str(answer.headers)
        assert name not in answer.text
