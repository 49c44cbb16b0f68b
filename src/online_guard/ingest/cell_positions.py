"""Where the cells of an XLSX sheet stand, and which of them hold no value, read from its XML alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.refusals import Refusal

MOST_ROWS = 10_000
"""Of a sheet: more than the 8 000 places of the county's year (annex 1)."""
MOST_COLUMNS = 64
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})\Z")
_ROW = re.compile(r"[1-9][0-9]{0,6}\Z")
_ERROR = Refusal("单元格是错误值,如 #N/A / the cell is an error such as #N/A")
_NO_RESULT = Refusal("公式没有结果,请打开文件并保存一次 / a formula without a result: open the file and save it")


class CellPositions:
    """What is known of a part of an XLSX file before its cells are read.

    Args:
        xml: The part: a sheet, or anything else.

    Attributes:
        faulty: By row and column, both from 0, cells with an error, or with a formula that has no result.

    Raises:
        xml.parsers.expat.ExpatError: It isn't well-formed, or declares a document type, which could define entities.
        GuardError: A cell lies further away than a sheet may reach, or its position can't be read.
    """

    def __init__(self, xml: bytes) -> None:
        self.faulty: dict[tuple[int, int], Refusal] = {}
        self._row, self._column = -1, -1
        self._is_error = self._has_formula = self._has_value = False
        parse(xml, self._start, self._end)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                number = _checked(_ROW, attributes["r"])[0] if "r" in attributes else self._row + 2
                self._row, self._column = int(number) - 1, -1
            case "c":
                self._column += 1
                if "r" in attributes:
                    found = _checked(_CELL, attributes["r"])
                    self._row, self._column = int(found[2]) - 1, column_number(found[1])
                self._is_error = attributes.get("t") == "e"
                self._has_formula = self._has_value = False
            case "f":
                self._has_formula = True
            case "v" | "is":
                self._has_value = True

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] != "c" or not (self._has_value or self._has_formula):
            return
        if self._row >= MOST_ROWS or self._column >= MOST_COLUMNS:
            words = f"超过 {MOST_ROWS} 行或 {MOST_COLUMNS} 列 / more than {MOST_ROWS} rows or {MOST_COLUMNS} columns"
            raise too_large(words)
        if self._is_error:
            self.faulty[self._row, self._column] = _ERROR
        elif not self._has_value:
            self.faulty[self._row, self._column] = _NO_RESULT
        self._has_formula = self._has_value = False


def parse(xml: bytes, start: Any, end: Any = None) -> None:
    """Have the elements of an XML text told: `start(name, attributes)`, `end(name)`.

    Raises:
        xml.parsers.expat.ExpatError: It isn't well-formed, or declares a document type, which could define entities.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(xml, True)


def _refuse_doctype(*_: Any) -> None:
    raise expat.ExpatError("a document type")


def _checked(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.match(text)
    if found is None:
        raise broken(f"{text!r:.40}")
    return found


def column_number(letters: str) -> int:
    """Return the number, from 0, of a column's letters.

    >>> column_number("A"), column_number("AA")
    (0, 26)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(number: int) -> str:
    """Return the letters of a column's number, from 0.

    >>> column_letters(25), column_letters(26)
    ('Z', 'AA')
    """
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def too_large(words: str) -> GuardError:
    """Return the error for a file that holds more than it may."""
    remedy = "请分成几个文件 / split it into several files."
    return GuardError(ErrorKind.TOO_LARGE, "sheet.too_large", words, remedy=remedy)


def broken(what: str) -> GuardError:
    """Return the error for a file that isn't what it seems to be."""
    return GuardError(
        ErrorKind.MALFORMED,
        "sheet.broken",
        f"不是可读的 XLSX 文件 / not an XLSX file that can be read: {what:.200}",
        remedy="请用表格软件另存为 .xlsx 或 CSV / save it as .xlsx or CSV.",
    )
