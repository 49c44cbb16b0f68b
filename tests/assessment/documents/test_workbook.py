"""The workbook, opened again: real types, nothing that runs, and how it prints."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from online_guard.assessment.documents import Made, Papers, Person, make
from online_guard.assessment.documents.workbook import Sheets

NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture(scope="module")
def body(made: Callable[[str], Made]) -> bytes:
    return made("roster.xlsx").body


def sheets_of(body: bytes) -> dict[str, ET.Element]:
    """Return the XML of each sheet by its number."""
    with zipfile.ZipFile(BytesIO(body)) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        return {name: ET.fromstring(archive.read(name)) for name in names}


def test_there_is_a_sheet_for_each_day_between_overview_and_notes(body: bytes) -> None:
    assert CalamineWorkbook.from_filelike(BytesIO(body)).sheet_names == ["总览", "2021-08-11", "差异", "统计", "说明"]


def test_days_times_and_seats_are_what_they_are(body: bytes) -> None:
    header, first, *_ = CalamineWorkbook.from_filelike(BytesIO(body)).get_sheet_by_name("2021-08-11").to_python()
    assert header[0] == "日期\ndate"
    assert first[:9] == [
        *(date(2021, 8, 11), time(9), time(10, 30), "潢川县第一中学", "第一机房", "理论考试 theory"),
        *(1.0, "杨㛃", "413***********0001"),
    ]
    assert isinstance(first[6], float)


def test_every_sitting_has_a_row(body: bytes) -> None:
    rows = CalamineWorkbook.from_filelike(BytesIO(body)).get_sheet_by_name("2021-08-11").to_python()[1:]
    assert [row[6] for row in rows] == [*range(1, 13), *range(1, 13)]
    overview = CalamineWorkbook.from_filelike(BytesIO(body)).get_sheet_by_name("总览").to_python()
    assert [(row[4], row[6], row[7]) for row in overview[1:]] == [("第一机房", 12, "周喆"), ("实操一室", 12, "周喆")]


def test_changes_statistics_and_notes(body: bytes) -> None:
    book = CalamineWorkbook.from_filelike(BytesIO(body))
    changes = {row[1]: row for row in book.get_sheet_by_name("差异").to_python()}
    assert changes["e0000"][2] == "取消 removed"
    assert changes["e0000"][4] == ""
    assert changes["e0012"][3] == ""
    statistics = book.get_sheet_by_name("统计").to_python()
    assert statistics[9][:2] == [9.0, "电子商务从业人员技能提升培训"]
    assert statistics[9][3:] == [200.0, 6.0, 6.0, 0.03]
    assert statistics[-1][3] == 8_000
    notes = {row[0]: row[1] for row in book.get_sheet_by_name("说明").to_python()}
    assert notes["发布时间（北京时间） published (UTC+8)"].isoformat() == "2021-08-03T17:30:00"
    assert notes["版本 version"] == 2


def test_a_name_that_looks_like_a_formula_is_a_text_marked_as_one(papers: Papers) -> None:
    signs = ("=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1")
    people = {enrolment: Person(signs[place % 6]) for place, enrolment in enumerate(sorted(papers.people))}
    made = make(replace(papers, people=people), "roster.xlsx").body
    for name, sheet in sheets_of(made).items():
        assert sheet.find(".//x:f", NAMESPACE) is None, name
    shown = CalamineWorkbook.from_filelike(BytesIO(made)).get_sheet_by_name("2021-08-11").to_python()
    assert {"=1+1", "-2", "@SUM(A1)"} <= {row[7] for row in shown}
    with zipfile.ZipFile(BytesIO(made)) as archive:
        styles = ET.fromstring(archive.read("xl/styles.xml"))
        texts = ["".join(part.itertext()) for part in ET.fromstring(archive.read("xl/sharedStrings.xml"))]
    formats = styles.findall("./x:cellXfs/x:xf", NAMESPACE)
    quoted = {str(place) for place, one in enumerate(formats) if one.get("quotePrefix") == "1"}
    for cell in sheets_of(made)["xl/worksheets/sheet2.xml"].iterfind(".//x:c[@t='s']", NAMESPACE):
        text = texts[int(cell.findtext("x:v", "", NAMESPACE))]
        assert (cell.get("s") in quoted) is text.startswith(("=", "+", "-", "@", "\t", "_x000D_", "\r")), text


def test_every_sheet_prints_on_a4_one_page_wide_with_its_header_and_page_numbers(body: bytes) -> None:
    for sheet in sheets_of(body).values():
        setup = sheet.find("x:pageSetup", NAMESPACE)
        assert setup is not None
        assert setup.get("paperSize") == "9"
        assert setup.get("fitToHeight") == "0"
        assert "第 &P 页，共 &N 页" in sheet.findtext("x:headerFooter/x:oddFooter", "", NAMESPACE)
        assert "第2版" in sheet.findtext("x:headerFooter/x:oddHeader", "", NAMESPACE)
        pane = sheet.find(".//x:pane", NAMESPACE)
        assert pane is not None
        assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    day = sheets_of(body)["xl/worksheets/sheet2.xml"]
    assert day.find("x:pageSetup", NAMESPACE).get("orientation") == "landscape"  # type: ignore[union-attr]
    assert day.find("x:autoFilter", NAMESPACE).get("ref") == "A1:N25"  # type: ignore[union-attr]
    with zipfile.ZipFile(BytesIO(body)) as archive:
        assert archive.read("xl/workbook.xml").decode().count("_xlnm.Print_Titles") == 5


def columns(texts: list[str], widest: int) -> ET.Element:
    """Return the XML of a sheet of one column."""
    body = BytesIO()
    with xlsxwriter.Workbook(body, {"in_memory": True}) as book:
        Sheets(book, "a & b", "1").add("x", ["h"], [[text] for text in texts], widest=widest)
    return sheets_of(body.getvalue())["xl/worksheets/sheet1.xml"]


def test_a_chinese_text_has_room_for_two_columns_a_character() -> None:
    def width(text: str) -> float:
        return float(columns([text], 99).find(".//x:col", NAMESPACE).get("width"))  # type: ignore[union-attr,arg-type]

    assert width("汉" * 20) == pytest.approx(width("a" * 40))
    assert width("汉" * 20) > 40


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(8, 40))
def test_a_wrapped_text_has_as_many_lines_as_it_needs(length: int, widest: int) -> None:
    sheet = columns(["汉" * length], widest)
    width = float(sheet.find(".//x:col", NAMESPACE).get("width"))  # type: ignore[union-attr,arg-type]
    row = sheet.findall(".//x:row", NAMESPACE)[1]
    assert float(row.get("ht", "15")) / 15 * width >= 2 * length


def test_an_ampersand_in_a_title_is_no_code_of_the_header() -> None:
    assert "a && b" in columns(["x"], 20).findtext("x:headerFooter/x:oddHeader", "", NAMESPACE)
