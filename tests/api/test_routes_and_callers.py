"""Every route × every caller × an object of theirs, of another platform, and of nobody. A route without a row fails."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from platform_client import CLASS, NOON_MS, Platform, event, problem

from online_guard.api.app import create_app
from online_guard.demo.people import identity_number
from online_guard.review.app import create_console
from online_guard.service.house import clock_ms, open_house
from online_guard.service.notifying.webhooks import SECRET
from online_guard.settings import Settings
from online_guard.signatures import Message, SignedRequests, content_digest, sign
from online_guard.store import outbox
from online_guard.store.unit_of_work import close_engine, writing
from online_guard.store.webhook_tables import EndpointRecord
from online_guard.terms import Role

PLATFORM = {Role.PLATFORM}
EVERYBODY = set(Role)
PEOPLE = EVERYBODY - PLATFORM
AUDITORS = {Role.AUDITOR, Role.SECOND_AUDITOR}
OFFICE = {Role.ASSESSOR, Role.ADMIN}
ANYONE: set[Role] = set()
"""Nobody need be anybody."""
PRACTICE_SHEET = b"enrolment_id,on,class_hours\nnobody,2021-07-01,8\n"
Ids = dict[str, str]


@dataclass(frozen=True)
class Row:
    """A route: who may call it, and how its object is named; `body` and `query` make a call that is right otherwise.

    `names_object`: another platform's object is answered as one that isn't there.
    """

    who: set[Role]
    names_object: bool = True
    body: Callable[[Ids], Any] = lambda ids: None
    query: Callable[[Ids], dict[str, Any]] = lambda ids: {}
    headers: dict[str, str] = field(default_factory=dict)


def enrolment_body(ids: Ids) -> dict[str, Any]:
    """Return the body of a learner."""
    return {"name": "王秀兰", "identity_number": identity_number(9)}


def opening_body(ids: Ids) -> dict[str, Any]:
    """Return the body of an opening."""
    named = {"session_id": "foreign", "enrolment_id": ids["enrolment_id"]}
    return named | {"lesson_no": 1, "opened_at_ms": NOON_MS, "device_id": "pc"}


def a_word(ids: Ids) -> dict[str, Any]:
    """Return the body of a confirmation."""
    return {"code": "E12", "answer": "confirm", "reason": "目录中没有 / not in the catalogue"}


ROWS = {
    "GET /v1/openapi.json": Row(ANYONE, names_object=False),
    "GET /healthz": Row(ANYONE, names_object=False),
    "GET /readyz": Row(ANYONE, names_object=False),
    "GET /metrics": Row(ANYONE, names_object=False),
    "POST /v1/login": Row(ANYONE, names_object=False),
    "GET /v1/login/oidc": Row(ANYONE, names_object=False),
    "GET /v1/login/oidc/callback": Row(ANYONE, names_object=False),
    "POST /v1/logout": Row(PEOPLE, names_object=False),
    "GET /v1/whoami": Row(EVERYBODY, names_object=False),
    "GET /v1/log/head": Row(ANYONE, names_object=False),
    "GET /v1/log/heads": Row(ANYONE, names_object=False),
    "GET /v1/log/key": Row(ANYONE, names_object=False),
    "GET /v1/log/entries": Row(ANYONE, names_object=False),
    "GET /v1/log/proof": Row(ANYONE, names_object=False),
    "GET /v1/webhooks/messages": Row({Role.PLATFORM, Role.ADMIN}, names_object=False),
    "POST /v1/webhooks/messages/{message_id}/replay": Row({Role.PLATFORM, Role.ADMIN}),
    "PUT /v1/classes/{class_id}": Row(PLATFORM, names_object=False, body=lambda ids: dict(CLASS)),
    "PUT /v1/classes/{class_id}/enrolments/{enrolment_id}": Row(PLATFORM, body=enrolment_body),
    "POST /v1/classes/{class_id}/practice": Row(
        PLATFORM, body=lambda ids: [{"enrolment_id": ids["enrolment_id"], "on": "2021-07-01", "class_hours": 8}]
    ),
    "POST /v1/classes/{class_id}/practice/sheet": Row(PLATFORM, body=lambda ids: PRACTICE_SHEET),
    "GET /v1/classes/{class_id}/practice": Row(EVERYBODY),
    "PUT /v1/enrolments/{enrolment_id}/reference-photo": Row(PLATFORM, body=lambda ids: b"photo"),
    "POST /v1/sessions": Row(PLATFORM, body=opening_body),
    "POST /v1/sessions/{session_id}/events": Row(PLATFORM, body=lambda ids: {"events": [event(0, "play")]}),
    "POST /v1/sessions/{session_id}/snapshots": Row(
        PLATFORM, body=lambda ids: b"photo", query=lambda ids: {"at_ms": NOON_MS}
    ),
    "GET /v1/dead-letters": Row(PLATFORM | {Role.ADMIN}, names_object=False),
    "GET /v1/dead-letters/{letter_id}": Row(PLATFORM | {Role.ADMIN}),
    "PUT /v1/dead-letters/{letter_id}/content": Row({Role.ADMIN}, names_object=False, body=lambda ids: event(0)),
    "POST /v1/dead-letters/{letter_id}/replay": Row({Role.ADMIN}, names_object=False),
    "POST /v1/sessions/{session_id}/liveness": Row(PLATFORM),
    "POST /v1/liveness/{check_id}/frames": Row(
        PLATFORM, body=lambda ids: b"clip", query=lambda ids: {"nonce": ids["nonce"], "at_ms": NOON_MS}
    ),
    "GET /v1/liveness/{check_id}/{evidence}": Row(EVERYBODY),
    "POST /v1/sessions/{session_id}/close": Row(PLATFORM),
    "GET /v1/sessions/{session_id}/verdict": Row(EVERYBODY),
    "GET /v1/enrolments/{enrolment_id}/ledger": Row(EVERYBODY),
    "GET /v1/enrolments/{enrolment_id}/eligibility": Row(EVERYBODY),
    "GET /v1/enrolments/{enrolment_id}/notices": Row(EVERYBODY),
    "GET /v1/notices/{notice_id}/document": Row(EVERYBODY - {Role.READER}),
    "POST /v1/enrolments/{enrolment_id}/notices": Row(AUDITORS, names_object=False),
    "GET /v1/cases": Row(PEOPLE, names_object=False),
    "GET /v1/cases/{case_id}": Row(PEOPLE, names_object=False),
    "POST /v1/cases/next": Row(AUDITORS, names_object=False, body=lambda ids: {}),
    "PUT /v1/cases/{case_id}/assignment": Row(AUDITORS, names_object=False),
    "DELETE /v1/cases/{case_id}/assignment": Row(AUDITORS, names_object=False),
    "POST /v1/decisions": Row(AUDITORS, names_object=False),
    "GET /v1/views": Row(PEOPLE, names_object=False),
    "PUT /v1/views/{name}": Row(PEOPLE, names_object=False, body=lambda ids: {"query": "rule=OG101"}),
    "DELETE /v1/views/{name}": Row(PEOPLE, names_object=False),
    "POST /v1/findings/{finding_id}/decisions": Row(AUDITORS, names_object=False),
    "GET /v1/findings/{finding_id}/decisions": Row(EVERYBODY),
    "POST /v1/findings/{finding_id}/appeals": Row(
        PLATFORM, body=lambda ids: {"appellant": "learner", "reason": "他没有快进"}
    ),
    "DELETE /v1/learners/{learner_id}": Row({Role.ADMIN}, names_object=False, query=lambda ids: {"reason": "x"}),
    "GET /v1/imports": Row(EVERYBODY, names_object=False),
    "POST /v1/imports": Row(PLATFORM, names_object=False, body=lambda ids: b"no archive"),
    "GET /v1/imports/{import_id}": Row(EVERYBODY),
    "HEAD /v1/imports/{import_id}": Row(PLATFORM),
    "PATCH /v1/imports/{import_id}": Row(PLATFORM, body=lambda ids: b"part", headers={"Upload-Offset": "0"}),
    "POST /v1/enrolments/{enrolment_id}/claims": Row(
        PLATFORM, body=lambda ids: {"lessons": [{"lesson_no": 1, "hours": 1}]}
    ),
    "POST /v1/assessments/{window}/applications": Row(
        PLATFORM,
        body=lambda ids: {"class_id": ids["class_id"], "applied_on": "2021-08-02", "assessment_on": "2021-08-14"},
    ),
    "GET /v1/assessments/{window}/candidates": Row(
        {Role.PLATFORM, Role.ASSESSOR, Role.READER, Role.ADMIN}, names_object=False
    ),
    "PUT /v1/venues": Row(OFFICE, names_object=False, body=lambda ids: {}),
    "GET /v1/venues": Row(OFFICE, names_object=False),
    "POST /v1/assessments/{window}/plans": Row(OFFICE, names_object=False, body=lambda ids: {}),
    "GET /v1/assessments/{window}/plans/{plan_id}": Row(OFFICE, names_object=False),
    "POST /v1/assessments/{window}/roster": Row(
        OFFICE, names_object=False, body=lambda ids: {"plan_id": ids["plan_id"]}
    ),
    "GET /v1/assessments/{window}/roster": Row(EVERYBODY, names_object=False),
    "GET /v1/assessments/{window}/roster/versions": Row(OFFICE, names_object=False),
    "GET /v1/assessments/{window}/roster/files/{name}": Row(OFFICE, names_object=False),
    "POST /v1/enrolments/{enrolment_id}/confirmations": Row({Role.ASSESSOR}, names_object=False, body=a_word),
    "POST /v1/classes/{class_id}/confirmations": Row({Role.ASSESSOR}, names_object=False, body=a_word),
    "GET /v1/classes/{class_id}/confirmations": Row(EVERYBODY),
    "POST /v1/surveys": Row(
        {Role.ASSESSOR, Role.ADMIN},
        names_object=False,
        body=lambda ids: {"institution": "无此机构", "surveyed_on": "2021-06-01", "score": 0.9, "asked": 10},
    ),
    "GET /v1/surveys": Row(EVERYBODY, names_object=False, query=lambda ids: {"institution": CLASS["institution"]}),
    "POST /v1/assessments/{window}/results": Row(
        {Role.ASSESSOR, Role.ADMIN},
        names_object=False,
        body=lambda ids: [{"enrolment_id": ids["enrolment_id"], "absent": True}],
    ),
    "POST /v1/assessments/{window}/results/sheet": Row(
        {Role.ASSESSOR, Role.ADMIN}, names_object=False, body=lambda ids: b"enrolment_id,absent\nnobody,yes\n"
    ),
    "GET /v1/assessments/{window}/results": Row(
        {Role.PLATFORM, Role.ASSESSOR, Role.READER, Role.ADMIN}, names_object=False
    ),
    "GET /v1/jobs": Row({Role.ADMIN}, names_object=False),
    "POST /v1/dry-runs": Row(AUDITORS | OFFICE, names_object=False, body=lambda ids: {"key": "none", "value": "1"}),
    "GET /v1/dry-runs": Row(PEOPLE, names_object=False),
    "GET /v1/dry-runs/{dry_run_id}": Row(PEOPLE, names_object=False),
    "GET /console/policy": Row(PEOPLE, names_object=False),
    "GET /console/policy/dry-runs/{dry_run_id}": Row(PEOPLE, names_object=False),
    "GET /console/work": Row({Role.ADMIN}, names_object=False),
    "GET /console/accounts": Row({Role.ADMIN}, names_object=False),
    "POST /v1/people/{person}/disable": Row({Role.ADMIN}, names_object=False),
    "POST /v1/people/{person}/unlock": Row({Role.ADMIN}, names_object=False),
    "POST /v1/keys/{key_id}/revoke": Row({Role.ADMIN}, names_object=False),
    "GET /": Row(ANYONE, names_object=False),
    "GET /console": Row(PEOPLE, names_object=False),
    "GET /console/sign-in": Row(ANYONE, names_object=False),
    "GET /console/signed-in": Row(ANYONE, names_object=False),
    "GET /console/static/{name}": Row(ANYONE, names_object=False),
    "GET /console/cases": Row(PEOPLE, names_object=False),
    "GET /console/cases/{case_id}": Row(PEOPLE, names_object=False),
    "GET /console/cases/{case_id}/log": Row(AUDITORS, names_object=False),
    "GET /console/cases/{case_id}/evidence.zip": Row(AUDITORS, names_object=False),
    "GET /console/findings/{finding_id}/what-if": Row(PEOPLE, names_object=False),
    "GET /console/together": Row(AUDITORS, names_object=False),
    "GET /console/enrolments/{enrolment_id}/reference": Row(AUDITORS, names_object=False),
    "GET /console/sessions/{platform_id}/{session_id}/snapshots/{snapshot_id}": Row(AUDITORS, names_object=False),
    "GET /console/classes": Row(PEOPLE, names_object=False),
    "GET /console/classes/{class_id}": Row(PEOPLE, names_object=False),
    "GET /console/assessments": Row(PEOPLE, names_object=False),
    "GET /console/log": Row(PEOPLE, names_object=False),
    "GET /console/dead-letters": Row({Role.ADMIN}, names_object=False),
    "GET /console/rules": Row(PEOPLE, names_object=False),
    "GET /console/rules/{rule}": Row(PEOPLE, names_object=False),
    "GET /console/export/cases.{kind}": Row(PEOPLE, names_object=False),
    "GET /console/overview": Row(PEOPLE, names_object=False),
    "GET /console/overview/rules/{rule}": Row(PEOPLE, names_object=False),
    "GET /console/platforms/{platform_id}": Row(PEOPLE, names_object=False),
    "GET /console/learners/{learner_id}": Row(PEOPLE, names_object=False),
    "POST /v1/jobs/{job_id}/replay": Row({Role.ADMIN}, names_object=False),
}
"""Every route of the application."""
GUARDED = sorted(name for name, row in ROWS.items() if row.who)
OF_OBJECTS = sorted(name for name, row in ROWS.items() if row.names_object)


@pytest.fixture(scope="module")
def ids(platform: Platform) -> Ids:
    """Return the ids of everything that a platform has."""
    class_id = platform.a_class()
    enrolment_id = platform.an_enrolment(class_id)
    session_id = platform.a_session(enrolment_id)
    check = platform.told("POST", f"/v1/sessions/{session_id}/liveness")
    named = {"class_id": class_id, "enrolment_id": enrolment_id, "session_id": session_id}
    named |= {"check_id": check["check_id"], "import_id": an_upload(platform), **a_finding(platform)}
    named |= {"nonce": check["nonce"], "evidence": "strip", "window": "2021-08", "learner_id": "nobody"}
    named["job_id"] = "2000000000"
    named |= {"rule": "OG101", "kind": "csv", "platform_id": "hc-online", "snapshot_id": "none"}
    named |= {"plan_id": "plan-none", "name": "roster.json", "notice_id": "notice-none"}
    named |= {"plan_id": "plan-none", "name": "roster.json", "dry_run_id": "dry-none"}
    named |= {"person": "nobody", "key_id": "key-none"}
    return named | {"message_id": a_message(platform), "letter_id": a_letter(platform, session_id)}


def a_message(platform: Platform) -> str:
    """Return the id of a message to an endpoint of a platform; nobody listens there."""
    house = open_house(Settings(data_dir=platform.service.data_dir))
    endpoint = EndpointRecord(
        endpoint_id="ep_1",
        platform_id=platform.platform_id,
        url="https://127.0.0.1:9/",
        secret=house.vault.seal(b"secret", SECRET),
        created_ms=1,
    )
    with writing(house.engine) as database:
        database.add(endpoint)
        database.flush()
        outbox.put(database, endpoint, "session.verified", [("hc-online/s", "{}")], clock_ms())
    close_engine(house.engine)
    return str(platform.told("GET", "/v1/webhooks/messages")["messages"][0]["message_id"])


def a_letter(platform: Platform, session_id: str) -> str:
    """Return the id of an event that was refused."""
    platform.post(session_id, [event(0, "dance")])
    (letter,) = platform.told("GET", "/v1/dead-letters", session_id=session_id)["dead_letters"]
    return str(letter["letter_id"])


def an_upload(platform: Platform) -> str:
    """Return the id of an import that has begun."""
    digest = base64.b64encode(b"ab" * 32).decode()
    said = {"Upload-Length": "10", "Upload-Metadata": f"sha256 {digest}"}
    return str(platform.told("POST", "/v1/imports", b"", headers=said)["import_id"])


def a_finding(platform: Platform) -> Ids:
    """Return the ids of a finding and its case."""
    session_id = platform.a_session()
    platform.post(session_id, [event(0, "play"), event(1, "rate", 10, rate=2.0), event(2, second=20, rate=2.0)])
    platform.told("POST", f"/v1/sessions/{session_id}/close")
    found = platform.verified(f"/v1/sessions/{session_id}/verdict")["findings"][0]
    return {"finding_id": found["finding_id"], "case_id": found["case_id"]}


def of_nobody(ids: Ids) -> Ids:
    """Return ids of nothing."""
    return ids | {name: f"{ids[name]}-none" for name in ids if name.endswith("_id")} | {"letter_id": "987654321"}


def call(client: Platform, name: str, ids: Ids) -> httpx.Response:
    """Return the answer to a route's call about some objects."""
    row, (method, path) = ROWS[name], name.split()
    return client.send(method, path.format(**ids), row.body(ids), headers=row.headers, **row.query(ids))


