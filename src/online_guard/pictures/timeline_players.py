"""The rows of a session's timeline that show its players: when each played, paused, was silent, hidden or unfocused."""

from __future__ import annotations

from collections.abc import Sequence

from online_guard.pictures import svg
from online_guard.pictures.axis import clock
from online_guard.pictures.canvas import Canvas
from online_guard.pictures.facts import Away, Kind, SessionFacts, Track
from online_guard.pictures.words import length

MOST_LANES = 12
TOUCH_MS = 2_000
"""Players that follow each other so closely take turns: they share a lane."""
MANY_BARS = 300
"""More bars in a lane are joined where they nearly touch."""
MANY_STRIPES = 60
"""More stripes are one path: nobody could point at one of them."""


def lanes_of(tracks: Sequence[Track]) -> tuple[int, ...]:
    """Return the lane of each track: players that take turns share one, players at the same time don't."""
    ends: list[int] = []
    result = [0] * len(tracks)
    for place in sorted(range(len(tracks)), key=lambda place: tracks[place].first_ms):
        track = tracks[place]
        free = [lane for lane, end in enumerate(ends) if end <= track.first_ms + TOUCH_MS]
        lane = free[0] if free else min(len(ends), MOST_LANES - 1)
        if lane == len(ends):
            ends.append(track.last_ms)
        ends[lane] = max(ends[lane], track.last_ms)
        result[place] = lane
    return tuple(result)


def draw(canvas: Canvas, facts: SessionFacts, lanes: Sequence[int]) -> None:
    """Draw a row for each lane; `lanes` are those of the tracks."""
    for lane in range(max(lanes) + 1):
        _player(canvas, facts, lanes, lane)


def _player(canvas: Canvas, facts: SessionFacts, lanes: Sequence[int], lane: int) -> None:
    name = "lane_player" if max(lanes) else "lane_sessions" if len(facts.keys) > 1 else "lane_play"
    values = {"lane_player": {"number": lane + 1}, "lane_sessions": {"count": len(facts.keys)}}
    top = canvas.row(name, 20, **values.get(name, {}))
    heights = {Kind.PAUSE: (7.0, 2.0), Kind.SILENT: (5.0, 6.0), Kind.PLAY: (3.0, 9.0), Kind.FAST: (3.0, 9.0)}
    for kind, (down, height) in heights.items():
        spans = [
            (canvas.x(piece.points[0][0]), canvas.x(piece.points[-1][0]))
            for piece in facts.pieces
            if piece.kind is kind and lanes[piece.track] == lane
        ]
        gap = 0.05 if len(spans) < MANY_BARS else 1.0
        places = svg.bars(svg.joined(spans, gap), top + down, height)
        canvas.zoomed.append(svg.path(places, f"bar {kind} lane-{lane % 4}"))
    starts = [canvas.x(track.first_ms) for track, own in zip(facts.tracks, lanes, strict=True) if own == lane]
    if len(starts) > 1:
        canvas.zoomed.append(svg.path("".join(f"M{svg.number(x)} {svg.number(top)}v14" for x in starts), "opening"))
    for blurred in (True, False):
        found = [away for away in facts.away if away.blurred is blurred and lanes[away.track] == lane]
        _away(canvas, found, top + 14, "blurred" if blurred else "hidden")


def _away(canvas: Canvas, found: Sequence[Away], y: float, kind: str) -> None:
    """Draw a stripe under the bars while a window was hidden or without focus."""
    if len(found) > MANY_STRIPES:
        spans = [canvas.span(away.start_ms, away.end_ms) for away in found]
        canvas.zoomed.append(svg.path(svg.bars(svg.joined(spans, 0.2), y, 5), f"bar {kind}"))
        return
    for away in found:
        x1, x2 = canvas.span(away.start_ms, away.end_ms)
        played = length(canvas.language, away.played_ms / 1000)
        note = canvas.say("away", what=canvas.say(kind), length=played)
        canvas.zoomed.append(svg.bar(x1, y, x2 - x1, 5, f"bar {kind}", f"{clock(away.start_ms)} {note}"))
