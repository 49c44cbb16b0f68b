"""Where things stand in a session's timeline, and the two layers it is drawn on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from unicodedata import east_asian_width

from online_guard.pictures import svg
from online_guard.pictures.axis import Axis
from online_guard.pictures.words import Language, say

LEAST_PX = 3.0
"""A moment must still be seen."""
WIDE_PX, SLIM_PX = 11.0, 6.5
"""Widths of a Chinese and of a Latin letter at 11 px, as estimated for the place of words."""
LABEL_SIZE = 1.15
"""Labels in the plot are written so much larger."""


@dataclass
class Canvas:
    """A layer that stretches when a reader zooms (`zoomed`, places from 0 to the axis' width), and one that doesn't.

    left: of the plot. y: where the next row begins. behind: what of the zoomed layer lies behind the rest.
    """

    axis: Axis
    language: Language
    left: float
    y: float = 0.0
    under: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    zoomed: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)

    def say(self, name: str, /, **values: object) -> str:
        """Return a word in the picture's language."""
        return say(self.language, name, **values)

    def x(self, at_ms: float) -> float:
        """Return the place of a moment."""
        return self.axis.x(at_ms)

    def span(self, start_ms: float, end_ms: float) -> tuple[float, float]:
        """Return the places of two moments, far enough from one another to be seen, within the plot."""
        start, end = self.x(start_ms), self.x(end_ms)
        end = max(end, start + LEAST_PX)
        return min(start, self.axis.width - LEAST_PX), min(end, self.axis.width)

    def at(self, x: float, y: float, content: str, name: str = "at") -> None:
        """Draw something that keeps its size, at a place of the zoomed layer."""
        place = f"translate({svg.number(self.left + x)} {svg.number(y)})"
        self.fixed.append(svg.element("g", content, class_=name, data_x=float(x), data_y=float(y), transform=place))

    def words(self, x: float, y: float, name: str, words: str, note: str = "", *, right: float = 0.0) -> None:
        """Write words `right` px right of a place of the zoomed layer."""
        where = right or None
        self.at(x, y, svg.element("text", escape(words) + svg.title(note), class_=name, x=where))

    def pinned(self, x: float, y: float, name: str, words: str, note: str = "") -> None:
        """Write words that stay where they are when a reader zooms."""
        self.fixed.append(svg.text(self.left + x, y, name, words, note))

    def beside(self, x1: float, x2: float, y: float, kind: str, words: str, *, only_beside: bool = False) -> None:
        """Write words beside a bar where there is room, else upon it, cut where too long, or (`only_beside`) not."""
        size = LABEL_SIZE if kind == "label" else 1.0
        room, taken = self.axis.width, wide(words) * size
        if x2 + 6 + taken <= room:
            self.words(x2, y, kind, words, right=6)
        elif taken <= x1 - 6:
            self.words(x1, y, f"{kind} end", words, right=-6)
        elif not only_beside:
            place = min(x1 + 5, max(4.0, room - taken - 4))
            self.pinned(place, y, kind, shortened(words, (room - place - 4) / size), words)

    def row(self, name: str, height: float, **values: object) -> float:
        """Begin a row below what is drawn already, say what it is, and return its upper edge."""
        top = self.y
        self.label(top + height / 2 + 4, self.say(name, **values))
        self.rule(top + height)
        self.y = top + height
        return top

    def label(self, y: float, words: str) -> None:
        """Write what a row is, left of the plot."""
        self.fixed.append(svg.text(self.left - 7, y, "row end", words))

    def rule(self, y: float) -> None:
        """Draw a line over the plot."""
        self.under.append(svg.line(self.left, y, self.left + self.axis.width, y, "grid"))

    def finish(self, name: str, label: str, told: Iterable[str]) -> str:
        """Return the picture."""
        height = self.y
        inner = svg.element(
            "svg",
            "".join(self.behind + self.zoomed),
            class_="zoomed",
            x=self.left,
            y=0.0,
            width=self.axis.width,
            height=height,
            viewBox=f"0 0 {svg.number(self.axis.width)} {svg.number(height)}",
            preserveAspectRatio="none",
            data_height=height,
        )
        stretches = [[s.first_ms, s.last_ms, round(s.first_x, 2), round(s.last_x, 2)] for s in self.axis.stretches]
        return svg.picture(
            name, self.left + self.axis.width + 12, height, label, list(told), [*self.under, inner, *self.fixed],
            data_left=self.left, data_width=self.axis.width, data_axis=json.dumps(stretches, separators=(",", ":")),
        )  # fmt: skip


def wide(words: str) -> float:
    """Return about how many px words of 11 px take."""
    return sum(WIDE_PX if east_asian_width(letter) in "WF" else SLIM_PX for letter in words)


def shortened(words: str, room: float) -> str:
    """Return words that take at most `room` px, cut with an ellipsis where they are longer."""
    if wide(words) <= room:
        return words
    used = WIDE_PX
    for place, letter in enumerate(words):
        used += wide(letter)
        if used > room:
            return words[:place].rstrip() + "…"
    return words
