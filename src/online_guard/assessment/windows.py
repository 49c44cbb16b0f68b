"""Months: assessment windows, notice and rest (SPEC section 6)."""

from __future__ import annotations

import calendar
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of that month; the calendar ends with the year 9999.

    >>> add_months(date(2021, 8, 31), 1)
    datetime.date(2021, 9, 30)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date:
    """Return a day some days later, or earlier; the calendar has a first and a last day.

    >>> add_days(date(2021, 3, 1), -1)
    datetime.date(2021, 2, 28)
    """
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


def window_of(day: date) -> str:
    """Return the assessment window in which a day lies, such as `2021-08`."""
    return f"{day.year:04d}-{day.month:02d}"


@dataclass(frozen=True)
class Chance:
    """A window in which a class can still be assessed: the first and last day, and the last day to apply for that."""

    window: str
    from_on: date
    until_on: date
    apply_until_on: date


def next_chance(
    after: date, today: date, months: Collection[int], notice_days: int, taken: Collection[str] = ()
) -> Chance | None:
    """Return the first window that is left; None where the calendar ends.

    Args:
        after: The class's last day: assessments come later.
        today: The day of applying at the earliest.
        months: Of the windows.
        notice_days: Between applying and the assessment.
        taken: Windows that the class applied for already.
    """
    first = max(add_days(after, 1), add_days(today, notice_days))
    if first <= after:
        return None
    for ahead in range(24):
        month = add_months(first.replace(day=1), ahead)
        if month.month in months and window_of(month) not in taken:
            last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
            return Chance(window_of(month), max(first, month), last, add_days(last, -notice_days))
    return None
