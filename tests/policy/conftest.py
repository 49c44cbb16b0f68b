"""The shipped pack as text and as a TOML document, and a writer of changed packs."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from online_guard.policy import Policy, load_policy
from online_guard.policy.document import PACKS

Write = Callable[[str], Path]


@pytest.fixture(scope="session")
def shipped() -> Policy:
    """Return the shipped policy."""
    return load_policy("huangchuan-2021")


@pytest.fixture(scope="session")
def shipped_text() -> str:
    """Return the text of the shipped pack."""
    return (PACKS / "huangchuan-2021.toml").read_text("utf-8")


@pytest.fixture
def shipped_document(shipped_text: str) -> dict[str, Any]:
    """Return the shipped pack as TOML reads it, for the test to change."""
    return tomllib.loads(shipped_text)


@pytest.fixture
def write_pack(tmp_path: Path) -> Write:
    """Return a function that writes a pack's text to `county.toml` and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "county.toml"
        path.write_text(text, "utf-8")
        return path

    return write
