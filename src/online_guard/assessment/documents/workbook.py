"""Sheets that open and print as an office wants them: real types, frozen header, filter, A4, page numbers."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | date | time | datetime | None
A4 = 9
"""The number by which spreadsheets call this paper."""
MARGIN_INCHES = 0.5
PADDING = 3
"""Beside the longest text of a column, in characters: the filter's arrow takes two."""
LINE_POINTS = 15.5
"""Height of a line of text."""
WIDE_SHEET = 90
"""Characters beyond which a sheet is printed in landscape."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is marked as text (as Excel's leading apostrophe does), so that nobody's program, whatever is
done to the sheet later, takes a name for a formula."""
NUMBER_FORMATS: dict[type, str] = {
    datetime: "yyyy-mm-dd hh:mm",
    date: "yyyy-mm-dd",
    time: "hh:mm",
    int: "#,##0",
    float: "0.00%",
}
"""How a cell of each type is shown; a float is a share."""


@dataclass
class Sheets:
    """A workbook to which sheets are added; `title` and `version` stand on each printed page."""

    book: Workbook
    title: str
    version: str

    def __post_init__(self) -> None:
        plain = {"border": 1, "border_color": "#8C8C8C", "valign": "vcenter", "text_wrap": True, "font_size": 10}
        self._header = self.book.add_format({**plain, "bold": True, "bg_color": "#E4EAF1", "align": "center"})
        self._text = self.book.add_format(plain)
        self._quoted = self.book.add_format({**plain, "quote_prefix": True})
        self._typed = {
            kind: self.book.add_format({**plain, "num_format": code, "align": "center"})
            for kind, code in NUMBER_FORMATS.items()
        }

    def add(
        self,
        name: str,
        header: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        widest: int = 24,
        filtered: bool = True,
    ) -> Worksheet:
        """Add a sheet, its columns as wide as their texts and its rows as high as the wrapped ones.

        Args:
            name: Of the sheet, at most 31 characters.
            header: A text for each column, repeated on each printed page.
            rows: Cells below it; None and an empty text leave a bordered space to write in.
            widest: Of a column, in characters; longer texts wrap.
            filtered: Whether the header offers a filter.
        """
        sheet, rows = self.book.add_worksheet(name), list(rows)
        widths = [min(max(map(_width, column)) + PADDING, widest) for column in zip(header, *rows, strict=True)]
        for column, (text, width) in enumerate(zip(header, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, text, self._header)
        sheet.set_row(0, 2 * LINE_POINTS)
        for place, row in enumerate(rows, 1):
            sheet.set_row(place, LINE_POINTS * max(map(_lines, row, widths)))
            for column, cell in enumerate(row):
                self._write(sheet, place, column, cell)
        sheet.freeze_panes(1, 0)
        if filtered:
            sheet.autofilter(0, 0, len(rows), len(header) - 1)
        self._set_up_print(sheet, sum(widths) > WIDE_SHEET)
        return sheet

    def _write(self, sheet: Worksheet, row: int, column: int, cell: Cell) -> None:
        if cell is None or cell == "":
            sheet.write_blank(row, column, None, self._text)
        elif isinstance(cell, str):
            sheet.write_string(row, column, cell, self._quoted if cell.startswith(FORMULA_SIGNS) else self._text)
        elif isinstance(cell, date | time):  # a datetime is a date
            sheet.write_datetime(row, column, cell, self._typed[type(cell)])
        else:
            sheet.write_number(row, column, cell, self._typed[type(cell)])

    def _set_up_print(self, sheet: Worksheet, is_wide: bool) -> None:
        sheet.set_paper(A4)
        if is_wide:
            sheet.set_landscape()
        sheet.set_margins(left=MARGIN_INCHES, right=MARGIN_INCHES, top=0.8, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        # without the space, a digit of the text would be read as one of the size
        sheet.set_header(f"&L&9 {_escaped(self.title)} &A&R&9 {_escaped(self.version)}")
        sheet.set_footer("&C&9第 &P 页，共 &N 页   page &P of &N")


def _width(cell: Cell) -> int:
    """Return how many characters wide the longest line of a cell is; a 汉字 takes two."""
    if isinstance(cell, date):  # a datetime is one, and shown to the minute
        return 16 if isinstance(cell, datetime) else 10
    if isinstance(cell, time | float):
        return 5
    return max(map(_line_width, str(cell or "").split("\n")))


def _line_width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)


def _lines(cell: Cell, width: float) -> int:
    """Return how many lines a cell takes in a column of a width in characters."""
    if not isinstance(cell, str):
        return 1
    return sum(max(1, math.ceil(_line_width(line) / (width - 1))) for line in cell.split("\n"))


def _escaped(text: str) -> str:
    """Return a text for a page's header, where & begins a code."""
    return text.replace("&", "&&")
