"""How well a face can be seen: light, sharpness, size, pose, and the limits that make a picture good.

Limits were set on 73 real faces (40 photos of people, 7 webcam photos, 26 frames of webcam clips; test media, not
shipped) brought to a box of 160 px and then darkened, brightened, blurred and shrunk. `d` is the median distance of the
spoilt face's vector to its own unspoilt one; strangers begin near 0.6, so a limit lies where d nears half of that. The
limits keep all 73 unspoilt faces; the darkest measures 44, the least sharp 0.048.

| spoilt by | brightness | sharpness | d | still found | good |
| --- | --- | --- | --- | --- | --- |
| nothing | 135 (90 % within 64-167) | 0.17 (0.063-0.39) | 0 | 100 % | 100 % |
| light × 0.3, with sensor noise | 40 | | 0.20 | 99 % | 92 % |
| light × 0.2 | 27 | | 0.27 | 96 % | 64 % |
| light × 0.12 | 16 | | 0.35 | 75 % | 0 % |
| light × 1.5 | 191 | | 0.20 | 100 % | 95 % |
| light × 2 | 216 | | 0.35 | 100 % | 56 % |
| light × 3 | 235 | | 0.49 | 81 % | 21 % |
| blur σ 1 px | | 0.064 | 0.09 | 100 % | 100 % |
| blur σ 2 px | | 0.024 | 0.20 | 99 % | 74 % |
| blur σ 3 px | | 0.012 | 0.30 | 96 % | 29 % |
| blur σ 4 px | | 0.007 | 0.38 | 89 % | 3 % |
| shrunk to 80 px | | 0.067 | 0.10 | 99 % | 99 % |
| shrunk to 40 px | | 0.031 | 0.21 | 99 % | 93 % |

A reference photo must be near frontal. In 13 real clips d to the most frontal frame was, by the yaw that `pose` tells,
0.23 (below 5°, 120 frames), 0.27 (5-10°), 0.31 (10-15°), 0.39 (20-25°, 2 frames), 0.37 (25-30°, 2 frames). The limit of
25° keeps all 40 photos of people (at most 22° and raised by 20°); few frames lie beyond it, so it is a rough one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from .grey_copies import Grey
from .identity import Face, Points
from .pose import Pose, pose

_STANDARD_PX = 96


@dataclass(frozen=True)
class Quality:
    """What was measured, on the box of the largest face, or on the whole picture when it shows none.

    Attributes:
        brightness: Mean luma (BT.601), 0 to 255.
        sharpness: Variance of the Laplacian over the variance of luma, both on a copy of 96 × 96 px. The quotient keeps
            a dark picture from counting as a blurred one.
        face_size_px: Width of the face's box; 0 without a face.
        pose: Which way the face looks, roughly; None when its points weren't given.
    """

    brightness: float
    sharpness: float
    face_size_px: int
    pose: Pose | None = None


@dataclass(frozen=True)
class QualityLimits:
    """The limits of a good picture; a value equal to its limit passes. An infinite angle doesn't matter."""

    min_brightness: float
    max_brightness: float
    min_sharpness: float
    min_face_size_px: int
    max_yaw_deg: float = math.inf
    max_pitch_deg: float = math.inf


SNAPSHOT_LIMITS = QualityLimits(min_brightness=25, max_brightness=220, min_sharpness=0.015, min_face_size_px=40)
REFERENCE_LIMITS = QualityLimits(
    min_brightness=40, max_brightness=200, min_sharpness=0.030, min_face_size_px=100, max_yaw_deg=25, max_pitch_deg=35
)


def measure(grey: Grey, face: Face | None, points: Points | None = None) -> Quality:
    """Return light, sharpness, size and pose of a face in a picture, or light and sharpness of the whole picture.

    Args:
        grey: The picture in grey (BT.601), rows × columns.
        face: The face in it, if it shows one.
        points: The face's landmarks; without them there is no pose.
    """
    luma = grey if face is None else _inside(grey, face)
    how = cv2.INTER_AREA if min(luma.shape) > _STANDARD_PX else cv2.INTER_LINEAR
    standard = cv2.resize(luma, (_STANDARD_PX, _STANDARD_PX), interpolation=how).astype(np.float32)
    contrast = float(standard.var())
    edges = float(cv2.Laplacian(standard, cv2.CV_32F).var())
    return Quality(
        brightness=float(luma.mean()),
        sharpness=edges / contrast if contrast > 0 else 0.0,
        face_size_px=0 if face is None else face.size_px,
        pose=None if points is None else pose(points),
    )


def shortcomings(quality: Quality, limits: QualityLimits) -> tuple[str, ...]:
    """Return what keeps a picture from being good.

    One or more of `too_dark`, `too_bright`, `too_blurred`, `too_small`, `turned`. Without a face there is no size to be
    too small.
    """
    looks = quality.pose or Pose(0.0, 0.0, 0.0)
    checks = (
        ("too_dark", quality.brightness < limits.min_brightness),
        ("too_bright", quality.brightness > limits.max_brightness),
        ("too_blurred", quality.sharpness < limits.min_sharpness),
        ("too_small", 0 < quality.face_size_px < limits.min_face_size_px),
        ("turned", abs(looks.yaw_deg) > limits.max_yaw_deg or abs(looks.pitch_deg) > limits.max_pitch_deg),
    )
    return tuple(code for code, holds in checks if holds)


def _inside(grey: Grey, face: Face) -> Grey:
    """Return the part of a face's box that lies inside the picture."""
    height, width = grey.shape
    rows = slice(min(max(face.top, 0), height - 1), max(min(face.bottom, height), 1))
    columns = slice(min(max(face.left, 0), width - 1), max(min(face.right, width), 1))
    return grey[rows, columns]
