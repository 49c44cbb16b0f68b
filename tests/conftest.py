"""What all tests share: reproducible property tests, the shared folder and the shipped policy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from online_guard.policy import DEFAULT_POLICY, Policy, load_policy

TESTS = Path(__file__).resolve().parent
# modules that tests of the judging core share
sys.path[:0] = [str(TESTS / name) for name in ("timeline", "laws", "rules")]

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
