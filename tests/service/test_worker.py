"""The worker: jobs are done once, pushed away when they fail, taken over when their worker dies, and fenced."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Any

import pytest

from online_guard import worker
from online_guard.cli import main
from online_guard.service import verification
from online_guard.service.house import House, clock_ms
from online_guard.service.operating.work import list_jobs
from online_guard.service.verification import session_verdict
from online_guard.simulate.course import Course
from online_guard.store import jobs, queries
from online_guard.store.jobs import MOST_ATTEMPTS
from online_guard.store.queries import VERIFY
from online_guard.store.tables import JobRecord, ResultRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.worker import Worker, work_once

COURSE = Course()
LEARNER = "learner"


def listed(house: House) -> list[JobRecord]:
    with reading(house.engine) as database:
        return jobs.listed(database)


def state(house: House, session_id: str) -> str:
    return str(session_verdict(house, session_id, None)["state"])


def later(monkeypatch: pytest.MonkeyPatch, after_ms: int) -> None:
    """Let the worker's clock stand so much later."""
    monkeypatch.setattr(worker, "clock_ms", lambda: clock_ms() + after_ms)


def ask(house: House) -> None:
    with writing(house.engine) as database:
        queries.enqueue(database, [COURSE.class_id], clock_ms())


def test_a_job_is_done_once(house: House, session_id: str) -> None:
    assert state(house, session_id) == "pending"
    assert work_once(house)
    assert state(house, session_id) == "verified"
    assert not work_once(house)
    assert listed(house) == []


def test_a_job_that_fails_is_recorded_pushed_away_and_done_later(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(verification, "judge", fail)
        assert work_once(house)
    (job,) = listed(house)
    assert (job.attempts, job.last_error, job.lease) == (1, "ZeroDivisionError", None)
    assert job.run_after_ms > clock_ms()
    assert "verify failed" in caplog.text
    assert state(house, session_id) == "pending"
    assert not work_once(house), "not before its time"
    later(monkeypatch, 60_000)
    assert work_once(house)
    assert state(house, session_id) == "verified"
    assert listed(house) == []


def test_a_result_that_can_not_be_stored_leaves_the_one_before(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_once(house)
    before = session_verdict(house, session_id, None)
    ask(house)
    with monkeypatch.context() as broken:
        broken.setattr(verification, "_results", lambda *_: [ResultRecord(class_id=COURSE.class_id)])
        assert work_once(house)
    assert listed(house)[0].last_error == "IntegrityError"
    later(monkeypatch, 60_000)
    assert work_once(house)
    assert session_verdict(house, session_id, None) == before


def test_the_job_of_a_worker_that_died_is_done_after_its_lease(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(house.engine) as database:
        assert jobs.take(database, [VERIFY], clock_ms(), house.settings.job_lease_s * 1000)
    assert not work_once(house)
    assert state(house, session_id) == "pending"
    later(monkeypatch, house.settings.job_lease_s * 1000 + 1000)
    assert work_once(house)
    assert state(house, session_id) == "verified"


def test_a_worker_that_lost_its_lease_changes_nothing(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker takes the job, and finishes it, while the first one still judges what it read before."""
    judged = verification.judge
    judgements: list[Any] = []

    def slowly(*arguments: Any) -> Any:
        judgements.append(None)
        if len(judgements) == 1:
            later(monkeypatch, house.settings.job_lease_s * 1000 + 1000)
            assert work_once(house)
            with writing(house.engine) as database:
                row = database.scalars(queries.select(ResultRecord).where(ResultRecord.kind == "session")).one()
                row.body = row.body.replace('"playing_ms": 30000', '"playing_ms": 12345')
        return judged(*arguments)

    monkeypatch.setattr(verification, "judge", slowly)
    assert work_once(house)
    assert len(judgements) == 2
    assert session_verdict(house, session_id, None)["playing_ms"] == 12345, "the second worker's result stands"
    assert listed(house) == []


def test_a_late_batch_verifies_once_more_and_only_once(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches come while the class is being judged, and one after the evidence was read counts."""
    rounds: list[Any] = []
    judged = verification.judge

    def meanwhile(*arguments: Any) -> Any:
        rounds.append(None)
        if len(rounds) == 1:
            ask(house)
            ask(house)
        return judged(*arguments)

    monkeypatch.setattr(verification, "judge", meanwhile)
    assert work_once(house)
    assert state(house, session_id) == "pending"
    assert work_once(house)
    assert not work_once(house)
    assert (len(rounds), state(house, session_id)) == (2, "verified")


def test_the_lease_of_a_long_job_is_renewed(house: House, session_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house.settings.job_lease_s = 1
    leases: list[int | None] = []

    def long(_house: House, _key: str) -> None:
        for _ in range(2):
            leases.append(listed(house)[0].leased_until_ms)
            time.sleep(0.5)

    monkeypatch.setattr(worker, "DUTIES", {VERIFY: long})
    assert work_once(house)
    assert leases[0] is not None
    assert leases[1] is not None
    assert leases[0] < leases[1]
    assert "lease" not in {thread.name for thread in threading.enumerate()}


def test_a_poison_job_is_parked_shown_and_tried_again_when_a_person_says_so(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> int:
        monkeypatch.setenv("ONLINE_GUARD_DATABASE_URL", house.settings.database)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["online-guard", "worker", "--data-dir", str(house.settings.data_dir), *words])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    assert run("--list") == 0
    with monkeypatch.context() as broken:
        broken.setattr(worker, "DUTIES", {VERIFY: lambda *_: 1 / 0})
        for attempt in range(MOST_ATTEMPTS):
            later(broken, attempt * 10_000_000)
            assert work_once(house)
    (job,) = list_jobs(house, parked_only=True)
    assert (job["state"], job["attempts"], job["last_error"]) == ("parked", MOST_ATTEMPTS, "ZeroDivisionError")
    assert state(house, session_id) == "pending", "never verified by giving up"
    assert run("--list") == 1
    assert "搁置 parked" in capsys.readouterr().out
    assert run("--replay", str(job["job_id"])) == 0
    assert run("--until-idle") == 0
    assert state(house, session_id) == "verified"
    assert run("--replay", str(job["job_id"])) == 2


def test_a_thread_beside_the_service_does_the_work_unless_others_shall(house: House, session_id: str) -> None:
    house.settings.in_process_worker = False
    with worker.beside(house) as nothing:
        assert nothing is None
    house.settings.in_process_worker = True
    with worker.beside(house) as working:
        assert isinstance(working, Worker)
        deadline = time.monotonic() + 20
        while state(house, session_id) != "verified":
            assert time.monotonic() < deadline
            time.sleep(0.02)
