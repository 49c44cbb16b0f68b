"""The queue: what it shows, in which order, page by page."""

from __future__ import annotations

import base64

import pytest
from reviewers import DISMISS, UPHOLD, Review

from online_guard.errors import GuardError
from online_guard.service.reviewing import case_queue
from online_guard.store import review_rows
from online_guard.store.review_rows import Wanted


@pytest.mark.parametrize("few", [review_rows.FEW, 0], ids=["a rare rule", "a common rule"])
def test_filters(on_sqlite: Review, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(review_rows, "FEW", few)
    found = {one.rule: one for one in on_sqlite.findings()}
    held = found["OG303"].case_id
    assert [case["case_id"] for case in on_sqlite.queue(rule="OG303")] == [held]
    assert on_sqlite.queue(rule="OG999") == []
    assert [case["case_id"] for case in on_sqlite.queue(verdict="held")] == [held]
    everything = on_sqlite.queue()
    assert everything[0]["case_id"] == held, "where nothing follows without a person comes first"
    assert {case["subject"] for case in on_sqlite.queue(subject="lesson")} == {"lesson"}
    assert on_sqlite.queue(platform_id="hc-online", class_id=on_sqlite.class_id) == everything
    assert on_sqlite.queue(platform_id="another") == on_sqlite.queue(class_id="another") == []
    on_sqlite.says("甲", UPHOLD, found["OG303"])
    assert [case["case_id"] for case in on_sqlite.queue(states=("confirming",))] == [held]
    on_sqlite.says("乙", UPHOLD, found["OG303"])
    assert held not in {case["case_id"] for case in on_sqlite.queue()}
    assert held in {case["case_id"] for case in on_sqlite.queue(states=("decided", "noted"))}


def test_pages_follow_each_other_while_others_decide(reviewed: Review) -> None:
    house, seen, cursor = reviewed.house, [], None
    total = len(reviewed.queue())
    while True:
        page = case_queue.queue(house, Wanted(), cursor, 2)
        seen += [case["case_id"] for case in page["cases"]]
        if len(seen) == 2:
            reviewed.two_say(DISMISS, next(one for one in reviewed.findings() if one.case_id == seen[0]))
        cursor = page["next"]
        if cursor is None:
            break
    assert len(set(seen)) == len(seen)
    assert total - 2 <= len(seen) <= total, "what a decision cleared is no longer shown; nothing comes twice"


def test_a_cursor_of_somebody_else(on_sqlite: Review) -> None:
    said = (
        "null",
        "[]",
        "[1, 2]",
        '[0, Infinity, "x"]',
        '[0, 1, "session-\\u0000"]',
        f'[0, {2**63}, "session-{0:024}"]',
    )
    for cursor in ("x", "%%%", "啊", *(base64.urlsafe_b64encode(one.encode()).decode() for one in said)):
        with pytest.raises(GuardError) as refusal:
            case_queue.queue(on_sqlite.house, Wanted(), cursor, 10)
        assert refusal.value.code == "cursor.invalid"
