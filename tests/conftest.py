"""What all tests share: reproducible property tests, the shared folder and the shipped policy."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from online_guard.policy import DEFAULT_POLICY, Policy, load_policy

if TYPE_CHECKING:
    from postgres_server import PostgresServer

TESTS = Path(__file__).resolve().parent
# modules that tests share
sys.path[:0] = [str(TESTS / name) for name in ("", "timeline", "laws", "rules", "pictures")]
NUMBERS = itertools.count(1)

settings.register_profile(
    "deterministic",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("searching", settings.get_profile("deterministic"), derandomize=False, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deterministic"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of contracts and published results, or skip."""
    folder = Path(os.environ.get("ONLINE_GUARD_SHARED", TESTS.parents[1] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared folder: {folder} does not exist (set ONLINE_GUARD_SHARED)")
    return folder


@pytest.fixture(scope="session")
def policy() -> Policy:
    """Return the shipped policy."""
    return load_policy(DEFAULT_POLICY)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a real PostgreSQL with a database `migrated` that has the newest tables; it doesn't wait for disks."""
    from online_guard.store.unit_of_work import migrate
    from postgres_server import PostgresServer

    server = PostgresServer()
    migrate(server.create("migrated"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with the newest tables, to be copied."""
    from online_guard.store.unit_of_work import migrate

    file = tmp_path_factory.mktemp("migrated") / "empty.sqlite3"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """Return the URL of a migrated, empty SQLite database of its own, where `data` as data folder looks for it."""
    file = tmp_path / "data" / "online-guard.sqlite3"
    file.parent.mkdir(exist_ok=True)
    return f"sqlite:///{shutil.copyfile(migrated_sqlite, file)}"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Return the URL of a migrated, empty PostgreSQL database of its own."""
    name = f"one_{next(NUMBERS)}"
    yield postgres.create(name, "migrated")
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a migrated, empty database of its own: the test runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]))
