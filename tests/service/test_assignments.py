"""Who works on which case: one person at a time, the most urgent first, never who would confirm themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from reviewers import DISMISS, UPHOLD, Review

from online_guard.errors import GuardError
from online_guard.evidence import DAY_MS
from online_guard.service.house import clock_ms
from online_guard.service.reviewing import assignments, review, urgency
from online_guard.service.reviewing.assignments import LASTS_MS
from online_guard.service.reviewing.review import Said
from online_guard.store import review_rows
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.review_rows import Taken, Wanted
from online_guard.store.unit_of_work import reading

NOW = 1_800_000_000_000


def next_of(one: Review, name: str, now_ms: int = NOW, **wanted: object) -> str | None:
    """Return the case that a person gets."""
    case = assignments.next_case(one.house, Wanted(**wanted), name, now_ms)["case"]  # type: ignore[arg-type]
    return None if case is None else str(case["case_id"])


def test_of_many_who_ask_at_once_no_two_get_one_case(reviewed: Review) -> None:
    waiting = {case["case_id"] for case in reviewed.queue()}
    names = [f"auditor {number}" for number in range(len(waiting) + 2)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda name: next_of(reviewed, name), names))
    assert sorted(filter(None, got)) == sorted(waiting)
    assert got.count(None) == 2, "whoever comes too late gets none"


def test_a_case_is_taken_by_one_until_it_is_given_back_or_time_is_over(on_sqlite: Review) -> None:
    house, case_id = on_sqlite.house, on_sqlite.queue()[0]["case_id"]
    assert assignments.take(house, case_id, "甲", NOW)["taken_by"] == "甲"
    for moment in (NOW, NOW + LASTS_MS - 1):
        with pytest.raises(GuardError) as refusal:
            assignments.take(house, case_id, "乙", moment)
        assert refusal.value.code == "case.taken"
        assert "甲" in refusal.value.message
    assignments.release(house, case_id, "乙")
    assert on_sqlite.queue(taken=Taken(NOW, "甲"))[0]["case_id"] == case_id, "nobody gives back what another has"
    assert case_id not in {one["case_id"] for one in on_sqlite.queue(taken=Taken(NOW))}
    assert assignments.take(house, case_id, "乙", NOW + LASTS_MS)["taken_by"] == "乙"
    assignments.release(house, case_id, "乙")
    assert case_id in {one["case_id"] for one in on_sqlite.queue(taken=Taken(NOW + LASTS_MS))}


def test_whoever_decided_first_is_not_offered_the_confirmation_and_gives_the_case_back(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG303")
    assert next_of(on_sqlite, "甲", rule="OG303") == found.case_id
    on_sqlite.says("甲", UPHOLD, found)
    assert next_of(on_sqlite, "甲", rule="OG303") is None
    assert next_of(on_sqlite, "乙", rule="OG303") == found.case_id
    on_sqlite.says("乙", UPHOLD, found)
    on_sqlite.appeals(found)
    assert [next_of(on_sqlite, name, rule="OG303") for name in ("甲", "乙", "丙")] == [None, None, found.case_id]
    on_sqlite.says("丙", DISMISS, found)
    assert next_of(on_sqlite, "丙", rule="OG303") is None, "nor do they confirm what they said of the appeal"
    assert next_of(on_sqlite, "丁", rule="OG303") == found.case_id


def test_the_deadline_then_class_hours_then_waiting_decide_what_is_urgent(on_sqlite: Review) -> None:
    with reading(on_sqlite.house.engine) as database:
        first, *_ = review_rows.queue(database, Wanted(urgent=True), None, 1)
        stakes = urgency.Stakes.of_class(database, on_sqlite.class_id, on_sqlite.house.policy)
    assert stakes.due_ms == 1_628_611_200_000, "2021-08-14 in China, less three days of notice"
    assert first.class_hours == 1.0

    def urgent(subject: str, waiting_ms: int, due_ms: int | None, appealed_ms: tuple[int, ...] = ()) -> int:
        record = CaseRecord(subject=subject, subject_id="x/1", waiting_since_ms=waiting_ms)
        urgency.rank(record, urgency.Stakes({1: 1.0, 2: 1.0}, 80, {}, due_ms), appealed_ms)
        return record.urgent_ms

    day, now = DAY_MS, NOW
    assert urgent("lesson", now, now + 5 * day) == now + 4 * day, "a class hour is a day"
    assert urgent("enrolment", now, now + 5 * day) == now + 3 * day
    assert urgent("class", now, now + 5 * day) == now - 15 * day, "at most twenty"
    assert urgent("lesson", now, None) == now + 29 * day, "none waits for ever"
    assert urgent("lesson", now - 40 * day, now + 90 * day) == now - 11 * day
    assert urgent("lesson", now, now + 90 * day, (now,)) == now + 14 * day, "an appeal has a term of its own"


def test_several_decisions_upon_one_sight_of_a_case_and_one_that_is_refused(on_sqlite: Review) -> None:
    found = [one for one in on_sqlite.findings() if one.rule in ("OG203", "OG702")]
    own = [one for one in found if one.case_id == found[0].case_id] or found
    seen = on_sqlite.case(own[0])["version"]
    said = [(one.finding_id, Said(UPHOLD, "看过证据", "甲", "auditor", seen)) for one in own]
    stale = (own[0].finding_id, Said(DISMISS, "看过证据", "乙", "auditor", "another version"))
    results = review.decide_all(on_sqlite.house, [*said, stale, ("OG101-none", said[0][1])], clock_ms())
    assert [one["answer"]["decision"] for one in results[: len(own)]] == ["uphold"] * len(own)
    assert [one["error"].code for one in results[len(own) :]] == ["case.changed", "not_found"]
