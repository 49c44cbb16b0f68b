"""The database engine, its migrations at start, and one transaction for each request or job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import postgresql
from online_guard.store.sqlite_writer import writer_of

BUSY_TIMEOUT_MS = 30_000
UNREACHABLE = (OperationalError, InterfaceError, PoolTimeoutError)
"""What a full disk or a lost server looks like."""
READ_ONLY = (InternalError,)
"""How PostgreSQL refuses to write to a read-only database."""


def open_engine(url: str) -> Engine:
    """Return an engine: what is committed is on disk, one writer at a time; SQLite in WAL mode, or PostgreSQL."""
    address = make_url(url)
    options: dict[str, Any] = {"hide_parameters": True}  # what is stored must not come into logs
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
        arguments = postgresql.connect_arguments(BUSY_TIMEOUT_MS)
        # a restarted server is noticed before a connection is used, not by a failed request
        engine = create_engine(address, **options, connect_args=arguments, pool_pre_ping=True)
        postgresql.prepare(engine)
        return engine
    engine = create_engine(address, **options)
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
    connection.execute("PRAGMA secure_delete=ON")  # the key of a person who was erased must not stay in a free page


def _close_writer(engine: Engine) -> None:
    writer_of(engine).close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def close_engine(engine: Engine) -> None:
    """Close an engine; SQLite's log of writes is emptied into its file first, so that one file is all of it."""
    if engine.dialect.name == "sqlite":
        with writer_of(engine).lent() as connection:
            driver: Any = connection.connection.driver_connection  # outside any transaction
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


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
        GuardError: The database can't be reached or written now. Whether a commit that it broke off in was kept is not
            known.
    """
    with (
        _told_when_unavailable(*READ_ONLY),
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
        GuardError: The database can't be reached now.
    """
    reads = engine.execution_options(reads_only=True)
    with _told_when_unavailable(), Session(reads, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def _told_when_unavailable(*besides: type[DBAPIError]) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if not lost and not isinstance(error, (*UNREACHABLE, *besides)):
            raise
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "database.unavailable",
            "数据库暂不可用 / the database can't be reached or written now",
            remedy="请稍后以同样内容重试 / try the same again shortly.",
        ) from error
