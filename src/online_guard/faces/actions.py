"""Signals → events: when did the person blink, turn, open the mouth, nod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from online_guard.terms import Action

from .blinks import BLINK, find_blinks
from .excursions import FALL_MEMORY_S, Excursion, excursions, smooth
from .signals import Series, Signals

TURN = 0.09
OPEN_MOUTH = 0.18
NOD = 0.16
"""How far each signal must leave its baseline: yaw; mouth; pitch. Talking opens the mouth by 0.13 at most."""

SHORTEST_TURN_S = 0.45
SHORTEST_NOD_S = 0.4
SHORTEST_OPEN_MOUTH_S = 0.35
"""Quicker than a person who was asked to: turns in real clips took 0.6 s and more, open mouths 0.35 s; in painted ones
turns took 0.6 s, nods 0.42 s and open mouths 0.45 s. Waved photos took 0.05 to 0.5 s, painted turns and open mouths at
double speed 0.3 to 0.45 s."""
_MIDDLE_SHARE = 0.3
"""Least share of yaw that `yaw_middle` must show; 0.5 to 0.6 in heads, near 0 in bent photos."""

_FLAT_STRENGTH = 1.5
"""A turn without it speaks against the clip from this height on."""


@dataclass(frozen=True)
class ActionEvent:
    """Something the person did.

    Attributes:
        action: What.
        at_s: When it was at its most.
        start_s: When the signal left the baseline.
        end_s: When it had come back, or the last frame.
        peak: The signal at its most (`Signals` says in which unit); of a blink the eye opening, of both eyes.
        baseline: What it left.
        strength: Height of the excursion over the threshold of the action: 1 just counts.
        at: Index of the frame at `at_s`.
    """

    action: Action
    at_s: float
    start_s: float
    end_s: float
    peak: float
    baseline: float
    strength: float
    at: int


def find_events(signals: Signals) -> tuple[ActionEvent, ...]:
    """Return all events in order of their peaks."""
    events = [*_turns(signals), *_mouth(signals), *_nods(signals), *_blinks(signals)]
    return tuple(sorted(events, key=lambda event: event.at_s))


def is_flat(signals: Signals) -> bool:
    """Tell whether a clear turn shows no nose that stands out: a bent photo."""
    return any(not deep and abs(found.height) >= _FLAT_STRENGTH * TURN for found, deep in _turned(signals))


def _turned(signals: Signals) -> Iterator[tuple[Excursion, bool]]:
    """Yield the excursions of yaw that last, and whether the nose stood out."""
    yaw, middle = smooth(signals.yaw), smooth(signals.yaw_middle)
    for found in excursions(signals.times_s, yaw, TURN):
        moved = middle[found.peak] - middle[max(0, found.first - 1)]
        if found.lasting_s(signals.times_s) >= SHORTEST_TURN_S:
            yield found, bool(moved * np.sign(found.height) >= _MIDDLE_SHARE * TURN)


def _turns(signals: Signals) -> Iterator[ActionEvent]:
    yaw = smooth(signals.yaw)
    for found, deep in _turned(signals):
        if deep:
            action = Action.TURN_LEFT if found.height > 0 else Action.TURN_RIGHT
            yield _event(action, signals.times_s, yaw, found, TURN)


def _mouth(signals: Signals) -> Iterator[ActionEvent]:
    mouth = smooth(signals.mouth)
    for found in excursions(signals.times_s, mouth, OPEN_MOUTH, FALL_MEMORY_S):
        if found.height > 0 and found.lasting_s(signals.times_s) >= SHORTEST_OPEN_MOUTH_S:
            yield _event(Action.OPEN_MOUTH, signals.times_s, mouth, found, OPEN_MOUTH)


def _nods(signals: Signals) -> Iterator[ActionEvent]:
    pitch = smooth(signals.pitch)
    for found in excursions(signals.times_s, pitch, NOD):
        if found.height > 0 and found.lasting_s(signals.times_s) >= SHORTEST_NOD_S:
            yield _event(Action.NOD, signals.times_s, pitch, found, NOD)


def _blinks(signals: Signals) -> Iterator[ActionEvent]:
    for found in find_blinks(signals):
        yield _event(Action.BLINK, signals.times_s, signals.eyes, found, BLINK)


def _event(action: Action, times_s: Series, values: Series, found: Excursion, threshold: float) -> ActionEvent:
    return ActionEvent(
        action=action,
        at_s=float(times_s[found.peak]),
        start_s=float(times_s[found.first]),
        end_s=float(times_s[found.last]),
        peak=float(values[found.peak]),
        baseline=found.baseline,
        strength=abs(found.height) / threshold,
        at=found.peak,
    )
