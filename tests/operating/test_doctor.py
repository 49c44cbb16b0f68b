"""The doctor sees what is wrong with a machine, names it, and says nothing of a sound one."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from online_guard.demo.service import COMMAND
from online_guard.service.house import open_house
from online_guard.service.operating.doctor import Finding, Level, examine
from online_guard.settings import Settings
from online_guard.store import condition, marks


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data", least_free_mib=0)
    open_house(settings).engine.dispose()
    settings.data_dir.chmod(0o700)
    return settings


def bad(settings: Settings) -> dict[str, str]:
    return {one.what: one.text for one in examine(settings) if one.level is Level.BAD}


def test_a_sound_machine_has_nothing_wrong(settings: Settings) -> None:
    found = list(examine(settings))
    assert [one for one in found if one.level is Level.BAD] == []
    names = {one.what for one in found}
    assert names >= {"settings", "policy", "data_dir", "key", "model", "clock", "disk", "files", "database"}
    assert names >= {"durability", "tables", "rollback"}


def test_a_new_machine_has_no_database_and_the_doctor_makes_none(tmp_path: Path) -> None:
    found = list(examine(Settings(data_dir=tmp_path / "none", least_free_mib=0)))
    assert [one.level for one in found if one.what == "database"] == [Level.NOTE]
    assert not list(tmp_path.iterdir())


def test_a_key_that_others_may_read_is_bad(settings: Settings) -> None:
    settings.key_file.chmod(0o640)
    assert "640" in bad(settings)["key"]


def test_too_little_disk_is_bad(settings: Settings) -> None:
    assert list(bad(settings.model_copy(update={"least_free_mib": 1 << 40}))) == ["disk"]


def test_mistyped_settings_are_bad(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLINE_GUARD_PROT", "8080")
    assert "ONLINE_GUARD_PROT" in bad(settings)["settings"]


def test_an_unknown_policy_is_bad_and_the_rest_is_looked_at(settings: Settings) -> None:
    found = list(examine(settings.model_copy(update={"policy": "nowhere"})))
    assert [one.what for one in found if one.level is Level.BAD] == ["settings"]
    assert {"rollback", "jobs"} <= {one.what for one in found}


def test_an_older_database_and_older_tables_are_bad(settings: Settings) -> None:
    file = settings.data_dir / "online-guard.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE mark SET mark = 0, marked_ms = 9999999999999")
    assert list(bad(settings)) == ["rollback", "clock"]
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'old'")
    assert list(bad(settings)) == ["tables"]


def test_a_damaged_database_is_told(settings: Settings) -> None:
    (settings.data_dir / "online-guard.sqlite3").write_bytes(b"no database" * 1000)
    assert list(bad(settings)) == ["database"]


def test_a_changed_model_is_bad(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("online_guard.faces.models._folder", lambda: tmp_path)
    assert list(bad(settings)) == ["models"]


@pytest.mark.parametrize(
    ("told", "is_durable"),
    [
        ({"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}, True),
        ({"journal_mode": "wal", "synchronous": "1", "foreign_keys": "1"}, False),
        ({"journal_mode": "delete", "synchronous": "2", "foreign_keys": "1"}, False),
        ({"fsync": "on", "synchronous_commit": "remote_apply", "full_page_writes": "on"}, True),
        ({"fsync": "on", "synchronous_commit": "local", "full_page_writes": "on"}, False),
        ({"fsync": "off", "synchronous_commit": "on", "full_page_writes": "on"}, False),
    ],
)
def test_which_settings_keep_every_commit(told: dict[str, str], is_durable: bool) -> None:
    assert condition.is_durable(told) is is_durable


def test_the_command_has_exit_status_and_json(settings: Settings) -> None:
    command = [*COMMAND, "doctor", "--json"]
    environment = os.environ | {"ONLINE_GUARD_DATA_DIR": str(settings.data_dir), "ONLINE_GUARD_LEAST_FREE_MIB": "0"}
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = [Finding(**one) for one in json.loads(ended.stdout)]
    assert {one.what for one in found} >= {"settings", "database"}
    marks.remember(settings.memory_file, database_id(settings), 10_000)
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert ended.returncode == 1
    assert [one["what"] for one in json.loads(ended.stdout) if one["level"] == "bad"] == ["rollback"]


def database_id(settings: Settings) -> str:
    (known,) = json.loads(settings.memory_file.read_text())
    return str(known)
