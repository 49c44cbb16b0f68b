"""Results and certificates: versions, what they close for the next project, who reads what, and the evidence log."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from both_ways import judged_in_batch, judged_live
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sheet_class import (
    ONE,
    WINDOW,
    a_day,
    a_result,
    absent,
    enrolled,
    number_of,
    practised,
    resulted,
    statuses,
    stored,
)
from sqlalchemy import text

from online_guard.service.assessing import practice, result_sheets, results
from online_guard.service.house import House
from online_guard.service.operating import erasures, evidence_log
from online_guard.store import queries
from online_guard.store.unit_of_work import reading, writing

CERTIFIED = {"certificate_number": "JN-2021-0001", "theory_mark": 81.5, "practice_mark": 90.0}


def failed(house: House, enrolment_id: str) -> list[str]:
    """Return the tests that an enrolment fails, by its last verification."""
    with reading(house.engine) as database:
        (row,) = queries.results(database, "eligibility", enrolment_id)
        return list(json.loads(row.body)["failed"])


def test_a_result_closes_the_project_for_the_next_class_on_another_platform(house: House, tmp_path: Path) -> None:
    platform = enrolled(house)
    resulted(house, a_result("a", **CERTIFIED), absent("b"))
    with reading(house.engine) as database:
        assert queries.is_pending(database, "one"), "OG703: nobody studies after the assessment"
    platform.verify()
    assert "E08" not in failed(house, "x"), "assessed on 14 August, and the class begins on 14 September"
    assert "E08" in failed(house, "y"), "a project that ended, and was never assessed"
    live = judged_live(house)
    assert live == judged_in_batch(house, tmp_path / "bundle"), "what is exported is judged alike"
    corrected = resulted(house, a_result("a", assessed_on=date(2021, 8, 15), corrects=1), a_result("b", corrects=1))
    assert statuses(corrected) == [("accepted", ""), ("accepted", "")]
    platform.verify()
    assert "E08" in failed(house, "x"), "a day less than a month"
    assert "E08" not in failed(house, "y")
    assert judged_live(house) == judged_in_batch(house, tmp_path / "again")


def test_each_row_is_told_and_versions_are_kept(house: House) -> None:
    enrolled(house)
    first = a_result("a", **CERTIFIED)
    rows = [
        (first, ("accepted", "")),
        (first, ("duplicate", "")),
        (a_result("a", passed=False), ("conflict", "corrects")),
        (a_result("a", passed=False, corrects=2), ("refused", "corrects")),
        (a_result("a", passed=False, corrects=1), ("accepted", "")),
        (a_result("a", passed=False, corrects=1), ("duplicate", "")),
        (first, ("duplicate", "")),
        (absent("a", corrects=1), ("conflict", "corrects")),
        (a_result("b", assessed_on=date(2021, 7, 31)), ("refused", "assessed_on")),
        (a_result("b", assessed_on=date(2021, 8, 28)), ("refused", "assessed_on")),
        (a_result("b", **CERTIFIED), ("refused", "certificate_number")),
        (a_result("nobody"), ("refused", "enrolment_id")),
        (a_result("c", class_id="other"), ("refused", "enrolment_id")),
        (a_result(None, class_id="other", identity_number=number_of(2)), ("refused", "identity_number")),
        (a_result(None, class_id="one", identity_number=number_of(2)), ("accepted", "")),
    ]
    expected = [status for _, status in rows]
    before = stored(house)
    assert statuses(resulted(house, *(row for row, _ in rows), dry_run=True)) == expected
    assert stored(house) == before
    assert statuses(resulted(house, *(row for row, _ in rows))) == expected
    assert [row[1:3] for row in stored(house)[1]] == [("a", "1"), ("a", "2"), ("c", "1")]


def test_what_is_told_of_a_row_that_is_kept(sqlite_house: House) -> None:
    enrolled(sqlite_house)
    row = a_result("a", assessed_on=date(2021, 7, 20), certificate_route="completion")
    early = resulted(sqlite_house, row, window="2021-07")
    codes = ["not_applied", "before_class_ended", "other_route"]
    assert [remark.code for remark in early.rows[0].remarks] == codes


def test_the_last_window_in_which_somebody_came_counts(sqlite_house: House) -> None:
    enrolled(sqlite_house)
    april = a_result("a", assessed_on=date(2021, 4, 10), passed=False)
    resulted(sqlite_house, april, window="2021-04")
    resulted(sqlite_house, absent("a"))
    assert stored(sqlite_house)[2] == [(stored(sqlite_house)[2][0][0], "one", "2021-07-20", "2021-04-10")]
    resulted(sqlite_house, a_result("a", corrects=1))
    assert stored(sqlite_house)[2][0][3] == "2021-08-14"


def test_a_class_that_is_prolonged_ends_later_for_the_next_project(house: House) -> None:
    platform = enrolled(house)
    resulted(house, absent("a"))
    platform.register(ONE, ends_on="2021-08-01")
    assert stored(house)[2][0][2] == "2021-08-01"
    with reading(house.engine) as database:
        assert queries.is_pending(database, "other"), "whose learner it is"


def test_certificates_are_read_by_those_who_answer_for_them_and_figures_by_all(sqlite_house: House) -> None:
    enrolled(sqlite_house)
    resulted(sqlite_house, a_result("a", **CERTIFIED), a_result("b", passed=False), absent("c"), absent("x"))
    told = results.listed(sqlite_house, WINDOW, None, with_numbers=True)
    assert [row["certificate_number"] for row in told["results"]] == ["JN-2021-0001", None, None, None]
    figures = {"called": 4, "absent": 2, "assessed": 2, "passed": 1, "certified": 1}
    assert told["figures"]["skill_level"] == figures
    assert (told["certified"], told["next_cursor"]) == (1, None)
    own = results.listed(sqlite_house, WINDOW, "P")
    assert [row["enrolment_id"] for row in own["results"]] == ["a", "b", "c"]
    assert "JN-2021" not in json.dumps(own)
    assert own["results"][0]["has_certificate"]
    with reading(sqlite_house.engine) as database:
        found = results.results_of(database, WINDOW)
    assert {class_id: len(rows) for class_id, rows in found.items()} == {"one": 3, "other": 1}


def test_results_are_told_page_by_page(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_TOLD", 2)
    enrolled(sqlite_house)
    resulted(sqlite_house, *(absent(name) for name in "bca"))
    first = results.listed(sqlite_house, WINDOW, None)
    assert [row["enrolment_id"] for row in first["results"]] == ["a", "b"]
    second = results.listed(sqlite_house, WINDOW, None, first["next_cursor"])
    assert ([row["enrolment_id"] for row in second["results"]], second["next_cursor"]) == (["c"], None)
    assert first["figures"] == second["figures"], "of all pages"


CHANGES = {
    "absent": "1",
    "assessed_on": "'2021-08-13'",
    "theory_mark": "60.0",
    "practice_mark": "NULL",
    "passed": "0",
    "certificate_route": "'completion'",
    "certificate_index": "NULL",
    "recorded_by": "'somebody'",
    "version": "7",
    "enrolment_id": "'b'",
}


@pytest.fixture
def light(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Return a house with learners, where the database makes no difference; two rows of a sheet are a transaction."""
    for module in (practice, result_sheets):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    enrolled(sqlite_house)
    return sqlite_house


