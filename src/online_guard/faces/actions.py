"""Signals → events: when did the person blink, turn, open the mouth, nod.

An event is an excursion from the person's own baseline with hysteresis: it begins where the signal leaves the baseline,
counts when it exceeds a threshold, ends when it has come back. The baseline follows the signal slowly while nothing
happens, so a new posture or slow drift is no event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from online_guard.terms import Action

from .signals import Series, Signals

TURN = 0.10
OPEN_MOUTH = 0.15
NOD = 0.16
BLINK = 0.18
"""How far each signal must leave its baseline: yaw; mouth; pitch; share of the eye opening that is lost."""

SHORTEST_TURN_S = 0.4
SHORTEST_OPEN_MOUTH_S = 0.3
"""Quicker than a person: real turns and nods took 0.67 s and more, open mouths 0.33 s; waved photos 0.05 to 0.5 s."""
_RELEASE = 0.5
"""An excursion ends when it has fallen to this share of its threshold."""
_FIRST_BASELINE_S = 0.5
_BASELINE_MEMORY_S = 3.0
_FALL_MEMORY_S = 0.5
"""Time constants with which the baseline follows; a mouth's baseline falls fast, since it is shut between words."""
_LONGEST_S = 6.0
"""What lasts longer is a posture: the baseline moves there."""
_GAP_S = 0.5
"""A face unseen for longer begins a new baseline."""
_MIDDLE_SHARE = 0.3
"""Least share of yaw that `yaw_middle` must show; 0.5 to 0.6 in heads, near 0 in bent photos."""

_FLAT_STRENGTH = 1.5
"""A turn without it speaks against the clip from this height on."""

PALE = 0.35
"""An eye is shut, too, that loses this share of its contrast. In 287 s of real clips open eyes lost 0.15 at most; in
painted blinks, whose lids slip from the points, 0.41 to 0.72."""
_EYE_SIDE_S = 1.2
_EYE_NEAR_S = 0.1
"""How wide an open eye is, is measured from this near to this far on either side of a frame."""
_EYE_OPEN_PERCENTILE = 70.0
_EYE_BACK = 0.6
"""A blink is over, and had begun, where the eye has lost less than this share of the threshold."""
LONGEST_BLINK_S = 1.0
SLOW_BLINK = 0.38
_FALLING_S = 0.12
"""Lids that take longer than this (and one frame) from a quarter to three quarters of their way must lose more."""
_LOOK_DOWN_S = 0.5
_LOOK_DOWN_SHARE = 1.0
"""A longer loss while pitch changes by this share of a nod's threshold is a look down."""
_STILL_S = 0.17
_STILL_PLACE = 0.45
_STILL_ASPECT = 0.18
"""Around a blink (this long before and after) the face moves less than this, in distances of its eyes, and keeps its
aspect to this share. Of 124 real blinks the largest were 0.30 and 0.11; half of the 58 false blinks of waved photos
exceed one of the two."""
_BOTH_EYES = 0.4
"""Each eye must lose this share of what the mean of both must lose."""


