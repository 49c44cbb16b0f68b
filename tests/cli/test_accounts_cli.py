"""Keys and people at the command line: secrets shown once, passwords never among the arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from online_guard.cli import app
from online_guard.errors import GuardError

PASSWORD = "four words and a comma,"


def run(folder: Path, *arguments: str, typed: str = "") -> Result:
    """Return what a command said about a data folder."""
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(folder)], input=typed)


def told(folder: Path, *arguments: str, typed: str = "") -> Any:
    """Return the JSON of a command that must succeed."""
    done = run(folder, *arguments, "--json", typed=typed)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_key_is_made_rotated_and_revoked_and_its_secret_shown_once(tmp_path: Path) -> None:
    made = told(tmp_path, "keys", "create", "--platform", "p")
    assert set(made) == {"key_id", "platform_id", "secret"}
    assert len(made["secret"]) == 64
    rotated = told(tmp_path, "keys", "rotate", "--platform", "p", "--overlap-hours", "1.5")
    assert rotated["key_id"] == made["key_id"]
    assert rotated["secret"] != made["secret"]
    (row,) = told(tmp_path, "keys", "list")
    assert row["previous_until_ms"] - row["rotated_ms"] == 5_400_000
    assert "secret" not in row
    assert told(tmp_path, "keys", "revoke", made["key_id"]) == {"key_id": made["key_id"], "state": "revoked"}
    assert told(tmp_path, "keys", "list", "--platform", "p")[0]["revoked_ms"] > 0
    assert told(tmp_path, "keys", "list", "--platform", "another") == []
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (made["secret"], rotated["secret"]):
        assert secret.encode() not in content
        assert bytes.fromhex(secret) not in content


def test_which_key_must_be_clear(tmp_path: Path) -> None:
    for _ in range(2):
        told(tmp_path, "keys", "create", "--platform", "p")
    for arguments in (["--platform", "p"], ["key-unknown"], [], ["--platform", "nobody"]):
        done = run(tmp_path, "keys", "rotate", *arguments)
        assert isinstance(done.exception, GuardError), arguments
        assert done.exception.code == "key.which"


def test_a_person_is_added_with_a_password_from_standard_input(tmp_path: Path) -> None:
    added = told(tmp_path, "users", "add", "ann", "--role", "second_auditor", typed=f"{PASSWORD}\n")
    assert added == {"name": "ann", "role": "second_auditor"}
    assert told(tmp_path, "users", "totp", "ann")["otpauth"].startswith("otpauth://totp/")
    told(tmp_path, "users", "password", "ann", typed=f"{PASSWORD}!\n")
    told(tmp_path, "users", "add", "bob", "--role", "reader", "--oidc-subject", "s-1")
    told(tmp_path, "users", "disable", "ann")
    ann, bob = told(tmp_path, "users", "list")
    assert (ann["role"], ann["totp"], ann["disabled_ms"] > 0) == ("second_auditor", True, True)
    assert (bob["password"], bob["subject"]) == (False, "s-1")


@pytest.mark.parametrize("option", ["--password", "--secret"])
def test_no_command_takes_a_secret_as_an_argument(tmp_path: Path, option: str) -> None:
    assert run(tmp_path, "users", "add", "ann", "--role", "admin", option, PASSWORD).exit_code == 2


def test_a_table_for_people_shows_whole_ids(tmp_path: Path) -> None:
    made = told(tmp_path, "keys", "create", "--platform", "p")
    assert made["key_id"] in run(tmp_path, "keys", "list").stdout
    assert run(tmp_path, "users", "list").exit_code == 0