def test_every_route_of_the_application_has_a_row_that_says_what_it_declares(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path))
    app = create_console(house)
    declared = {}
    for route in iter_route_contexts(app.routes):
        extra = getattr(route, "openapi_extra", None) or {}
        for method in route.methods or {"?"}:
            declared[f"{method} {route.path}"] = set(extra.get("x-callers", ()))
    house.engine.dispose()
    for method in ("GET", "HEAD"):
        assert declared.pop(f"{method} /v1/openapi.json") == set(), "Starlette's own route, which declares nothing"
    rows = {name: row.who or {"anyone"} for name, row in ROWS.items()}
    rows.pop("GET /v1/openapi.json")
    assert declared == rows


def test_a_route_that_declares_nobody_is_refused_to_everybody(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path))
    app = create_app(house)
    app.add_api_route("/v1/forgotten", lambda: {"secret": 1})
    from platform_client import ask
    from test_callers import auth

    problem(ask(app, "GET", "/v1/forgotten"), 401, "caller.unknown")
    problem(ask(app, "GET", "/v1/forgotten", auth=auth(app)), 403, "caller.not_allowed")
    house.engine.dispose()


@pytest.mark.parametrize("role", sorted(PEOPLE))
def test_people_may_call_what_is_declared_for_their_role(
    role: Role, person: Callable[[Role], Platform], ids: Ids
) -> None:
    client = person(role)
    for name in GUARDED:
        if name == "POST /v1/logout":
            continue
        answer = call(client, name, ids)
        if role in ROWS[name].who:
            assert answer.status_code not in (401, 403), (name, answer.text)
        else:
            refused(name, answer, 403, "caller.not_allowed")


