"""What state the database itself is in: its version, settings and tables, and whether it can be written."""

from __future__ import annotations

import sqlite3

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from online_guard.store.unit_of_work import alembic_config

SAFE_SQLITE = (3, 51, 3)
"""Before this version, a checkpoint by one connection during a write by another could lose what was committed (the
WAL-reset bug). With one connection that does all writes and checkpoints it can't happen."""
PRAGMAS = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
"""What a durable SQLite database has; synchronous 2 is FULL."""


def newest_tables() -> str:
    """Return the name of the last migration that the program knows."""
    return ScriptDirectory.from_config(alembic_config("sqlite://")).get_current_head() or ""


def present_tables(engine: Engine) -> str:
    """Return the name of the last migration that the database has had; empty for a new one."""
    with engine.execution_options(reads_only=True).connect() as connection:
        return ",".join(MigrationContext.configure(connection).get_current_heads())


def version(engine: Engine) -> str:
    """Return product and version of the database."""
    if engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with engine.execution_options(reads_only=True).connect() as connection:
        return f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"


def has_wal_reset_bug(engine: Engine) -> bool:
    """Return whether this is a SQLite before `SAFE_SQLITE`."""
    return engine.dialect.name == "sqlite" and sqlite3.sqlite_version_info < SAFE_SQLITE


def durability(engine: Engine) -> dict[str, str]:
    """Return the settings that decide whether a commit survives a power cut."""
    is_sqlite = engine.dialect.name == "sqlite"
    names = tuple(PRAGMAS) if is_sqlite else ("fsync", "synchronous_commit", "full_page_writes")
    with engine.execution_options(reads_only=True).connect() as connection:
        return {name: str(connection.scalar(text(f"{'PRAGMA' if is_sqlite else 'SHOW'} {name}"))) for name in names}


def is_durable(told: dict[str, str]) -> bool:
    """Return whether these settings keep every commit; PostgreSQL has other words for stricter kinds of `on`."""
    return all(PRAGMAS.get(name, value) == value and value not in ("off", "local") for name, value in told.items())


def clock_ms(engine: Engine) -> int | None:
    """Return the clock of the database's host in ms since the epoch; None where it is this one."""
    if engine.dialect.name == "sqlite":
        return None
    with engine.execution_options(reads_only=True).connect() as connection:
        return int(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")) or 0)
