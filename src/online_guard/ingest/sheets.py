"""A sheet somebody filled in, XLSX or CSV → rows of one type with their places; every other row with its reason.

What a person may leave as it is: a title over the header, a header of two rows, columns in any order under Chinese or
English names, empty rows, numbers kept as text, formulas. What is unknown is refused by its name, never skipped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.cell_positions import MOST_COLUMNS, MOST_ROWS, column_letters, too_large
from online_guard.ingest.refusals import Refusal, explain
from online_guard.ingest.sheet_cells import Column, header_name, is_empty, value_of
from online_guard.ingest.workbooks import Cell, Sheet, read_workbook

MOST_BYTES = 4 * 1024 * 1024
"""Of a file, packed."""
HEADER_WITHIN = 20
"""Rows in which the header must stand."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Layout(Generic[Row]):
    """What a kind of sheet holds.

    Attributes:
        title: Its name, Chinese first.
        type: A msgspec struct: what a row becomes.
        columns: Its columns.
        required: Of each of these at least one column must be there.
    """

    title: str
    type: type[Row]
    columns: tuple[Column, ...]
    required: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Place:
    """Where a row came from: `row` from 1, as a person counts; `letters` of the columns by field."""

    file: str = ""
    sheet: str = ""
    row: int = 0
    letters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Placed(Generic[Row]):
    """A row, or why there is none, with its place."""

    place: Place
    row: Row | Refusal


def read_sheet(content: bytes, file: str, layout: Layout[Row]) -> list[Placed[Row]]:
    """Return the rows of a file, in order.

    Args:
        content: XLSX, or CSV in UTF-8 or GB18030.
        file: Its name, for the reader of the report.
        layout: What the sheet is to hold.

    Raises:
        GuardError: It can't be read at all, or is larger than it may be.
    """
    if len(content) > MOST_BYTES:
        raise too_large(f"超过 {MOST_BYTES >> 20} MiB / more than {MOST_BYTES >> 20} MiB")
    sheets = read_workbook(content) if content.startswith(b"PK") else [_read_csv(content)]
    rows = [placed for sheet in sheets for placed in _rows_of(sheet, file, layout)]
    if not rows:
        raise GuardError(
            ErrorKind.INVALID,
            "sheet.empty",
            "表格中没有数据行 / the sheet holds no row of data",
            where=file,
            remedy="模板见 template 命令 / see the command `template`.",
        )
    return rows


def rows_of(kind: type[Row], values: Sequence[Mapping[str, Any]]) -> list[Placed[Row]]:
    """Return rows that came as JSON values, which are right each by itself, but may contradict themselves."""
    return [_converted(Place(row=number), one, kind) for number, one in enumerate(values, start=1)]


def _converted(place: Place, values: Mapping[str, Any], kind: type[Row]) -> Placed[Row]:
    try:
        return Placed(place, msgspec.convert(values, type=kind))
    except msgspec.ValidationError as error:
        return Placed(place, explain(error, b""))


def _read_csv(content: bytes) -> Sheet:
    try:
        rows = list(islice(csv.reader(StringIO(_text_of(content), newline=""), strict=True), MOST_ROWS + 1))
    except csv.Error as error:
        raise _unreadable(f"不是 CSV / not CSV: {error}") from error
    if len(rows) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in rows):
        words = f"超过 {MOST_ROWS} 行或 {MOST_COLUMNS} 列 / more than {MOST_ROWS} rows or {MOST_COLUMNS} columns"
        raise too_large(words)
    return Sheet("", rows)


def _text_of(content: bytes) -> str:
    if b"\0" in content:
        raise _unreadable("含 NUL 字节,不是 XLSX 或 CSV / it holds NUL bytes: neither XLSX nor CSV")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable("既不是 UTF-8 也不是 GB18030 / neither UTF-8 nor GB18030")


def _unreadable(words: str) -> GuardError:
    remedy = "请用表格软件另存为 .xlsx 或 UTF-8 的 CSV / save it as .xlsx, or as CSV in UTF-8."
    return GuardError(ErrorKind.MALFORMED, "sheet.unreadable", words, remedy=remedy)


