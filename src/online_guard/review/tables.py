"""Tables for spreadsheets in which no text becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Text that begins with one of these is calculated by spreadsheets that open CSV. Source: OWASP, CSV injection."""


def written(kind: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a table as `csv` (UTF-8 with a byte order mark, which Excel needs) or `xlsx`."""
    return _csv(head, rows) if kind == "csv" else _xlsx(head, rows)


def _csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(head)
    table.writerows([_safe(value) for value in row] for row in rows)
    return "\ufeff".encode() + text.getvalue().encode()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(BEGINS_FORMULA) else value


def _xlsx(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(
        content,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for number, row in enumerate([head, *rows]):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value, bold if number == 0 else None)
            else:
                sheet.write_number(number, column, value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
    sheet.autofit()
    book.close()
    return content.getvalue()
