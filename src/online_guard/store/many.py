"""One statement for many rows, without the general library's work for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.dml import UpdateBase

MOST_ROWS = 256
"""In one step of SQLite, which takes 32 766 values."""
_ROW = re.compile(r"(?<=VALUES )\([?, ]+\)")


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
        if order is None:
            return connection.exec_driver_sql(sql, list(rows)).rowcount
        values = [tuple([row[name] for name in order]) for row in rows]
        if not _ROW.search(sql):
            return connection.exec_driver_sql(sql, values).rowcount
        parts = _parts(len(rows))
        return sum(
            connection.exec_driver_sql(_for_rows(sql, part.stop - part.start), _joined(values[part])).rowcount
            for part in parts
        )


def _parts(number: int) -> Iterator[slice]:
    """Yield slices of a few sizes, so that few statements are to be prepared.

    One step of SQLite for many rows: for each step the driver lets another thread run, and has to wait for its turn.
    """
    first, size = 0, MOST_ROWS
    while first < number:
        while first + size > number:
            size //= 2
        yield slice(first, first + size)
        first += size


@lru_cache(maxsize=256)
def _for_rows(sql: str, number: int) -> str:
    return _ROW.sub(lambda row: ", ".join([row[0]] * number), sql)


def _joined(values: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(values))
