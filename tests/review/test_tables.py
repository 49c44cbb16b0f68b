"""What is exported stays text: no cell becomes a formula."""

from __future__ import annotations

import csv
import io

import pytest
from python_calamine import CalamineWorkbook

from online_guard.review import tables

NASTY = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "https://example.org", "0012")


@pytest.mark.parametrize("text", NASTY)
def test_no_text_becomes_a_formula(text: str) -> None:
    csv_file = tables.written("csv", ["a", "b"], [[text, -1.5]]).decode("utf-8-sig")
    _, (cell, number) = csv.reader(io.StringIO(csv_file, newline=""))
    assert not cell.startswith(tables.BEGINS_FORMULA)
    assert (cell.removeprefix("'"), number) == (text, "-1.5")
    xlsx_file = io.BytesIO(tables.written("xlsx", ["a", "b"], [[text, -1.5]]))
    sheet = CalamineWorkbook.from_filelike(xlsx_file).get_sheet_by_index(0)
    (row,) = sheet.to_python()[1:]
    assert row[1] == -1.5
    assert isinstance(row[0], str)
    assert row[0].strip() == text.strip(), "written as text, whatever it looks like"
