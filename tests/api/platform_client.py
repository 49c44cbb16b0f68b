"""A platform that talks to a running service over HTTP, and how it looks at answers."""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from described_answers import check_answer
from fastapi import FastAPI

from online_guard.demo.people import identity_number
from online_guard.demo.service import RunningService
from online_guard.store.sealed_text import opened
from online_guard.store.vault import open_vault

NOON_MS = 1_623_124_800_000
"""2021-06-08 12:00 in Shanghai: the service's clock of most requests here."""
DAY_MS = 86_400_000
CLASS: dict[str, Any] = {
    "platform_id": "hc-online",
    "institution": "示例职业培训学校",
    "applicant_kind": "enterprise",
    "applicant": "示例电子商务有限公司",
    "occupation": "电子商务师",
    "mode": "online",
    "certificate_route": "skill_level",
    "starts_on": "2021-06-01",
    "ends_on": "2021-07-20",
    "required_online_hours": 1,
    "teachers": 2,
    "lessons": [
        {"lesson_no": 1, "title": "平台规则", "kind": "professional", "duration_s": 2400.0, "class_hours": 1.0},
        {"lesson_no": 2, "title": "店铺运营", "kind": "professional", "duration_s": 2400.0, "class_hours": 1.0},
    ],
}


NUMBERS = itertools.count(1)
"""One row for all platforms: ids of classes and enrolments are used once in a service."""


@contextmanager
def signed_client(service: RunningService, platform_id: str = "hc-online") -> Iterator[Platform]:
    """Yield a platform with a new key of it."""
    auth = service.auth(platform_id)
    with httpx.Client(base_url=service.url, timeout=30, trust_env=False, auth=auth) as http:
        yield Platform(http, service, platform_id)


@dataclass
class Platform:
    """A client of a platform, or of a person; `now_ms` is what the service's clock shows, None for its own."""

    http: httpx.Client
    service: RunningService
    platform_id: str = "hc-online"
    now_ms: int | None = NOON_MS
    numbers: Iterator[int] = NUMBERS

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        now_ms: int | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> httpx.Response:
        """Return the answer; bytes are sent as they are, anything else as JSON."""
        now = self.now_ms if now_ms is None else now_ms
        said = {"Online-Guard-Test-Client": self.service.token}
        if now is not None:
            said["Online-Guard-Test-Now-Ms"] = str(now)
        if isinstance(body, bytes):
            said["Content-Type"] = "application/octet-stream"
        content = body if isinstance(body, bytes) or body is None else None
        as_json = None if content is not None else body
        answer = self.http.request(
            method, path, params=parameters, headers=said | dict(headers or {}), content=content, json=as_json
        )
        check_answer(answer)
        return answer

    def told(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """Return the JSON of an answer that must be a success."""
        answer = self.send(method, path, body, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def new(self, kind: str) -> str:
        """Return an id that no other test uses."""
        return f"{kind}-{next(self.numbers)}"

    def a_class(self, **changes: Any) -> str:
        """Return the id of a new class."""
        class_id = self.new("class")
        self.told("PUT", f"/v1/classes/{class_id}", CLASS | {"platform_id": self.platform_id} | changes)
        return class_id

    def an_enrolment(self, class_id: str | None = None, person: int | None = None, **more: Any) -> str:
        """Return the id of a new enrolment of a new person."""
        class_id = class_id or self.a_class()
        number = next(self.numbers) if person is None else person
        enrolment_id = self.new("enrolment")
        body = {"name": "王秀兰", "identity_number": identity_number(number)} | more
        self.told("PUT", f"/v1/classes/{class_id}/enrolments/{enrolment_id}", body)
        return enrolment_id

    def opening(self, enrolment_id: str | None = None, **changes: Any) -> dict[str, Any]:
        """Return the body that opens a new session of lesson 1."""
        return {
            "platform_id": self.platform_id,
            "session_id": self.new("session"),
            "enrolment_id": enrolment_id or self.an_enrolment(),
            "lesson_no": 1,
            "opened_at_ms": NOON_MS,
            "device_id": "pc-1",
        } | changes

    def a_session(self, enrolment_id: str | None = None, **changes: Any) -> str:
        """Return the id of a new session."""
        body = self.opening(enrolment_id, **changes)
        self.told("POST", "/v1/sessions", body)
        return str(body["session_id"])

    def post(self, session_id: str, events: list[Any], **more: Any) -> dict[str, Any]:
        """Return the answer to a batch."""
        return self.told("POST", f"/v1/sessions/{session_id}/events", {"events": events}, **more)

    def verified(self, path: str) -> dict[str, Any]:
        """Return the answer of a path once its state is `verified`."""
        deadline = time.monotonic() + 30
        while (answer := self.told("GET", path))["state"] != "verified":
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        return answer


def event(seq: int, kind: str = "heartbeat", second: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Return an event of a player that plays at its position, some seconds after noon."""
    return {
        "seq": seq,
        "type": kind,
        "at_ms": NOON_MS + round(second * 1000),
        "position_s": float(second),
        "playing": kind not in ("pause", "ended", "player_opened"),
        "rate": 1.0,
        "player": "tab-1",
    } | changes


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return a problem document after checking its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = json.loads(answer.text)
    assert document["type"] == f"urn:online-guard:problem:{code}", document
    assert document["status"] == status
    assert " / " in document["title"], "Chinese first, English second"
    assert " / " in document["detail"], "Chinese first, English second"
    for fault in document["errors"]:
        assert set(fault) == {"pointer", "detail"}
    return dict(document)


def ask(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    """Return the answer of an application in this process, without its worker."""

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, **options)

    return asyncio.run(run())


def pointers(document: dict[str, Any]) -> list[str]:
    """Return the places that a problem names."""
    return [fault["pointer"] for fault in document["errors"]]


def dead_letters(platform: Platform) -> list[dict[str, Any]]:
    """Return what the service keeps of refused things, read from its database file."""
    with closing(sqlite3.connect(database_file(platform))) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM dead_letter ORDER BY row_id")]
    vault = open_vault(platform.service.data_dir / "master.key")
    sealed = ("reason", "content")
    return [row | {key: opened(row[key], f"dead_letter.{key}", vault) for key in sealed} for row in rows]


def database_file(platform: Platform) -> Path:
    """Return the service's database file."""
    return platform.service.data_dir / "online-guard.sqlite3"


def count(platform: Platform, table: str, session_id: str) -> int:
    """Return how many rows a table holds for a session; of `event`, how many events its chunks hold."""
    what, table = ("coalesce(sum(count), 0)", "event_chunk") if table == "event" else ("count(*)", table)
    query = f"SELECT {what} FROM {table} t JOIN session s ON s.row_id = t.session_row WHERE s.session_id = ?"
    with closing(sqlite3.connect(database_file(platform))) as database:
        return int(database.execute(query, (session_id,)).fetchone()[0])
