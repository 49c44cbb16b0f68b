"""Jobs: done once, never lost, pushed away when they fail; late facts verify again."""

from __future__ import annotations

import json
import logging
from random import Random
from typing import Any

import pytest
from simulated_platform import SimulatedPlatform
from sqlalchemy import select

from online_guard.errors import GuardError
from online_guard.service import verification
from online_guard.service.claims import claim
from online_guard.service.house import House, clock_ms
from online_guard.service.verification import LEASE_MS, session_verdict, work_once
from online_guard.simulate.course import Course
from online_guard.store import queries
from online_guard.store.tables import FindingRecord, JobRecord, ResultRecord
from online_guard.store.unit_of_work import reading, writing

COURSE = Course()
LEARNER = "learner"


@pytest.fixture
def session_id(simulated: SimulatedPlatform) -> str:
    """Return a short session that is closed and waits for its verification."""
    simulated.register(COURSE)
    simulated.enrol(COURSE, LEARNER, 0)
    simulated.verify()
    desk = COURSE.desk(simulated, LEARNER, Random("short"))
    learner = desk.sit(1)
    learner.watch(30)
    desk.leave(learner)
    return learner.sitting.opening.session_id


def jobs(house: House) -> list[JobRecord]:
    """Return all jobs."""
    with reading(house.engine) as database:
        return list(database.scalars(select(JobRecord)))


def later(monkeypatch: pytest.MonkeyPatch, after_ms: int) -> None:
    """Let the worker's clock stand so much later."""
    monkeypatch.setattr(verification, "clock_ms", lambda: clock_ms() + after_ms)


def test_a_job_is_done_once(house: House, session_id: str) -> None:
    assert session_verdict(house, session_id, None)["state"] == "pending"
    assert work_once(house)
    assert session_verdict(house, session_id, None)["state"] == "verified"
    assert not work_once(house)
    assert jobs(house) == []


def test_a_job_that_fails_is_recorded_pushed_away_and_done_later(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(verification, "judge", fail)
        assert work_once(house)
    (job,) = jobs(house)
    assert (job.attempts, job.last_error, job.leased_until_ms) == (1, "ZeroDivisionError", None)
    assert job.run_after_ms > clock_ms()
    assert "verification failed" in caplog.text
    assert session_verdict(house, session_id, None)["state"] == "pending"
    assert not work_once(house), "not before its time"
    later(monkeypatch, 60_000)
    assert work_once(house)
    assert session_verdict(house, session_id, None)["state"] == "verified"
    assert jobs(house) == []


def test_a_job_that_goes_on_failing_waits_longer_each_time(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "judge", lambda *_: 1 / 0)
    waits, now_ms = [], clock_ms()
    for attempt in range(1, 4):
        monkeypatch.setattr(verification, "clock_ms", lambda now_ms=now_ms: now_ms)
        assert work_once(house)
        (job,) = jobs(house)
        assert job.attempts == attempt
        waits.append(job.run_after_ms - now_ms)
        now_ms = job.run_after_ms
    assert waits == sorted(set(waits))


def test_a_result_that_can_not_be_stored_leaves_the_one_before(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_once(house)
    before = session_verdict(house, session_id, None)
    with writing(house.engine) as database:
        queries.enqueue(database, [COURSE.class_id], clock_ms())
    monkeypatch.setattr(verification, "_results", lambda *_: [ResultRecord(class_id=COURSE.class_id)])
    assert work_once(house)
    assert jobs(house)[0].last_error == "IntegrityError"
    with writing(house.engine) as database:
        database.delete(database.get_one(JobRecord, jobs(house)[0].row_id))
    assert session_verdict(house, session_id, None) == before


def test_the_job_of_a_worker_that_died_is_done_after_its_lease(
    house: House, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(house.engine) as database:
        assert queries.take_job(database, clock_ms(), LEASE_MS)
    assert not work_once(house)
    assert session_verdict(house, session_id, None)["state"] == "pending"
    later(monkeypatch, LEASE_MS + 1000)
    assert work_once(house)
    assert session_verdict(house, session_id, None)["state"] == "verified"


def test_hours_can_not_be_claimed_while_a_verification_waits(house: House, session_id: str) -> None:
    with pytest.raises(GuardError) as refusal:
        claim(house, LEARNER, None, None, {1: 1.0}, clock_ms())
    assert refusal.value.code == "verification.pending"
    work_once(house)
    assert claim(house, LEARNER, None, None, {1: 1.0}, clock_ms())["accepted_hours"] == 0


def test_every_stored_row_says_by_which_policy_it_was_judged(house: House, session_id: str) -> None:
    work_once(house)
    with reading(house.engine) as database:
        rows = [*database.scalars(select(FindingRecord)), *database.scalars(select(ResultRecord))]
    policy = house.policy
    assert {type(row) for row in rows} == {FindingRecord, ResultRecord}
    assert {(row.policy_id, row.policy_version, row.policy_sha256) for row in rows} == {
        (policy.id, policy.version, policy.sha256)
    }


def test_verifying_again_gives_the_same_rows(house: House, session_id: str) -> None:
    def stored() -> list[str]:
        with reading(house.engine) as database:
            findings = [
                f"{row.rule} {row.subject_id} {row.evidence}" for row in database.scalars(select(FindingRecord))
            ]
            return sorted(findings) + sorted(database.scalars(select(ResultRecord.body)))

    work_once(house)
    first = stored()
    with writing(house.engine) as database:
        queries.enqueue(database, [COURSE.class_id], clock_ms())
    work_once(house)
    assert stored() == first
    assert any(json.loads(body).get("verdict") for body in first if body.startswith("{"))
