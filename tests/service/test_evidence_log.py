"""What a service logs of a class, and that anything changed afterwards is found."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from simulated_platform import SimulatedPlatform
from studied_class import study

from online_guard.service import evidence_log
from online_guard.service.house import House

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "verify_evidence.py"


def stand_alone() -> ModuleType:
    """Return the stand-alone verifier as a module."""
    spec = importlib.util.spec_from_file_location("verify_evidence", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def studied(simulated: SimulatedPlatform) -> House:
    study(simulated)
    evidence_log.sequence(simulated.house, at_once=True)
    return simulated.house


def faults(house: House) -> list[str]:
    return [f"{fault.where}: {fault.reason}" for fault in evidence_log.verify(house).faults]


def test_an_untouched_log_holds_and_covers_everything(studied: House) -> None:
    assert faults(studied) == []
    head = evidence_log.head(studied)
    kinds = [json.loads(one["leaf"])["kind"] for one in evidence_log.entries(studied, 0, 1000)["entries"]]
    assert len(kinds) == head["size"]
    assert {"events", "snapshot", "verdict"} <= set(kinds)
