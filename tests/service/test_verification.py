"""What is stored of a verification, and what waits for one."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from online_guard.code_version import code_version
from online_guard.errors import GuardError
from online_guard.rules.catalogue import RULES
from online_guard.service import verification
from online_guard.service.claims import claim
from online_guard.service.house import House, clock_ms
from online_guard.service.verification import session_verdict
from online_guard.simulate.course import Course
from online_guard.store import queries, rulebooks
from online_guard.store.tables import FindingRecord, JobRecord, ResultRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.worker import work_once

COURSE = Course()
LEARNER = "learner"


def jobs(house: House) -> list[JobRecord]:
    """Return all jobs."""
    with reading(house.engine) as database:
        return list(database.scalars(select(JobRecord)))


def later(monkeypatch: pytest.MonkeyPatch, after_ms: int) -> None:
    """Let the worker's clock stand so much later."""
    monkeypatch.setattr(verification, "clock_ms", lambda: clock_ms() + after_ms)


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


def test_every_stored_row_names_the_rules_and_their_versions_that_gave_it(house: House, session_id: str) -> None:
    work_once(house)
    with reading(house.engine) as database:
        rows = [*database.scalars(select(FindingRecord)), *database.scalars(select(ResultRecord))]
        (book,) = {row.rules_sha256 for row in rows}
        told = rulebooks.find(database, book)
    assert told is not None
    assert told["code"] == code_version()
    assert told["versions"] == {rule.id: rule.since for rule in RULES}
    assert session_verdict(house, session_id, None)["rules"] == told


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
