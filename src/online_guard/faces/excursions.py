"""Excursions: stretches in which a signal leaves the person's own baseline, with hysteresis.

An excursion begins where the signal leaves the baseline, counts when it exceeds a threshold, ends when it has come
back. The baseline follows the signal slowly while nothing happens, so a new posture or slow drift is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .signals import Series

_RELEASE = 0.5
"""An excursion ends when it has fallen to this share of its threshold."""
_FIRST_BASELINE_S = 0.5
_BASELINE_MEMORY_S = 3.0
FALL_MEMORY_S = 0.5
"""Time constants with which the baseline follows; a mouth's baseline falls fast, since it is shut between words."""
_LONGEST_S = 6.0
"""What lasts longer is a posture: the baseline moves there."""
_GAP_S = 0.5
"""A face unseen for longer begins a new baseline."""


@dataclass(frozen=True)
class Excursion:
    """First, last and most distant frame; height over the baseline with its sign; the baseline."""

    first: int
    last: int
    peak: int
    height: float
    baseline: float

    def lasting_s(self, times_s: Series) -> float:
        """Return how long it takes, s."""
        return float(times_s[self.last] - times_s[self.first])


def smooth(values: Series) -> Series:
    """Return the median of each value and its neighbours."""
    padded = np.pad(values, 1, mode="edge")
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0), np.float64)


def excursions(
    times_s: Series, values: Series, threshold: float, fall_s: float = _BASELINE_MEMORY_S
) -> Iterator[Excursion]:
    """Yield the excursions of a signal to either side of its running baseline.

    Args:
        times_s: One time per frame.
        values: The signal, NaN where there is no face.
        threshold: How far it must go.
        fall_s: Time constant, s, with which the baseline follows a signal below it.
    """
    seen = np.flatnonzero(~np.isnan(values))
    if not seen.size:
        return
    baseline, side, first, before = _first_baseline(times_s, values, seen[0]), 0.0, 0, int(seen[0])
    ended = 0
    for now in seen.tolist():
        passed = times_s[now] - times_s[before]
        away = values[now] - baseline
        if passed > _GAP_S:
            baseline, side = _first_baseline(times_s, values, now), 0.0
        elif side and (away * side <= _RELEASE * threshold or times_s[now] - times_s[first] > _LONGEST_S):
            if away * side <= _RELEASE * threshold:
                yield _finished(values, baseline, first, now, side)
            else:
                baseline = float(values[now])
            side, ended = 0.0, now
        elif not side and abs(away) >= threshold:
            side = float(np.sign(away))
            first = max(ended, _beginning(values, baseline, now, side, threshold))
        elif not side:
            baseline += (1 - float(np.exp(-passed / (_BASELINE_MEMORY_S if away > 0 else fall_s)))) * float(away)
        before = now
    if side:
        yield _finished(values, baseline, first, before, side)


def _first_baseline(times_s: Series, values: Series, begin: int) -> float:
    """Return the median of the first half second from a frame on."""
    return float(np.nanmedian(values[begin:][times_s[begin:] <= times_s[begin] + _FIRST_BASELINE_S]))


def _beginning(values: Series, baseline: float, now: int, side: float, threshold: float) -> int:
    """Return the last frame before which the signal still lay near the baseline."""
    first = now
    while first > 0 and (values[first - 1] - baseline) * side > 0.25 * threshold:
        first -= 1
    return first


def _finished(values: Series, baseline: float, first: int, last: int, side: float) -> Excursion:
    peak = first + int(np.nanargmax((values[first : last + 1] - baseline) * side))
    return Excursion(first, last, peak, float(values[peak] - baseline), baseline)
