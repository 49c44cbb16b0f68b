"""Days and numbers in words, 中文 and English; whatever people read on papers is said here once."""

from __future__ import annotations

from collections.abc import Sequence
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


def spans(numbers: Sequence[int]) -> str:
    """Return sorted numbers with neighbours joined: `1–3、7`."""
    joined: list[list[int]] = []
    for number in sorted(numbers):
        if joined and joined[-1][1] == number - 1:
            joined[-1][1] = number
        else:
            joined.append([number, number])
    return "、".join(str(first) if first == last else f"{first}–{last}" for first, last in joined)