def test_the_log_finds_a_result_that_was_changed_or_is_gone(light: House) -> None:
    resulted(light, a_result("a", **CERTIFIED))
    evidence_log.sequence(light, at_once=True)
    assert evidence_log.verify(light).faults == ()
    for column, value in CHANGES.items():
        with writing(light.engine) as database:
            old = database.execute(text(f'SELECT "{column}" FROM assessment_result')).scalar()
            database.execute(text(f'UPDATE assessment_result SET "{column}" = {value}'))
        assert evidence_log.verify(light).faults, column
        with writing(light.engine) as database:
            database.execute(text(f'UPDATE assessment_result SET "{column}" = :old'), {"old": old})
    assert evidence_log.verify(light).faults == ()
    with writing(light.engine) as database:
        database.execute(text("DELETE FROM assessment_result"))
    assert evidence_log.verify(light).faults


def test_erasing_a_person_forgets_the_number_and_leaves_the_proofs(light: House) -> None:
    resulted(light, a_result("a", **CERTIFIED))
    erasures.erase(light, erasures.learner_with(light, number_of(0)), reason="test", ordered_by="test")
    told = results.listed(light, WINDOW, None, with_numbers=True)["results"][0]
    assert (told["certificate_number"], told["has_certificate"]) == (None, True)
    evidence_log.sequence(light, at_once=True)
    assert evidence_log.verify(light).faults == ()
    again = resulted(light, a_result("a", certificate_number="JN-2", corrects=1))
    assert statuses(again) == [("refused", "certificate_number")]


DAYS = st.builds(
    a_day,
    st.sampled_from("abc"),
    on=st.sampled_from([date(2021, 7, 1), date(2021, 7, 2)]),
    class_hours=st.sampled_from([4.0, 8.0]),
    video_minutes=st.sampled_from([None, 10.0, 20.0]),
)
RESULTS = st.one_of(
    st.builds(absent, st.sampled_from("abc"), corrects=st.sampled_from([None, 1, 2])),
    st.builds(
        a_result,
        st.sampled_from("abc"),
        passed=st.booleans(),
        corrects=st.sampled_from([None, 1, 2]),
        assessed_on=st.sampled_from([date(2021, 8, 14), date(2021, 8, 15)]),
    ),
)
"""Rows that may contradict each other."""


def kept_of(house: House, days: Sequence[Any], rows: Sequence[Any], cuts: Sequence[int]) -> list[Any]:
    """Return what is stored once sheets of practice and results came in parts, from nothing."""
    with writing(house.engine) as database:
        for table in ("practice", "assessment_result", "earlier_project"):
            database.execute(text(f"DELETE FROM {table}"))
    for begin, end in itertools.pairwise([0, *cuts, len(days) + len(rows)]):
        practised(house, *days[begin:end])
        resulted(house, *rows[begin:end])
    return stored(house)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), days=st.lists(DAYS, max_size=6), rows=st.lists(RESULTS, max_size=6))
def test_the_same_sheets_give_the_same_in_whatever_parts_and_however_often_they_come(
    light: House, data: st.DataObject, days: list[Any], rows: list[Any]
) -> None:
    rows.sort(key=lambda row: row.corrects or 0)  # a correction comes after what it corrects
    once = kept_of(light, days, rows, [])
    cuts = sorted(data.draw(st.lists(st.integers(0, 6), max_size=3)))
    assert kept_of(light, days, rows, cuts) == once
    assert kept_of(light, days * 2, rows, []) == once
    practised(light, *days)
    resulted(light, *rows)
    assert stored(light) == once
    apart_days = list({(row.enrolment_id, row.on): row for row in days}.values())
    apart = [row for row in {row.enrolment_id: row for row in rows}.values() if row.corrects is None]
    once = kept_of(light, apart_days, apart, [])
    shuffled = data.draw(st.permutations(apart_days)), data.draw(st.permutations(apart))
    assert kept_of(light, *shuffled, cuts) == once, "rows that don't contradict each other may come in any order"
