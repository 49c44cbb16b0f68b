"""The learner's notice as paper: what it says, to whom, and what becomes of it (SPEC 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader
from reviewers import DISMISS, UPHOLD, Review, a_review

from online_guard.errors import GuardError
from online_guard.ingest.rows import LATEST_MS
from online_guard.service.house import clock_ms, open_house
from online_guard.service.operating import evidence_log
from online_guard.service.reviewing import notices
from online_guard.service.reviewing.notice_document import _ground, _lessons, _when, _without_names, document
from online_guard.settings import Settings
from online_guard.store import queries
from online_guard.store.evidence_loader import training_class
from online_guard.store.person_keys import PersonKeys
from online_guard.store.sealed_columns import NAME, NUMBER
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.unit_of_work import close_engine, reading, writing
from online_guard.terms import Effect

HIDDEN, SKIPPED, HONEST_ONE = "2021-ds-01-004", "2021-ds-01-002", "2021-ds-01-001"
NUMBER_OF = "413026199001011234"
IN_CLASS_MS = int(datetime(2021, 7, 1, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Review]:
    """Return a review in which two persons upheld everything, and a learner with a rare name has a notice."""
    house = open_house(Settings(data_dir=tmp_path_factory.mktemp("notices")))
    found = a_review(house)
    _name(found, HIDDEN, "吴𠮷", NUMBER_OF)
    for enrolment_id in (HIDDEN, SKIPPED):
        for one in found.findings():
            if one.enrolment_id == enrolment_id and one.effect != Effect.NOTE:
                found.two_say(UPHOLD, one)
    notices.issue(house, HIDDEN, "丙", clock_ms())
    yield found
    close_engine(house.engine)


def _name(review: Review, enrolment_id: str, name: str, number: str) -> None:
    with writing(review.house.engine) as database:
        record = database.get_one(EnrolmentRecord, enrolment_id)
        key = PersonKeys(database, review.house.vault).make(record.learner_id)
        record.name = review.house.vault.seal(name.encode(), NAME, key, enrolment_id)
        record.identity_number = review.house.vault.seal(number.encode(), NUMBER, key, enrolment_id)


def notice_of(review: Review, enrolment_id: str) -> str:
    """Return the id of the one notice to an enrolment."""
    (notice_id,) = notices.ids_of(review.house, enrolment_id)
    return notice_id


def text_of(review: Review, enrolment_id: str) -> str:
    """Return the text of a notice, white space dropped: lines break where the paper needs it."""
    pages = PdfReader(BytesIO(document(review.house, notice_of(review, enrolment_id), None))).pages
    return re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in pages))


def test_it_says_what_was_refused_why_and_by_whom_without_names_of_auditors(review: Review) -> None:
    text = text_of(review, HIDDEN)
    assert text.startswith("处理告知书")
    assert "有1门课、共1学时经审核人员审核，不予认定" in text
    assert "1lesson(s)with1classhour(s)wererefused" in text
    assert "3职业道德与劳动法1不予认定refused" in text
    assert "窗口隐藏时播放600秒（上限30秒）" in text
    assert "played600swhilehidden(limit30s)" in text
    assert "(四)21(2)「多窗口学习」" in text
    assert text.count("初审人维持") == text.count("复核人维持") == 2, "two persons on each of two findings"
    assert "签发单位（盖章）" in text
    assert not re.findall("看过证据|[甲乙丙]", text), "neither who decided nor what they noted"


def test_the_learner_is_named_with_a_masked_number_and_what_the_font_lacks(review: Review) -> None:
    text = text_of(review, HIDDEN)
    assert "吴〓(U+20BB7)（证件号码413***********1234）" in text
    assert "请手写补全" in text
    assert NUMBER_OF not in text


def test_it_says_what_can_be_done_and_until_when(review: Review) -> None:
    late = text_of(review, HIDDEN)
    assert "学习期已于2021-07-20结束：培训期间书面请假的" in late
    assert "一般在提交后15日内答复" in late
    assert "政策文件没有规定申诉的截止日期" in late
    assert "告诉您学习所用的平台（hc-online）" in late
    notices.issue(review.house, SKIPPED, "丙", IN_CLASS_MS)
    early = text_of(review, SKIPPED)
    assert "请在2021-07-20或之前学习或重学第1课" in early
    assert "study,orstudyagain,by2021-07-20" in early
    assert SKIPPED + "您参加" in early.replace("：", ""), "whose name isn't known is called by the enrolment"


def test_its_entry_is_in_the_evidence_log_for_anyone_to_check(review: Review) -> None:
    (entry, leaf_hash), before = _reference(review), document(review.house, notice_of(review, HIDDEN), None)
    evidence_log.sequence(review.house, at_once=True)
    proof = evidence_log.inclusion(review.house, entry, None, None)
    assert proof["leaf_hash"] == leaf_hash
    assert document(review.house, notice_of(review, HIDDEN), None) == before, "the same bytes, placed or not"


def _reference(review: Review) -> tuple[int, str]:
    text = text_of(review, HIDDEN)
    entry = re.search(r"/v1/log/proof[?]entry_id=(\d+)", text)
    leaf_hash = re.search("leafhash([0-9a-f]{64})", text)
    assert entry is not None
    assert leaf_hash is not None
    return int(entry[1]), leaf_hash[1]


def test_who_has_no_notice_gets_none_and_no_other_platform_gets_one(review: Review) -> None:
    assert notices.ids_of(review.house, HONEST_ONE) == notices.ids_of(review.house, None) == []
    for notice_id, platform_id in (("notice-none", None), (notice_of(review, HIDDEN), "another")):
        with pytest.raises(GuardError) as refusal:
            document(review.house, notice_id, platform_id)
        assert refusal.value.code == "not_found"
        assert HIDDEN not in str(refusal.value)
    assert document(review.house, notice_of(review, HIDDEN), "hc-online")


def test_names_of_others_are_left_out_of_what_was_found() -> None:
    evidence = {
        "value": "hc-online/s9/p1",
        "limit": "2021-07-20",
        "count": 2,
        "pairs": ["l2"],
        "decision": {"by": "甲"},
    }
    assert _without_names(evidence) == {"value": "（编号从略 name left out）", "limit": "2021-07-20", "count": 2}


def test_a_finding_that_is_gone_is_told_as_such() -> None:
    ground = _ground({"finding_id": "OG203-0123456789abcdef", "decisions": [{"decided_ms": 0}]})
    assert (ground.rule, ground.found.zh, ground.clause) == ("OG203", "重新核验后已不再发现", "")
    assert [one.zh for one in ground.decided] == ["审核人维持，1970年1月1日星期四"]


def test_a_lesson_that_has_left_the_syllabus_is_told_as_such(review: Review) -> None:
    told = [{"lesson_no": 1, "state": "in_force"}, {"lesson_no": 99, "state": "overturned"}]
    with reading(review.house.engine) as database:
        kept, gone = _lessons(told, training_class(queries.class_record(database, review.class_id)))
    assert (kept.class_hours, kept.state.zh) == (1, "不予认定")
    assert (gone.title, gone.class_hours) == ("已不在课程表中 no longer in the syllabus", 0)


def test_a_moment_is_told_in_the_time_of_china_over_midnight_too() -> None:
    assert _when(None, None).zh == ""
    start = int(datetime(2021, 7, 1, 15, 59, 59, tzinfo=UTC).timestamp()) * 1000
    assert _when(start, start + 1_000).zh == "2021年7月1日星期四 23:59:59 – 2021-07-02 00:00:00"
    assert _when(LATEST_MS, LATEST_MS).zh == "9999年12月31日星期五 23:59:59 – 23:59:59"
    assert _when(start, start).en == "Thu 1 Jul 2021, 23:59:59 – 23:59:59 (UTC+8)"


def test_an_appeal_and_its_outcome_are_told(review: Review) -> None:
    hidden = review.finding("OG203")
    review.appeals(hidden)
    assert "申诉审查中，暂不计入" in text_of(review, HIDDEN)
    for name in ("丁", "戊"):
        review.says(name, DISMISS, hidden)
    text = text_of(review, HIDDEN)
    assert "已不再有效，以台账为准" in text
    assert "本告知书所列各课的处理现均不再有效" in text
