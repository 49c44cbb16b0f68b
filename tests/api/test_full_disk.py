"""A disk that is full, or a database that can only be read: 503 as a problem, nothing half kept, and it recovers."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from platform_client import CLASS, NOON_MS, Platform, ask, event, problem, signed_client
from sqlalchemy import event as happening

from online_guard.api.app import create_app
from online_guard.demo.service import running_service
from online_guard.service.admitting.platform_keys import create_key
from online_guard.service.house import House, open_house
from online_guard.service.operating.readiness import Readiness
from online_guard.settings import Settings
from online_guard.signatures import SignedRequests
from online_guard.store.sqlite_writer import writer_of
from online_guard.store.tables import ClassRecord
from online_guard.store.unit_of_work import reading


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(Settings(data_dir=tmp_path, least_free_mib=0))
    yield opened
    opened.engine.dispose()


@contextmanager
def hindered(house: House, pragma: str) -> Iterator[None]:
    """Have SQLite itself refuse to write: every connection from now on gets a pragma."""

    def hinder(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    def begin_afresh() -> None:
        writer_of(house.engine).close()
        house.engine.pool.dispose()

    begin_afresh()
    happening.listen(house.engine, "connect", hinder)
    yield
    happening.remove(house.engine, "connect", hinder)
    begin_afresh()


@pytest.mark.parametrize("pragma", ["query_only=ON", "max_page_count=1"])
def test_what_can_not_be_written_is_503_and_may_be_sent_again(house: House, pragma: str) -> None:
    app, key = create_app(house), create_key(house, "hc-online")
    auth = SignedRequests(key.key_id, key.secret)

    def put(number: int) -> Any:
        return ask(app, "PUT", f"/v1/classes/c{number}", json=CLASS | {"institution": "学" * 400}, auth=auth)

    assert put(0).status_code == 201
    with hindered(house, pragma):
        sent = [put(number) for number in range(1, 16)]
        refused = [answer for answer in sent if answer.status_code != 201]
        assert refused, "it was never hindered"
        for answer in refused:
            problem(answer, 503, "database.unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        assert ask(app, "GET", "/healthz").is_success
        if pragma == "query_only=ON":  # a full disk may still take the few bytes of a mark
            assert names_the_database(app, house)
        assert_reading_goes_on(app, auth)
    again = [put(number).status_code for number in range(1, 16)]
    assert again == [200 if answer.status_code == 201 else 201 for answer in sent]
    app.state.readiness = Readiness(house)
    assert ask(app, "GET", "/readyz").is_success
    with reading(house.engine) as database:
        assert database.query(ClassRecord).count() == 16


def names_the_database(app: FastAPI, house: House) -> bool:
    """Return whether the service says that it isn't ready because of its database."""
    app.state.readiness = Readiness(house)
    answer = ask(app, "GET", "/readyz")
    return answer.status_code == 503 and "database" in [fault["pointer"] for fault in answer.json()["errors"]]


def assert_reading_goes_on(app: FastAPI, auth: SignedRequests) -> None:
    answer = ask(app, "GET", "/v1/assessments/2021-08/candidates", auth=auth)
    assert answer.status_code in (200, 503), answer.text


def test_a_log_of_writes_that_can_not_grow_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with running_service(tmp_path, None, keep=False) as service, signed_client(service) as platform:
        session_id, limit = platform.a_session(), limit_of(service.process.pid)
        largest = max(file.stat().st_size for file in tmp_path.glob("online-guard.sqlite3*"))
        limit(largest + 64 * 1024)
        kept, lost = send_until_refused(platform, session_id)
        limit(resource.RLIM_INFINITY)
        counts = platform.post(session_id, a_batch(lost))["counts"]
        assert counts in ({"accepted": 50}, {"duplicate": 50})
        for number in kept:
            assert platform.post(session_id, a_batch(number))["counts"] == {"duplicate": 50}


def limit_of(process_id: int) -> Callable[[int], Any]:
    """Return what sets the greatest size of a file that a process may write."""
    hard = resource.prlimit(process_id, resource.RLIMIT_FSIZE)[1]
    return lambda size: resource.prlimit(process_id, resource.RLIMIT_FSIZE, (size, hard))


def a_batch(number: int) -> list[dict[str, Any]]:
    return [event(seq, second=seq / 10, player="p" * 100) for seq in range(number * 50, number * 50 + 50)]


def send_until_refused(platform: Platform, session_id: str) -> tuple[list[int], int]:
    """Return the batches that were acknowledged, and the first that wasn't."""
    for number in range(400):
        path = f"/v1/sessions/{session_id}/events"
        answer = platform.send("POST", path, {"events": a_batch(number)}, now_ms=NOON_MS)
        if not answer.is_success:
            problem(answer, 503, "database.unavailable")
            return list(range(number)), number
    raise AssertionError("the file grew beyond its limit")
