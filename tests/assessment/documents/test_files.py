"""All files at once and one by one: complete, and the same bytes for the same papers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from online_guard.assessment.documents import FILES, Made, Papers, make, masked, write
from online_guard.assessment.documents.files import file_name
from online_guard.assessment.roster import Roster
from online_guard.errors import ErrorKind, GuardError
from online_guard.printing.words import spans

BEGINNINGS = {"json": b"{", "xlsx": b"PK", "pdf": b"%PDF", "ics": b"BEGIN:VCALENDAR\r\n"}


def test_every_file_is_written_and_can_be_made_alone(
    papers: Papers, made: Callable[[str], Made], tmp_path: Path
) -> None:
    written = write(papers, tmp_path / "new")
    names = [path.relative_to(tmp_path / "new").as_posix() for path in written.files]
    assert names == [*FILES, "calendars/c-2021-001.ics", "calendars/c-2021-002.ics"]
    assert sorted(names) == sorted(
        path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()
    )
    assert written.missing == ("𠮷",)
    for path, name in zip(written.files, FILES, strict=False):
        assert path.read_bytes() == made(name).body, "the same papers give the same bytes"
        assert path.read_bytes().startswith(BEGINNINGS[name.rpartition(".")[2]])


def test_another_time_of_publication_gives_other_bytes(papers: Papers, made: Callable[[str], Made]) -> None:
    later = replace(papers, roster=papers.roster.model_copy(update={"published_ms": 1_700_000_000_000}))
    for name in ("roster.json", "roster.xlsx", "statistics.pdf", "calendar.ics"):
        assert make(later, name).body != made(name).body, name


def test_an_error_leaves_the_folder_as_it_was(papers: Papers, tmp_path: Path) -> None:
    (tmp_path / "roster.json").write_text("old")
    broken = replace(papers, roster=papers.roster.model_copy(update={"sites": ()}))
    with pytest.raises(KeyError):
        write(broken, tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("roster.json", "old")]


def test_the_json_is_the_roster(papers: Papers) -> None:
    body = make(papers, "roster.json").body
    assert Roster.model_validate_json(body) == papers.roster
    assert "电子商务师" in body.decode(), "as it is read, not as escapes"
    assert json.loads(body)["version"] == 2


def test_an_unknown_file_is_refused_with_the_names_there_are(papers: Papers) -> None:
    with pytest.raises(GuardError) as refused:
        make(papers, "../roster.json")
    assert (refused.value.kind, refused.value.code) == (ErrorKind.NOT_FOUND, "documents.unknown")
    assert "roster.xlsx" in refused.value.remedy


def test_a_class_of_any_name_gets_a_file_in_the_folder(tmp_path: Path) -> None:
    names = {file_name(one) for one in ("..", "电商 1班", "电商_1班", "a" * 128, "a" * 127, "A*?<>|", "汉" * 128)}
    assert len(names) == 7
    for name in names:
        (tmp_path / f"{name}.ics").write_bytes(b"")
        assert (tmp_path / f"{name}.ics").resolve().parent == tmp_path.resolve()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("413026199001011234", "413***********1234"),
        ("1234567890", "**********"),
        ("12345678901", "123****8901"),
        ("", ""),
    ],
)
def test_a_masked_number_hides_at_least_four(number: str, expected: str) -> None:
    assert masked(number) == expected


def test_neighbouring_numbers_are_joined() -> None:
    assert spans([3, 1, 2, 7, 9, 10]) == "1–3、7、9–10"
    assert spans([]) == ""


def test_a_roster_without_anybody_has_its_files_too(papers: Papers) -> None:
    plan = papers.roster.plan.model_copy(update={"sittings": (), "duties": ()})
    nobody = papers.roster.model_copy(update={"candidates": (), "plan": plan, "changes": ()})
    for name in ("roster.xlsx", "roster.pdf", "slips.pdf", "calendar.ics"):
        assert make(Papers(roster=nobody, people={}), name).body.startswith(BEGINNINGS[name.rpartition(".")[2]]), name


def test_a_class_has_papers_of_its_own(papers: Papers) -> None:
    part = Roster.model_validate_json(make(papers, "roster.json", "c-2021-001").body)
    assert {one.class_id for one in part.candidates} == {"c-2021-001"}
    assert {int(one.enrolment_id[1:]) % 2 for one in (*part.plan.sittings, *part.changes)} == {0}
    assert {one.enrolment_id for one in part.changes} > {one.enrolment_id for one in part.candidates}
    slips = PdfReader(BytesIO(make(papers, "slips.pdf", "c-2021-001").body))
    assert "".join(page.extract_text() for page in slips.pages).count("Admission slip") == 6


def test_a_class_without_candidates_has_none(papers: Papers) -> None:
    with pytest.raises(GuardError) as refused:
        make(papers, "slips.pdf", "c-9")
    assert (refused.value.kind, refused.value.code) == (ErrorKind.NOT_FOUND, "documents.no_class")
