"""Sends a real service whatever its OpenAPI document allows and forbids, signed, and looks at every answer.

No answer may be a 5xx, each must be what the document says, and each error a problem document. `make fuzz-http` sends
20 000 requests and more; the tests send a few hundred.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from online_guard.demo.people import identity_number
from online_guard.demo.service import RunningService, running_service
from online_guard.service.admitting.accounts import add_person
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.signatures import Message, SignedRequests, content_digest, sign
from online_guard.terms import Role

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "is_a_problem",
)
PASSWORD = "a password of the fuzzer"
NOT_CALLED = {"/v1/logout", "/v1/login"}
"""The one would end the run; after wrong passwords the other says 429, and the fuzzer would wait that long."""
LEFT_OUT = {"Online-Guard-Test-Client", "Online-Guard-Test-Now-Ms", "platform_id"}
"""Parameters of test clients and of people that would have most requests refused before they are looked at."""


@schemathesis.check
def is_a_problem(_context: object, response: Any, _case: object) -> None:
    """Every error is a problem document that names its request."""
    if response.status_code >= 400 and response.request.method != "HEAD":
        document = json.loads(response.content)
        assert document["status"] == response.status_code
        assert document["type"].startswith("urn:online-guard:problem:")
        assert document["request_id"] == response.headers["x-request-id"][0]


@schemathesis.serializer("application/offset+octet-stream")
def part_of_an_upload(_context: object, value: Any) -> Any:
    """A part of an upload is bytes as they are."""
    return value if isinstance(value, bytes) else json.dumps(value, default=str).encode()


@dataclass
class Report:
    """What came of a run: answers by status, operations that were called, failures in words."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __add__(self, other: Report) -> Report:
        """Return two runs as one."""
        return Report(
            self.sent + other.sent,
            self.statuses + other.statuses,
            self.operations + other.operations,
            self.failures | other.failures,
            self.seconds + other.seconds,
        )


class Signed(requests.auth.AuthBase):
    """Signs requests with a platform's key."""

    def __init__(self, key_id: str, secret: str) -> None:
        self._key = key_id, secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request as it will be sent."""
        body = request.body or b""
        request.headers["Content-Digest"] = content_digest(body.encode() if isinstance(body, str) else body)
        url = httpx.URL(str(request.url))
        request.headers["Host"] = url.netloc.decode()
        path, _, query = (request.path_url or "/").partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        message = Message(str(request.method), path, query, headers)
        request.headers.update(sign(message, *self._key, int(time.time()), secrets.token_urlsafe(16)))
        return request


class SignedIn(requests.auth.AuthBase):
    """Sends the cookie and the token of someone who signed in."""

    def __init__(self, service: RunningService, role: Role) -> None:
        house = open_house(Settings(data_dir=service.data_dir))
        name = f"{role}-{secrets.token_hex(4)}"
        add_person(house, name, role, PASSWORD)
        house.engine.dispose()
        answer = httpx.post(f"{service.url}/v1/login", json={"name": name, "password": PASSWORD}, trust_env=False)
        self._headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in answer.cookies.items()),
            "Online-Guard-CSRF": answer.json()["csrf_token"],
        }

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add them."""
        request.headers.update(self._headers)
        return request


def a_sitting(service: RunningService, auth: httpx.Auth) -> dict[str, Any]:
    """Return the ids of things that exist: random ones would never be found."""
    now_ms = time.time_ns() // 1_000_000
    with httpx.Client(base_url=service.url, auth=auth, trust_env=False, timeout=30) as client:

        def send(method: str, path: str, body: Any) -> Any:
            answer = client.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()

        lesson = {"lesson_no": 1, "title": "课", "kind": "professional", "duration_s": 2400.0, "class_hours": 1.0}
        a_class = {
            "platform_id": "fuzz",
            "institution": "学校",
            "applicant_kind": "enterprise",
            "applicant": "公司",
            "occupation": "电子商务师",
            "mode": "online",
            "certificate_route": "skill_level",
            "starts_on": "2021-06-01",
            "ends_on": "2031-07-20",
            "required_online_hours": 1,
            "teachers": 2,
            "lessons": [lesson],
        }
        send("PUT", "/v1/classes/known-class", a_class)
        person = {"name": "王秀兰", "identity_number": identity_number(7)}
        send("PUT", "/v1/classes/known-class/enrolments/known-enrolment", person)
        opening = {"enrolment_id": "known-enrolment", "lesson_no": 1, "device_id": "pc", "opened_at_ms": now_ms}
        send("POST", "/v1/sessions", opening | {"platform_id": "fuzz", "session_id": "known-session"})
        check = send("POST", "/v1/sessions/known-session/liveness", {})
    return {
        "platform_id": "fuzz",
        "class_id": "known-class",
        "enrolment_id": "known-enrolment",
        "session_id": "known-session",
        "check_id": check["check_id"],
        "identity_number": person["identity_number"],
        "lesson_no": 1,
        "at_ms": now_ms,
    }


