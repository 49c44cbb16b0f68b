"""The official calendar: each day of its years as another source has it, and no guess about other years."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from online_guard.assessment.working_days import DayKind, read_working_days
from online_guard.errors import GuardError

OWN = """
[2027]
notice = "本县测试〔2026〕1号"
off = [[2027-01-01, 2027-01-03]]
working = [2027-01-09]
"""


def test_each_day_is_as_another_source_has_it() -> None:
    calendar = read_working_days()
    first, last = date(min(calendar.years), 1, 1), date(max(calendar.years), 12, 31)
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    assert len(days) == 2557
    differing = [day for day in days if (calendar.kind(day) is DayKind.WORKING) is not chinese_calendar.is_workday(day)]
    # The notice of 2023 made a Saturday, 31 December 2022, part of a holiday: a day off either way.
    assert differing == []


def test_a_year_without_a_notice_is_unknown() -> None:
    calendar = read_working_days()
    assert calendar.kind(date(2019, 12, 31)) is DayKind.UNKNOWN
    assert calendar.kind(date(2020, 1, 2)) is DayKind.WORKING
    assert calendar.kind(date(2026, 12, 31)) is DayKind.WORKING
    assert calendar.kind(date(2027, 1, 1)) is DayKind.UNKNOWN


def test_a_county_may_state_a_year_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "days.toml"
    own.write_text(OWN, encoding="utf-8")
    calendar = read_working_days(own)
    assert [calendar.kind(date(2027, 1, day)) for day in (3, 4, 9, 10)] == [
        DayKind.OFF,
        DayKind.WORKING,
        DayKind.WORKING,
        DayKind.OFF,
    ]
    assert calendar.kind(date(2021, 2, 7)) is DayKind.WORKING, "the shipped years stay"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[2027", "working_days.unreadable"),
        (OWN.replace("2027-01-03", "2026-12-03"), "working_days.invalid"),
        (OWN.replace("2027-01-09", "2027-01-08"), "working_days.invalid"),
        (OWN.replace("notice", "source"), "working_days.invalid"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name(tmp_path: Path, text: str, code: str) -> None:
    own = tmp_path / "days.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(GuardError) as refused:
        read_working_days(own)
    assert (refused.value.code, refused.value.where) == (code, str(own))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuardError, match="can't be read"):
        read_working_days(tmp_path / "none.toml")
