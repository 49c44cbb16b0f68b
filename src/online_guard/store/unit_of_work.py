"""The database engine, its migrations at start, and one transaction for each request or job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.sqlite_writer import writer_of

BUSY_TIMEOUT_MS = 30_000


def open_engine(url: str) -> Engine:
    """Return an engine; SQLite in WAL mode, synced at each commit, one writer at a time."""
    engine = create_engine(url, hide_parameters=True)  # what is stored must not come into logs
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "engine_disposed", _close_writer)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin as `_begin_sqlite` says, not by the driver's guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _close_writer(engine: Engine) -> None:
    writer_of(engine).close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def alembic_config(url: str) -> Config:
    """Return the configuration of the packaged migrations for a database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str) -> None:
    """Bring a database to the newest tables."""
    command.upgrade(alembic_config(url), "head")


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Yield a session in one transaction that is committed at the end, or undone by an exception.

    On SQLite all transactions of a process share one connection, one after the other.

    Raises:
        GuardError: The database can't be written to at this moment: a full disk, a lost connection. Nothing was kept.
    """
    with (
        _unavailable(),
        _writable(engine) as bind,
        Session(bind, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


def _writable(engine: Engine) -> AbstractContextManager[Engine | Connection]:
    return writer_of(engine).lent() if engine.dialect.name == "sqlite" else nullcontext(engine)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session in one transaction that changes nothing and waits for no writer.

    Raises:
        GuardError: The database can't be read at this moment.
    """
    quiet = engine.execution_options(reads_only=True)
    with _unavailable(), Session(quiet, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def _unavailable() -> Iterator[None]:
    """Turn what the database can't do just now into an error that a caller may try again after."""
    try:
        yield
    except (OperationalError, InternalError) as error:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "store.unavailable",
            "数据库暂不可用 / the database is unavailable",
            remedy="未作任何改动,请稍后重试 / nothing was kept; try again shortly.",
        ) from error
