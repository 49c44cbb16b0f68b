"""What happened in a session, in one picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from online_guard.pictures import svg, timeline_checks, timeline_clocks, timeline_findings, timeline_players
from online_guard.pictures.axis import Axis, clock
from online_guard.pictures.canvas import Canvas
from online_guard.pictures.facts import SessionFacts
from online_guard.pictures.timeline_legend import explain, used
from online_guard.pictures.timeline_plot import Plot
from online_guard.pictures.words import Language
from online_guard.terms import Outcome

DATE_PX = 120.0
"""What the first moment, which names the day, takes up."""
NEAR_ZOOM = 6
"""From this zoom on there is room for the fine moments."""
NARROW_PX = 500
"""Below this width a picture is drawn for a phone."""
NOTHING: Mapping[str, str] = {}


def session_timeline(
    facts: SessionFacts,
    language: Language = Language.ZH,
    *,
    width: int = 860,
    thumbnails: Mapping[str, str] = NOTHING,
    prefix: str = "",
    legend: bool = True,
) -> str:
    """Return a picture of sessions: media position against time, and everything that happened below it.

    Args:
        facts: What to draw.
        language: In which it speaks.
        width: In px of the picture's own coordinates; below 500 it is drawn for a phone.
        thumbnails: Where the small picture of a snapshot lies, by its key; one that is missing is drawn as a sign.
        prefix: Of the ids `finding-1` and so on, so that several pictures can stand on one page.
        legend: Whether the signs that were used are explained below.
    """
    narrow = width < NARROW_PX
    left = 76.0 if narrow else 130.0 if language is Language.BOTH else 92.0
    canvas = Canvas(_axis(facts, width - left - 12), language, left)
    lanes = timeline_players.lanes_of(facts.tracks)
    plot = Plot(canvas, facts, timeline_findings.foot(facts.marks) + 8, 150.0 if narrow else 200.0, lanes)
    canvas.y = plot.foot + 8
    plot.draw()
    timeline_players.draw(canvas, facts, lanes)
    timeline_checks.draw(canvas, facts, thumbnails)
    timeline_clocks.draw(canvas, facts)
    timeline_findings.draw(canvas, facts.marks, prefix)
    _hours(canvas, plot.top, 80 if narrow else 100)
    if legend:
        explain(canvas, used(facts))
    return canvas.finish("timeline", canvas.say("timeline", lesson_no=facts.lesson_no), _told(canvas, facts))


def _axis(facts: SessionFacts, width: float) -> Axis:
    """Return an axis over all that has a moment; what arrives later than the last event stands at the edge."""
    moments = {facts.start_ms, facts.end_ms}
    moments |= {at for piece in facts.pieces for at, _ in piece.points}
    moments |= {
        arrival.received_ms for arrival in facts.arrivals if facts.start_ms <= arrival.received_ms <= facts.end_ms
    }
    return Axis.over(sorted(moments), width)


def _hours(canvas: Canvas, top: float, apart: float) -> None:
    """Draw the cuts, and times of day below the picture, the day where it begins; `fine` ones are for who zooms in."""
    foot, day = canvas.y, ""
    canvas.behind += [svg.bar(x1, top, x2 - x1, foot - top, "cut", canvas.say("cut")) for x1, x2 in canvas.axis.cuts()]
    coarse = [tick for tick in canvas.axis.ticks(apart) if not 0 < tick[0] < DATE_PX]
    for x, moment in coarse:
        canvas.behind.append(svg.line(x, top, x, foot, "grid"))
        today = clock(moment, "%m-%d")
        form = "%Y-%m-%d %H:%M" if not day else "%H:%M" if today == day else "%m-%d %H:%M"
        kind = "tick first" if not day else "tick last" if x > canvas.axis.width - 16 else "tick"
        day = today
        canvas.at(x, foot + 15, svg.element("text", clock(moment, form), class_=kind), "at hour")
    for x, moment in sorted(set(canvas.axis.ticks(apart / NEAR_ZOOM)) - set(coarse)):
        canvas.at(x, foot + 15, svg.element("text", clock(moment, "%H:%M:%S"), class_="tick"), "at fine")
    canvas.y = foot + 22


def _told(canvas: Canvas, facts: SessionFacts) -> Iterator[str]:
    """Yield what can be seen, in sentences."""
    first, last = clock(facts.start_ms, "%Y-%m-%d %H:%M:%S"), clock(facts.end_ms, "%Y-%m-%d %H:%M:%S")
    yield canvas.say("told_session", first=first, last=last, sessions=len(facts.keys), players=len(facts.tracks))
    controls = sum(popup.controls and popup.reaction_ms is not None for popup in facts.popups)
    yield canvas.say("told_popups", shown=len(facts.popups), good=controls)
    yield canvas.say("told_photos", count=len(facts.photos), good=sum(photo.good for photo in facts.photos))
    passed = sum(check.outcome is Outcome.PASSED for check in facts.checks)
    yield canvas.say("told_checks", count=len(facts.checks), good=passed)
    leaps = sum(jump.ahead for jump in facts.jumps)
    if leaps:
        yield canvas.say("told_jumps", count=leaps)
    if facts.others:
        yield canvas.say("told_others", count=len(facts.others))
    for mark in facts.marks:
        yield timeline_findings.in_words(canvas, mark)
