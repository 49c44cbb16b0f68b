"""PostgreSQL kept to the promises that SQLite makes: one writer at a time, readers see one moment and wait for nobody.

Every writing transaction, a migration too, first takes one advisory lock and keeps it until it is committed. So
nothing that a writer has looked up changes before it writes, row numbers are given in the order of the commits (the
index of seen pictures reads on from the last number), and writers can neither deadlock nor fail to be put in order. A
commit of a group of requests costs one lock, so throughput comes from bigger groups, as on SQLite.
"""

from __future__ import annotations

from typing import Any

from psycopg import Error as PostgresError
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, Engine, ExceptionContext, event

WRITER_LOCK = 0x0611_0001
"""Number of the advisory lock of writers; any number that nobody else uses."""
OPTIONS = (
    "-c timezone=UTC -c synchronous_commit=on "
    "-c lock_timeout={wait_ms} -c idle_in_transaction_session_timeout={wait_ms} "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
"""A host that vanishes in the middle of a transaction gives the lock of writers back after this."""
READS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '1h'"
)
"""Readers hold nobody up, and may take their time between two look-ups: an import reads its files meanwhile."""


def connect_arguments(wait_ms: int) -> dict[str, Any]:
    """Return what the driver is to ask for; a writer waits so many ms for the one before, and none dawdles longer."""
    return {"options": OPTIONS.format(wait_ms=wait_ms), "application_name": "online-guard", "connect_timeout": 10}


def prepare(engine: Engine) -> None:
    """Let transactions of an engine begin as `unit_of_work` says, and its errors tell no stored values."""
    event.listen(engine, "connect", _adapt_text)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _without_values)


class _Text(StrDumperUnknown):
    """Text may hold U+0000 on SQLite but not on PostgreSQL: its picture ␀ stands for it."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\u2400") if "\0" in obj else obj)


def _adapt_text(connection: Any, _record: object) -> None:
    connection.adapters.register_dumper(str, _Text)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("reads_only", False):
        connection.exec_driver_sql(READS)
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


def _without_values(context: ExceptionContext) -> None:
    """Keep the first line of an error: the others quote the row that was refused."""
    error = context.original_exception
    if isinstance(error, PostgresError) and error.diag.message_primary is not None:
        error.args = (f"{error.sqlstate}: {error.diag.message_primary}",)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = error.args
