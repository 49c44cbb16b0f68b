"""Whether a clip is one take: times that increase, one face without jumps, a picture that lives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .clips import Clip
from .landmarks import Track
from .signals import Series

LONGEST_LOSS_S = 0.5
"""A face unseen for longer was lost: another could have taken its place."""
JUMP = 0.5
"""Faces that move by more of their own width between frames less than `JUMP_WITHIN_S` apart have jumped."""
JUMP_WITHIN_S = 0.15


def clip_fps(times_s: Series) -> float:
    """Return frames a second over the whole clip, 0 for fewer than two frames."""
    span = float(times_s[-1] - times_s[0]) if len(times_s) > 1 else 0.0
    return (len(times_s) - 1) / span if span > 0 else 0.0


def time_faults(times_s: Series) -> Iterator[str]:
    """Yield `implausible_times` where a time isn't later than the one before."""
    if not np.all(np.isfinite(times_s)) or np.any(np.diff(times_s) <= 0):
        yield "implausible_times"


def motion_faults(clip: Clip, track: Track) -> Iterator[str]:
    """Yield what is wrong with the face's way through the clip."""
    seen = np.flatnonzero(track.seen)
    if not seen.size:
        yield "no_face"
        return
    times_s = clip.times_s
    edges = np.concatenate([[times_s[0]], times_s[seen], [times_s[-1]]])
    if np.diff(edges).max() > LONGEST_LOSS_S:
        yield "face_lost"
    if track.faces.max() > 1:
        yield "several_faces"
    if track.restarted.any() or _jumps(times_s[seen], track.boxes[seen]):
        yield "face_jumped"
    if is_frozen(clip, track):
        yield "frozen_frames"


def _jumps(times_s: Series, boxes: NDArray[np.float64]) -> bool:
    moved = np.hypot(*np.diff(boxes[:, :2] + boxes[:, 2:] / 2, axis=0).T) / boxes[1:, 2]
    return bool(np.any((moved > JUMP) & (np.diff(times_s) < JUMP_WITHIN_S)))


def is_frozen(clip: Clip, track: Track) -> bool:
    """Tell whether all frames are one picture, bit by bit."""
    first = clip.frames[0]
    return all(np.array_equal(first, frame) for frame in clip.frames[1:])
