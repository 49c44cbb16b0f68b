"""Sheets that people fill in: what is read whatever they look like, what is refused where, and what can't do harm."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest import sheets
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.sheet_rows import PRACTICE, RESULTS, PracticeSheetRow
from online_guard.ingest.sheet_template import template
from online_guard.ingest.sheets import Layout, Placed, read_sheet

HEADER = ["报名号", "日期", "学时", "每学时连续录像分钟"]
ROW = PracticeSheetRow(enrolment_id="e1", on=date(2021, 7, 1), class_hours=8.0, video_minutes=20.0)
Cells = Sequence[Sequence[Any]]


def xlsx(rows: Cells, alter: Callable[[str, bytes], bytes] = lambda _, content: content) -> bytes:
    """Return a workbook with one sheet, its parts altered."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "nan_inf_to_errors": True}) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet = workbook.add_worksheet("签到")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, date | time):
                    sheet.write_datetime(number, place, cell, day)
                elif isinstance(cell, str) and not cell.startswith("="):
                    sheet.write_string(number, place, cell)
                elif cell is not None:
                    sheet.write(number, place, cell)
    altered = io.BytesIO()
    with zipfile.ZipFile(file) as packed, zipfile.ZipFile(altered, "w", zipfile.ZIP_DEFLATED) as again:
        for entry in packed.infolist():
            again.writestr(entry.filename, alter(entry.filename, packed.read(entry)))
    return altered.getvalue()


def replacing(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    """Return what alters the sheet of a workbook."""
    return lambda name, content: content.replace(old, new) if name.endswith("sheet1.xml") else content


def read(content: bytes | str, encoding: str = "utf-8") -> list[Placed[PracticeSheetRow]]:
    """Return what is read of a sign-in sheet."""
    return read_sheet(content if isinstance(content, bytes) else content.encode(encoding), "签到.xlsx", PRACTICE)


def only(content: bytes | str) -> PracticeSheetRow | Refusal:
    """Return what is read of a sheet with one row."""
    (placed,) = read(content)
    return placed.row


def refused(content: bytes | str) -> tuple[ErrorKind, str]:
    """Return how a file is refused as a whole."""
    with pytest.raises(GuardError) as caught:
        read(content)
    assert " / " in caught.value.message, "Chinese first, English second"
    return caught.value.kind, caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_each_encoding_that_people_have(encoding: str) -> None:
    (placed,) = read("报名号,日期,学时,录像分钟\r\ne1,2021-07-01,8,20\r\n", encoding)
    assert (placed.place.file, placed.place.row, placed.row) == ("签到.xlsx", 2, ROW)


def test_a_workbook_with_real_types_says_the_same_and_where() -> None:
    (placed,) = read(
        xlsx([HEADER, ["e1", datetime.fromisoformat("2021-07-01"), 8, "=10+10"]], replacing(b"</f><v>0", b"</f><v>20"))
    )
    assert placed.row == ROW
    assert (placed.place.sheet, placed.place.row, placed.place.letters["on"]) == ("签到", 2, "B")


@pytest.mark.parametrize(
    "rows",
    [
        [["2021年第3期实训签到表"], [], HEADER, ["e1", "2021/7/1", "8", "２０"]],
        [
            ["no.", "hours", "date", "Enrolment_ID ", "video_minutes", "姓名"],
            [1, "8.0", "2021年7月1日", "e1", 20, "王"],
        ],
        [
            ["报名号", "签到", "", "每学时\n连续录像分钟"],
            ["", "日 期*", "学时:", ""],
            ["e1", "2021.7.1", " 8 ", "20"],
            [""],
        ],
    ],
    ids=["a title", "English, another order, a name", "a header of two rows"],
)
def test_a_sheet_is_read_whatever_it_looks_like(rows: Cells) -> None:
    assert only(xlsx(rows)) == ROW
    assert only("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)) == ROW


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (["e1", "1 July 2021", 8, None], "on"),
        (["e1", "2021-02-29", 8, None], "on"),
        (["e1", 44378, 8, None], "on"),
        (["e1", datetime.fromisoformat("2021-07-01T08:30"), 8, None], "on"),
        (["e1", date(2021, 7, 1), 0, None], "class_hours"),
        (["e1", date(2021, 7, 1), 24.5, None], "class_hours"),
        (["e1", date(2021, 7, 1), "nan", None], "class_hours"),
        (["e1", date(2021, 7, 1), True, None], "class_hours"),
        (["e1", date(2021, 7, 1), float("inf"), None], "class_hours"),
        (["e1", date(2021, 7, 1), 8, 61], "video_minutes"),
        (["e1", date(2021, 7, 1), 8, -1], "video_minutes"),
        (["e/1", date(2021, 7, 1), 8, None], "enrolment_id"),
        ([4.1e17, date(2021, 7, 1), 8, None], "enrolment_id"),
        (["e" * 501, date(2021, 7, 1), 8, None], "enrolment_id"),
        (["e1", None, 8, None], "on"),
        ([None, date(2021, 7, 1), 8, None], ""),
        (["e1", date(2021, 7, 1), 8, None, "over"], ""),
    ],
)
def test_a_cell_that_cannot_be_used_is_refused_where_it_stands(row: Sequence[Any], field: str) -> None:
    found = only(xlsx([HEADER, row]))
    assert isinstance(found, Refusal)
    assert found.field == field
    assert "/ " in found.reason, "Chinese first, English second"


