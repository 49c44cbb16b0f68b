"""The one connection through which a process writes to SQLite, and whose turn it is.

SQLite before 3.51.3 can lose a commit when two connections write and checkpoint at the same moment (the WAL-reset
fault): here one connection does all writes and, with them, all checkpoints.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from online_guard.errors import ErrorKind, GuardError

OLDEST = (3, 35, 0)
"""The first SQLite that knows RETURNING."""
FIXED = (3, 51, 3)
"""The first SQLite without the WAL-reset fault."""
PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
"""What `open_engine` sets, as SQLite tells it: synchronous is 2 for FULL."""
log = logging.getLogger(__name__)


class SqliteWriter:
    """Lends the writing connection of an engine to one thread after the other, in the order in which they ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._gate = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._owner: int | None = None

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """Yield the connection; after an error of the database it is closed: the next one begins afresh.

        Raises:
            RuntimeError: This thread has it already.
        """
        self._take()
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            try:
                yield self._connection
            except DBAPIError:
                self.close()
                raise
        finally:
            self._give()

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if not (connection.closed or connection.invalidated):
                connection.detach()  # else it would stay open in its pool, and the log of writes with it
            connection.close()

    def _take(self) -> None:
        me = threading.get_ident()
        with self._gate:
            if self._owner is None:
                self._owner = me
                return
            if self._owner == me:
                raise RuntimeError("a transaction that writes was begun inside another one")
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()
        self._owner = me

    def _give(self) -> None:
        with self._gate:
            if self._waiting:
                self._owner = -1  # nobody's, but not free: it is handed to the thread that has waited longest
                self._waiting.popleft().release()
            else:
                self._owner = None


_WRITERS: WeakKeyDictionary[Engine, SqliteWriter] = WeakKeyDictionary()
_MAKING = threading.Lock()


def writer_of(engine: Engine) -> SqliteWriter:
    """Return the writer of an engine."""
    writer = _WRITERS.get(engine)
    if writer is None:
        with _MAKING:
            writer = _WRITERS.setdefault(engine, SqliteWriter(engine))
    return writer


def check_sqlite(engine: Engine) -> None:
    """Check that SQLite is new enough and keeps what it confirms; on other databases do nothing.

    Raises:
        GuardError: It is too old, or one of its settings isn't in force.
    """
    if engine.dialect.name != "sqlite":
        return
    if sqlite3.sqlite_version_info < OLDEST:
        raise _unfit(f"SQLite {sqlite3.sqlite_version} 过旧 / is too old", "请用 3.35 或更新 / use 3.35 or newer.")
    with writer_of(engine).lent() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
        connection.rollback()
    is_file = bool(engine.url.database)
    wrong = [name for name, value in PRAGMAS.items() if found[name] != value and (is_file or name != "journal_mode")]
    if wrong:
        told = ", ".join(f"{name}={found[name]}" for name in wrong)
        raise _unfit(f"SQLite 设置未生效 / settings not in force: {told}", "请换用本地磁盘 / use a local disk.")
    if sqlite3.sqlite_version_info < FIXED:
        log.info(
            "SQLite %s: 同一数据库请勿有第二个写入进程 / let no second process write to the same database",
            sqlite3.sqlite_version,
        )


def _unfit(message: str, remedy: str) -> GuardError:
    return GuardError(ErrorKind.UNAVAILABLE, "store.unfit", message, where="database", remedy=remedy)
