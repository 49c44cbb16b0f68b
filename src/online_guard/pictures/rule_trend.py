"""How often rules were found, week by week: a panel for each rule, side by side, all drawn to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from online_guard.pictures import svg
from online_guard.pictures.canvas import shortened
from online_guard.pictures.legend import legend
from online_guard.pictures.words import Language, pair, say
from online_guard.rules.catalogue import BY_ID

NARROW_PX = 500
COLUMNS = 3
PANEL_PX, PLOT_PX = 132.0, 74.0
LEAST_TOP = 0.05
"""A panel's scale ends no lower: a rule seen once in a hundred sessions shouldn't look like a flood."""
PLATFORM_SHARE = 0.8
"""Drawn as the platform's fault: a share of sessions that no choice of single learners explains; engineering."""
SIGNS = {
    "trend_hits": '<path class="hits" d="M4 -6H18V5H4z"/>',
    "trend_platform": '<path class="hits platform" d="M4 -6H18V5H4z"/>',
    "trend_elsewhere": '<path class="elsewhere" d="M4 0H18"/>',
    "trend_upheld": '<path class="upheld" d="M2 0H20"/><path class="upheld dot" d="M11 0h0"/>',
}


@dataclass(frozen=True)
class Week:
    """One week of a rule: sessions that were judged, those in which it was found, and what auditors said of them.

    elsewhere: the share of sessions with it at all other platforms, None where there are none.
    """

    starts_on: date
    sessions: int
    hits: int
    upheld: int = 0
    dismissed: int = 0
    elsewhere: float | None = None

    @property
    def share(self) -> float:
        """Return the share of sessions in which the rule was found."""
        return self.hits / self.sessions if self.sessions else 0.0

    @property
    def upheld_share(self) -> float | None:
        """Return the share of decisions that upheld it, None without decisions."""
        decided = self.upheld + self.dismissed
        return self.upheld / decided if decided else None


@dataclass(frozen=True)
class RuleWeeks:
    """The weeks of one rule, in order; `place` heads its panel in place of the rule, where one rule has several."""

    rule: str
    weeks: tuple[Week, ...]
    place: str = ""


def rule_trend(trends: Sequence[RuleWeeks], language: Language = Language.ZH, *, width: int = 860) -> str:
    """Return small multiples: for each rule its share of sessions by week as bars, and the upheld share as a line.

    A bar is drawn as the platform's fault where nearly every session has it: so many learners don't cheat at once. A
    tick across it says how it is elsewhere.

    Args:
        trends: Rules in the order of the panels.
        language: In which it speaks.
        width: In px of the picture's own coordinates; below 500 the panels stand one below the other.
    """
    columns = 1 if width < NARROW_PX else COLUMNS
    wide_px = width / columns
    parts: list[str] = []
    for place, trend in enumerate(trends):
        x, y = place % columns * wide_px, place // columns * PANEL_PX
        parts += _panel(trend, x + 34, y + 24, wide_px - 64, language)
    keys = ((sign, say(language, name)) for name, sign in SIGNS.items())
    rows, height = legend(keys, -(-len(trends) // columns) * PANEL_PX, width)
    told = [_told(trend, language) for trend in trends]
    return svg.picture("trend", width, height, say(language, "trend"), told, parts + rows)


def _name(trend: RuleWeeks, language: Language) -> str:
    known = BY_ID.get(trend.rule)
    if trend.place or known is None:
        return trend.place or trend.rule
    return f"{trend.rule} {pair(language, (known.zh, known.name))}"


def _told(trend: RuleWeeks, language: Language) -> str:
    hits, sessions = (sum(getattr(week, name) for week in trend.weeks) for name in ("hits", "sessions"))
    return say(language, "trend_told", name=_name(trend, language), hits=hits, sessions=sessions)


def _panel(trend: RuleWeeks, left: float, top: float, width: float, language: Language) -> Iterator[str]:
    """Draw one rule: shares from 0 to the greatest one, decisions from 0 to 1."""
    foot, step = top + PLOT_PX, width / max(1, len(trend.weeks))
    highest = max([LEAST_TOP, *(max(week.share, week.elsewhere or 0.0) for week in trend.weeks)])
    yield svg.text(left, top - 10, "head", shortened(_name(trend, language), width / 1.15))
    yield svg.line(left, foot, left + width, foot, "zero")
    yield svg.line(left, top, left + width, top, "grid")
    yield svg.text(left - 5, top + 4, "small end", f"{highest:.0%}")
    yield svg.text(left - 5, foot + 3, "small end", "0")
    points = []
    for place, week in enumerate(trend.weeks):
        x, tall = left + place * step, PLOT_PX * week.share / highest
        kind = "hits platform" if week.share >= PLATFORM_SHARE else "hits"
        note = say(
            language,
            "trend_week",
            day=week.starts_on.isoformat(),
            hits=week.hits,
            sessions=week.sessions,
            share=week.share,
        )
        if week.hits:
            yield svg.bar(x + step * 0.12, foot - tall, step * 0.76, max(tall, 0.5), kind, note)
        if week.elsewhere is not None:
            y = foot - PLOT_PX * week.elsewhere / highest
            yield svg.line(x + step * 0.05, y, x + step * 0.95, y, "elsewhere")
        if week.upheld_share is not None:
            points.append((x + step / 2, foot - PLOT_PX * week.upheld_share))
    if points:
        yield svg.path(svg.polyline(points), "upheld")
        yield svg.path("".join(f"M{svg.number(x)} {svg.number(y)}h0" for x, y in points), "upheld dot")
        yield svg.text(left + width + 4, top + 4, "small kept", "100%")
    for week, x, kind in (
        ((trend.weeks[0], left, "small"), (trend.weeks[-1], left + width, "small end")) if trend.weeks else ()
    ):
        yield svg.text(x, foot + 13, kind, f"{week.starts_on:%m-%d}")
