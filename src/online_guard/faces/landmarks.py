"""Follows one face through a clip: 68 points in every frame, and what happens to the face on the way.

The detector looks at a small grey copy of the face's surroundings every few frames; between, the box that the predictor
needs follows from the points of the frame before. The whole picture is searched about once a second for a second face,
and whenever the face was lost. Points are px of the clip's pictures.

Points are numbered as in iBUG 300-W: 0-16 jaw, 17-26 brows, 27-35 nose, 36-41 the person's right eye, 42-47 the left
eye, 48-67 lips.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from .clips import Clip
from .decode import RgbPixels
from .models import LIVENESS_LANDMARKS, checked_path

Points = NDArray[np.float64]
"""68 × 2 (x, y) px, or frames × 68 × 2; NaN where there is no face."""

POINTS = 68
_SEARCH_SIDE_PX = 480
"""Longer side of the copy that is searched whole: dlib's detector wants 80 px, so faces from a sixth of it on show."""
_FACE_PX = 96
"""Width of the face's box in the copy of its surroundings that the detector checks."""
_PREDICT_PX = 240
"""Width of the box in the copy given to the predictor, whose answers are whole px: an open eye is then 12 px high."""
_CHECK_EVERY_S = 0.25
_SEARCH_EVERY_S = 1.0
_MIN_SCORE = -0.3
"""Detector score at which a followed face still counts: turned heads score below the detector's own 0."""
_MIN_OVERLAP = 0.45
"""Intersection over union of followed box and detected box below which following has slipped."""
_LEAST_FACE_PX = 24
_LIT_SPREAD = 45.0
_LIT_MEAN = 110.0
_MOST_GAIN = 4.0
_MOST_GROWN = 1.2
"""Growth from frame to frame beyond which the points have slipped."""
_TRUST = 0.3
"""How far a followed box is drawn to the detected one: it can't drift, and the detector's steps of 8 % are smoothed."""
_LEAST_COMPANION = 0.4
"""Faces less wide than this share of the largest are background: a poster, somebody far behind."""
_SHAKES = ((0.0, 0.0, 1.0), (0.02, 0.02, 0.97), (-0.02, -0.02, 1.03))
"""Shift (x, y) and scale of the boxes whose points are averaged: halves the predictor's own noise."""


@dataclass(frozen=True)
class Track:
    """One face followed through a clip of n frames.

    Attributes:
        points: n × 68 × 2 px, NaN where no face was found.
        boxes: n × 4 (left, top, width, height) px as the detector frames a face, NaN likewise.
        faces: How many faces the last search of the whole picture found, per frame.
        restarted: True where the face was found anew, away from where it was.
    """

    points: Points
    boxes: NDArray[np.float64]
    faces: NDArray[np.int64]
    restarted: NDArray[np.bool_]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Return in which frames there is a face."""
        return ~np.isnan(self.points[:, 0, 0])


@dataclass(frozen=True)
class _Models:
    detector: Any
    predictor: Any


_of_thread = threading.local()


def _models() -> _Models:
    """Return this thread's own detector and predictor: dlib's objects can't be shared between threads."""
    models: _Models | None = getattr(_of_thread, "models", None)
    if models is None:
        predictor = dlib.shape_predictor(str(checked_path(LIVENESS_LANDMARKS)))
        models = _of_thread.models = _Models(dlib.get_frontal_face_detector(), predictor)
    return models


def follow(clip: Clip) -> Track:
    """Return the track of the largest face of a clip.

    Raises:
        GuardError: `models.missing` or `models.changed`.
    """
    follower = _Follower(len(clip.frames))
    for index, (pixels, time_s) in enumerate(zip(clip.frames, clip.times_s, strict=True)):
        follower.see(index, _grey(pixels), float(time_s))
    return Track(follower.points, follower.boxes, follower.faces, follower.restarted)


def _grey(pixels: RgbPixels) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


class _Follower:
    """The state between one frame and the next: where the face's box is, and when it was last checked."""

    def __init__(self, frames: int) -> None:
        self.points = np.full((frames, POINTS, 2), np.nan)
        self.boxes = np.full((frames, 4), np.nan)
        self.faces = np.zeros(frames, np.int64)
        self.restarted = np.zeros(frames, np.bool_)
        self._box: NDArray[np.float64] | None = None
        self._last_box: NDArray[np.float64] | None = None
        self._checked_s = self._searched_s = -np.inf
        self._count = 0

    def see(self, index: int, grey: NDArray[np.uint8], time_s: float) -> None:
        """Take one frame in."""
        if self._box is not None and time_s - self._checked_s >= _CHECK_EVERY_S:
            self._checked_s = time_s
            self._box = _confirmed(grey, self._box)
        if self._box is None or time_s - self._searched_s >= _SEARCH_EVERY_S:
            self._search(index, grey, time_s)
        self.faces[index] = self._count
        if self._box is not None:
            points = _predict(grey, self._box)
            self.points[index], self.boxes[index] = points, self._box
            before = self.points[index - 1] if index else points
            self._last_box = self._box
            if not np.isnan(before[0, 0]):
                box, sure = _moved(self._box, before, points)
                self._box = box if _within(box, grey) else None
                self._checked_s = self._checked_s if sure else -np.inf

    def _search(self, index: int, grey: NDArray[np.uint8], time_s: float) -> None:
        found = _detect(grey, _SEARCH_SIDE_PX / max(grey.shape), 0.0)
        self._searched_s = time_s
        largest = max((float(box[2]) for box in found), default=0.0)
        self._count = sum(float(box[2]) >= _LEAST_COMPANION * largest for box in found) or int(self._box is not None)
        if self._box is None and len(found):
            self._box = max(found, key=lambda box: float(box[2]))
            self._checked_s = time_s
            away = self._last_box is not None and _overlap(self._last_box, self._box) < _MIN_OVERLAP / 2
            self.restarted[index] = away


