"""A real service in a process of its own, two platforms that talk to it, people who signed in, and a photo."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import httpx
import pytest

from online_guard.demo.service import RunningService, running_service
from online_guard.service.admitting.accounts import add_person
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.terms import Role

sys.path.insert(0, str(Path(__file__).parent))

from platform_client import Platform, signed_client

SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"
PASSWORD = "four words and a comma,"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service"), None, keep=False) as running:
        yield running


@pytest.fixture(scope="session")
def platform(service: RunningService) -> Iterator[Platform]:
    with signed_client(service) as signed:
        yield signed


@pytest.fixture(scope="session")
def another_platform(service: RunningService) -> Iterator[Platform]:
    with signed_client(service, "another") as signed:
        yield signed


@pytest.fixture(scope="session")
def person(service: RunningService) -> Iterator[Callable[[Role], Platform]]:
    """Return a function that gives a client of someone who signed in, one for each role."""
    with ExitStack() as stack:

        @cache
        def signed_in(role: Role) -> Platform:
            house = open_house(Settings(data_dir=service.data_dir))
            add_person(house, f"some {role}", role, PASSWORD)
            house.engine.dispose()
            http = stack.enter_context(httpx.Client(base_url=service.url, timeout=30, trust_env=False))
            answer = http.post("/v1/login", json={"name": f"some {role}", "password": PASSWORD})
            http.headers["Online-Guard-CSRF"] = answer.json()["csrf_token"]
            return Platform(http, service)

        yield signed_in


@pytest.fixture(scope="session")
def photo() -> bytes:
    """Return a photo of one person's face."""
    return (SAMPLE_MEDIA / "learner-01" / "reference.jpg").read_bytes()


@pytest.fixture(scope="session")
def sample_media() -> Path:
    """Return the folder of sample pictures."""
    return SAMPLE_MEDIA