def with_known_ids(schema: Any, known: Mapping[str, Any]) -> None:
    """Put things that exist in the place of every second id that is made up."""
    turn = itertools.count()

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: known[key] if key in known and next(turn) % 2 else replaced(inner) for key, inner in value.items()
            }
        return [replaced(inner) for inner in value] if isinstance(value, list) else value

    def mapped(_context: object, value: Any) -> Any:
        return replaced(value)

    for name in ("map_path_parameters", "map_query", "map_body"):
        schema.hook(name)(mapped)


def for_caller(document: dict[str, Any], role: Role) -> dict[str, Any]:
    """Return the document with the operations that a role may call."""
    paths: dict[str, dict[str, Any]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if {str(role), "anyone"} & set(operation["x-callers"]) and path not in NOT_CALLED:
                kept = [one for one in operation.get("parameters", ()) if one["name"] not in LEFT_OUT]
                paths.setdefault(path, {})[method] = operation | {"parameters": kept}
    ids = {operation["operationId"] for item in paths.values() for operation in item.values()}
    for item in paths.values():
        for operation in item.values():
            for response in operation["responses"].values():
                response["links"] = {name: one for name, one in response.get("links", {}).items() if name in ids}
    return document | {"paths": paths}


def fuzz(
    url: str,
    role: Role,
    auth: requests.auth.AuthBase,
    known: Mapping[str, Any],
    examples: int,
    seed: int,
    document: dict[str, Any] | None = None,
    **options: Any,
) -> Report:
    """Return what came of a run over all operations.

    Args:
        url: Of the service.
        role: Whose operations.
        auth: Of whoever calls.
        known: Ids of things that exist.
        examples: Of each operation in each phase.
        seed: Makes it repeatable, as far as the service's answers are.
        document: The OpenAPI document, the service's own by default.
        options: `phases`, `steps` of the stateful one, `workers`, and `most_s`, which it fills in any case.
    """
    phases = options.get("phases", ("examples", "coverage", "fuzzing", "stateful"))
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "generation": {"max-examples": examples, "database": "none"},
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing")}
            | {"stateful": {"enabled": "stateful" in phases, "max-steps": options.get("steps", 6)}},
            "workers": options.get("workers", 1),
        }
        | ({"max-time": options["most_s"]} if "most_s" in options else {})
    )
    document = document or httpx.get(f"{url}/v1/openapi.json", trust_env=False).json()
    schema: Any = schemathesis.openapi.from_dict(for_caller(document, role), config=config)
    schema.config.update(base_url=url)
    schema.auth.set_from_requests(auth)
    with_known_ids(schema, known)
    report, began = Report(), time.monotonic()
    for event in from_schema(schema).execute():
        _note(event, report)
    report.seconds = time.monotonic() - began
    return report


def _note(event: events.EngineEvent, report: Report) -> None:
    if isinstance(event, events.ScenarioFinished):
        for case_id, interaction in event.recorder.interactions.items():
            report.sent += 1
            report.operations[event.recorder.cases[case_id].value.operation.label] += 1
            if interaction.response is not None:
                report.statuses[interaction.response.status_code] += 1
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    label = event.recorder.cases[case_id].value.operation.label
                    report.failures.setdefault(
                        f"{label} {check.name}", f"{check.failure_info.failure}\n{check.failure_info.code_sample}"
                    )
    elif isinstance(event, events.NonFatalError | events.FatalError):
        report.failures.setdefault(str(getattr(event, "label", "")), repr(event))


def main() -> int:
    """Run it; exit status 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=250)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--most-s", type=int, help="of each of the three callers: go on until then")
    arguments = parser.parse_args()
    os.environ["ONLINE_GUARD_LOGINS_PER_ADDRESS"] = "1000000/minute"
    options = {} if arguments.most_s is None else {"most_s": arguments.most_s}
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder), None, keep=False) as service:
        report = run(service, arguments.examples, arguments.seed, **options)
        log = (Path(folder) / "service.log").read_text("utf-8", "replace")
    print(f"seed {arguments.seed}: {report.sent:,} requests in {report.seconds:.0f} s")
    print("by status:", dict(sorted(report.statuses.items())))
    print(f"operations: {len(report.operations)}, the least called {report.operations.most_common()[-3:]}")
    for name, what in report.failures.items():
        print(f"\n✗ {name}\n{what}")
    broken = [line for line in log.splitlines() if '"level":"error"' in line]
    print(*broken[:20], sep="\n")
    return bool(report.failures or broken)


def run(service: RunningService, examples: int, seed: int, **options: Any) -> Report:
    """Return what came of runs as a platform and as people."""
    house = open_house(Settings(data_dir=service.data_dir))
    key = create_key(house, "fuzz")
    house.engine.dispose()
    known = a_sitting(service, SignedRequests(key.key_id, key.secret))
    people = {role: SignedIn(service, role) for role in (Role.ADMIN, Role.AUDITOR)}
    report = fuzz(service.url, Role.PLATFORM, Signed(key.key_id, key.secret), known, examples, seed, **options)
    for role, person in people.items():
        report += fuzz(service.url, role, person, known, max(1, examples // 3), seed, **options)
    return report


if __name__ == "__main__":
    sys.exit(main())