def refused(name: str, answer: httpx.Response, status: int, code: str) -> None:
    """See that an answer is a problem; to HEAD it has no body."""
    if name.startswith("HEAD"):
        assert answer.status_code == status, name
    else:
        assert problem(answer, status, code), name


def test_a_platform_may_call_what_is_declared_for_platforms(platform: Platform, ids: Ids) -> None:
    for name in GUARDED:
        answer = call(platform, name, of_nobody(ids))
        if Role.PLATFORM in ROWS[name].who:
            assert answer.status_code not in (401, 403), (name, answer.text)
        else:
            refused(name, answer, 403, "caller.not_allowed")


class Forged(httpx.Auth):
    """Signs with the right key at another time, under one nonce, or with another secret.

    Args:
        auth: Of a platform.
        shift_s: How far its clock is off.
        nonce: The same for every request.
        secret: In place of its own.
    """

    requires_request_body = True

    def __init__(self, auth: SignedRequests, shift_s: int = 0, nonce: str | None = None, secret: str = "") -> None:
        self._key_id, self._secret = auth._key_id, secret or auth._secret
        self._shift_s, self._nonce = shift_s, nonce

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Content-Digest"] = content_digest(request.content)
        path, _, query = request.url.raw_path.decode().partition("?")
        message = Message(request.method, path, query, {k.lower(): v for k, v in request.headers.items()})
        created_s, nonce = int(time.time()) + self._shift_s, self._nonce or f"{time.monotonic_ns()}"
        request.headers.update(sign(message, self._key_id, self._secret, created_s, nonce))
        yield request


