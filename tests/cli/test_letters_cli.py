"""Refused events are listed, repaired and replayed at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from online_guard.api.bodies import ClassBody
from online_guard.cli import app
from online_guard.demo.people import identity_number
from online_guard.service import registration
from online_guard.service.house import clock_ms, open_house
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.simulate.course import Course

COURSE = Course()


def run(folder: Path, *arguments: str, typed: str = "") -> Result:
    """Return what a command said about a data folder."""
    return CliRunner().invoke(app, ["dead-letters", *arguments, "--data-dir", str(folder)], input=typed)


def an_event(**changes: Any) -> dict[str, Any]:
    """Return an event of a player that plays."""
    row = {"seq": 0, "type": "play", "at_ms": clock_ms(), "position_s": 0.0, "playing": True, "rate": 1.0}
    return row | {"player": "tab"} | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the data of a service that has refused one event of a session, and one of none."""
    house = open_house(Settings(data_dir=tmp_path))
    registration.put_class(
        house, ClassBody.model_validate(COURSE.class_row()).typed(COURSE.class_id, COURSE.platform_id)
    )
    registration.put_enrolment(
        house, COURSE.class_id, "e", COURSE.platform_id, name="某", identity_number=identity_number(1),
        applicant=None, face_checks="required", leave=(),
    )  # fmt: skip
    now_ms = clock_ms()
    sessions.open_session(house, sessions.Opening(COURSE.platform_id, "s", "e", 1, now_ms, "pc"), now_ms)
    body = json.dumps({"events": [an_event(type="dance")]}).encode()
    sessions.add_events(house, "s", COURSE.platform_id, body, now_ms)
    with pytest.raises(Exception, match="not found"):
        sessions.add_events(house, "nowhere", COURSE.platform_id, body, now_ms)
    house.engine.dispose()
    return tmp_path


def test_from_refused_to_replayed(folder: Path) -> None:
    one, other = json.loads(run(folder, "list", "--json").stdout)
    assert (one["session_id"], other["session_id"]) == ("s", "nowhere")
    assert json.loads(run(folder, "list", "--session", "s", "--reason", "dance", "--json").stdout) == [one]
    again = run(folder, "replay", str(one["letter_id"]))
    assert (again.exit_code, json.loads(again.stdout)[0]["state"]) == (1, "waiting")
    repaired = run(folder, "repair", str(one["letter_id"]), typed=json.dumps(an_event()))
    assert json.loads(repaired.stdout)["history"][-1]["action"] == "repaired"
    done = run(folder, "replay", str(one["letter_id"]))
    assert (done.exit_code, json.loads(done.stdout)[0]["state"]) == (0, "replayed")
    shown = json.loads(run(folder, "show", str(one["letter_id"])).stdout)
    assert [step["action"] for step in shown["history"]] == ["replayed", "repaired", "replayed"]
    assert "1 in all" in run(folder, "list", "--state", "waiting").stdout
