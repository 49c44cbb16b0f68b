"""Backup and restore of a service in use, and the alarm when an older database is started."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from online_guard.demo.people import identity_number
from online_guard.errors import GuardError
from online_guard.service.house import House, open_house
from online_guard.service.operating.backups import back_up, restore
from online_guard.service.operating.erasures import erase, list_file
from online_guard.service.operating.remembering import Remembering
from online_guard.service.operating.rollbacks import accept_rollback
from online_guard.service.registration import put_enrolment
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store import marks
from online_guard.store.tables import ClassRecord, EnrolmentRecord
from online_guard.store.unit_of_work import reading, writing


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    opened = open_house(settings)
    folder = settings.data_dir / "pictures" / "ab"
    folder.mkdir(parents=True)
    (folder / "ab12").write_bytes(b"sealed")
    (folder / "ab12.1.part").write_bytes(b"half")
    settings.events.mkdir(exist_ok=True)
    (settings.events / "2021-06").write_bytes(b"chunks")
    yield opened
    opened.engine.dispose()


def add(house: House, *numbers: int) -> None:
    for number in numbers:
        with writing(house.engine) as database:
            database.add(ClassRecord(class_id=f"c{number}", platform_id="p", body="{}"))


def classes(house: House) -> int:
    with reading(house.engine) as database:
        return database.query(ClassRecord).count()


def refused(code: str) -> pytest.RaisesExc[GuardError]:
    return pytest.raises(GuardError, check=lambda error: error.code == code)


def test_a_backup_holds_everything_but_keys_and_halves(house: House, settings: Settings, tmp_path: Path) -> None:
    add(house, 1, 2)
    done = back_up(settings, tmp_path / "copy", with_keys=False)
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text("utf-8"))
    assert [file["path"] for file in manifest["files"]] == ["database.sqlite3", "events/2021-06", "pictures/ab/ab12"]
    assert done.files == 3
    assert not list((tmp_path / "copy").rglob("*.key"))
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o700
    assert not list(tmp_path.glob(".copy*"))
    with refused("backup.target"):
        back_up(settings, tmp_path / "copy", with_keys=False)


def test_a_backup_of_a_service_in_use_is_one_moment(house: House, settings: Settings, tmp_path: Path) -> None:
    """A writer keeps two rows equal all the time: no copy may hold one without the other."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with writing(house.engine) as database:
                for side in "lr":
                    database.merge(ClassRecord(class_id=side, platform_id="p", body=str(number)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for name in ("one", "two", "three"):
            back_up(settings, tmp_path / name, with_keys=False, with_pictures=False)
    finally:
        stop.set()
        writer.join()
    for name in ("one", "two", "three"):
        with closing(sqlite3.connect(tmp_path / name / "database.sqlite3")) as copy:
            assert copy.execute("SELECT count(DISTINCT body) FROM training_class").fetchone()[0] <= 1


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_what_was_restored_starts_after_a_person_has_accepted_it(
    house: House, settings: Settings, tmp_path: Path, name: str
) -> None:
    add(house, 1, 2)
    back_up(settings, tmp_path / name, with_keys=True)
    add(house, 3)
    there = Settings(data_dir=tmp_path / "there")
    restore(there, tmp_path / name, with_keys=True)
    assert there.key_file.read_bytes() == settings.key_file.read_bytes()
    assert stat.S_IMODE(there.key_file.stat().st_mode) == 0o600
    assert there.signing_key_file.exists() == settings.signing_key_file.exists()
    assert (there.data_dir / "pictures" / "ab" / "ab12").read_bytes() == b"sealed"
    assert (there.events / "2021-06").read_bytes() == b"chunks"
    for _ in range(2):
        with refused("database.rolled_back"):
            open_house(there)
    with refused("rollback.no_reason"):
        accept_rollback(there, " ")
    accept_rollback(there, "磁盘损坏 / a broken disk")
    with refused("database.not_rolled_back"):
        accept_rollback(there, "again")
    again = open_house(there)
    assert classes(again) == 2
    with closing(sqlite3.connect(there.data_dir / "online-guard.sqlite3")) as database:
        assert database.execute("SELECT reason FROM rollback").fetchall() == [("磁盘损坏 / a broken disk",)]
    again.engine.dispose()
    open_house(there).engine.dispose()


def test_who_was_erased_stays_erased(house: House, settings: Settings, tmp_path: Path) -> None:
    add(house, 1)
    person = {"name": "王秀兰", "identity_number": identity_number(7), "applicant": None, "face_checks": "required"}
    for name in ("before", "after"):
        with writing(house.engine) as database:
            database.get_one(ClassRecord, "c1").body = json.dumps(Course(class_id="c1", platform_id="p").class_row())
        _, told = put_enrolment(house, "c1", f"e-{name}", "p", leave=[], **person)
    back_up(settings, tmp_path / "copy", with_keys=True)
    erase(house, told["learner_id"], reason="her wish", ordered_by="admin")
    back_up(settings, tmp_path / "newer", with_keys=True)
    there = Settings(data_dir=tmp_path / "there")
    restore(there, tmp_path / "copy", with_keys=True)
    shutil.copyfile(list_file(settings), list_file(there))
    found, erased = accept_rollback(there, "a broken disk")
    assert (found.is_older, erased) == (True, 1)
    again = open_house(there)
    with reading(again.engine) as database:
        assert all(row.erased_ms for row in database.query(EnrolmentRecord))
    again.engine.dispose()
    third = Settings(data_dir=tmp_path / "third")
    restore(third, tmp_path / "newer", with_keys=True)
    assert list_file(third).read_bytes() == list_file(settings).read_bytes()


def test_a_restore_puts_nothing_in_the_place_of_anything(house: House, settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "copy", with_keys=True)
    with refused("backup.not_empty"):
        restore(settings, tmp_path / "copy", with_keys=False)
    shutil.rmtree(settings.data_dir / "pictures")
    shutil.rmtree(settings.events)
    with refused("backup.database"):
        restore(settings, tmp_path / "copy", with_keys=False)
    there = Settings(data_dir=tmp_path / "there")
    there.data_dir.mkdir()
    there.key_file.write_bytes(os.urandom(32))
    with refused("backup.other_key"):
        restore(there, tmp_path / "copy", with_keys=True)


def spoil_bit(folder: Path) -> None:
    file = folder / "database.sqlite3"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def spoil_missing(folder: Path) -> None:
    (folder / "pictures" / "ab" / "ab12").unlink()


def spoil_more(folder: Path) -> None:
    (folder / "pictures" / "more").write_bytes(b"")


def spoil_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (spoil_bit, "backup.changed"),
        (spoil_missing, "backup.incomplete"),
        (spoil_more, "backup.incomplete"),
        (spoil_manifest, "backup.unreadable"),
    ],
)
def test_a_spoilt_backup_is_not_restored(
    house: House, settings: Settings, tmp_path: Path, spoil: object, code: str
) -> None:
    back_up(settings, tmp_path / "copy", with_keys=False)
    assert callable(spoil)
    spoil(tmp_path / "copy")
    there = Settings(data_dir=tmp_path / "there")
    with refused(code):
        restore(there, tmp_path / "copy", with_keys=False)
    assert not there.data_dir.exists()


