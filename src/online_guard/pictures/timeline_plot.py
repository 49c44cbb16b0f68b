"""The plot of a session's timeline: media position against time, with what time allows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from online_guard.pictures import svg
from online_guard.pictures.axis import clock
from online_guard.pictures.canvas import LABEL_SIZE, Canvas, wide
from online_guard.pictures.facts import EARLY_MS, Cone, Kind, SessionFacts, Wedge
from online_guard.pictures.words import length

LEAST_CONE_MS = 30_000
"""The cone of a shorter run would be a dot."""
MOST_LABELS = 3
FINE_PX = 0.15
"""How far a drawn line may stray from the events."""


@dataclass(frozen=True)
class Plot:
    """Where the plot stands, and which media position is where."""

    canvas: Canvas
    facts: SessionFacts
    top: float
    height: float
    lanes: tuple[int, ...]

    @property
    def foot(self) -> float:
        """Return the lower edge."""
        return self.top + self.height

    def y(self, position_s: float) -> float:
        """Return the height of a media position; a little beyond the lesson's end is at its end."""
        share = position_s / max(1.0, self.facts.duration_s)
        return self.top + self.height * (1 - min(1.0, max(0.0, share)))

    def places(self, points: tuple[tuple[int, float], ...]) -> list[tuple[float, float]]:
        """Return points in px, without those that can't be told from a line."""
        return svg.thinned([(self.canvas.x(at), self.y(position)) for at, position in points], FINE_PX)

    def draw(self) -> None:
        """Draw grid, cones, what ran ahead, the players' ways and their jumps."""
        self._grid()
        for cone in self.facts.cones:
            self._cone(cone)
        self._hidden()
        self._not_yet()
        for wedge in self.facts.wedges:
            self.canvas.zoomed.append(svg.path(self._between(wedge), "ahead", self.canvas.say("fast")))
            self.canvas.zoomed.append(svg.path(svg.polyline(self.places(wedge.most)), "most", self.canvas.say("most")))
        self._ways()
        self._jumps()
        self._labels()

    def _grid(self) -> None:
        minutes = self.facts.duration_s / 60
        step = next(step for step in (1, 2, 5, 10, 20, 30, 60, 120, 10_000) if minutes / step <= 5)
        for minute in range(0, int(minutes) + 1, step):
            y = self.y(minute * 60)
            self.canvas.rule(y)
            words = self.canvas.say("minutes", count=minute) if minute else "0"
            self.canvas.fixed.append(svg.text(self.canvas.left - 7, y + 4, "axis end", words))

    def _cone(self, cone: Cone) -> None:
        """Draw what a run could reach from where it stood: the triangle between standing still and the allowed rate."""
        passed_s = (cone.until_ms - cone.at_ms) / 1000
        if passed_s * 1000 < LEAST_CONE_MS:
            return
        shown_s = min(passed_s, max(0.0, self.facts.duration_s - cone.from_s) / self.facts.limits.rate)
        furthest_s = cone.from_s + shown_s * self.facts.limits.rate
        corners = [
            (self.canvas.x(cone.at_ms), self.y(cone.from_s)),
            (self.canvas.x(cone.at_ms + shown_s * 1000), self.y(furthest_s)),
            (self.canvas.x(cone.until_ms), self.y(furthest_s)),
            (self.canvas.x(cone.until_ms), self.y(cone.from_s)),
        ]
        self.canvas.zoomed.append(svg.path(svg.polyline(corners) + "z", "cone"))
        self.canvas.zoomed.append(svg.path(svg.polyline(corners[:2]), "ray"))

    def _hidden(self) -> None:
        """Shade the time in which something played hidden."""
        spans = [
            (self.canvas.x(away.start_ms), self.canvas.x(away.end_ms))
            for away in self.facts.away
            if away.played_ms and not away.blurred
        ]
        self.canvas.zoomed.append(svg.path(svg.bars(svg.joined(spans, 0.5), self.top, self.height), "dark"))

    def _not_yet(self) -> None:
        """Shade the time that had not come yet when the service had received everything about it."""
        received_ms = max((arrival.received_ms for arrival in self.facts.arrivals), default=self.facts.end_ms)
        if self.facts.end_ms - received_ms > EARLY_MS:
            x = self.canvas.x(received_ms)
            self.canvas.zoomed.append(svg.bar(x, self.top, self.canvas.axis.width - x, self.height, "not-yet"))
            self.canvas.beside(x, x, self.top + self.height - 8, "label", self.canvas.say("not_yet"))

    def _between(self, wedge: Wedge) -> str:
        return svg.polyline([*self.places(wedge.real), *reversed(self.places(wedge.most))]) + "z"

    def _ways(self) -> None:
        """Draw the players' ways: one path for each kind and lane."""
        ways: dict[tuple[Kind, int], list[str]] = defaultdict(list)
        for piece in self.facts.pieces:
            ways[piece.kind, self.lanes[piece.track]].append(svg.polyline(self.places(piece.points)))
        for (kind, lane), lines in sorted(ways.items(), key=lambda way: list(Kind).index(way[0][0]), reverse=True):
            self.canvas.zoomed.append(svg.path("".join(lines), f"way {kind} lane-{lane % 4}"))

    def _jumps(self) -> None:
        for jump in self.facts.jumps:
            x, y1, y2 = self.canvas.x(jump.at_ms), self.y(jump.from_s), self.y(jump.to_s)
            kind = "jump leap" if jump.ahead else "jump"
            note = f"{clock(jump.at_ms)} {self.canvas.say('seek_ahead' if jump.ahead else 'seek')}"
            self.canvas.zoomed.append(svg.path(f"M{svg.number(x)} {svg.number(y1)}V{svg.number(y2)}", kind, note))
            self.canvas.zoomed.append(svg.path(f"M{svg.number(x)} {svg.number(y2)}h0", f"{kind} landing"))

    def _labels(self) -> None:
        """Write the greatest jumps, the fastest stretches and declared rates beside them."""
        language = self.canvas.language
        leaps = sorted((jump for jump in self.facts.jumps if jump.ahead), key=lambda jump: jump.from_s - jump.to_s)
        for jump in leaps[:MOST_LABELS]:
            words = self.canvas.say("jump", length=length(language, jump.to_s - jump.from_s))
            self._beside(self.canvas.x(jump.at_ms), (self.y(jump.from_s) + self.y(jump.to_s)) / 2, words)
        wedges = sorted(self.facts.wedges, key=_greatest)
        for wedge in wedges[-MOST_LABELS:]:
            self._wedge_label(wedge)
        for declared in sorted(self.facts.declared, key=lambda one: one.start_ms - one.end_ms)[:1]:
            words = self.canvas.say("declared", rate=round(declared.rate, 2))
            self._beside(self.canvas.x(declared.start_ms), self.top + 12, words)

    def _wedge_label(self, wedge: Wedge) -> None:
        """Write how fast a stretch went to where it was furthest ahead, and by how much."""
        ahead = [real[1] - most[1] for real, most in zip(wedge.real, wedge.most, strict=True)]
        place = max(range(len(ahead)), key=ahead.__getitem__)
        (first_ms, first_s), (last_ms, last_s) = wedge.real[0], wedge.real[place]
        words = self.canvas.say("ahead", length=length(self.canvas.language, ahead[place]))
        if last_ms - first_ms >= 1000:
            rate = (last_s - first_s) * 1000 / (last_ms - first_ms)
            words = f"{self.canvas.say('rate', rate=rate)} · {words}"
        self._beside(self.canvas.x(last_ms), 0.35 * self.y(last_s) + 0.65 * self.y(wedge.most[place][1]), words)

    def _beside(self, x: float, y: float, words: str) -> None:
        """Write a label right of a place, left of it near the edge."""
        is_right = x + 8 + wide(words) * LABEL_SIZE <= self.canvas.axis.width
        self.canvas.words(x, y + 4, "label" if is_right else "label end", words, right=8.0 if is_right else -8.0)


def _greatest(wedge: Wedge) -> float:
    return max(real[1] - most[1] for real, most in zip(wedge.real, wedge.most, strict=True))