@pytest.mark.parametrize(
    ("forgery", "code"),
    [
        (None, "caller.unknown"),
        ({"secret": "00" * 32}, "signature.wrong"),
        ({"shift_s": -310}, "signature.expired"),
        ({"shift_s": 310}, "signature.expired"),
        ({"nonce": "the same again"}, "signature.replayed"),
    ],
    ids=["nobody", "wrong secret", "too old", "too early", "replayed"],
)
def test_nobody_gets_in_with_a_forgery(forgery: dict[str, Any] | None, code: str, platform: Platform, ids: Ids) -> None:
    auth = platform.http.auth
    assert isinstance(auth, SignedRequests)
    forged = None if forgery is None else Forged(auth, **forgery)
    with httpx.Client(base_url=platform.service.url, timeout=30, trust_env=False, auth=forged) as http:
        client = Platform(http, platform.service)
        if code == "signature.replayed":
            call(client, "GET /v1/whoami", ids)
        for name in GUARDED:
            refused(name, call(client, name, ids), 401, code)


@pytest.mark.parametrize("name", OF_OBJECTS)
def test_what_another_platform_has_is_as_if_it_were_not_there(
    name: str, ids: Ids, platform: Platform, another_platform: Platform
) -> None:
    foreign, absent = call(another_platform, name, ids), call(another_platform, name, of_nobody(ids))
    assert foreign.status_code == absent.status_code == 404, (foreign.text, absent.text)
    if name.startswith("HEAD"):
        return
    said = [{key: value for key, value in answer.json().items() if key != "request_id"} for answer in (foreign, absent)]
    without_ids = json.dumps(said[1])
    for key in ids:
        without_ids = without_ids.replace(of_nobody(ids)[key], ids[key])
    assert json.dumps(said[0]) == without_ids
    assert set(foreign.headers) == set(absent.headers)


