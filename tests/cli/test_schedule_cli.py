"""Planning, publishing, writing and comparing at the command line, with a service's data and without."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from online_guard.cli import app
from online_guard.errors import GuardError
from online_guard.ingest.venues_file import read_venues
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.simulate.course import Plan, simulate, write_rows

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "service"))

from eligible_class import VENUES, WINDOW, eligible_class, judge_again

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = (DOCS / "venues.toml").read_text("utf-8")
FILES = {"roster.json", "roster.xlsx", "roster.pdf", "slips.pdf", "annex-2.pdf", "statistics.pdf", "calendar.ics"}


def run(*arguments: str | Path) -> Result:
    """Return what a command said; an error is raised as it is."""
    return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)


def said(result: Result) -> Any:
    """Return what a command said to machines."""
    return json.loads(result.stdout)


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str) -> House:
    """Return the house of the data folder `data`, with two eligible learners."""
    opened = open_house(Settings(data_dir=tmp_path / "data"))
    eligible_class(opened, 2)
    return opened


@pytest.fixture
def venues_file(tmp_path: Path) -> Path:
    """Return a file of venues, as JSON."""
    file = tmp_path / "venues.json"
    file.write_text(VENUES.model_dump_json(), encoding="utf-8")
    return file


def test_from_venues_to_versions_and_their_difference(house: House, venues_file: Path, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path / "data")
    draft = run("schedule", WINDOW, "--venues", venues_file, *data)
    assert draft.exit_code == 0
    for word in ("鉴定中心", "机房", "理论", "2/4", "09:00"):
        assert word in draft.stdout, word
    with pytest.raises(GuardError, match="roster"):
        run("roster", WINDOW, *data)
    out = tmp_path / "papers"
    made = run("schedule", WINDOW, "--publish", "--out", out, "--json", *data)
    assert (made.exit_code, said(made)["published"]["version"]) == (0, 1)
    assert {path.name for path in out.iterdir()} == FILES | {"calendars"}
    assert said(made)["published"]["sha256"]
    shown = run("roster", WINDOW, *data)
    assert (shown.exit_code, "第 1 版" in shown.stdout) == (0, True)
    judge_again(house, "C-2", "E03")
    shown = run("roster", WINDOW, *data)
    assert shown.exit_code == 1
    assert "应移除 to be removed: C-2" in shown.stdout
    assert said(run("schedule", WINDOW, "--publish", "--json", *data))["published"]["version"] == 2
    compared = run("roster", WINDOW, "--compare", "1", "2", *data)
    assert compared.exit_code == 1
    assert "C-2" in compared.stdout
    assert "C-1:" not in compared.stdout
    assert said(run("roster", WINDOW, "--version", "1", "--json", *data))["newest_version"] == 2


def test_what_blocks_is_said_and_is_exit_status_1(house: House, venues_file: Path, tmp_path: Path) -> None:
    stated = json.loads(venues_file.read_text("utf-8"))
    stated["sites"][0]["rooms"][1]["workstations"] = {"焊工": 4}
    venues_file.write_text(json.dumps(stated), encoding="utf-8")
    blocked = run("schedule", WINDOW, "--venues", venues_file, "--data-dir", tmp_path / "data")
    assert blocked.exit_code == 1
    assert "无法编排" in blocked.stdout
    assert "原因 because" in blocked.stdout


def test_a_bundle_is_planned_without_a_service(venues_file: Path, tmp_path: Path) -> None:
    write_rows(simulate([Plan()], 1), tmp_path / "bundle")
    out = tmp_path / "out"
    arguments = ("schedule", WINDOW, "--bundle", tmp_path / "bundle", "--venues", venues_file, "--out", out)
    made = run(*arguments, "--json")
    assert (made.exit_code, said(made)["candidates"]) == (0, 1)
    roster = json.loads((out / "roster.json").read_text("utf-8"))
    assert (roster["version"], [one["enrolment_id"] for one in roster["candidates"]]) == (1, ["2021-ds-01-001"])
    assert {path.name for path in out.iterdir()} == FILES | {"calendars"}
    with pytest.raises(GuardError, match="nobody is eligible"):
        run("schedule", "2021-12", *arguments[2:])


@pytest.mark.parametrize(
    "arguments",
    [("2021-13",), (WINDOW, "--out", "o"), (WINDOW, "--bundle", "b"), (WINDOW, "--bundle", "b", "--publish")],
    ids=["no month", "out alone", "no venues", "a bundle isn't published"],
)
def test_bad_use_is_exit_status_2(arguments: tuple[str, ...]) -> None:
    assert run("schedule", *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("sites = [", "venues.unreadable", ""),
        ("sites = []", "venues.invalid", "/sites"),
        (EXAMPLE.replace("seats = 40", "seat = 40"), "venues.invalid", "/sites/0"),
        (EXAMPLE.replace("ends = 10:00:00", "ends = 08:00:00"), "venues.invalid", "/slots/0"),
        (EXAMPLE.replace("ends = 10:00:00", "ends = 36000"), "venues.invalid", "/slots/0/ends"),
        (EXAMPLE.replace("[2021-08-20]", '["2021-08-20T00:00:00"]'), "venues.invalid", "/sites/0/closed_on/0"),
    ],
    ids=["not TOML", "no site", "unknown field", "ends before it starts", "seconds", "a moment"],
)
def test_a_faulty_file_of_venues_is_refused_with_the_place(text: str, code: str, where: str, tmp_path: Path) -> None:
    file = tmp_path / "v.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(GuardError) as caught:
        read_venues(file)
    assert caught.value.code == code
    assert str(file) in str(caught.value)
    assert where == "" or any(fault.where.startswith(where) for fault in caught.value.faults)


def test_the_example_of_venues_is_read_and_explains_every_field() -> None:
    example = DOCS / "venues.toml"
    stated = read_venues(example)
    text = example.read_text("utf-8")
    records = [stated, *stated.sites, *stated.slots, *stated.examiners, *stated.travel]
    records += [room for site in stated.sites for room in site.rooms]
    for record in records:
        for name in type(record).model_fields:
            assert name in text, f"{type(record).__name__}.{name}"
