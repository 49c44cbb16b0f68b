"""Workers on two hosts: one database, one key and one folder of pictures are shared, by configuration alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from simulated_platform import SimulatedPlatform
from sqlalchemy import select

from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.operating.work import list_jobs
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store import queries
from online_guard.store.tables import FindingRecord, ResultRecord
from online_guard.store.unit_of_work import reading, writing

CLASSES = 6
LEASE_S = 2
COMMAND = [sys.executable, "-c", "from online_guard.cli import main; main()", "worker"]


@pytest.fixture
def house(tmp_path: Path, postgres_url: str) -> Iterator[House]:
    opened = open_house(Settings(data_dir=tmp_path / "service", database_url=postgres_url))
    yield opened
    opened.engine.dispose()


@contextmanager
def host(house: House, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker as on another host: its own data folder, and settings that name what is shared."""
    folder.mkdir()
    environment = os.environ | {
        "ONLINE_GUARD_DATA_DIR": str(folder),
        "ONLINE_GUARD_DATABASE_URL": house.settings.database,
        "ONLINE_GUARD_MASTER_KEY_FILE": str(house.settings.key_file),
        "ONLINE_GUARD_LOG_KEY_FILE": str(house.settings.signing_key_file),
        "ONLINE_GUARD_PICTURES_DIR": str(house.settings.pictures),
        "ONLINE_GUARD_JOB_LEASE_S": str(LEASE_S),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(COMMAND, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(what: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.002)


def holders(house: House) -> Counter[int]:
    """Return how many jobs each process holds."""
    return Counter(int(job["held_by"].partition("@")[0]) for job in list_jobs(house) if job["held_by"])


def a_closed_session(simulated: SimulatedPlatform, course: Course, number: int) -> None:
    simulated.register(course)
    simulated.enrol(course, course.class_id, number)
    desk = course.desk(simulated, course.class_id, Random(number))
    learner = desk.sit(1)
    learner.watch(300)
    desk.leave(learner)


def stored(house: House) -> list[str]:
    with reading(house.engine) as database:
        results = [f"{row.kind} {row.owner} {row.body}" for row in database.scalars(select(ResultRecord))]
        found = [f"{row.rule} {row.subject_id} {row.evidence}" for row in database.scalars(select(FindingRecord))]
        return sorted(results) + sorted(found)


def test_both_do_work_and_what_one_was_killed_at_the_other_takes_over(house: House, tmp_path: Path) -> None:
    simulated = SimulatedPlatform(house)
    courses = [Course(class_id=f"class-{number}", duration_s=600) for number in range(CLASSES)]
    for number, course in enumerate(courses):
        a_closed_session(simulated, course, number)
    simulated.verify()
    expected = stored(house)
    assert len([line for line in expected if line.startswith("session ")]) == CLASSES

    def begin_anew() -> bool:
        with writing(house.engine) as database:
            for course in courses:
                queries.replace_results(database, course.class_id, [], [])
            queries.enqueue(database, [course.class_id for course in courses], clock_ms())
        return True

    with host(house, tmp_path / "one") as one, host(house, tmp_path / "other") as other:
        seen: Counter[int] = Counter()

        def both_worked() -> bool:
            seen.update(holders(house))
            return {one.pid, other.pid} <= seen.keys() or (not list_jobs(house) and not begin_anew())

        def stopped_with_a_job_in_hand() -> bool:
            if not list_jobs(house):
                begin_anew()
            if holders(house)[one.pid]:
                one.send_signal(signal.SIGSTOP)
                if holders(house)[one.pid]:
                    return True
                one.send_signal(signal.SIGCONT)
            return False

        until(both_worked)
        until(stopped_with_a_job_in_hand)
        one.send_signal(signal.SIGKILL)
        one.wait()
        until(lambda: not list_jobs(house))
    assert stored(house) == expected
    lines = (tmp_path / "other" / "log").read_text()
    assert not re.search("Traceback", lines), lines
