"""Moments → places: a time axis on which long times without events are cut out, and the moments that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from online_guard.evidence import CHINA_OFFSET_MS

BREAK_MS = 600_000
"""A longer time without events is cut out of the axis."""
BREAK_PX = 22.0
STEPS_MS = (1_000, 5_000, 15_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 36_000_000)


@dataclass(frozen=True)
class Stretch:
    """A part of the axis without a cut: moments and places of its ends."""

    first_ms: int
    last_ms: int
    first_x: float
    last_x: float


@dataclass(frozen=True)
class Axis:
    """Time to places from 0 to `width`."""

    stretches: tuple[Stretch, ...]
    width: float

    @classmethod
    def over(cls, moments_ms: Sequence[int], width: float) -> Axis:
        """Return an axis over moments, at least one, in which long times without any are cut out."""
        ordered = sorted(moments_ms)
        spans = [[ordered[0], ordered[0]]]
        for moment in ordered[1:]:
            if moment - spans[-1][1] > BREAK_MS:
                spans.append([moment, moment])
            spans[-1][1] = moment
        cut = min(BREAK_PX, width / (2 * len(spans)))
        scale = (width - cut * (len(spans) - 1)) / max(1, sum(last - first for first, last in spans))
        stretches, place = [], 0.0
        for first, last in spans:
            end = place + (last - first) * scale
            stretches.append(Stretch(first, last, place, end))
            place = end + cut
        return cls(tuple(stretches), width)

    @property
    def scale(self) -> float:
        """Return px per ms."""
        longest = max(self.stretches, key=lambda stretch: stretch.last_ms - stretch.first_ms)
        return (longest.last_x - longest.first_x) / max(1, longest.last_ms - longest.first_ms)

    def x(self, at_ms: float) -> float:
        """Return the place of a moment; what lies in a cut stands at its beginning, what lies outside at the edge."""
        place = 0.0
        for stretch in self.stretches:
            if at_ms < stretch.first_ms:
                break
            share = (min(at_ms, stretch.last_ms) - stretch.first_ms) / max(1, stretch.last_ms - stretch.first_ms)
            place = stretch.first_x + share * (stretch.last_x - stretch.first_x)
        return place

    def cuts(self) -> Iterator[tuple[float, float]]:
        """Yield the places of the cuts."""
        for before, after in pairwise(self.stretches):
            yield before.last_x, after.first_x

    def ticks(self, apart: float) -> Iterator[tuple[float, int]]:
        """Yield places and moments to be named, at least `apart` from one another."""
        step = next((step for step in STEPS_MS if step * self.scale >= apart), STEPS_MS[-1])
        last_x = -apart
        for stretch in self.stretches:
            whole = stretch.first_ms - (stretch.first_ms + CHINA_OFFSET_MS) % step + step
            for moment in (stretch.first_ms, *range(whole, stretch.last_ms + 1, step)):
                x = self.x(moment) if moment != stretch.first_ms else stretch.first_x
                if x - last_x >= apart:
                    last_x = x
                    yield x, moment


def clock(at_ms: float, form: str = "%H:%M:%S") -> str:
    """Return a moment in China as `strftime` writes it, the time of day by default."""
    return datetime.fromtimestamp((at_ms + CHINA_OFFSET_MS) / 1000, UTC).strftime(form)
