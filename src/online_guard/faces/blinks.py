"""Blinks: short losses of eye opening in both eyes while the face keeps its shape and place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .excursions import Excursion
from .signals import Series, Signals

BLINK = 0.27
"""Share of its opening that an eye must lose. Measured on 17 real clips with 88 blinks, as filmed and at 10 to 12
frames a second: blinks lost 0.28 to 0.75 (four shallow ones 0.20 to 0.25), squints and talking 0.26 at most when
shorter."""
LONG_BLINK_S = 0.45
LONG_BLINK = 0.42
"""What lasts longer must lose more: squints of 0.5 to 0.8 s lost 0.25 to 0.37, long blinks 0.45 to 0.56."""
PALE = 0.35
"""An eye is shut, too, that loses this share of its contrast. In 287 s of real clips open eyes lost 0.15 at most; in
painted blinks, whose lids slip from the points, 0.41 to 0.72."""
_EYE_SIDE_S = 1.2
_EYE_NEAR_S = 0.1
"""How wide an open eye is, is measured from this near to this far on either side of a frame."""
_EYE_OPEN_PERCENTILE = 70.0
_EYE_BACK = 0.4
"""A blink is over, and had begun, where the eye has lost less than this share of the threshold."""
LONGEST_BLINK_S = 1.0
_FALLING_S = 0.12
"""Lids that take longer than this (and one frame) from a quarter to three quarters of their way must lose as much."""
_LOOK_DOWN_S = 0.5
_LOOK_DOWN_PITCH = 0.16
"""A longer loss while pitch changes by as much as in a nod is a look down."""
_STILL_S = 0.17
_STILL_PLACE = 0.45
_STILL_ASPECT = 0.18
"""Around a blink (this long before and after) the face moves less than this, in distances of its eyes, and keeps its
aspect to this share. Of 124 real blinks the largest were 0.30 and 0.11; half of the 58 false blinks of waved photos
exceed one of the two."""
_BOTH_EYES = 0.4
"""Each eye must lose this share of what the mean of both must lose."""


def find_blinks(signals: Signals) -> Iterator[Excursion]:
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
            yield Excursion(first, last, peak, float(lost[first : last + 1].max()), float(base[peak]))


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
    times_s, deepest = signals.times_s, lost[first : last + 1].max()
    lasting = times_s[last] - times_s[first]
    if lasting > LONGEST_BLINK_S:
        return False
    before = np.flatnonzero(lost[:peak] <= 0.25 * deepest)
    shut = int(np.argmax(lost[first : peak + 1] >= 0.75 * deepest)) + first
    falling = times_s[shut] - times_s[before[-1] if before.size else 0]
    frame = float(np.median(np.diff(times_s)))
    if (falling > _FALLING_S + frame or lasting > LONG_BLINK_S) and deepest < LONG_BLINK:
        return False
    pitch = signals.pitch[max(0, first - 1) : last + 2]
    return bool(lasting <= _LOOK_DOWN_S or np.ptp(pitch) < _LOOK_DOWN_PITCH)


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