def _detect(grey: NDArray[np.uint8], scale: float, threshold: float) -> list[NDArray[np.float64]]:
    """Return the boxes found in a copy of the picture scaled by `scale`, in px of the picture."""
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    copy = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how)
    found, _, _ = _models().detector.run(copy, 0, threshold)
    return [np.array([box.left(), box.top(), box.width(), box.height()], np.float64) / scale for box in found]


def _confirmed(grey: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the box drawn towards the one that the detector finds there, or None where it finds none."""
    left, top, width, _ = box
    scale = _FACE_PX / width
    x, y = int(max(0, left - 0.5 * width)), int(max(0, top - 0.5 * width))
    around = grey[y : int(top + 1.5 * width), x : int(left + 1.5 * width)]
    if min(around.shape) * scale < _FACE_PX / 2:
        return None
    found = [other + np.array([x, y, 0, 0]) for other in _detect(around, scale, _MIN_SCORE)]
    if not found:
        return None
    best = max(found, key=lambda other: _overlap(box, other))
    drawn: NDArray[np.float64] = box + _TRUST * (best - box)
    return drawn if _overlap(box, best) >= _MIN_OVERLAP else best


def _predict(grey: NDArray[np.uint8], box: NDArray[np.float64]) -> Points:
    """Return the points of the face in a box, the mean over slightly shifted boxes."""
    left, top, width, height = box
    scale = _PREDICT_PX / width
    x, y = int(max(0, left - 0.4 * width)), int(max(0, top - 0.4 * height))
    around = grey[y : max(y + 2, int(top + 1.4 * height)), x : max(x + 2, int(left + 1.4 * width))]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    copy = _lit(cv2.resize(around, None, fx=scale, fy=scale, interpolation=how))
    total = np.zeros((POINTS, 2))
    for shift_x, shift_y, grown in _SHAKES:
        side = _PREDICT_PX * grown
        middle_x = (left - x + width / 2) * scale + shift_x * side
        middle_y = (top - y + height / 2) * scale + shift_y * side
        corners = (middle_x - side / 2, middle_y - side / 2, middle_x + side / 2, middle_y + side / 2)
        shape = _models().predictor(copy, dlib.rectangle(*(round(corner) for corner in corners)))
        total += np.array([(part.x, part.y) for part in shape.parts()], np.float64)
    return np.asarray(total / len(_SHAKES) / scale + (x, y), np.float64)


def _lit(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a dim picture with the contrast of a lit one: the predictor compares grey levels with fixed numbers."""
    mean, spread = float(grey.mean()), float(grey.std())
    if spread >= _LIT_SPREAD:
        return np.asarray(grey, np.uint8)
    gain = min(_LIT_SPREAD / max(spread, 1.0), _MOST_GAIN)
    level = max(mean, _LIT_MEAN) - gain * mean
    return np.asarray(np.clip(grey * np.float32(gain) + np.float32(level), 0, 255), np.uint8)


def _within(box: NDArray[np.float64], grey: NDArray[np.uint8]) -> bool:
    """Tell whether a box is still of a face's size, with its middle inside the picture."""
    middle_x, middle_y = box[:2] + box[2:] / 2
    height, width = grey.shape
    return bool(_LEAST_FACE_PX <= box[2] <= 2 * max(grey.shape) and 0 <= middle_x < width and 0 <= middle_y < height)


def _moved(box: NDArray[np.float64], before: Points, now: Points) -> tuple[NDArray[np.float64], bool]:
    """Return the box moved as the points of nose and eyes were, which no expression moves far, and if it's sure.

    Points that grow or shrink faster than a face comes nearer have slipped: the box keeps its size until it's checked.
    """
    middles, spreads = [], []
    for points in (before[27:48], now[27:48]):
        middles.append(points.mean(axis=0))
        spreads.append(float(np.sqrt(np.square(points - middles[-1]).sum(axis=1).mean())))
    grown = spreads[1] / spreads[0]
    sure = 1 / _MOST_GROWN <= grown <= _MOST_GROWN
    grown = grown if sure else 1.0
    width = box[2] * grown
    left, top = middles[1] + (box[:2] + box[2:] / 2 - middles[0]) * grown - width / 2
    return np.array([left, top, width, width]), sure


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return intersection over union of two boxes."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    return shared / (float(one[2] * one[3] + other[2] * other[3]) - shared)
