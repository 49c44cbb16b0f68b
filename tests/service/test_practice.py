"""Sign-in sheets of practice, row by row: what is kept, known, refused, and told."""

from __future__ import annotations

from datetime import date

import pytest
from sheet_class import a_day, enrolled, number_of, placed, practised, statuses, stored

from online_guard.errors import GuardError
from online_guard.ingest.refusals import Refusal
from online_guard.service.assessing import practice
from online_guard.service.house import House
from online_guard.store import queries
from online_guard.store.unit_of_work import reading


def test_good_rows_are_kept_and_each_other_one_is_told_with_its_reason(house: House) -> None:
    enrolled(house)
    rows = [
        a_day("a", video_minutes=15),
        a_day("a", video_minutes=15),
        a_day("a", class_hours=4),
        a_day("a", video_minutes=20),
        a_day("x"),
        a_day("nobody"),
        a_day("b", class_id="other"),
        Refusal("不是日期 / no date", "on"),
        a_day(None, identity_number=number_of(1)),
        a_day(None, identity_number=number_of(9)),
        a_day(None, identity_number="411526199001011234"),
        a_day("c", identity_number=number_of(0)),
    ]
    report = practised(house, *rows)
    assert statuses(report) == [
        ("accepted", ""),
        ("duplicate", ""),
        ("conflict", "class_hours"),
        ("conflict", "video_minutes"),
        ("refused", "enrolment_id"),
        ("refused", "enrolment_id"),
        ("refused", "class_id"),
        ("refused", "on"),
        ("accepted", ""),
        ("refused", "identity_number"),
        ("refused", "identity_number"),
        ("refused", "identity_number"),
    ]
    assert [row[0] for row in stored(house)[0]] == ["a", "b"]
    assert [row["row"] for row in report.told()["rows"]] == list(range(2, 14))
    assert not report.is_clean
    with reading(house.engine) as database:
        assert queries.is_pending(database, "one"), "E04 is tested again"
        assert not queries.is_pending(database, "other")


def test_a_dry_run_tells_the_same_and_keeps_nothing(sqlite_house: House) -> None:
    enrolled(sqlite_house)
    practised(sqlite_house, a_day("c"))
    before = stored(sqlite_house)
    rows = [a_day("a"), a_day("a"), a_day("b", class_hours=2), a_day("b"), a_day("c", video_minutes=9)]
    told = practised(sqlite_house, *rows, dry_run=True)
    assert stored(sqlite_house) == before
    assert statuses(practised(sqlite_house, *rows)) == statuses(told)
    assert told.told()["dry_run"]


def test_short_video_and_days_outside_the_class_are_kept_and_told(sqlite_house: House) -> None:
    enrolled(sqlite_house)
    days = [date(2021, 5, 31), date(2021, 6, 1), date(2021, 7, 20), date(2021, 7, 21)]
    minutes = [14.9, 15.0, None, 0.0]
    rows = [a_day("a", on=on, video_minutes=video) for on, video in zip(days, minutes, strict=True)]
    report = practised(sqlite_house, *rows)
    assert [[remark.code for remark in row.remarks] for row in report.rows] == [
        ["short_video", "outside_class_dates"],
        [],
        [],
        ["short_video", "outside_class_dates"],
    ]
    told = practice.practice_of(sqlite_house, "one", "P")
    assert (told["days"], told["class_hours"]) == (4, 32.0)
    assert told["remarks"] == {"short_video": 2, "outside_class_dates": 2}
    assert [row["video_minutes"] for row in told["practice"]] == minutes


def test_minutes_of_video_that_come_later_are_added(house: House) -> None:
    enrolled(house)
    for minutes, status in ((None, "accepted"), (12.0, "accepted"), (None, "duplicate"), (12.0, "duplicate")):
        assert statuses(practised(house, a_day("a", video_minutes=minutes))) == [(status, "")]
    assert stored(house)[0] == [("a", "2021-07-01", "8.0", "12.0")]


def test_practice_is_told_page_by_page(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice, "MOST_TOLD", 2)
    enrolled(sqlite_house)
    practised(sqlite_house, *(a_day(name, on=date(2021, 7, day)) for name in "cab" for day in (2, 1)))
    seen, cursor = [], ""
    while cursor is not None:
        page = practice.practice_of(sqlite_house, "one", None, cursor)
        seen += [(row["enrolment_id"], row["on"][-1]) for row in page["practice"]]
        cursor = page["next_cursor"]
    assert seen == [(name, day) for name in "abc" for day in "12"]


def test_practice_of_another_platform_is_not_there(sqlite_house: House) -> None:
    enrolled(sqlite_house)
    for call in (practice.practice_of, lambda *about: practice.record(*about, placed([a_day()]))):
        with pytest.raises(GuardError, match="class"):
            call(sqlite_house, "one", "Q")
