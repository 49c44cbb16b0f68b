"""A house without HTTP around it, and a service in it that simulated learners talk to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from online_guard.service.house import House, open_house
from online_guard.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

from simulated_platform import SimulatedPlatform


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Return an open, empty house, on SQLite and on PostgreSQL."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def simulated(house: House) -> SimulatedPlatform:
    """Return a platform with nothing registered."""
    return SimulatedPlatform(house)
