"""Months and civil days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from evidence_builder import evidence_of, session, watched
from hypothesis import given
from hypothesis import strategies as st

from online_guard.assessment.windows import add_days, add_months, next_chance, window_of
from online_guard.evidence import civil_day
from online_guard.judge import judge
from online_guard.policy import Policy

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2021, 1, 31), 1, date(2021, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2021, 8, 31), 1, date(2021, 9, 30)),
        (date(2021, 8, 15), 1, date(2021, 9, 15)),
        (date(2021, 12, 31), 1, date(2022, 1, 31)),
        (date(2021, 11, 30), 3, date(2022, 2, 28)),
        (date(2021, 2, 28), 1, date(2021, 3, 28)),
        (date(2021, 5, 31), 0, date(2021, 5, 31)),
        (date(2021, 12, 1), 12, date(2022, 12, 1)),
        (date(9999, 11, 30), 1, date(9999, 12, 30)),
        (date(9999, 12, 1), 1, date.max),
    ],
)
def test_the_same_day_of_a_later_month_or_its_last(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@given(day=DAYS, months=st.integers(0, 40))
def test_a_day_never_leaves_its_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(("day", "window"), [(date(2021, 8, 1), "2021-08"), (date(999, 12, 31), "0999-12")])
def test_a_window_is_a_calendar_month(day: date, window: str) -> None:
    assert window_of(day) == window


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2021-03-31T15:59:59.999", "2021-03-31"),
        ("2021-03-31T16:00:00.000", "2021-04-01"),
        ("2021-02-28T16:00:00", "2021-03-01"),
        ("1969-12-31T15:59:59", "1969-12-31"),
    ],
)
def test_the_civil_day_begins_at_midnight_in_beijing(moment: str, day: str) -> None:
    assert civil_day(np.array([ms(moment)])).astype(str).tolist() == [day]


@pytest.mark.parametrize(
    ("starts", "found"),
    [
        ("2021-02-28T15:59:59.999", True),
        ("2021-02-28T16:00:00.000", False),
        ("2021-03-31T15:59:59.999", False),
        ("2021-03-31T16:00:00.000", True),
    ],
)
def test_a_session_lies_outside_the_class_by_the_service_clock_in_beijing(
    policy: Policy, starts: str, found: bool
) -> None:
    """The client's clock is an hour fast; its day alone would say otherwise."""
    begin_s = (ms(starts) - ms("2021-03-15T01:00:00")) / 1000
    sitting = session("s1", watched(begin_s + 3_600, 60, late_s=-3_600), opened_s=begin_s + 3_600, late_s=-3_600)
    judged = judge(evidence_of(sitting), policy)
    assert [one.rule for one in judged.findings if one.rule == "OG703"] == ["OG703"] * found


@given(DAYS, st.integers(-400, 400))
def test_days_are_added_and_taken_away(day: date, days: int) -> None:
    assert add_days(day, days) == day + timedelta(days=days)


def test_the_calendar_has_ends() -> None:
    assert add_days(date.max, 1) == date.max
    assert add_days(date.min, -1) == date.min
    assert next_chance(date.max, date(2021, 1, 1), (4, 8, 12), 3) is None


@given(DAYS, DAYS, st.sets(st.integers(1, 12), min_size=1), st.integers(0, 30))
def test_the_next_chance_is_the_first_window_that_is_left(
    after: date, today: date, months: set[int], notice_days: int
) -> None:
    chance = next_chance(after, today, months, notice_days)
    assert chance is not None
    assert after < chance.from_on <= chance.until_on
    assert today <= chance.apply_until_on == chance.until_on - timedelta(days=notice_days)
    assert window_of(chance.from_on) == window_of(chance.until_on) == chance.window
    assert chance.from_on.month in months
    earlier = max(after, today + timedelta(days=notice_days - 1))
    days = (earlier + timedelta(days=n) for n in range(1, (chance.from_on - earlier).days))
    assert not any(day.month in months for day in days), "no day between would do"
    following = next_chance(after, today, months, notice_days, {chance.window})
    assert following is not None
    assert following.window > chance.window
