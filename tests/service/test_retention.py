"""Media expire by policy, unless a case holds them; a dry run tells the same and changes nothing."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from both_ways import desk, judged_live, watch
from simulated_platform import SAMPLE_MEDIA, SimulatedPlatform
from sqlalchemy import select, update

from online_guard.errors import GuardError
from online_guard.service.capturing import kept_pictures, liveness
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.operating import retention
from online_guard.service.operating.retention import DAY_MS
from online_guard.service.receiving import sessions
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.review_rows import NOTHING_LEFT
from online_guard.store.tables import (
    CaptureRecord,
    CheckRecord,
    DeadLetterRecord,
    EnrolmentRecord,
    JobRecord,
    SnapshotRecord,
)
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Outcome
from online_guard.worker import Worker, work_once

ONE = Course(class_id="one", platform_id="P", duration_s=600)
PICTURE = (SAMPLE_MEDIA / "learner-01" / "snapshot-1.jpg").read_bytes()


class Quiet(SimulatedPlatform):
    """A platform whose learners show no pictures of their own."""

    def snapshot(self, *_: Any) -> None:
        """Show nothing."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder where a learner enrolled with a photo, and studied with a snapshot and a check in 2021."""
    house = open_house(Settings(data_dir=tmp_path_factory.mktemp("prepared") / "data"))
    platform = Quiet(house)
    platform.register(ONE)
    platform.enrol(ONE, "a", 0, photo=True)
    learner = watch(desk(platform, ONE, "a").sit(1), 30)
    sitting = learner.sitting
    platform.show(sitting.opening, sitting.at_ms, PICTURE, sitting.arrival_ms())
    platform.judged(sitting.opening, sitting.at_ms, Outcome.PASSED, sitting.arrival_ms())
    sessions.add_events(house, sitting.opening.session_id, "P", b'{"events": ["a letter"]}', sitting.arrival_ms())
    learner.leave()
    platform.verify()
    with writing(house.engine) as database:
        database.execute(update(CaseRecord).values(priority=NOTHING_LEFT))
    house.engine.dispose()
    return house.settings.data_dir


@pytest.fixture
def house(prepared: Path, tmp_path: Path) -> Iterator[House]:
    """Return a house of that folder's copy."""
    shutil.copytree(prepared, tmp_path / "data")
    opened = open_house(Settings(data_dir=tmp_path / "data"))
    yield opened
    opened.engine.dispose()


def keeping(house: House, days: int) -> House:
    """Return the house under a policy that keeps media for some days."""
    return replace(house, policy=replace(house.policy, retention=replace(house.policy.retention, media_days=days)))


def files(house: House) -> set[Path]:
    """Return the files of pictures."""
    return {path for path in (house.settings.data_dir / "pictures").rglob("*") if path.is_file()}


def counted(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was counted."""
    return {name: value for name, value in told.items() if name not in {"before_ms", "dry_run", "bytes"}}


EVERYTHING = {
    "held": 0, "files": 4, "leftovers": 0, "captures": 2, "references": 1, "sessions": 1, "dead_letters": 1,
}  # fmt: skip
NOTHING = dict.fromkeys(EVERYTHING, 0)


def test_a_dry_run_tells_what_a_run_deletes_and_a_second_run_finds_nothing(house: House) -> None:
    strict, judged = keeping(house, 1095), judged_live(house)
    (check,) = in_table(house, CheckRecord)
    assert counted(retention.expire(strict, dry_run=True)) == EVERYTHING
    assert len(files(house)) == 4
    told = retention.expire(strict)
    assert counted(told) == EVERYTHING
    assert told["bytes"] > len(PICTURE)
    assert files(house) == set()
    assert counted(retention.expire(strict)) == NOTHING
    assert judged_live(house) == judged
    with pytest.raises(GuardError) as refusal:
        liveness.picture_of_check(house, check.check_id, "P", "plot")
    assert refusal.value.code == "media.gone"
    assert [row.content for row in in_table(house, DeadLetterRecord)] == [""]
    assert {row.vector for row in in_table(house, CaptureRecord)} == {None}
    (enrolment,) = in_table(house, EnrolmentRecord)
    assert enrolment.reference_vector is None
    assert enrolment.name


def in_table(house: House, table: type[Any]) -> list[Any]:
    """Return a table's rows."""
    with reading(house.engine) as database:
        return list(database.scalars(select(table)))


def test_a_picture_expires_with_the_day_and_not_before(house: House) -> None:
    now_ms = clock_ms()
    for received_ms, expected in ((now_ms - 30 * DAY_MS + 60_000, 3), (now_ms - 30 * DAY_MS - 1, 4)):
        with writing(house.engine) as database:
            database.execute(update(SnapshotRecord).values(received_ms=received_ms))
        assert retention.expire(keeping(house, 30), dry_run=True)["files"] == expected


def test_nothing_expires_before_its_time(house: House) -> None:
    days_since_2021 = (clock_ms() - 1_609_459_200_000) // DAY_MS
    assert counted(retention.expire(keeping(house, days_since_2021))) == NOTHING
    assert len(files(house)) == 4


@pytest.mark.parametrize(
    ("about", "priority", "is_held"), [("a", 0, True), ("a", 1, True), (None, 0, True), ("a", 2, False)]
)
def test_an_open_case_holds_the_media_of_its_learner(
    house: House, about: str | None, priority: int, is_held: bool
) -> None:
    case = CaseRecord(
        case_id="c1", class_id="one", platform_id="P", enrolment_id=about, subject="enrolment", subject_id="a",
        state="appealed", priority=priority, waiting_since_ms=0,
    )  # fmt: skip
    with writing(house.engine) as database:
        database.add(case)
    told = counted(retention.expire(keeping(house, 1)))
    if not is_held:
        assert told == EVERYTHING
        return
    assert told == NOTHING | {"held": 1}
    assert kept_pictures.shown_picture(house, "a", in_table(house, SnapshotRecord)[0].sha256) == PICTURE


def test_files_that_no_row_names_are_deleted_after_a_day(house: House) -> None:
    folder = house.settings.data_dir / "pictures" / "ab"
    folder.mkdir(exist_ok=True)
    for name, age_s in (("ab" + "0" * 30, 0), ("ab" + "1" * 30, 90_000), ("ab" + "2" * 30 + ".1.x.part", 90_000)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    assert counted(retention.expire(keeping(house, 36_500))) == NOTHING | {"leftovers": 2}
    assert [path.name for path in folder.iterdir() if path.name.startswith("ab")] == ["ab" + "0" * 30]


def test_a_worker_expires_media_once_a_day_and_forgets_what_others_erased(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = Worker(house)
    marker = house.settings.data_dir / "retention-day"
    working._keep_house()
    assert not in_table(house, JobRecord)
    with reading(house.engine) as database:
        house.seen.catch_up(database, house.vault)
    another = open_house(house.settings)
    marker.write_text("2021-06-08")
    retention.ask_daily(another)
    retention.ask_daily(house)
    assert [row.duty for row in in_table(house, JobRecord)] == ["expire"]
    assert len(files(house)) == 4
    assert work_once(another)
    another.engine.dispose()
    assert (files(house), in_table(house, JobRecord)) == (set(), [])
    assert len(house.seen._rows) == 2
    monkeypatch.setattr(working, "_keep_house_s", 0.0)
    working._keep_house()
    assert not house.seen._rows
    assert not in_table(house, JobRecord)
