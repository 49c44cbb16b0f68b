"""What moves in a face: eye opening, mouth gap, yaw and pitch of every frame, as ratios of lengths in the face.

Ratios hold whatever the size of the face. Yaw and pitch are affine coordinates: a flat picture that is tilted, turned
or moved keeps them but for perspective, while the nose of a head stands out from the plane of eyes and mouth and
shifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .landmarks import Points

Series = NDArray[np.float64]
"""One number per frame; NaN where there is no face."""


@dataclass(frozen=True)
class Signals:
    """Signals of n frames. Left and right are the person's own.

    Attributes:
        times_s: When each frame was taken.
        eye_left: Opening of the left eye over the length from the eyes to the upper lip; about 0.15 open, 0.07 shut.
        eye_right: The same of the right eye.
        mouth: Gap between the inner lips over the distance of the eyes; 0.02 shut, 0.1 talking, 0.3 wide open.
        yaw: Where the tip of the nose lies along the line of the eyes, in distances of the eyes from their middle;
            grows as the person turns to the own left. 0.2 is about 30 degrees.
        yaw_middle: How far the tip of the nose lies from the line bridge of the nose to upper lip, over its length's
            scale, same sign as `yaw`. It shows that the nose stands out: bending a photo about an upright axis moves
            nose, bridge and lips together.
        pitch: Height of the tip of the nose less that of the jaw beneath the ears, in lengths from the eyes to the
            mouth; grows as the person looks down. 0.25 is about 15 degrees.
        aspect: Distance of the eyes over the length from eyes to lips: what tilting a photo changes and lids don't.
        contrast: n × 2 (right eye, left eye), how much each eye stands out from the skin (`eye_contrast`).
        place: n × 2, where the nose is in the picture, in median distances of the eyes.
    """

    times_s: Series
    eye_left: Series
    eye_right: Series
    mouth: Series
    yaw: Series
    yaw_middle: Series
    pitch: Series
    aspect: Series
    contrast: NDArray[np.float64]
    place: NDArray[np.float64]

    @property
    def eyes(self) -> Series:
        """Return the mean opening of both eyes."""
        return (self.eye_left + self.eye_right) / 2


def measure_signals(points: Points, times_s: Series, contrast: NDArray[np.float64]) -> Signals:
    """Return the signals of tracked points.

    Args:
        points: Frames × 68 × 2 px.
        times_s: One time per frame.
        contrast: As `eye_contrast` gives it.
    """

    def middle(*numbers: int) -> NDArray[np.float64]:
        return np.asarray(points[:, list(numbers)].mean(axis=1), np.float64)

    right_eye, left_eye = middle(36, 39), middle(42, 45)
    eyes, lips, bridge, tip = middle(36, 39, 42, 45), middle(48, 51, 54), points[:, 27], points[:, 30]
    between, down = left_eye - right_eye, lips - eyes
    height = _length(eyes - middle(33, 51))
    tip_at = _affine(tip - eyes, between, down)
    jaw_at = _affine(middle(1, 2, 3, 13, 14, 15) - eyes, between, down)
    ridge = middle(51) - bridge
    return Signals(
        times_s=np.asarray(times_s, np.float64),
        eye_left=_gap(points, ((43, 47), (44, 46))) / height,
        eye_right=_gap(points, ((37, 41), (38, 40))) / height,
        mouth=_gap(points, ((61, 67), (62, 66), (63, 65))) / _length(between),
        yaw=tip_at[0],
        yaw_middle=-_cross(ridge, tip - bridge) / _length(ridge) / height,
        pitch=tip_at[1] - jaw_at[1],
        aspect=_length(between) / height,
        contrast=contrast,
        place=points[:, 27:36].mean(axis=1) / _median(_length(between)),
    )


def _gap(points: Points, pairs: tuple[tuple[int, int], ...]) -> Series:
    """Return the mean distance of pairs of points."""
    return np.asarray(np.mean([_length(points[:, one] - points[:, other]) for one, other in pairs], axis=0))


def _median(values: Series) -> float:
    """Return the median of what was seen, NaN where nothing was."""
    seen = values[~np.isnan(values)]
    return float(np.median(seen)) if seen.size else float("nan")


def _length(vectors: NDArray[np.float64]) -> Series:
    return np.asarray(np.hypot(vectors[:, 0], vectors[:, 1]), np.float64)


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> Series:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0], np.float64)


def _affine(
    vectors: NDArray[np.float64], across: NDArray[np.float64], down: NDArray[np.float64]
) -> tuple[Series, Series]:
    """Return the coordinates of vectors in the frame of two others."""
    area = _cross(across, down)
    return _cross(vectors, down) / area, _cross(across, vectors) / area
