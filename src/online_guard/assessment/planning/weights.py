"""What is unwanted in a plan, and how much: one table, in which one candidate who comes one day later weighs 1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

MONTH_DAYS = 30
MOST_URGENT = 3
"""The weight of a day for somebody who has waited two months or longer."""
EVEN_TOLERANCE = (21, 20)
"""A day's load is even up to a twentieth above the average: whole classes hardly add up to it exactly."""


@dataclass(frozen=True)
class Weight:
    """How much one unit of something unwanted weighs, and why (engineering: the notice ranks nothing)."""

    weight: int
    zh: str
    en: str


WEIGHTS = {
    "slots": Weight(
        300,
        "班级理论或实操每多分一个场次:比全班多等数日更扰乱企业生产",
        "each further (day, site, slot) of a class's theory or practice: worse for work than days of waiting",
    ),
    "sites": Weight(
        200,
        "班级每多一个(日期、考点):带队与交通各多一份",
        "each further (day, site) of a class: one more person to lead them, one more bus",
    ),
    "enterprise_days": Weight(
        30,
        "企业每多一天派人:约等于一个班晚一天",
        "each further day on which an enterprise sends people: about as much as a class that comes a day later",
    ),
    "overload": Weight(
        70,
        "超出均衡人数每人:大于一人在整月内提前所能得到的(3×23),所以均衡优先于提前",
        "each candidate above a day's even load: more than anybody gains by coming a whole month earlier (3 × 23)",
    ),
    "examiner_days": Weight(
        10,
        "考评员每人每日:约等于半个班晚一天",
        "an examiner for a day: about as much as half a class that comes a day later",
    ),
    "waiting": Weight(
        1,
        "考生每晚一个考核日:等待满一个月加1,最多为3",
        "a day of assessment later for a candidate: 1, and 1 more for each month waited already, at most 3",
    ),
}


def urgency(waiting_since: date, first_day: date) -> int:
    """Return what a later day weighs for a candidate, from 1, by months of 30 days waited when the window opens."""
    waited = max(0, (first_day - waiting_since).days)
    return min(MOST_URGENT, 1 + waited // MONTH_DAYS)


def even_load(candidates: int, days: int, largest_class: int) -> int:
    """Return how many candidates a day may have without being overloaded; a whole class is never too many."""
    times, parts = EVEN_TOLERANCE
    return max(-(-candidates * times // (days * parts)), largest_class)
