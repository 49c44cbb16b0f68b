"""Which way a face looks, told roughly from its five points.

The points are compared with those of a mean face. Faces differ: a nose that sits half a centimetre higher than the mean
one looks like a head raised by ten degrees. So yaw is good to some 5°, roll to 2°, and pitch only to 15°; a face that
looks down by more than 29° can't be told from one that looks down by 29°.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NOSE_BELOW, _NOSE_BEFORE = 0.530, 0.292
"""How far the base of the nose lies below and before the middle of the eye corners, in distances between the outer
corners. Source: canonical face model of MediaPipe (Apache-2.0), vertices 2, 33, 133, 263, 362."""


@dataclass(frozen=True)
class Pose:
    """Angles of a head in degrees; all 0 when it looks straight into the camera.

    Attributes:
        yaw_deg: Positive when turned to the person's own left (to the right of an unmirrored picture).
        pitch_deg: Positive when looking up.
        roll_deg: Positive when leaning to the person's own left (clockwise in an unmirrored picture).
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def pose(points: NDArray[np.int64]) -> Pose:
    """Return the pose of a face seen from some distance.

    Args:
        points: 5 × 2 px, as `identity.landmarks` returns them.
    """
    left, right, nose = points[0], points[2], points[4]
    across = (left - right).astype(np.float64)
    width = max(float(np.hypot(*across)), 1.0)
    across /= width
    aside, below = (nose - points[:4].mean(axis=0)) / width @ np.array([across, [-across[1], across[0]]]).T
    yaw = math.atan(float(aside) / _NOSE_BEFORE)
    # The turned eyes lie closer together than those that `below` should be measured in.
    raised = float(below) * math.cos(yaw) / math.hypot(_NOSE_BELOW, _NOSE_BEFORE)
    pitch = math.acos(min(max(raised, -1.0), 1.0)) - math.atan2(_NOSE_BEFORE, _NOSE_BELOW)
    roll = math.atan2(float(across[1]), float(across[0]))
    return Pose(*(round(math.degrees(angle), 1) for angle in (yaw, pitch, roll)))