def test_an_older_copy_of_the_files_raises_the_alarm(settings: Settings, tmp_path: Path) -> None:
    house = open_house(settings)
    house.engine.dispose()
    file = settings.data_dir / "online-guard.sqlite3"
    shutil.copyfile(file, tmp_path / "old")
    open_house(settings).engine.dispose()
    newest = file.read_bytes()
    shutil.copyfile(tmp_path / "old", file)
    with refused("database.rolled_back"):
        open_house(settings)
    with refused("database.rolled_back"):
        back_up(settings, tmp_path / "copy", with_keys=False)
    file.write_bytes(newest)
    open_house(settings).engine.dispose()


def test_the_mark_grows_while_the_service_runs(house: House, settings: Settings) -> None:
    before = marks.look(house.engine, settings.memory_file)
    with Remembering(house, every_s=0.01):
        while marks.look(house.engine, settings.memory_file).mark < before.mark + 3:
            pass
    after = marks.look(house.engine, settings.memory_file)
    assert after.remembered == after.mark


def test_a_crash_between_commit_and_memory_raises_no_alarm(house: House, settings: Settings) -> None:
    old = settings.memory_file.read_bytes()
    marks.advance(house.engine, settings.memory_file, 0)
    settings.memory_file.write_bytes(old)
    marks.refuse_older(house.engine, settings.memory_file)
    marks.remember(settings.memory_file, "another", 3)
    marks.remember(settings.memory_file, "another", 2)
    assert json.loads(settings.memory_file.read_text())["another"] == 3


def test_a_machine_that_never_saw_the_database_starts(house: House, settings: Settings) -> None:
    settings.memory_file.unlink()
    open_house(settings).engine.dispose()
    settings.memory_file.write_bytes(b"{")
    with refused("database.bad_memory"):
        open_house(settings)
