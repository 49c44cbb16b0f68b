"""The application as a whole: its description, where it listens, restarts, and what never leaves it."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from platform_client import NOON_MS, Platform, event, signed_client

from online_guard.api.app import create_app, serve
from online_guard.api.raw_bodies import EVENT_SCHEMA
from online_guard.demo.people import identity_number
from online_guard.demo.service import running_service
from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.live import LiveEvent
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.terms import Role
from online_guard.worker import Worker

NAME, NUMBER, EMPLOYER = "欧阳示例", identity_number(77), "潢川示例用人单位"


@pytest.fixture(scope="module")
def description(platform: Platform) -> dict[str, Any]:
    return platform.told("GET", "/v1/openapi.json")


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every operation by `METHOD path`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }


def test_it_answers_that_it_runs(platform: Platform) -> None:
    assert httpx.get(f"{platform.service.url}/healthz", trust_env=False).json() == {"status": "ok"}


WITHOUT_BODY = ("/close", "/logout", "/replay", "/assignment", "/disable", "/unlock", "/revoke")
"""What is asked of the thing that the path names, and needs no more words."""


def test_the_description_is_openapi_3_1_with_callers_bodies_and_problems(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1.")
    for name, operation in operations(description).items():
        assert operation["x-callers"], name
        assert set(operation["x-callers"]) <= {*Role, "anyone"}, name
        assert " / " in operation["summary"], name
        assert operation["operationId"], name
        assert "application/problem+json" in operation["responses"]["4XX"]["content"], name
        if name.startswith(("PUT", "POST")) and not name.endswith(WITHOUT_BODY):
            assert operation["requestBody"]["content"], name
        declared = {row["name"] for row in operation.get("parameters", []) if row["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", name)), name
    assert len({operation["operationId"] for operation in operations(description).values()}) == len(
        operations(description)
    )


def test_every_reference_of_the_description_leads_somewhere(description: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(description)))
    assert references
    assert references <= set(description["components"]["schemas"])
    assert "HTTPValidationError" not in references


def test_the_description_of_an_event_is_what_is_decoded() -> None:
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(LiveEvent)}
    assert set(EVENT_SCHEMA["properties"]) == set(fields)
    assert set(EVENT_SCHEMA["required"]) == {name for name, required in fields.items() if required}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_it_refuses_to_listen_beyond_the_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(GuardError) as refusal:
        serve(Settings(data_dir=tmp_path, host=host), Worker)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.FORBIDDEN, "serve.not_loopback")
    assert not list(tmp_path.iterdir())


def test_the_application_needs_no_network_to_describe_itself(tmp_path: Path) -> None:
    house = open_house(Settings(data_dir=tmp_path))
    assert create_app(house).openapi()["info"]["title"] == "online-guard"
    house.engine.dispose()


@contextmanager
def platform_of(data_dir: Path) -> Iterator[Platform]:
    """Start a service on some data, and stop it at the end."""
    with running_service(data_dir, None, keep=False) as service, signed_client(service) as signed:
        yield signed


def test_the_service_finishes_its_job_before_it_ends(tmp_path: Path) -> None:
    with platform_of(tmp_path) as platform:
        class_ids = [platform.a_class() for _ in range(3)]
        for class_id in class_ids:
            session_id = platform.a_session(platform.an_enrolment(class_id))
            platform.post(session_id, [event(0, "play"), event(1, second=20)])
            platform.told("POST", f"/v1/sessions/{session_id}/close", now_ms=NOON_MS + 60_000)
        process = platform.service.process
    assert process.returncode == 0
    with closing(sqlite3.connect(tmp_path / "online-guard.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM job WHERE leased_until_ms IS NOT NULL").fetchone() == (0,)


def test_a_restart_keeps_everything_and_nothing_private_is_readable(tmp_path: Path, photo: bytes) -> None:
    with platform_of(tmp_path) as platform:
        class_id = platform.a_class()
        body = {"name": NAME, "identity_number": NUMBER, "applicant": EMPLOYER}
        path = f"/v1/classes/{class_id}/enrolments/person"
        platform.told("PUT", path, body)
        refused = platform.send("PUT", path, body | {"identity_number": NUMBER[:-1] + "?"})
        assert refused.status_code == 422
        platform.told("PUT", "/v1/enrolments/person/reference-photo", photo)
        platform.a_session("person", session_id="one")
        platform.post("one", [event(0, "play"), event(1, second=20)])
        platform.told("POST", "/v1/sessions/one/snapshots", photo, at_ms=NOON_MS, snapshot_id="s")
        platform.told("POST", "/v1/sessions/one/close", now_ms=NOON_MS + 60_000)
    with platform_of(tmp_path) as again:
        verdict = again.verified("/v1/sessions/one/verdict")
        assert verdict["playing_ms"] == 20_000
        answer = again.post("one", [event(1, second=20), event(2, second=40)], now_ms=NOON_MS + 90_000)
        assert [row["status"] for row in answer["results"]] == ["duplicate", "accepted"]
        assert again.send("PUT", "/v1/enrolments/person/reference-photo", photo).status_code == 200
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 4, "database, master key, log and pictures"
    for path in files:
        content = path.read_bytes()
        for secret in (NAME.encode(), NUMBER.encode(), NUMBER[:-1].encode(), EMPLOYER.encode(), photo[:64]):
            assert secret not in content, path
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
