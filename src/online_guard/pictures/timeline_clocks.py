"""The rows of a session's timeline that show its clocks: arrivals, heartbeats, and other sessions at the same time."""

from __future__ import annotations

from statistics import median, quantiles

from online_guard.pictures import svg
from online_guard.pictures.canvas import Canvas
from online_guard.pictures.facts import SessionFacts

MOST_ARRIVALS = 160
STEADY_RULES = frozenset({"OG803", "OG804", "OG805"})
"""Findings that are about how regular a session is: only then heartbeats are worth a row."""


def draw(canvas: Canvas, facts: SessionFacts) -> None:
    """Draw when events arrived, how regular heartbeats were where a finding is about that, and other sessions."""
    _arrivals(canvas, facts)
    if STEADY_RULES & facts.rules and len(facts.beats) > 1:
        _beats(canvas, facts)
    _others(canvas, facts)


def _arrivals(canvas: Canvas, facts: SessionFacts) -> None:
    """Draw how events of some moments (above) reached the service together at another (below)."""
    top = canvas.row("lane_arrival", 26)
    every = max(1, len(facts.arrivals) // MOST_ARRIVALS)
    late: list[str] = []
    early: list[str] = []
    for arrival in facts.arrivals[::every]:
        x1, x2, x3 = (canvas.x(at) for at in (arrival.first_ms, arrival.last_ms, arrival.received_ms))
        fan = svg.polyline([(x1, top + 3), (max(x2, x1 + 0.7), top + 3), (x3, top + 23)]) + "z"
        (early if arrival.is_early else late).append(fan)
    canvas.zoomed.append(svg.path("".join(late), "fan", canvas.say("on_time")))
    canvas.zoomed.append(svg.path("".join(early), "fan early", canvas.say("future")))
    if early:
        canvas.pinned(canvas.axis.width - 2, top + 14, "label end", canvas.say("future"))


def _beats(canvas: Canvas, facts: SessionFacts) -> None:
    """Draw how much the time between heartbeats strays from its median: a forger's don't."""
    top = canvas.row("lane_beat", 30)
    middle = median(delta for _, delta in facts.beats)
    low, _, high = quantiles([delta for _, delta in facts.beats], n=4, method="inclusive")
    dots = dict.fromkeys(
        (round(canvas.x(at), 0), round(top + 15 - max(-12.0, min(12.0, (delta - middle) / 10)), 1))
        for at, delta in facts.beats
    )
    canvas.zoomed.append(svg.path("".join(f"M{svg.number(x)} {svg.number(y)}h0" for x, y in dots), "beat"))
    words = [canvas.say("milliseconds", count=count) for count in (middle, high - low)]
    kind = "label end" if "OG803" in facts.rules else "small over end"
    told = canvas.say("steady", median=words[0], spread=words[1])
    canvas.pinned(canvas.axis.width - 2, top + 11, kind, told)


def _others(canvas: Canvas, facts: SessionFacts) -> None:
    for other in facts.others:
        top = canvas.row("lane_other" if other.is_learners else "lane_device", 16, lesson_no=other.lesson_no)
        note = canvas.say("other", lesson_no=other.lesson_no, class_id=other.class_id, key=other.key)
        for spans, kind in ((other.played, "other"), (other.together, "together")):
            places = [(canvas.x(start), canvas.x(end)) for start, end in spans]
            canvas.zoomed.append(svg.path(svg.bars(svg.joined(places, 0.05), top + 3, 10), f"bar {kind}", note))
        ends = [canvas.x(at) for span in other.played for at in span] or [0.0]
        canvas.beside(min(ends), max(ends), top + 12, "small over", note, only_beside=True)