@pytest.mark.parametrize(
    "alter",
    [replacing(b'"D2"><f>1/A1</f><v>0', b'"D2" t="e"><f>1/A1</f><v>#DIV/0!'), replacing(b"</f><v>0</v>", b"</f>")],
    ids=["an error", "a formula without a result"],
)
def test_a_cell_without_a_value_is_not_taken_for_an_empty_one(alter: Callable[[str, bytes], bytes]) -> None:
    found = only(xlsx([HEADER, ["e1", date(2021, 7, 1), 8, "=1/A1"]], alter))
    assert isinstance(found, Refusal)
    assert found.field == "video_minutes"


def test_no_reason_repeats_what_may_be_an_identity_number() -> None:
    rows = [["身份证号", "报名号", "日期", "学时"]]
    rows += [[4.1152619900101e17, None, "2021-07-01", "8"], ["411526199001011234/", "411526199001011234/", "x", "x"]]
    for placed in read(xlsx(rows)):
        assert isinstance(placed.row, Refusal)
        assert "4115" not in placed.row.reason


def test_a_wrong_header_is_refused_by_name_and_no_row_is_read() -> None:
    found = read("报名号,日期,电话,报名号\ne1,2021-07-01,1,e1\n")
    assert [(placed.place.row, placed.row) for placed in found] == [
        (1, Refusal("未知的列 / unknown column: 电话")),
        (1, Refusal("该列出现两次 / the column stands twice: 报名号")),
        (1, Refusal("找不到表头或缺少列 / no header, or a column is missing: 学时", "class_hours")),
    ]
    assert [placed.place.letters[""] for placed in found[:2]] == ["C", "D"]


def test_results_are_read_with_their_words() -> None:
    text = "报名号,是否合格,缺考,考核日期,证书类别,证书编号,更正版次\n"
    text += "e1,合格,否,2021-08-14,职业技能等级评定,A1,1\ne2,,是,,,,\n"
    one, two = (placed.row for placed in read_sheet(text.encode(), "", RESULTS))
    assert not isinstance(one, Refusal)
    assert (one.passed, one.absent, one.certificate_route, one.corrects) == (True, False, "skill_level", 1)
    assert not isinstance(two, Refusal)
    assert two.absent


