"""A column of a sheet that people fill in, and what its cells mean: dates, numbers, words, and each kept as text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from online_guard.ingest.refusals import NOT_FINITE, Refusal

MOST_LETTERS = 500
"""Of a cell: longer text is a mistake."""
EXACT = 2**53
"""Whole numbers are exact below this in a sheet: an identity number kept as a number has lost its last digits."""
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_DAY = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_YES = frozenset({"是", "yes", "y", "true", "1", "√", "✓", "合格", "通过", "缺考", "passed", "absent"})
_NO = frozenset({"否", "no", "n", "false", "0", "×", "✗", "不合格", "未通过", "不通过", "到考", "failed", "present"})
_BAD_DAY = Refusal("不是日期,应如 2021-08-14 / no date; write it as 2021-08-14")


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DAY = "day"
    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        field: Its name in the row that is read.
        names: Headers that mean it, the one of the template first.
        kind: What it holds.
        words: Of a text out of a few, what each word means.
        is_read: Whether its cells mean anything here: a name or a signature is for people.
        hint: What to write, Chinese first; for the template.
    """

    field: str
    names: tuple[str, ...]
    kind: Kind = Kind.TEXT
    words: Mapping[str, str] = default(default_factory=dict, hash=False)
    is_read: bool = True
    hint: str = ""


def header_name(cell: object) -> str:
    """Return a header without what people add: spaces, line breaks, marks, width, case.

    >>> header_name(" 学 时* ")
    '学时'
    """
    return re.sub(r"[\s*::]", "", unicodedata.normalize("NFKC", str(cell))).casefold()


def is_empty(cell: object) -> bool:
    """Return whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not _plain(cell))


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", text).strip()


def value_of(column: Column, cell: object) -> Any:
    """Return what a cell says as a JSON value, None where it is empty, or why it can't be used.

    No reason repeats what stands in the cell: it may be somebody's identity number.
    """
    if is_empty(cell):
        return None
    if isinstance(cell, str) and len(cell) > MOST_LETTERS:
        return Refusal(f"超过 {MOST_LETTERS} 个字符 / more than {MOST_LETTERS} characters")
    match column.kind:
        case Kind.TEXT:
            return _text(cell, column.words)
        case Kind.DAY:
            return _day(cell)
        case Kind.FLAG:
            return _flag(cell)
        case _:
            return _number(cell, is_whole=column.kind is Kind.WHOLE)


def _text(cell: object, words: Mapping[str, str]) -> str | Refusal:
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        if not math.isfinite(cell) or cell != int(cell) or abs(cell) >= EXACT:
            return Refusal("号码须存为文本,否则会丢失末位 / keep it as text: as a number it has lost digits")
        text = str(int(cell))
    elif isinstance(cell, str):
        text = _plain(cell)
    else:
        return Refusal("应为文本 / must be text")
    if not words:
        return text
    known = {header_name(word): value for word, value in words.items()}
    return known.get(header_name(text)) or Refusal(f"应为 / must be one of: {'、'.join(words)}")


def _day(cell: object) -> str | Refusal:
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else _BAD_DAY
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        return _BAD_DAY
    found = _DAY.fullmatch(_plain(unicodedata.normalize("NFKC", cell)).replace(" ", ""))
    try:
        return date(*(int(part) for part in found.groups() if part)).isoformat() if found else _BAD_DAY
    except ValueError:
        return _BAD_DAY


def _number(cell: object, *, is_whole: bool) -> float | int | Refusal:
    if isinstance(cell, str):
        text = _plain(unicodedata.normalize("NFKC", cell))
        cell = float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(cell, bool) or not isinstance(cell, float | int):
        return Refusal("应为数字 / must be a number")
    if not math.isfinite(cell):
        return Refusal(NOT_FINITE)
    if not is_whole:
        return float(cell)
    return int(cell) if cell == int(cell) else Refusal("应为整数 / must be a whole number")


def _flag(cell: object) -> bool | Refusal:
    if isinstance(cell, bool):
        return cell
    text = str(int(cell)) if isinstance(cell, float | int) and math.isfinite(cell) and cell == int(cell) else cell
    word = header_name(text)
    if word in _YES | _NO:
        return word in _YES
    return Refusal("应为“是”或“否” / must be 是 (yes) or 否 (no)")
