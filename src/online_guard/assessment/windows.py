"""Months: assessment windows, notice and rest (SPEC section 6)."""

from __future__ import annotations

import calendar
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


def window_of(day: date) -> str:
    """Return the assessment window in which a day lies, such as `2021-08`."""
    return f"{day.year:04d}-{day.month:02d}"