@pytest.mark.parametrize(
    "row",
    [
        "e1,是,,,,",
        "e1,,,2021-08-14,,",
        "e1,否,,2021-08-14,,A1",
        "e1,,是,2021-08-14,,",
        "e1,是,是,,,",
        "e1,,是,,,A1",
        "e1,可能,,2021-08-14,,",
        "e1,是,,2021-08-14,驾照,",
        ",是,,2021-08-14,,",
    ],
)
def test_a_result_that_contradicts_itself_is_refused(row: str) -> None:
    text = f"报名号,是否合格,缺考,考核日期,证书类别,证书编号\n{row}\n"
    (placed,) = read_sheet(text.encode(), "", RESULTS)
    assert isinstance(placed.row, Refusal)


def test_the_empty_template_is_a_sheet_with_nothing_in_it() -> None:
    for layout in (PRACTICE, RESULTS):
        with pytest.raises(GuardError) as caught:
            read_sheet(template(layout), "", layout)
        assert caught.value.code == "sheet.empty", "its header is known"


FAR = b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (xlsx([HEADER], replacing(b"</row></sheetData>", FAR)), ErrorKind.TOO_LARGE),
        (xlsx([HEADER], replacing(b"</row></sheetData>", FAR.replace(b"XFD", b"A"))), ErrorKind.TOO_LARGE),
        (xlsx([HEADER], replacing(b'r="A1"', b'r="&#65;0"')), ErrorKind.MALFORMED),
        (xlsx([HEADER], replacing(b"<worksheet", b"<!DOCTYPE x><worksheet")), ErrorKind.MALFORMED),
        (xlsx([HEADER], replacing(b"</sheetData>", b" " * 3_000_000 + b"</sheetData>")), ErrorKind.TOO_LARGE),
        (xlsx([HEADER], replacing(b"</sheetData>", b"</sheet")), ErrorKind.MALFORMED),
        (xlsx([HEADER])[:-30], ErrorKind.MALFORMED),
        (b"PK\x05\x06" + bytes(18), ErrorKind.MALFORMED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), ErrorKind.MALFORMED),
        ("报名号,日期\n".encode("utf-16"), ErrorKind.MALFORMED),
        (b"\xff\xff\xff", ErrorKind.MALFORMED),
        (b'a,"b\n', ErrorKind.MALFORMED),
        (b"a\n" * 10_001, ErrorKind.TOO_LARGE),
        (b"," * 64, ErrorKind.TOO_LARGE),
        (b" " * (sheets.MOST_BYTES + 1), ErrorKind.TOO_LARGE),
    ],
)
def test_what_is_no_sheet_or_too_large_is_refused_as_a_whole(content: bytes, kind: ErrorKind) -> None:
    assert refused(content)[0] is kind


def test_a_date_beyond_all_calendars_makes_the_reader_panic_and_is_refused() -> None:
    content = xlsx([HEADER, ["e1", date(2021, 7, 1), 8]], replacing(b"<v>44378</v>", b"<v>-1e300</v>"))
    assert refused(content) == (ErrorKind.MALFORMED, "sheet.broken")


NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(2**60), 2**60),
    st.dates(date(1900, 1, 1)),
    st.sampled_from(["", "=1/0", "\u200b", "'1", "8", "2021-13-01", "4.1E+17", "是", "e1", "报名号", "日期", "😀"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
NASTY_SHEET = st.lists(st.lists(NASTY, max_size=6), max_size=6)


def rows_or_nothing(content: bytes, layout: Layout[Any]) -> list[Placed[Any]]:
    """Return what is read of a sheet, nothing where none of it can be read."""
    try:
        return read_sheet(content, "", layout)
    except GuardError:
        return []


@given(rows=NASTY_SHEET, has_header=st.booleans())
def test_whatever_stands_in_the_cells_each_row_is_used_or_refused(rows: Cells, has_header: bool) -> None:
    rows = [HEADER, *rows] if has_header else rows
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    for content in (xlsx(rows), text.encode("utf-8", "replace")):
        for layout in (PRACTICE, RESULTS):
            for placed in rows_or_nothing(content, layout):
                assert isinstance(placed.row, Refusal | layout.type)
