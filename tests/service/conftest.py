"""A house without HTTP around it, and a service in it that simulated learners talk to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.simulate.course import Course

sys.path.insert(0, str(Path(__file__).parent))

from reviewers import Review, a_review
from simulated_platform import SimulatedPlatform


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Return an open, empty house, on SQLite and on PostgreSQL."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def sqlite_house(tmp_path: Path, sqlite_url: str) -> Iterator[House]:
    """Return an open, empty house where the database makes no difference."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def simulated(house: House) -> SimulatedPlatform:
    """Return a platform with nothing registered."""
    return SimulatedPlatform(house)


@pytest.fixture
def reviewed(house: House) -> Review:
    """Return the review of a verified class with three cheats."""
    return a_review(house)


@pytest.fixture
def on_sqlite(tmp_path: Path, sqlite_url: str) -> Iterator[Review]:
    """Return the same review where the database makes no difference."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    yield a_review(opened)
    opened.engine.dispose()


@pytest.fixture
def session_id(simulated: SimulatedPlatform) -> str:
    """Return a short session that is closed and waits for its verification."""
    course, learner_id = Course(), "learner"
    simulated.register(course)
    simulated.enrol(course, learner_id, 0)
    simulated.verify()
    desk = course.desk(simulated, learner_id, Random("short"))
    learner = desk.sit(1)
    learner.watch(30)
    desk.leave(learner)
    return learner.sitting.opening.session_id
