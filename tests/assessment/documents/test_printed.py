"""What the printed papers say, read back from the PDFs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from online_guard.assessment.documents import Made, Papers, make
from online_guard.assessment.documents.slips import ADVICE
from online_guard.assessment.documents.typesetting import typeset
from online_guard.errors import GuardError

A4_POINTS = (595, 842)


Make = Callable[[str], Made]


def pages(made: Made) -> list[str]:
    """Return the text of each page, white space dropped: lines break where the paper needs it."""
    return [re.sub(r"\s", "", page.extract_text()) for page in PdfReader(BytesIO(made.body)).pages]


@pytest.fixture(scope="module")
def roster(made: Make) -> list[str]:
    return pages(made("roster.pdf"))


def test_a_list_hangs_on_each_door_with_its_seats_and_a_place_to_sign(roster: list[str]) -> None:
    _, theory, practice, _ = roster
    assert "潢川县第一中学第一机房" in theory
    assert "2021年8月11日星期三" in theory
    assert "第1场09:00–10:30" in theory
    assert "签到" in theory
    assert "监考examiners:周喆" in theory
    assert "潢川县第一中学实操一室" in practice
    assert re.search("1杨㛃413[*]{11}0001潢川县快递服务有限公司c-2021-002快递业务员2陈䶮", theory)


def test_the_overview_counts_and_the_changes_close_the_roster(roster: list[str]) -> None:
    assert "12考生candidates" in roster[0]
    assert re.search("第1场09:00–10:30第一机房理论考试theory12周喆", roster[0])
    changes = roster[-1]
    assert "与上一版的差异" in changes
    assert re.search("吴〓[(]U[+]20BB7[)]e0000取消removed", changes)
    assert re.search("张伟e0011新增added", changes)
    assert "2021-08-1009:00–10:30潢川县第一中学第一机房2号" in changes


def test_every_page_names_window_version_and_its_number(roster: list[str]) -> None:
    for number, text in enumerate(roster, 1):
        assert "2021年8月批次" in text
        assert f"第{number}页，共{len(roster)}页" in text
        assert "第2版version2" in text
        assert "2021-08-0317:30(UTC+8)" in text


def test_a_first_version_has_no_page_of_changes(papers: Papers) -> None:
    first = replace(papers, roster=papers.roster.model_copy(update={"changes": ()}), before=None)
    assert "差异" not in "".join(pages(make(first, "roster.pdf")))


@pytest.mark.parametrize("name", ["roster.pdf", "slips.pdf", "annex-2.pdf", "statistics.pdf"])
def test_pages_are_a4(made: Make, name: str) -> None:
    for page in PdfReader(BytesIO(made(name).body)).pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_POINTS


def test_a_slip_says_who_where_when_and_what_to_bring(made: Make) -> None:
    texts = pages(made("slips.pdf"))
    assert [text.count("准考证") for text in texts] == [4, 4, 4]
    whole = "".join(texts)
    for zh, _ in ADVICE:
        assert whole.count(zh) == 12
    assert re.search("姓名name阿依古丽·买买提证件号码identityno.413[*]{11}0008", whole)
    assert "2021年8月11日星期三09:00–10:30潢川县第一中学第一机房" in whole
    assert "4130261990" not in whole


def test_a_slip_with_very_long_names_still_is_a_quarter_of_a_page(papers: Papers) -> None:
    long = [
        one.model_copy(update={"enterprise": "很长的名称" * 60, "class_id": "c" * 128})
        for one in papers.roster.candidates
    ]
    roster = papers.roster.model_copy(update={"candidates": tuple(long)})
    texts = pages(make(replace(papers, roster=roster), "slips.pdf"))
    assert [text.count("准考证") for text in texts] == [4, 4, 4]
    whole = "".join(texts).replace("\u200b", "")
    assert whole.count("很长的名称" * 60) == whole.count("c" * 128) == whole.count(ADVICE[-1][0]) == 12


def test_who_is_unknown_is_called_by_the_enrolment(papers: Papers) -> None:
    assert "姓名namee0003" in "".join(pages(make(replace(papers, people={}), "slips.pdf")))


def test_annex_2_is_filled_in_where_something_is_known(made: Make) -> None:
    first, second = pages(made("annex-2.pdf"))
    assert "年度补贴性职业技能提升培训申请表" in first
    for known in ("潢川县信阳工业学校", "2021年7月1日至2021年7月20日，共48课时", "拟培训人数40", "平均出勤人数38.5"):
        assert known in first
    for free in ("联系人及电话", "开户银行名称", "初审人：", "盖章"):
        assert free in first
    assert "2021年8月11日参加考核人数6（已安排）" in second
    assert "参加结业考核人数6（已安排）取证人数" in second
    assert "参加职业技能等级评定人数取证人数" in second
    assert "申请承诺人：" in second


def test_annex_2_tells_who_sat_and_was_certified_under_the_class_s_route_alone(papers: Papers) -> None:
    form = replace(papers.annex_two[0], sat=5, certified=4, present_at_start=39)
    first, second = pages(make(replace(papers, annex_two=(form,)), "annex-2.pdf"))
    assert "学员人数：39" in first
    assert "参加考核人数5" in second
    assert "参加结业考核人数5取证人数4" in second
    assert "参加专项能力考核认定人数取证人数参加结业" in second
    assert "取证总人数4" in second


def test_each_class_has_its_own_form_and_none_is_said_to_be_missing(papers: Papers) -> None:
    assert len(pages(make(replace(papers, annex_two=papers.annex_two * 2), "annex-2.pdf"))) == 4
    assert "尚无班次的申请表" in pages(make(replace(papers, annex_two=()), "annex-2.pdf"))[0]


def test_a_paper_that_cant_be_set_is_an_error_that_names_nobody(papers: Papers) -> None:
    with pytest.raises(GuardError, match=r"nothing, 1: ") as failed:
        typeset(papers, "nothing", {"name": "陈䶮"})
    assert "陈䶮" not in str(failed.value)
