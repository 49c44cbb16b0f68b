"""A real service in a process of its own, a platform that talks to it, and a photo."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from online_guard.demo.service import RunningService, running_service

sys.path.insert(0, str(Path(__file__).parent))

from platform_client import Platform

SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service"), None, keep=False) as running:
        yield running


@pytest.fixture(scope="session")
def platform(service: RunningService) -> Iterator[Platform]:
    with httpx.Client(base_url=service.url, timeout=30, trust_env=False) as http:
        yield Platform(http, service)


@pytest.fixture(scope="session")
def photo() -> bytes:
    """Return a photo of one person's face."""
    return (SAMPLE_MEDIA / "learner-01" / "reference.jpg").read_bytes()


@pytest.fixture(scope="session")
def sample_media() -> Path:
    """Return the folder of sample pictures."""
    return SAMPLE_MEDIA
