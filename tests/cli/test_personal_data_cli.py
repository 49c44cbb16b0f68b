"""`vault`, `erase` and `retention` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from online_guard.api.bodies import ClassBody
from online_guard.cli import app
from online_guard.demo.people import identity_number, name_of
from online_guard.service import registration
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store.vault import REFRESH_S

ONE = Course(class_id="one", platform_id="P", duration_s=600)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a data folder with two learners."""
    house = open_house(Settings(data_dir=tmp_path / "data"))
    registration.put_class(house, ClassBody.model_validate(ONE.class_row()).typed("one", "P"))
    for number in range(2):
        registration.put_enrolment(
            house, "one", f"e{number}", "P", name=name_of(number), identity_number=identity_number(number),
            applicant=None, face_checks="required", leave=(),
        )  # fmt: skip
    house.engine.dispose()
    return tmp_path / "data"


def run(data_dir: Path, *words: str, status: int = 0, said: str = "") -> Any:
    """Return what a command says as JSON."""
    result = CliRunner().invoke(app, [*words, "--data-dir", str(data_dir)], input=said, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout) if "--json" in words else result.stdout


def test_the_master_key_is_turned_over(data_dir: Path) -> None:
    assert REFRESH_S <= 1
    assert run(data_dir, "vault", "status", "--json")["versions"] == [1]
    assert "2" in run(data_dir, "vault", "rotate")
    status = run(data_dir, "vault", "status", "--json", status=1)
    assert (status["current"], status["versions"], status["stale"]["person_key.wrapped"]) == (2, [1, 2], 2)
    told = run(data_dir, "vault", "reseal", "--retire", "--json")
    assert (told["person_key.wrapped"], told["versions"]) == (2, [2])
    assert run(data_dir, "vault", "status", "--json")["versions"] == [2]


def test_a_person_is_erased_by_a_number_that_is_read_and_not_shown(data_dir: Path) -> None:
    words = ("erase", "--reason", "withdrawn", "--by", "admin", "--json")
    told = run(data_dir, *words, "--dry-run", said=identity_number(1) + "\n")
    assert (told["enrolments"], told["erased_ms"]) == (1, None)
    told = run(data_dir, *words, said=identity_number(1) + "\n")
    assert told["enrolments"] == 1
    again = run(data_dir, *words, "--learner", told["learner_id"])
    assert (again["enrolments"], again["erased_ms"]) == (0, told["erased_ms"])
    assert identity_number(1) not in json.dumps([told, again])


def test_what_has_expired_is_told(data_dir: Path) -> None:
    assert run(data_dir, "retention", "--dry-run", "--json")["files"] == 0
    assert "captures: 0" in run(data_dir, "retention")
