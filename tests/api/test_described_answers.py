"""What OpenAPI says of answers and links is whole, and whatever a fuzzer sends is answered as it says."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from described_answers import check_answer, document
from platform_client import Platform

from online_guard.api.answers import ANSWERS
from online_guard.api.description import LINKS
from online_guard.demo.service import RunningService
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.terms import Role

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import http_fuzz

METHODS = {"get", "put", "post", "delete", "patch"}


def operations() -> set[str]:
    return {f"{method.upper()} {path}" for path, item in document()["paths"].items() for method in item}


def test_every_operation_says_what_it_answers() -> None:
    assert set(ANSWERS) == operations()
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            for status in ANSWERS[f"{method.upper()} {path}"]:
                assert "content" in operation["responses"][str(status)], (method, path)


def test_links_name_operations_and_their_parameters() -> None:
    assert set(LINKS) | {then for links in LINKS.values() for then in links} <= operations()
    for links in LINKS.values():
        for then, given in links.items():
            method, path = then.split()
            said = {one["name"] for one in document()["paths"][path][method.lower()]["parameters"]}
            assert set(given) <= said, then


def test_an_answer_with_another_key_or_status_is_noticed(platform: Platform) -> None:
    answer = platform.send("GET", "/healthz")
    for changed in (
        httpx.Response(200, json={"status": "ill"}, request=answer.request),
        httpx.Response(200, json={"status": "ok", "more": 1}, request=answer.request),
        httpx.Response(204, request=answer.request),
        httpx.Response(404, json={"detail": "Not Found"}, request=answer.request),
        httpx.Response(500, json={}, request=answer.request),
    ):
        with pytest.raises(AssertionError):
            check_answer(changed)


SOME = ("/healthz", "/v1/whoami", "/v1/sessions/{session_id}/events", "/v1/enrolments/{enrolment_id}/ledger")
"""A few of all kinds: `make fuzz-http` takes all, which needs minutes."""


def test_whatever_is_sent_is_answered_as_described(service: RunningService) -> None:
    said = document() | {"paths": {path: document()["paths"][path] for path in SOME}}
    house = open_house(Settings(data_dir=service.data_dir))
    key = create_key(house, "fuzz")
    house.engine.dispose()
    signed = http_fuzz.Signed(key.key_id, key.secret)
    report = http_fuzz.fuzz(service.url, Role.PLATFORM, signed, {}, 8, 1, said, phases=("fuzzing",))
    assert report.failures == {}
    assert len(report.operations) == len(SOME)


def test_the_fuzzer_notices_a_service_that_is_not_as_described(service: RunningService) -> None:
    said: dict[str, Any] = copy.deepcopy(document())
    said["paths"] = {"/healthz": said["paths"]["/healthz"], "/v1/whoami": said["paths"]["/v1/whoami"]}
    said["paths"]["/healthz"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    del said["paths"]["/v1/whoami"]["get"]["responses"]["4XX"]

    def nobody(request: Any) -> Any:
        return request

    report = http_fuzz.fuzz(service.url, Role.PLATFORM, nobody, {}, 1, 1, said, phases=("fuzzing",))
    names = " ".join(report.failures)
    assert "GET /healthz response_schema_conformance" in names
    assert "GET /v1/whoami status_code_conformance" in names
    assert json.dumps(report.failures)
