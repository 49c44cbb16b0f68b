"""`verify-log`, `export-evidence`, `log-key` and `webhooks` on the command line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from online_guard.cli import app
from online_guard.errors import GuardError
from online_guard.service.house import open_house
from online_guard.service.operating import evidence_log
from online_guard.settings import Settings
from online_guard.store import sealed_log
from online_guard.store.unit_of_work import writing

RUN = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, sqlite_url: str) -> Path:
    """Return a data folder with a log of three entries and as many heads, the last of them kept beside it."""
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    for number in range(3):
        with writing(house.engine) as database:
            sealed_log.append(database, "erasure", f"learner/{number}", {"number": number})
        evidence_log.sequence(house, at_once=True)
    (tmp_path / "head.json").write_text(json.dumps(evidence_log.head(house)))
    house.engine.dispose()
    return tmp_path / "data"


def run(*arguments: object) -> tuple[int, str]:
    result = RUN.invoke(app, [str(one) for one in arguments])
    if isinstance(result.exception, GuardError):
        raise result.exception
    return result.exit_code, result.stdout


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "online-guard.sqlite3")) as database, database:
        database.execute(statement)


def test_a_log_that_holds_exits_with_0(folder: Path) -> None:
    assert run("verify-log", "--data-dir", folder) == (0, "成立 / holds\n")
    told = json.loads(run("verify-log", "--data-dir", folder, "--json")[1])
    assert told == {"holds": True, "entries": 3, "waiting": 0, "faults": []}
    assert run("verify-log", "--data-dir", folder, "--known-head", folder.parent / "head.json")[0] == 0


def test_a_changed_log_exits_with_1_and_names_the_row(folder: Path) -> None:
    change(folder, "UPDATE log_entry SET payload = '{\"version\":7}' WHERE entry_id = 2")
    status, told = run("verify-log", "--data-dir", folder)
    assert status == 1
    assert "log_entry 2 (position 1)" in told


def test_another_key_and_a_roll_back_exit_with_1(folder: Path) -> None:
    key = json.loads(run("log-key", "--data-dir", folder.parent / "elsewhere")[1])
    assert run("verify-log", "--data-dir", folder, "--key", key["public_key"])[0] == 1
    own = json.loads(run("log-key", "--data-dir", folder)[1])
    (folder.parent / "key.json").write_text(json.dumps(own))
    assert run("verify-log", "--data-dir", folder, "--key", folder.parent / "key.json")[0] == 0
    elsewhere = open_house(Settings(data_dir=folder.parent / "elsewhere", log_key_file=folder / "log.key"))
    evidence_log.sequence(elsewhere)
    elsewhere.engine.dispose()
    status, told = run(
        "verify-log", "--data-dir", folder.parent / "elsewhere", "--key", own["public_key"],
        "--known-head", folder.parent / "head.json",
    )  # fmt: skip
    assert status == 1
    assert "roll-back" in told


def test_bad_heads_keys_and_selections_are_refused(folder: Path) -> None:
    (folder.parent / "bad.json").write_text("{}")
    for arguments in (
        ("verify-log", "--known-head", folder.parent / "bad.json"),
        ("verify-log", "--known-head", folder.parent / "none.json"),
        ("verify-log", "--key", "nonsense"),
        ("export-evidence", "--out", folder.parent / "out"),
        ("export-evidence", "--out", folder.parent / "out", "--session", "P/none"),
        ("export-evidence", "--out", folder.parent / "out", "--class", "none"),
        ("webhooks", "add", "http://127.0.0.1/", "--platform", "P"),
        ("webhooks", "remove", "ep_none"),
        ("webhooks", "replay", "msg_none"),
    ):
        with pytest.raises(GuardError):
            run(*arguments, "--data-dir", folder)
    assert not (folder.parent / "out").exists()


def test_endpoints_are_added_listed_rotated_and_removed(folder: Path) -> None:
    added = json.loads(run("webhooks", "add", "https://hooks.example/x", "--platform", "P", "--data-dir", folder)[1])
    assert added["secret"].startswith("whsec_")
    rotated = json.loads(run("webhooks", "rotate", added["endpoint_id"], "--data-dir", folder)[1])
    assert rotated["secret"] != added["secret"]
    (told,) = json.loads(run("webhooks", "list", "--platform", "P", "--data-dir", folder)[1])
    assert told["url"] == "https://hooks.example/x"
    assert "secret" not in told
    run("webhooks", "remove", added["endpoint_id"], "--data-dir", folder)
    assert json.loads(run("webhooks", "list", "--data-dir", folder)[1]) == []
    page = json.loads(run("webhooks", "messages", "--json", "--data-dir", folder)[1])
    assert page == {"messages": [], "next": None}
