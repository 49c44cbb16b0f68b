"""Sign-in sheets and results over HTTP: who may, what is told row by row, and the rest month across two platforms."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from platform_client import DAY_MS, NOON_MS, Platform, pointers, problem

from online_guard.demo.people import identity_number
from online_guard.ingest.sheet_rows import PRACTICE
from online_guard.ingest.sheet_template import template
from online_guard.terms import Role

SEPTEMBER_MS = NOON_MS + 90 * DAY_MS
RESULTS = "/v1/assessments/2021-08/results"
Person = Callable[[Role], Platform]


@pytest.fixture(scope="module")
def assessor(person: Person) -> Platform:
    """Return somebody who records results."""
    return person(Role.ASSESSOR)


def recorded(assessor: Platform, *rows: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """Return what became of results, some days after the assessment."""
    return assessor.told("POST", RESULTS, list(rows), now_ms=SEPTEMBER_MS, **parameters)


def xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook with one sheet of text and numbers."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "nan_inf_to_errors": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                write = sheet.write_string if isinstance(cell, str) else sheet.write_number
                write(number, place, cell)
    return file.getvalue()


def test_the_previous_project_counts_by_identity_across_platforms(
    platform: Platform, another_platform: Platform, assessor: Platform
) -> None:
    person = next(platform.numbers)
    summer = platform.an_enrolment(platform.a_class(), person)
    autumn_class = another_platform.a_class(starts_on="2021-09-14", ends_on="2021-10-30")
    autumn = another_platform.an_enrolment(autumn_class, person)
    path = f"/v1/enrolments/{autumn}/eligibility"

    def rests() -> dict[str, Any] | None:
        (row,) = another_platform.verified(path)["rows"]
        evidence: dict[str, Any] | None = row["evidence"].get("E08")
        return evidence

    assert recorded(assessor, {"enrolment_id": summer, "absent": True})["counts"]["accepted"] == 1
    found = rests()
    assert found is not None, "the project ended, and was never assessed"
    assert found["projects"] == ["另一平台 / another platform"], "which one is for people of the county"
    for version, (day, is_refused) in enumerate([("2021-08-15", True), ("2021-08-14", False)], start=1):
        row = {"enrolment_id": summer, "assessed_on": day, "passed": False, "corrects": version}
        assert recorded(assessor, row)["counts"]["accepted"] == 1
        assert (rests() is not None) is is_refused, day


def test_who_reads_a_certificate_and_who_only_that_there_is_one(
    platform: Platform, another_platform: Platform, assessor: Platform, person: Person
) -> None:
    number, class_id = next(platform.numbers), platform.a_class()
    enrolment_id = platform.an_enrolment(class_id, number)
    row = {"class_id": class_id, "identity_number": identity_number(number), "assessed_on": "2021-08-14"}
    row |= {"passed": True, "theory_mark": 80, "certificate_number": f"JN-{number}"}
    assert recorded(assessor, row, dry_run="true")["counts"]["accepted"] == 1
    assert recorded(assessor, row)["counts"]["accepted"] == 1, "a dry run had kept nothing"
    told = recorded(assessor, row)
    assert (told["counts"]["duplicate"], told["rows"][0]["enrolment_id"]) == (1, enrolment_id)

    def seen(client: Platform) -> list[dict[str, Any]]:
        return [one for one in client.told("GET", RESULTS)["results"] if one["enrolment_id"] == enrolment_id]

    for role in (Role.ASSESSOR, Role.ADMIN):
        assert seen(person(role))[0]["certificate_number"] == f"JN-{number}"
    for client in (platform, person(Role.READER)):
        (own,) = seen(client)
        assert own["has_certificate"]
        assert "certificate_number" not in own
    assert seen(another_platform) == []


def test_a_sheet_of_results_is_told_row_by_row(platform: Platform, assessor: Platform) -> None:
    ids = [platform.an_enrolment() for _ in range(2)]
    rows = [
        ["报名号", "考核日期", "是否合格"],
        [ids[0], "2021-08-14", "是"],
        [ids[1], "2021-07-31", "否"],
        ["?", "", "是"],
    ]
    told = assessor.told("POST", f"{RESULTS}/sheet", xlsx(rows), now_ms=SEPTEMBER_MS, file="结果.xlsx")
    assert told["counts"] == {"accepted": 1, "duplicate": 0, "conflict": 0, "refused": 2}
    where = [(row["file"], row["sheet"], row["row"], row["column"], row["status"]) for row in told["rows"]]
    assert where == [
        ("结果.xlsx", "Sheet1", 2, "", "accepted"),
        ("结果.xlsx", "Sheet1", 3, "B", "refused"),
        ("结果.xlsx", "Sheet1", 4, "", "refused"),
    ]


def test_a_sign_in_sheet_is_told_row_by_row_and_read_again(platform: Platform, person: Person) -> None:
    class_id = platform.a_class(mode="blended")
    enrolment_id = platform.an_enrolment(class_id)
    path = f"/v1/classes/{class_id}/practice"
    sheet = f"报名号,日期,学时,录像分钟\n{enrolment_id},2021-07-01,8,10\n{enrolment_id},2021-07-01,4,\n".encode(
        "gb18030"
    )
    tried = platform.told("POST", f"{path}/sheet", sheet, dry_run="true")
    assert platform.told("GET", path)["days"] == 0
    told = platform.told("POST", f"{path}/sheet", sheet)
    assert told == tried | {"dry_run": False}
    assert [row["status"] for row in told["rows"]] == ["accepted", "conflict"]
    assert told["remarks"] == {"short_video": 1}
    day = {"enrolment_id": enrolment_id, "on": "2021-07-01", "class_hours": 8.0, "video_minutes": 10.0}
    for client in (platform, person(Role.READER)):
        assert client.told("GET", path)["practice"] == [day | {"remarks": ["short_video"]}]


def test_rows_of_practice_in_json_can_be_kept_one_by_one(platform: Platform) -> None:
    number, class_id = next(platform.numbers), platform.a_class(mode="blended")
    platform.an_enrolment(class_id, number)
    rows = [{"identity_number": identity_number(number), "on": "2021-07-01", "class_hours": 8, "video_minutes": 15}]
    rows += [{"enrolment_id": "nobody", "on": "2021-07-01", "class_hours": 8}, {"on": "2021-07-01", "class_hours": 8}]
    told = platform.told("POST", f"/v1/classes/{class_id}/practice", rows, row_by_row="true")
    assert [row["status"] for row in told["rows"]] == ["accepted", "refused", "refused"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"theory_mark": 101}, "/0/theory_mark"),
        ({"assessed_on": "14 August"}, "/0/assessed_on"),
        ({"passed": "yes"}, "/0/passed"),
        ({"certificate_route": "driving"}, "/0/certificate_route"),
        ({"corrects": 0}, "/0/corrects"),
        ({"mark": 1}, "/0/mark"),
    ],
)
def test_a_malformed_result_is_refused_at_its_place(assessor: Platform, change: dict[str, Any], pointer: str) -> None:
    answer = assessor.send("POST", RESULTS, [{"enrolment_id": "x", "absent": True} | change])
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"PK\x03\x04 no zip", 400, "import.broken_archive"),
        (b"\0\0", 400, "sheet.unreadable"),
        (template(PRACTICE), 422, "sheet.empty"),
        (b"," * 100, 413, "sheet.too_large"),
    ],
)
def test_what_is_no_sheet_is_a_problem(platform: Platform, content: bytes, status: int, code: str) -> None:
    problem(platform.send("POST", f"/v1/classes/{platform.a_class()}/practice/sheet", content), status, code)


CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "8", "是", "2021-08-14", "4.1E+17", "报名号", "0" * 600, "\u202e", "'; DROP TABLE practice"]),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=4, max_size=5), max_size=4), is_xlsx=st.booleans())
def test_whatever_stands_in_a_sheet_the_service_goes_on(
    platform: Platform, assessor: Platform, rows: list[list[Any]], is_xlsx: bool
) -> None:
    for client, path, header in (
        (platform, f"/v1/classes/{platform.a_class()}/practice/sheet", ["报名号", "日期", "学时", "身份证号"]),
        (assessor, f"{RESULTS}/sheet", ["报名号", "缺考", "是否合格", "证书编号"]),
    ):
        all_rows = [header, *rows]
        text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in all_rows)
        content = xlsx(all_rows) if is_xlsx else text.encode()
        answer = client.send("POST", path, content)
        assert answer.status_code < 500, answer.text
        if answer.is_success:
            assert answer.json()["counts"]["accepted"] == 0
