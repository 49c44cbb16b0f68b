"""An archive holds closed sessions, byte for byte the same each time; judged again, it says what the service said."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from simulated_platform import SimulatedPlatform
from sqlalchemy import select

from online_guard.cli import main
from online_guard.errors import GuardError
from online_guard.service.house import House
from online_guard.service.operating.export import Exported, Selection, export
from online_guard.simulate.course import Course
from online_guard.simulate.honest import Desk
from online_guard.store import bundle_rows
from online_guard.store.tables import FindingRecord, ResultRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing

ONE = Course(class_id="one", platform_id="P", duration_s=600)
OTHER = Course(class_id="other", platform_id="Q", duration_s=600)
CLOSED = Selection(closed_only=True)
TABLES = {"session": "sessions", "ledger": "ledger", "eligibility": "eligibility"}


@pytest.fixture
def two_closed(simulated: SimulatedPlatform, monkeypatch: pytest.MonkeyPatch) -> SimulatedPlatform:
    """Return a platform where one learner cheated in a class of each platform; blocks hold one session."""
    monkeypatch.setattr(bundle_rows, "SESSIONS_AT_ONCE", 1)
    for course, enrolment_id in ((ONE, "a"), (OTHER, "b")):
        simulated.register(course)
        simulated.enrol(course, enrolment_id, 0, photo=True)
        desk = desk_of(simulated, course, enrolment_id)
        learner = desk.sit(1)
        learner.watch(100)
        learner.skip(500)
        desk.finish(learner)
    return simulated


def desk_of(simulated: SimulatedPlatform, course: Course, enrolment_id: str) -> Desk:
    return course.desk(simulated, enrolment_id, Random(enrolment_id))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lines(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / f"{name}.ndjson").read_text("utf-8").splitlines()]


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["online-guard", *map(str, words)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_verdicts_of_the_service_are_those_of_its_archive(
    two_closed: SimulatedPlatform, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_closed.verify()
    monkeypatch.setenv("ONLINE_GUARD_DATABASE_URL", house.settings.database)
    with reading(house.engine) as database:
        found = [record.subject_id for record in database.scalars(select(FindingRecord))]
        stored = [(record.kind, json.loads(record.body)) for record in database.scalars(select(ResultRecord))]
    data, archived = house.settings.data_dir, tmp_path / "archive"
    assert run(monkeypatch, "archive", "--data-dir", data, "--out", archived) == 0
    assert run(monkeypatch, "revalidate", archived, "--out", tmp_path / "by-archive") == 0
    assert run(monkeypatch, "revalidate", "--from-store", "--data-dir", data, "--out", tmp_path / "by-store") == 0
    assert files(tmp_path / "by-archive") == files(tmp_path / "by-store")
    for kind, name in TABLES.items():
        live = sorted(json.dumps(body, sort_keys=True) for one, body in stored if one == kind)
        assert live == sorted(json.dumps(row, sort_keys=True) for row in lines(tmp_path / "by-store", name)), kind
        assert live
    assert sorted(found) == sorted(str(row["subject_id"]) for row in lines(tmp_path / "by-store", "findings"))
    assert {row["verdict"] for row in lines(tmp_path / "by-store", "sessions")} == {"rejected"}


def test_open_sessions_are_counted_and_left_out(two_closed: SimulatedPlatform, house: House, tmp_path: Path) -> None:
    two_closed.enrol(ONE, "c", 1)
    assert export(house, tmp_path / "before", CLOSED) == Exported(2, 0)
    desk_of(two_closed, ONE, "c").sit(1).watch(100)
    assert export(house, tmp_path / "after", CLOSED) == Exported(2, 1)
    assert files(tmp_path / "before") == files(tmp_path / "after")
    assert export(house, tmp_path / "everything") == Exported(3, 0)


def test_a_platform_and_a_month_are_the_whole_in_parts(
    two_closed: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    export(house, tmp_path / "whole", CLOSED)
    parts = [export(house, tmp_path / name, Selection(True, name)) for name in ("P", "Q")]
    assert parts == [Exported(1, 0), Exported(1, 0)]
    assert [row["platform_id"] for row in json.loads((tmp_path / "P" / "classes.json").read_bytes())] == ["P"]
    assert [row["enrolment_id"] for row in lines(tmp_path / "P", "enrolments")] == ["a"]
    for name in ("sessions", "enrolments", "directives"):
        assert lines(tmp_path / "P", name) + lines(tmp_path / "Q", name) == lines(tmp_path / "whole", name)
    events = [pq.read_table(tmp_path / name / "events.parquet").to_pylist() for name in ("P", "Q", "whole")]
    assert events[0] + events[1] == events[2]


def test_a_month_begins_and_ends_at_midnight_in_china(
    two_closed: SimulatedPlatform, house: House, tmp_path: Path
) -> None:
    june_ms, july_ms = 1_622_476_800_000, 1_625_068_800_000  # 2021-06-01 and 2021-07-01, +08:00
    for number, (moment_ms, inside) in enumerate(
        [(june_ms - 1, False), (june_ms, True), (july_ms - 1, True), (july_ms, False)]
    ):
        with writing(house.engine) as database:
            for record in database.scalars(select(SessionRecord)):
                record.opened_received_ms = moment_ms
        done = export(house, tmp_path / str(number), Selection(True, month="2021-06"))
        assert done.sessions == (2 if inside else 0)


@pytest.mark.parametrize("month", ["2021-13", "June", "2021-6-1"])
def test_what_is_no_month_is_refused(house: House, tmp_path: Path, month: str) -> None:
    with pytest.raises(GuardError, match="is no month"):
        export(house, tmp_path / "out", Selection(True, month=month))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [[], ["bundle", "--from-store"], ["bundle", "--data-dir", "x"]])
def test_a_revalidation_judges_one_thing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    assert run(monkeypatch, "revalidate", *words, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()
