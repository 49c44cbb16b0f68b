"""Days in words, 中文 and English; whatever people read on papers is said here once."""

from __future__ import annotations

from datetime import date, timedelta, timezone
from functools import lru_cache

from babel.dates import format_date

CHINA = timezone(timedelta(hours=8), "CST")


@lru_cache(maxsize=1_024)
def day_zh(day: date) -> str:
    """Return such as `2021年8月10日星期二`."""
    return format_date(day, "full", locale="zh_Hans_CN")


@lru_cache(maxsize=1_024)
def day_en(day: date) -> str:
    """Return such as `Tue 10 Aug 2021`."""
    return format_date(day, "EEE d MMM y", locale="en")