def test_people_see_what_every_platform_has(ids: Ids, person: Callable[[Role], Platform]) -> None:
    for role in sorted(PEOPLE):
        told = person(role).told("GET", f"/v1/enrolments/{ids['enrolment_id']}/ledger")
        assert told["enrolment_id"] == ids["enrolment_id"]


def test_a_class_id_that_is_taken_is_the_one_thing_that_is_told(another_platform: Platform, ids: Ids) -> None:
    body = CLASS | {"platform_id": "another", "institution": "别处"}
    refused = another_platform.send("PUT", f"/v1/classes/{ids['class_id']}", body)
    assert "hc-online" not in problem(refused, 409, "class.other_platform")["detail"]
    elsewhere = another_platform.a_class()
    taken = f"/v1/classes/{elsewhere}/enrolments/{ids['enrolment_id']}"
    problem(another_platform.send("PUT", taken, enrolment_body(ids)), 409, "enrolment.other")


def test_each_platform_sees_its_own_candidates_and_an_assessor_all(
    platform: Platform, another_platform: Platform, person: Callable[[Role], Platform]
) -> None:
    window, classes = "2023-04", {}
    for one in (platform, another_platform):
        class_id = one.a_class()
        enrolment_id = one.an_enrolment(class_id)
        body = {"class_id": class_id, "applied_on": "2023-04-02", "assessment_on": "2023-04-14"}
        one.told("POST", f"/v1/assessments/{window}/applications", body)
        one.verified(f"/v1/enrolments/{enrolment_id}/eligibility")
        classes[one.platform_id] = class_id
    path = f"/v1/assessments/{window}/candidates"
    for one in (platform, another_platform):
        assert {row["class_id"] for row in one.told("GET", path)["refused"]} == {classes[one.platform_id]}
    assessor = person(Role.ASSESSOR)
    assert {row["class_id"] for row in assessor.told("GET", path)["refused"]} == set(classes.values())
    only = assessor.told("GET", path, platform_id="another")
    assert {row["class_id"] for row in only["refused"]} == {classes["another"]}
