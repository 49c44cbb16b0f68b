"""Jobs over HTTP: what waits, what is parked, and how a person has it tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from platform_client import Platform, problem

from online_guard.demo.service import RunningService
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store import jobs
from online_guard.store.jobs import MOST_ATTEMPTS
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Role

DUTY = "of a newer version"
"""Nobody takes it here."""


@pytest.fixture
def house(service: RunningService) -> Iterator[House]:
    opened = open_house(Settings(data_dir=service.data_dir))
    yield opened
    opened.engine.dispose()


def test_a_parked_job_is_listed_with_its_error_and_tried_again(
    house: House, person: Callable[[Role], Platform]
) -> None:
    with writing(house.engine) as database:
        jobs.ask(database, DUTY, "one", 1)
        jobs.ask(database, DUTY, "other", 10**14)
        for _ in range(MOST_ATTEMPTS):
            job = jobs.take(database, [DUTY], 10**15, 60_000)
            assert job is not None
            jobs.fail(database, job, "ZeroDivisionError", 0)
            database.expire_all()
    admin = person(Role.ADMIN)
    (told,) = [job for job in admin.told("GET", "/v1/jobs", parked=True)["jobs"] if job["duty"] == DUTY]
    expected = {"key": "one", "state": "parked", "attempts": MOST_ATTEMPTS, "last_error": "ZeroDivisionError"}
    assert {name: told[name] for name in expected} == expected
    assert admin.told("GET", "/v1/jobs")["counts"]["parked"] == 1
    every = [job for job in admin.told("GET", "/v1/jobs")["jobs"] if job["duty"] == DUTY]
    assert [(job["key"], job["state"]) for job in every] == [("one", "parked"), ("other", "waiting")]
    path = f"/v1/jobs/{told['job_id']}/replay"
    assert admin.told("POST", path) == {"job_id": told["job_id"], "state": "waiting"}
    problem(admin.send("POST", path), 404, "job.not_parked")
    with reading(house.engine) as database:
        assert {(row.attempts, row.parked_ms) for row in jobs.listed(database) if row.duty == DUTY} == {(0, None)}