@dataclass(frozen=True)
class ActionEvent:
    """Something the person did.

    Attributes:
        action: What.
        at_s: When it was at its most.
        start_s: When the signal left the baseline.
        end_s: When it had come back, or the last frame.
        peak: The signal at its most.
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


@dataclass(frozen=True)
class _Excursion:
    first: int
    last: int
    peak: int
    height: float
    baseline: float


def is_flat(signals: Signals) -> bool:
    """Tell whether a clear turn shows no nose that stands out: a bent photo."""
    return any(not deep and abs(found.height) >= _FLAT_STRENGTH * TURN for found, deep in _turned(signals))


def _turned(signals: Signals) -> Iterator[tuple[_Excursion, bool]]:
    """Yield the excursions of yaw that last, and whether the nose stood out."""
    yaw, middle = _smooth(signals.yaw), _smooth(signals.yaw_middle)
    for found in _excursions(signals.times_s, yaw, TURN):
        moved = middle[found.peak] - middle[max(0, found.first - 1)]
        if _lasting(signals.times_s, found) >= SHORTEST_TURN_S:
            yield found, bool(moved * np.sign(found.height) >= _MIDDLE_SHARE * TURN)


def _turns(signals: Signals) -> Iterator[ActionEvent]:
    yaw = _smooth(signals.yaw)
    for found, deep in _turned(signals):
        if deep:
            action = Action.TURN_LEFT if found.height > 0 else Action.TURN_RIGHT
            yield _event(action, signals.times_s, yaw, found, TURN)


def _mouth(signals: Signals) -> Iterator[ActionEvent]:
    mouth = _smooth(signals.mouth)
    for found in _excursions(signals.times_s, mouth, OPEN_MOUTH, _FALL_MEMORY_S):
        if found.height > 0 and _lasting(signals.times_s, found) >= SHORTEST_OPEN_MOUTH_S:
            yield _event(Action.OPEN_MOUTH, signals.times_s, mouth, found, OPEN_MOUTH)


def _nods(signals: Signals) -> Iterator[ActionEvent]:
    pitch = _smooth(signals.pitch)
    for found in _excursions(signals.times_s, pitch, NOD):
        if found.height > 0 and _lasting(signals.times_s, found) >= SHORTEST_TURN_S:
            yield _event(Action.NOD, signals.times_s, pitch, found, NOD)


def _lasting(times_s: Series, found: _Excursion) -> float:
    return float(times_s[found.last] - times_s[found.first])


def _event(action: Action, times_s: Series, values: Series, found: _Excursion, threshold: float) -> ActionEvent:
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


def _smooth(values: Series) -> Series:
    """Return the median of each value and its neighbours."""
    padded = np.pad(values, 1, mode="edge")
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0), np.float64)


def _excursions(
    times_s: Series, values: Series, threshold: float, fall_s: float = _BASELINE_MEMORY_S
) -> Iterator[_Excursion]:
    """Yield the excursions of a signal to either side of its running baseline."""
    seen = np.flatnonzero(~np.isnan(values))
    if not seen.size:
        return
    baseline, side, first, before = _first_baseline(times_s, values, seen[0]), 0.0, 0, int(seen[0])
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
            side = 0.0
        elif not side and abs(away) >= threshold:
            side = float(np.sign(away))
            first = _beginning(values, baseline, now, side, threshold)
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


def _finished(values: Series, baseline: float, first: int, last: int, side: float) -> _Excursion:
    peak = first + int(np.nanargmax((values[first : last + 1] - baseline) * side))
    return _Excursion(first, last, peak, float(values[peak] - baseline), baseline)


def _blinks(signals: Signals) -> Iterator[ActionEvent]:
    """Yield short losses of eye opening in both eyes, measured against the opening before and after."""
    times_s, eyes = signals.times_s, signals.eyes
    base = _open_eye(times_s, eyes)
    paled = [_paled(times_s, signals.contrast[:, side]) for side in (0, 1)]
    lost = np.fmax(1 - eyes / base, np.minimum(*paled))
    lost_each = [
        np.fmax(1 - eye / _open_eye(times_s, eye), pale)
        for eye, pale in zip((signals.eye_right, signals.eye_left), paled, strict=True)
    ]
    for first, last in _dips(lost):
        deep = np.flatnonzero(lost[first : last + 1] >= 0.7 * lost[first : last + 1].max())
        peak = first + int(deep[deep.size // 2])
        both = all(eye[max(0, peak - 1) : peak + 2].max() >= _BOTH_EYES * BLINK for eye in lost_each)
        came_back = first > 0 and last + 1 < lost.size and not np.isnan(lost[first - 1] + lost[last + 1])
        if both and came_back and _like_a_blink(signals, lost, first, peak, last) and _else_still(signals, peak):
            found = _Excursion(first, last, peak, float(lost[first : last + 1].max()), float(base[peak]))
            yield _event(Action.BLINK, times_s, eyes, found, BLINK)


def _paled(times_s: Series, contrast: Series) -> Series:
    """Return the share of its contrast that an eye has lost, in terms of `BLINK`."""
    return np.asarray((1 - contrast / _open_eye(times_s, contrast)) * (BLINK / PALE), np.float64)


def _dips(lost: Series) -> Iterator[tuple[int, int]]:
    """Yield first and last frame of each stretch that exceeds `BLINK` somewhere and `_EYE_BACK` of it throughout."""
    inside = np.concatenate([[False], lost > _EYE_BACK * BLINK, [False]])
    edges = np.flatnonzero(np.diff(inside.astype(np.int8)))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if lost[first:end].max() >= BLINK:
            yield first, end - 1


def _like_a_blink(signals: Signals, lost: Series, first: int, peak: int, last: int) -> bool:
    """Tell a blink from eyes that narrow, widen or look down: lids fall fast, or far, and the head keeps still."""
    times_s, deepest = signals.times_s, lost[peak]
    lasting = times_s[last] - times_s[first]
    if lasting > LONGEST_BLINK_S:
        return False
    before = np.flatnonzero(lost[:peak] <= 0.25 * deepest)
    shut = int(np.argmax(lost[first : peak + 1] >= 0.75 * deepest)) + first
    falling = times_s[shut] - times_s[before[-1] if before.size else 0]
    frame = float(np.median(np.diff(times_s)))
    if falling > _FALLING_S + frame and deepest < SLOW_BLINK:
        return False
    pitch = signals.pitch[max(0, first - 1) : last + 2]
    return bool(lasting <= _LOOK_DOWN_S or np.ptp(pitch) < _LOOK_DOWN_SHARE * NOD)


def _else_still(signals: Signals, peak: int) -> bool:
    """Tell whether the face kept its shape and place while the eyes were shut; a waved or bent photo doesn't."""
    times_s = signals.times_s
    near = np.abs(times_s - times_s[peak])
    moved = np.hypot(*(signals.place[near <= _STILL_S] - signals.place[peak]).T)
    around = signals.aspect[(near > _STILL_S) & (near <= 3 * _STILL_S)]
    if not np.isfinite(around).any():
        return False
    return bool(
        np.nanmax(moved) <= _STILL_PLACE and abs(signals.aspect[peak] / np.nanmedian(around) - 1) <= _STILL_ASPECT
    )


def _open_eye(times_s: Series, values: Series) -> Series:
    """Return how wide the eye is when open, around each frame: the lesser of before and after.

    Both sides must have been open, so wide eyes that become normal, or a look down, are no blink.
    """
    base = np.full(values.size, np.nan)
    for index in np.flatnonzero(~np.isnan(values)).tolist():
        now = times_s[index]
        edges = np.searchsorted(times_s, [now - _EYE_SIDE_S, now - _EYE_NEAR_S, now + _EYE_NEAR_S, now + _EYE_SIDE_S])
        sides = [values[low:high] for low, high in (edges[:2], edges[2:])]
        widths = [float(np.percentile(side, _EYE_OPEN_PERCENTILE)) for side in sides if np.isfinite(side).sum() >= 2]
        base[index] = min(widths, default=np.nan)
    return base
