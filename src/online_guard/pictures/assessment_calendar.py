"""The months of an assessment: which days are worked, which are used, who comes and who was refused."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from online_guard.pictures import svg
from online_guard.pictures.legend import legend
from online_guard.pictures.words import Language, say

NARROW_PX = 500
COLUMNS = 3
DAY_PX, HEAD_PX, MONTH_PX = 26.0, 76.0, 244.0
WEEKDAYS = {Language.ZH: "一二三四五六日", Language.EN: "MTWTFSS", Language.BOTH: "一二三四五六日"}
KEYS = {
    "day working": "day_working", "day off": "day_off", "day unknown": "day_unknown", "day used": "calendar_used",
}  # fmt: skip


@dataclass(frozen=True)
class Month:
    """A month to be drawn.

    window: whether it is an assessment window. candidates, refused: of its applications. roster: the version that is
    published, None before. seats: candidates by day, from the roster.
    """

    year: int
    month: int
    window: bool = False
    candidates: int = 0
    refused: int = 0
    roster: int | None = None
    seats: Mapping[date, int] = field(default_factory=dict)


def assessment_calendar(
    months: Sequence[Month],
    kind: Callable[[date], str],
    language: Language = Language.ZH,
    *,
    width: int = 860,
    today: date | None = None,
) -> str:
    """Return the calendar of some months.

    Args:
        months: In order.
        kind: What is known of a day: `working`, `off` or `unknown` (no official notice for its year).
        language: In which it speaks.
        width: In px of the picture's own coordinates; below 500 the months stand one below the other.
        today: Is framed.
    """
    columns = 1 if width < NARROW_PX else COLUMNS
    wide_px = width / columns
    parts: list[str] = []
    for place, month in enumerate(months):
        x, y = place % columns * wide_px, place // columns * MONTH_PX
        parts += _month(month, kind, (x + 8, y), language, today)
    keys = ((svg.bar(4, -8, 14, 14, name), say(language, words)) for name, words in KEYS.items())
    rows, height = legend(keys, -(-len(months) // columns) * MONTH_PX, width)
    told = [_head(month, language) for month in months if month.window]
    return svg.picture("calendar", width, height, say(language, "calendar"), told, parts + rows)


def _head(month: Month, language: Language) -> str:
    """Return what a window is about, in words."""
    words = say(language, "calendar_window", candidates=month.candidates, refused=month.refused)
    return f"{month.year}-{month.month:02} {words} {_roster(month, language)}"


def _roster(month: Month, language: Language) -> str:
    """Return whether the window has a roster, in words."""
    return say(language, "calendar_roster", version=month.roster) if month.roster else say(language, "calendar_none")


def _month(
    month: Month, kind: Callable[[date], str], corner: tuple[float, float], language: Language, today: date | None
) -> Iterator[str]:
    left, top = corner
    if month.window:
        yield svg.bar(left - 6, top + 2, 7 * DAY_PX + 12, MONTH_PX - 8, "window")
    yield svg.text(left, top + 20, "head", f"{month.year}-{month.month:02}")
    if month.window:
        yield svg.text(
            left,
            top + 37,
            "meaning",
            say(language, "calendar_window", candidates=month.candidates, refused=month.refused),
        )
        yield svg.text(left, top + 53, "small", _roster(month, language))
    for column, letter in enumerate(WEEKDAYS[language]):
        yield svg.text(left + (column + 0.5) * DAY_PX, top + HEAD_PX - 6, "small mid", letter)
    for row, week in enumerate(Calendar().monthdatescalendar(month.year, month.month)):
        for column, day in enumerate(week):
            if day.month == month.month:
                yield from _day(
                    day,
                    kind(day),
                    month.seats.get(day, 0),
                    (left + column * DAY_PX, top + HEAD_PX + row * DAY_PX),
                    language,
                    day == today,
                )


def _day(
    day: date, kind: str, seats: int, corner: tuple[float, float], language: Language, is_today: bool
) -> Iterator[str]:
    x, y = corner
    name = f"day {kind}" + (" used" if seats else "") + (" today" if is_today else "")
    note = f"{day.isoformat()} {say(language, f'day_{kind}')}"
    if seats:
        note = f"{note} {say(language, 'calendar_seats', count=seats)}"
    yield svg.bar(x + 1, y + 1, DAY_PX - 2, DAY_PX - 2, name, note)
    number = "number used" if seats else "number"
    if seats:
        yield svg.text(x + DAY_PX / 2, y + 11, f"small mid {number}", str(day.day))
        yield svg.text(x + DAY_PX / 2, y + 21, f"seats mid {number}", str(seats))
    else:
        mark = "?" if kind == "unknown" else ""
        yield svg.text(x + DAY_PX / 2, y + 17, f"mid {number} {kind}", f"{day.day}{mark}")
