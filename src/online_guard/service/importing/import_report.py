"""What became of each row of an import: counts by table, and lists in pages small enough to be told one at a time."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from online_guard.ingest.refusals import RefusedRow

PAGE_ROWS = 500
REFUSED, DUPLICATE, CONFLICT = "refused", "duplicate", "conflict"
KINDS = (REFUSED, DUPLICATE, CONFLICT)
ACCEPTED = "accepted"
TABLES = {
    "classes.json": "classes",
    "events.ndjson": "events",
    "events.parquet": "events",
}
"""The table of each file of a bundle whose name says it less plainly."""


def table_of(file: str) -> str:
    """Return the table of a file: its name without the ending; `records` of a log that is no bundle's."""
    return TABLES.get(file) or (file.removesuffix(".ndjson") if file.endswith(".ndjson") else "records")


class Report:
    """Counts and lists that grow while an import is read; only deflated pages stay in memory."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = defaultdict(
            lambda: dict.fromkeys((ACCEPTED, DUPLICATE, REFUSED, CONFLICT), 0)
        )
        self._waiting: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        self._pages: list[tuple[str, int, bytes]] = []
        self._numbers = dict.fromkeys(KINDS, 0)

    def count(self, table: str, kind: str, number: int = 1) -> None:
        """Add to what became of the rows of a table."""
        self._counts[table][kind] = self._counts[table].get(kind, 0) + number

    def refuse(self, rows: Iterable[RefusedRow], table: str | None = None) -> None:
        """Note rows that were refused, of the table that their file is or of another one."""
        for row in rows:
            self.count(table or table_of(row.file), REFUSED)
            self._list(REFUSED, {"file": row.file, "line": row.line, "field": row.field, "reason": row.reason})

    def refuse_some(self, table: str, key: str, reason: str, number: int) -> None:
        """Note rows about one thing, refused for one reason; their lines aren't known any more."""
        self.count(table, REFUSED, number)
        self._list(REFUSED, {"file": table, "line": 0, "field": key, "reason": f"{reason} (× {number:,})"})

    def known(self, table: str, kind: str, key: str, reason: str = "", number: int = 1) -> None:
        """Note rows that are known already: `duplicate`, or `conflict` with what is kept."""
        self.count(table, kind, number)
        self._list(kind, {"table": table, "key": key, "number": number} | ({"reason": reason} if reason else {}))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the counts by table: `sent` is the sum of the others."""
        return {name: {"sent": sum(row.values()), **row} for name, row in sorted(self._counts.items())}

    def pages(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield (kind, number, deflated rows) of every page."""
        for kind in KINDS:
            self._close(kind)
        yield from self._pages

    def _list(self, kind: str, row: dict[str, Any]) -> None:
        self._waiting[kind].append(row)
        if len(self._waiting[kind]) == PAGE_ROWS:
            self._close(kind)

    def _close(self, kind: str) -> None:
        if self._waiting[kind]:
            body = zlib.compress(msgspec.json.encode(self._waiting[kind]))
            self._pages.append((kind, self._numbers[kind], body))
            self._numbers[kind] += 1
            self._waiting[kind] = []


def rows_of(page: bytes | None) -> Sequence[dict[str, Any]]:
    """Return the rows of a page, none of a page that isn't there."""
    rows: list[dict[str, Any]] = msgspec.json.decode(zlib.decompress(page)) if page else []
    return rows
