import itertools
import re
from datetime import date

import pytest
from picture_reader import classes, read, words

from online_guard.ledger import LedgerEntry
from online_guard.pictures.assessment_calendar import Month, assessment_calendar
from online_guard.pictures.axis import BREAK_PX, Axis, clock
from online_guard.pictures.heat_map import Cell, Hours, Learner, ledger_heat_map
from online_guard.pictures.rule_trend import PLATFORM_SHARE, RuleWeeks, Week, rule_trend
from online_guard.pictures.words import Language

NOON_MS = 1_623_124_800_000
HAN = re.compile(r"[\u4e00-\u9fff]")


def entry(hours: float, *refused_by: str) -> LedgerEntry:
    return LedgerEntry("e1", 1, hours, 0.0, 0.5, refused_by)


@pytest.mark.parametrize(
    ("row", "waits", "state"),
    [
        (entry(1.0), False, Hours.EARNED),
        (entry(0), False, Hours.UNOPENED),
        (entry(0, "OG702"), False, Hours.UNFINISHED),
        (entry(0, "OG101", "OG702"), False, Hours.REFUSED),
        (entry(0, "OG302"), True, Hours.HELD),
    ],
)
def test_a_row_of_the_ledger_has_one_state(row: LedgerEntry, waits: bool, state: Hours) -> None:
    assert Cell.of(row, waits).state is state


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("width", [860, 400])
def test_a_heat_map_names_the_rules_of_what_did_not_earn(language: Language, width: int) -> None:
    cells = {1: Cell.of(entry(1.0), False), 2: Cell.of(entry(0, "OG101", "OG702"), False)}
    tree = read(ledger_heat_map([Learner("王<小>明", cells)], [1, 2, 3], language, width=width))
    assert {"cell earned", "cell refused", "cell unopened", "sign refused"} <= classes(tree)
    (title,) = [text for text in words(tree) if "OG101 OG702" in text]
    assert "王<小>明" in title
    assert "50%" in title
    assert {text.split()[-1] for text in words(tree) if text[-2:] in (" 0", " 1")} >= {"0", "1"}


def test_a_large_class_fits_and_a_mark_says_what_the_colour_says() -> None:
    cells = {number: Cell.of(entry(0, "OG101") if number % 20 == 0 else entry(1.0), False) for number in range(1, 61)}
    picture = ledger_heat_map([Learner(f"learner-{n:04}", cells) for n in range(80)], range(1, 61))
    tree = read(picture)
    width = float(tree.get("viewBox", "").split()[2])
    boxes = list(tree.iter("rect"))
    assert len(boxes) == 80 * 3 + 5
    assert all(float(one.get("x", "0")) + float(one.get("width", "0")) <= width for one in boxes)
    crosses = next(one for one in tree.iter("path") if one.get("class") == "sign refused")
    assert crosses.get("d", "").count("M") == 2 * 80 * 3
    assert len(picture) < 200_000


def week(number: int, hits: int, **more: object) -> Week:
    return Week(date(2021, 6, 7 + 7 * number), 100, hits, **more)  # type: ignore[arg-type]


def test_a_rule_that_nearly_every_session_breaks_is_drawn_as_the_platforms_fault() -> None:
    most = round(100 * PLATFORM_SHARE)
    weeks = (week(0, most - 1), week(1, most, elsewhere=0.02, upheld=3, dismissed=1))
    tree = read(rule_trend([RuleWeeks("OG106", weeks)]))
    bars = [one for one in tree.iter("rect") if "hits" in one.get("class", "")]
    assert [one.get("class") for one in bars] == ["hits", "hits platform"]
    tall = [float(one.get("height", "")) for one in bars]
    assert tall[0] / tall[1] == pytest.approx((most - 1) / most, abs=0.001)
    assert {"elsewhere", "upheld", "upheld dot"} <= classes(tree)
    assert "2021-06-14 起一周：80/100，80.0%" in list(words(tree))


def test_weeks_without_sessions_or_decisions_are_no_division_by_zero() -> None:
    empty = Week(date(2021, 6, 7), 0, 0)
    assert (empty.share, empty.upheld_share) == (0.0, None)
    tree = read(rule_trend([RuleWeeks("OG101", (empty,)), RuleWeeks("OG102", ())], Language.EN, width=400))
    assert not any(HAN.search(text) for text in words(tree))


def test_a_calendar_tells_three_kinds_of_days_and_who_comes() -> None:
    days = {date(2021, 8, 10): 60}
    month = Month(2021, 8, True, candidates=118, refused=14, roster=2, seats=days)

    def kind(day: date) -> str:
        return "unknown" if day.day > 28 else "off" if day.weekday() > 4 else "working"

    tree = read(assessment_calendar([Month(2021, 7), month], kind, today=date(2021, 7, 20)))
    assert {"window", "day off", "day unknown", "day working used", "day working today"} <= classes(tree)
    said = list(words(tree))
    assert {"可考 118 人，不符合 14 人", "名单第 2 版已发布", "29?", "2021-08-10 工作日 60 人考核"} <= set(said)
    english = list(words(read(assessment_calendar([month], kind, Language.EN, width=400))))
    assert not any(HAN.search(text) for text in english)
    assert len([one for one in tree.iter("rect") if one.get("class", "").startswith("day ")]) == 31 + 31 + 4


def test_long_times_without_events_are_cut_out() -> None:
    axis = Axis.over([0, 60_000, 7_200_000, 7_260_000], 400)
    assert axis.x(0) == axis.x(-5) == 0
    assert axis.x(60_000) == axis.x(3_600_000) == pytest.approx((400 - BREAK_PX) / 2)
    assert axis.x(7_200_000) == pytest.approx(axis.x(60_000) + BREAK_PX)
    assert axis.x(9_999_999) == pytest.approx(400)
    assert list(axis.cuts()) == [(axis.x(60_000), axis.x(7_200_000))]


def test_an_axis_names_whole_moments_apart_from_one_another() -> None:
    axis = Axis.over([NOON_MS + 1000 * second for second in range(0, 2400, 60)], 700)
    ticks = list(axis.ticks(100))
    assert [clock(moment, "%H:%M") for _, moment in ticks] == ["12:00", "12:10", "12:20", "12:30"]
    assert all(after - before >= 100 for (before, _), (after, _) in itertools.pairwise(ticks))


def test_the_clock_is_that_of_china() -> None:
    assert clock(NOON_MS, "%H:%M") == "12:00"
    assert clock(NOON_MS + 61_000) == "12:01:01"
