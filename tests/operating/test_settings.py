"""Settings from arguments, environment and file: who goes first, what is refused, and what is never shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from online_guard.demo.service import COMMAND
from online_guard.errors import ErrorKind, GuardError
from online_guard.settings import LogFormat, Settings, described, unknown_variables


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith("ONLINE_GUARD_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def a_file(text: str, name: str = "online-guard.toml") -> Path:
    path = Path(name).absolute()
    path.write_text(text, "utf-8")
    return path


def test_an_argument_goes_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    a_file('port = 1\nhost = "::1"\ndata_dir = "from-file"\nlog_format = "console"\n')
    monkeypatch.setenv("ONLINE_GUARD_PORT", "2")
    monkeypatch.setenv("ONLINE_GUARD_HOST", "127.0.0.2")
    settings = Settings(port=3)
    assert (settings.port, settings.host, settings.data_dir) == (3, "127.0.0.2", Path("from-file"))
    assert settings.log_format is LogFormat.CONSOLE
    assert settings.policy == "huangchuan-2021"


def test_the_file_may_lie_anywhere_but_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    a_file("port = 1")
    monkeypatch.setenv("ONLINE_GUARD_CONFIG", str(a_file("port = 7", "other.toml")))
    assert Settings().port == 7
    monkeypatch.setenv("ONLINE_GUARD_CONFIG", "nowhere.toml")
    with pytest.raises(GuardError) as refusal:
        Settings()
    assert (refusal.value.code, refusal.value.where) == ("settings.no_file", "ONLINE_GUARD_CONFIG=nowhere.toml")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("prot = 8080", "settings.unknown_key", "prot"),
        ("[playback]\nmax_rate = 2", "settings.unknown_key", "playback"),
        ("port = 70000", "settings.invalid", "port"),
        ('port = "soon"', "settings.invalid", "port"),
        ('log_level = "LOUD"', "settings.invalid", "log_level"),
        ("port = ", "settings.no_toml", ""),
        ('database_url_file = "nowhere"', "settings.no_file", "database_url_file"),
        ('nothing_file = "online-guard.toml"', "settings.unknown_key", "nothing_file"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_key(text: str, code: str, place: str) -> None:
    path = a_file(text)
    with pytest.raises(GuardError) as refusal:
        Settings()
    assert refusal.value.code == code
    assert refusal.value.kind in (ErrorKind.INVALID, ErrorKind.MALFORMED)
    assert refusal.value.where.startswith(str(path))
    assert place in refusal.value.where


def test_a_wrong_variable_or_argument_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLINE_GUARD_LEAST_FREE_MIB", "geheim")
    with pytest.raises(GuardError) as refusal:
        Settings()
    assert refusal.value.where == "ONLINE_GUARD_LEAST_FREE_MIB"
    assert "geheim" not in f"{refusal.value}{refusal.value.faults}"
    with pytest.raises(GuardError) as refusal:
        Settings(least_free_mib=1, prot=1)
    assert refusal.value.where == "prot"


def test_a_secret_may_lie_in_a_file_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("url").write_text("postgresql+psycopg://guard:s3cret@db.internal:5432/guard\n", "utf-8")
    monkeypatch.setenv("ONLINE_GUARD_DATABASE_URL_FILE", "url")
    Path("token").write_text("t0ken\n", "utf-8")
    a_file('metrics_token_file = "token"')
    settings = Settings()
    assert settings.database.endswith("guard:s3cret@db.internal:5432/guard")
    assert settings.metrics_token is not None
    assert settings.metrics_token.get_secret_value() == "t0ken"
    shown = f"{settings!r} {settings} {settings.shown()}"
    assert "s3cret" not in shown
    assert "t0ken" not in shown
    assert settings.shown()["database_url"] == "postgresql+psycopg://guard:***@db.internal:5432/guard"


def test_the_key_file_is_a_setting_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLINE_GUARD_MASTER_KEY_FILE", "key")
    assert Settings().key_file == Path("key")


def test_mistyped_variables_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "PROT", "CONFIG", "DATABASE_URL_FILE", "PORT_FILES"):
        monkeypatch.setenv(f"ONLINE_GUARD_{name}", "1")
    assert unknown_variables() == ["ONLINE_GUARD_PORT_FILES", "ONLINE_GUARD_PROT"]


def test_every_setting_is_described_in_chinese_and_english() -> None:
    rows = described()
    assert [name for name, _, _ in rows] == list(Settings.model_fields)
    for name, _, text in rows:
        chinese, _, english = text.partition(" / ")
        assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese), name
        assert english.endswith("."), name


def test_the_command_line_says_which_setting_is_wrong() -> None:
    a_file("prot = 1")
    ended = subprocess.run(
        [*COMMAND, "serve"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert ended.returncode == 2
    assert "settings.unknown_key" in ended.stderr
    assert "online-guard.toml: prot" in ended.stderr
