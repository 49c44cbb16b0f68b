"""Whether a clip is one take: times that increase, one face without jumps, a picture that lives."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from .clips import Clip, clip_fps
from .landmarks import Track
from .signals import Series

MIN_FPS = 8.0
"""Below, a blink of 0.15 s can fall between two frames (SPEC 7 asks for 12)."""
LONGEST_LOSS_S = 0.5
"""A face unseen for longer was lost: another could have taken its place."""
JUMP = 0.5
"""Faces that move by more of their own width between frames less than `JUMP_WITHIN_S` apart have jumped."""
JUMP_WITHIN_S = 0.15


CUT = 22.0
CUT_ALONE = 3.0
"""A cut: grey levels of 100 by which the face differs from the frame before, and how often that is the most of the
four changes before and after. In 13 real clips at three rates what changed by more than 18 was at most 1.5 times as
much as around it, what stood alone by 3.5 times or more was at most 18; cuts between painted people: 23 to 61, nine of
ten 3.2 to 25 times."""
_AROUND_FRAMES = 4

_SMALL_PX = 24
_STILL_WINDOW_S = 1.0
_STILL_LAG_S = 0.4
_STILL_RATIO = 1.05
"""A picture that stands still: in three quarters of its 4 × 4 px cells, change over 0.4 s exceeds change over a frame
by no more. 0.98 to 1.04 for one picture with noise of 1 to 6 grey levels, at least 1.09 in 13 real clips, as filmed and
at 12 to 15 frames a second, but for two in which head and hands never rest (0.91 and 0.99; see `_NOISE_SHARE`)."""
_NOISE_SHARE = 0.4
"""What comes and goes as fast, like fluttering lids, isn't noise: over 4 × 4 px noise keeps a quarter of its change, in
small faces 0.37; the real clips with the lowest ratios kept 0.45 and 0.47."""
_SAME = 0.1
_OTHER = 0.4
"""Grey levels of 100 by which a frame shown twice differs from itself at most (0.07 after video coding), and by which
the frames around it must differ: who rests before a thrifty coder shows none twice. In real clips 0 to 16 % of the
frames are such, in those slowed to half their speed 50 %."""
_REPEAT_S = 0.5
_REPEAT_LAG_S = 0.8
_REPEAT_SHARE = 0.25
"""A repeated stretch differs by less than this share of the usual change from frame to frame."""


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
    small = _thumbnails(clip, track)
    if track.restarted.any() or _jumps(times_s[seen], track.boxes[seen]) or _is_cut(small):
        yield "face_jumped"
    if clip_fps(times_s) * (1 - _shown_twice(small)) < MIN_FPS:
        yield "too_slow_camera"
    if _stands_still(small, times_s) or _repeats(small, times_s):
        yield "frozen_frames"


def _jumps(times_s: Series, boxes: NDArray[np.float64]) -> bool:
    moved = np.hypot(*np.diff(boxes[:, :2] + boxes[:, 2:] / 2, axis=0).T) / boxes[1:, 2]
    return bool(np.any((moved > JUMP) & (np.diff(times_s) < JUMP_WITHIN_S)))


def _thumbnails(clip: Clip, track: Track) -> NDArray[np.float32]:
    """Return n × `_SMALL_PX` × `_SMALL_PX`: what lies where the face usually is, at equal brightness."""
    height, width = clip.frames[0].shape[:2]
    left, top, box_width, box_height = np.nanmedian(track.boxes, axis=0)
    rows = slice(max(0, int(top)), max(1, min(height, int(top + box_height))))
    columns = slice(max(0, int(left)), max(1, min(width, int(left + box_width))))
    small = []
    for frame in clip.frames:
        grey = cv2.cvtColor(frame[rows, columns], cv2.COLOR_RGB2GRAY)
        thumbnail = cv2.resize(grey, (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        small.append(thumbnail * (100 / max(float(thumbnail.mean()), 1.0)))
    return np.asarray(small, np.float32)


def _is_cut(small: NDArray[np.float32]) -> bool:
    """Tell whether one picture is altogether another than the one before, as nothing before and after is."""
    change = _change(small, 1)
    for at in np.flatnonzero(change >= CUT).tolist():
        around = np.concatenate([change[max(0, at - _AROUND_FRAMES) : at], change[at + 1 : at + 1 + _AROUND_FRAMES]])
        if change[at] >= CUT_ALONE * around.max(initial=0.0):
            return True
    return False


def _change(small: NDArray[np.float32], lag: int) -> NDArray[np.float64]:
    """Return the mean difference of each thumbnail and the one `lag` frames later."""
    return np.asarray(np.abs(small[lag:] - small[:-lag]).mean(axis=(1, 2)), np.float64)


def _stands_still(small: NDArray[np.float32], times_s: Series) -> bool:
    """Tell whether for a second a picture changes no more over 0.4 s than over one frame: noise without motion.

    Noise is everywhere. Lids that flutter change as much over a frame, but in few cells.
    """
    frame_s = float(np.median(np.diff(times_s)))
    window, lag = max(4, round(_STILL_WINDOW_S / frame_s)), max(2, round(_STILL_LAG_S / frame_s))
    if len(small) < window + lag:
        return False
    near, far = (_pooled(np.abs(small[step:] - small[:-step])) for step in (1, lag))
    coarse = _change(_pooled(small), 1)
    for begin in range(0, len(far) - window + 1, max(1, window // 4)):
        stretch = slice(begin, begin + window)
        each_near, each_far = near[stretch].mean(axis=0), far[stretch].mean(axis=0)
        ratio = float(np.quantile(each_far / np.maximum(each_near, 1e-6), 0.75))
        if ratio <= _STILL_RATIO and coarse[stretch].mean() <= _NOISE_SHARE * each_near.mean():
            return True
    return False


def _shown_twice(small: NDArray[np.float32]) -> float:
    """Return the share of frames that are the one before once more, while something moves."""
    change = _change(small, 1)
    around = np.maximum(np.append(change[1:], 0), np.append(0, change[:-1]))
    return float(((change < _SAME) & (around >= _OTHER)).mean())


def _pooled(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of cells of 4 × 4 px: a quarter of any noise is left, and most of any motion."""
    side = _SMALL_PX // 4
    return np.asarray(small.reshape(-1, side, 4, side, 4).mean(axis=(2, 4)), np.float32)


def _repeats(small: NDArray[np.float32], times_s: Series) -> bool:
    """Tell whether a moving stretch comes back picture by picture, as when a recording is looped."""
    frame_s = float(np.median(np.diff(times_s)))
    least, usual = max(4, round(_REPEAT_S / frame_s)), float(_change(small, 1).mean())
    for lag in range(max(1, round(_REPEAT_LAG_S / frame_s)), len(small) - least):
        same = np.convolve(_change(small, lag) < _REPEAT_SHARE * usual, np.ones(least), "valid")
        if same.max() == least:
            return True
    return False
