"""人次 by the tasks of Annex 1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from online_guard.assessment.documents import Made, Papers
from online_guard.assessment.documents.statistics import counted


def test_a_class_counts_under_its_task_and_else_under_none(papers: Papers) -> None:
    rows = counted(papers)
    assert len(rows) == 16
    assert [(one.no, one.in_window) for one in rows if one.in_window] == [(9, 6), (None, 6), (None, 12)]
    assert rows[8].share == 6 / 200
    assert (rows[-2].task, rows[-2].target, rows[-2].share) == ("未注明 not stated", None, None)
    assert (rows[-1].target, rows[-1].in_year) == (8_000, 12)


def test_a_number_that_annex_1_lacks_counts_under_none(papers: Papers) -> None:
    rows = counted(replace(papers, task_of_class={"c-2021-001": 15}))
    assert rows[-2].in_window == 12


def test_earlier_windows_count_for_the_year_alone(papers: Papers) -> None:
    rows = counted(replace(papers, earlier=(papers.roster,)))
    assert (rows[8].in_window, rows[8].in_year) == (6, 12)


@given(st.dictionaries(st.sampled_from(["c-2021-001", "c-2021-002"]), st.integers(-1, 20)))
def test_the_sum_is_everybody(papers: Papers, named: dict[str, int]) -> None:
    *rows, whole = counted(replace(papers, task_of_class=named))
    assert sum(one.in_window for one in rows) == whole.in_window == 12


def test_the_table_has_targets_and_shares(made: Callable[[str], Made]) -> None:
    (page,) = PdfReader(BytesIO(made("statistics.pdf").body)).pages
    text = re.sub(r"\s", "", page.extract_text())
    assert "1农村劳动力技能培训" in text
    assert "商务局200663.00%" in text
    assert "总计sum8,00012120.15%" in text
