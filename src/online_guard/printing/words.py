"""Days and numbers in words, 中文 and English; whatever people read on papers is said here once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from babel.dates import format_date

WIDE = {",": "，", ";": "；", ":": "："}
CHINA = timezone(timedelta(hours=8), "CST")


LAST_S = int(datetime.max.replace(microsecond=0, tzinfo=CHINA).timestamp())


def in_china(moment_ms: int) -> datetime:
    """Return a moment in ms since 1970 to the second, in the time of China; the calendar ends with 9999."""
    return datetime.fromtimestamp(min(moment_ms // 1_000, LAST_S), CHINA)


@lru_cache(maxsize=1_024)
def day_zh(day: date) -> str:
    """Return such as `2021年8月10日星期二`."""
    return format_date(day, "full", locale="zh_Hans_CN")


@lru_cache(maxsize=1_024)
def day_en(day: date) -> str:
    """Return such as `Tue 10 Aug 2021`."""
    return format_date(day, "EEE d MMM y", locale="en")


def full_width(zh: str) -> str:
    """Return Chinese with the commas, colons and semicolons after its characters as wide as these are.

    >>> full_width("于 2021-07-20 结束:补学第 3 课,OG203")
    '于 2021-07-20 结束：补学第 3 课，OG203'
    """
    return re.sub(r"(?<=[\u3400-\u9fff》）)])[,;:]", lambda found: WIDE[found[0]], zh)


def spans(numbers: Sequence[int]) -> str:
    """Return sorted numbers with neighbours joined: `1–3、7`."""
    joined: list[list[int]] = []
    for number in sorted(numbers):
        if joined and joined[-1][1] == number - 1:
            joined[-1][1] = number
        else:
            joined.append([number, number])
    return "、".join(str(first) if first == last else f"{first}–{last}" for first, last in joined)
