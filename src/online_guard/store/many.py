"""One statement for many rows, without the general library's work for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.dml import UpdateBase


class Many:
    """A statement that is executed with many rows of values; it is compiled once for each kind of database.

    Values go to the driver as they are: for columns that need no translation.

    Args:
        statement: With named parameters, none of which is left out of any row.
        names: Of an INSERT without `values`, the columns.
    """

    def __init__(self, statement: UpdateBase, names: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, tuple[str, Sequence[str] | None]] = {}

    def execute(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
        """Execute it with rows; return how many rows of the table were inserted or changed."""
        if not rows:
            return 0
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            names = None if self._names is None else list(self._names)
            compiled: Any = self._statement.compile(dialect=dialect, column_keys=names)
            self._compiled[dialect.name] = str(compiled), compiled.positiontup
        sql, order = self._compiled[dialect.name]
        values: Any = rows if order is None else [tuple([row[name] for name in order]) for row in rows]
        return connection.exec_driver_sql(sql, list(values)).rowcount