def _rows_of(sheet: Sheet, file: str, layout: Layout[Row]) -> Iterator[Placed[Row]]:
    names = {header_name(name): column for column in layout.columns for name in column.names}
    first, header = _header(sheet.rows, names)
    columns, wrong = _columns(header, names, layout)
    if wrong:
        for letters, refusal in wrong:
            yield Placed(Place(file, sheet.name, first, {refusal.field: letters}), refusal)
        return
    letters_of = {column.field: column_letters(place) for place, column in columns.items()}
    faulty_in: dict[int, dict[int, Refusal]] = {}
    for (number, at), refusal in sheet.faulty.items():
        faulty_in.setdefault(number, {})[at] = refusal
    last = max(len(sheet.rows), *(number + 1 for number in faulty_in), 0)
    for number in range(first, last):
        row = sheet.rows[number] if number < len(sheet.rows) else ()
        faulty = faulty_in.get(number, {})
        if faulty or not all(map(is_empty, row)):
            yield _placed(Place(file, sheet.name, number + 1, letters_of), row, faulty, columns, layout.type)


def _columns(
    header: Sequence[Cell], names: Mapping[str, Column], layout: Layout[Any]
) -> tuple[dict[int, Column], list[tuple[str, Refusal]]]:
    """Return the columns by place, and what is wrong with the header, each with the letters of its column."""
    columns: dict[int, Column] = {}
    wrong: list[tuple[str, Refusal]] = []
    for place, title in enumerate(header):
        column = names.get(header_name(title))
        if column is not None and column not in columns.values():
            columns[place] = column
        elif not is_empty(title):
            words = "该列出现两次 / the column stands twice" if column else "未知的列 / unknown column"
            wrong.append((column_letters(place), Refusal(f"{words}: {str(title).strip():.60}")))
    present = {column.field for column in columns.values()}
    for choice in layout.required:
        if present.isdisjoint(choice):
            missing = "、".join(column.names[0] for column in layout.columns if column.field in choice)
            wrong.append(("", Refusal(f"找不到表头或缺少列 / no header, or a column is missing: {missing}", choice[0])))
    return columns, wrong


def _header(rows: Sequence[Sequence[Cell]], names: Mapping[str, Column]) -> tuple[int, Sequence[Cell]]:
    """Return how many rows end with the header, and the header; of its two rows the lower counts where it is filled."""

    def known(row: Sequence[Cell]) -> int:
        return sum(header_name(cell) in names for cell in row)

    filled = [sum(not is_empty(cell) for cell in row) for row in rows[:HEADER_WITHIN]]
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        if known(row) < min(2, filled[number]) or not filled[number]:
            continue
        below = rows[number + 1] if number + 1 < len(rows) else ()
        if known(below) and known(below) == sum(not is_empty(cell) for cell in below):
            width = max(len(row), len(below))
            upper, lower = ([*cells, *[""] * (width - len(cells))] for cells in (row, below))
            return number + 2, [upper[at] if is_empty(lower[at]) else lower[at] for at in range(width)]
        return number + 1, row
    return 0, ()


def _placed(
    place: Place,
    row: Sequence[Cell],
    faulty: Mapping[int, Refusal],
    columns: Mapping[int, Column],
    kind: type[Row],
) -> Placed[Row]:
    values: dict[str, Any] = {}
    for at in range(max(len(row), *(at + 1 for at in faulty), 0)):
        cell = row[at] if at < len(row) else ""
        column = columns.get(at)
        if column is None:
            if at in faulty or not is_empty(cell):
                return Placed(place, Refusal(f"{column_letters(at)} 列没有表头 / no header over column"))
            continue
        if not column.is_read:
            continue
        value = faulty[at] if at in faulty else value_of(column, cell)
        if isinstance(value, Refusal):
            return Placed(place, Refusal(value.reason, column.field))
        if value is not None:
            values[column.field] = value
    return _converted(place, values, kind)
