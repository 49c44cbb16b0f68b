"""A copy of the whole database at one moment, made while it is in use, and how it is put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Engine, make_url

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.condition import present_tables
from online_guard.store.unit_of_work import open_engine

NAMES = SQLITE_NAME, POSTGRESQL_NAME = "database.sqlite3", "database.pgdump"


def copy_database(engine: Engine, folder: Path) -> Path | None:
    """Copy a database as it is at one moment; return the file, None where PostgreSQL's `pg_dump` isn't installed.

    Args:
        engine: Of the database; whoever writes goes on.
        folder: Where the copy is put.

    Raises:
        GuardError: The copy failed, or what was copied isn't sound.
    """
    if engine.dialect.name == "sqlite":
        return _copy_sqlite(Path(engine.url.database or ""), folder / SQLITE_NAME)
    tool, file = shutil.which("pg_dump"), folder / POSTGRESQL_NAME
    if tool is None:
        return None
    _run([tool, "--format=custom", "--no-owner", f"--file={file}", *_address(engine.url)], engine.url)
    return file


def _copy_sqlite(source: Path, file: Path) -> Path:
    """Copy by SQLite's own online backup: one long read, which no writer waits for."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as original,
        closing(sqlite3.connect(file, isolation_level=None)) as copy,
    ):
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # so that one file is all of it
        (told,) = copy.execute("PRAGMA quick_check").fetchone()
    if told != "ok":
        raise _failed(str(source), f"数据库已损坏 / the database is damaged: {told}")
    return file


def put_back(url: str, file: Path) -> None:
    """Make the database of a URL from a copy.

    Raises:
        GuardError: There is something in it already; or PostgreSQL's `pg_restore` isn't installed or failed.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        _put_back_sqlite(Path(address.database or ""), file)
        return
    engine = open_engine(url)
    try:
        if present_tables(engine):
            raise _failed(address.render_as_string(), "数据库不是空的 / the database isn't empty")
    finally:
        engine.dispose()
    tool = shutil.which("pg_restore")
    if tool is None:
        raise _failed("pg_restore", "未安装 / it isn't installed")
    _run([tool, "--exit-on-error", "--single-transaction", "--no-owner", *_address(address), str(file)], address)


def _put_back_sqlite(place: Path, file: Path) -> None:
    if place.exists():
        raise _failed(str(place), "已有数据库,请先移走 / there is a database: move it away first")
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    shutil.copyfile(file, part)
    part.chmod(0o600)
    with part.open("rb+") as copied:
        os.fsync(copied.fileno())
    part.replace(place)


def _address(url: URL) -> list[str]:
    """Return how PostgreSQL's tools are told which database; the password goes another way, for all can see these."""
    return [f"--dbname={url.set(drivername='postgresql', password=None).render_as_string()}"]


def _run(command: Sequence[str], url: URL) -> None:
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's own tools
    if ended.returncode:
        raise _failed(Path(command[0]).name, ended.stderr.strip().splitlines()[-1] if ended.stderr else "?")


def _failed(where: str, why: str) -> GuardError:
    return GuardError(ErrorKind.CONFLICT, "backup.database", why, where=where)
