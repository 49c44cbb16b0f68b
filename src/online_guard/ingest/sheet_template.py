"""An empty sheet to be filled in: real types, a frozen header, choices and hints where a cell is written."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import xlsxwriter

from online_guard.ingest.cell_positions import MOST_ROWS
from online_guard.ingest.sheet_cells import Column, Kind
from online_guard.ingest.sheets import Layout

FORMATS = {Kind.TEXT: "@", Kind.DAY: "yyyy-mm-dd", Kind.NUMBER: "0.##", Kind.WHOLE: "0", Kind.FLAG: "@"}
WIDTH = 20
LONGEST_TITLE = 31
"""Letters of a sheet's name, by Excel."""


def template(layout: Layout[Any]) -> bytes:
    """Return an XLSX file without rows for a kind of sheet; filled in, `read_sheet` reads it."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet(layout.title[:LONGEST_TITLE])
        bold = workbook.add_format({"bold": True, "bg_color": "#DDE7F0", "text_wrap": True, "border": 1})
        for at, column in enumerate(layout.columns):
            sheet.write_string(0, at, column.names[0], bold)
            sheet.set_column(at, at, WIDTH, workbook.add_format({"num_format": FORMATS[column.kind]}))
            sheet.data_validation(1, at, MOST_ROWS - 1, at, _validation(column))
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
    return file.getvalue()


def _validation(column: Column) -> dict[str, Any]:
    """Return what is told where a cell is written, and the choices, where there are few."""
    said = {"input_title": f"{column.names[0]} {column.field}"[:32], "input_message": column.hint[:255] or column.field}
    if column.kind is Kind.FLAG:
        return said | {"validate": "list", "source": ["是", "否"]}
    if column.words:
        first: dict[str, str] = {}
        for word, value in column.words.items():
            first.setdefault(value, word)
        return said | {"validate": "list", "source": list(first.values())}
    return said | {"validate": "any"}
