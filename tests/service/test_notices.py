"""Adverse notices: class hours are refused for good by persons, and told when that no longer holds (SPEC 5)."""

from __future__ import annotations

import pytest
from reviewers import DISMISS, UPHOLD, Review

from online_guard.errors import GuardError
from online_guard.service.house import clock_ms
from online_guard.service.reviewing import notices
from online_guard.terms import Effect

HIDDEN, HONEST_ONE = "2021-ds-01-004", "2021-ds-01-001"


def code(error: pytest.ExceptionInfo[GuardError]) -> str:
    """Return the code of a refusal."""
    return error.value.code


def decide_all(review: Review, enrolment_id: str) -> None:
    """Let two persons uphold every finding about an enrolment."""
    for found in review.findings():
        if found.enrolment_id == enrolment_id and found.effect != Effect.NOTE:
            review.two_say(UPHOLD, found)


def test_a_machine_refuses_nobody_for_good(reviewed: Review) -> None:
    with pytest.raises(GuardError) as refusal:
        notices.issue(reviewed.house, HIDDEN, "丙", clock_ms())
    assert code(refusal) == "notice.undecided"
    assert any("OG203" in fault.reason for fault in refusal.value.faults)
    reviewed.says("甲", UPHOLD, reviewed.finding("OG203"))
    with pytest.raises(GuardError) as refusal:
        notices.issue(reviewed.house, HIDDEN, "丙", clock_ms())
    assert code(refusal) == "notice.undecided", "one person isn't enough"
    assert notices.notices_of(reviewed.house, HIDDEN)["notices"] == []


def test_what_persons_upheld_is_refused_for_good_with_its_grounds(reviewed: Review) -> None:
    decide_all(reviewed, HIDDEN)
    is_new, notice = notices.issue(reviewed.house, HIDDEN, "丙", clock_ms())
    assert is_new
    assert [(one["lesson_no"], one["state"]) for one in notice["lessons"]] == [(3, "in_force")]
    grounds = notice["lessons"][0]["grounds"]
    assert {ground["rule"] for ground in grounds} == {"OG203", "OG702"}
    assert all(ground["clause"] for ground in grounds)
    assert [one["reviewer"] for one in grounds[0]["decisions"]] == ["甲", "乙"]
    assert notices.notices_of(reviewed.house, HIDDEN)["finally_refused"] == [3]
    again = notices.issue(reviewed.house, HIDDEN, "丁", clock_ms())
    assert again == (False, notice), "the same grounds are the same notice"


def test_a_notice_is_told_to_be_appealed_and_overturned(on_sqlite: Review) -> None:
    house, hidden = on_sqlite.house, on_sqlite.finding("OG203")
    decide_all(on_sqlite, HIDDEN)
    notices.issue(house, HIDDEN, "甲", clock_ms(), [3])
    on_sqlite.appeals(hidden)

    def state() -> tuple[str, list[int]]:
        told = notices.notices_of(house, HIDDEN)
        return told["notices"][0]["lessons"][0]["state"], told["finally_refused"]

    assert state() == ("appealed", [])
    with pytest.raises(GuardError) as refusal:
        notices.issue(house, HIDDEN, "甲", clock_ms())
    assert code(refusal) == "notice.undecided", "an appeal waits"
    for name in ("丙", "丁"):
        on_sqlite.says(name, DISMISS, hidden)
    assert state() == ("overturned", [])
    with pytest.raises(GuardError) as refusal:
        notices.issue(house, HIDDEN, "甲", clock_ms())
    assert code(refusal) == "notice.nothing_refused", "the hour is earned now"


def test_there_is_no_notice_about_nothing(on_sqlite: Review) -> None:
    for enrolment_id, lessons in ((HONEST_ONE, []), (HIDDEN, [1])):
        with pytest.raises(GuardError) as refusal:
            notices.issue(on_sqlite.house, enrolment_id, "甲", clock_ms(), lessons)
        assert code(refusal) == "notice.nothing_refused"
    for platform_id, enrolment_id in ((None, "nobody"), ("another", HIDDEN)):
        with pytest.raises(GuardError) as refusal:
            notices.notices_of(on_sqlite.house, enrolment_id, platform_id)
        assert code(refusal) == "not_found"
