"""How much an eye stands out: iris and white against skin, from the pixels where the eye usually is.

Where lids leave nothing to see, the points of an eye slip to the brow; what is in the place of the eye doesn't.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .clips import Clip
from .landmarks import Track

_AROUND_S = 0.5
_PATCH_PX = (24, 12)
_PATCH_WIDTH = 0.5
"""Of the distance of the eyes; half as high: an open eye with its lids, without brow and glasses."""


def eye_contrast(clip: Clip, track: Track) -> NDArray[np.float64]:
    """Return n × 2 (right eye, left eye): spread of grey levels over their mean, NaN where there is no face.

    The place of an eye is that of the nose plus what lay between them in the median of half a second around.
    """
    points = track.points
    nose = points[:, 27:36].mean(axis=1)
    eyes = np.stack([points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1)], axis=1)
    usual = _usual(clip.times_s, eyes - nose[:, None])
    contrast = np.full((len(points), 2), np.nan)
    for index in np.flatnonzero(track.seen).tolist():
        between = usual[index, 1] - usual[index, 0]
        grey = cv2.cvtColor(clip.frames[index], cv2.COLOR_RGB2GRAY)
        for side in (0, 1):
            patch = _patch(np.asarray(grey, np.uint8), nose[index] + usual[index, side], between)
            contrast[index, side] = float(patch.std()) / max(float(patch.mean()), 1.0)
    return contrast


def _usual(times_s: NDArray[np.float64], offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the running median of n × 2 × 2 offsets, NaN where the face is unseen throughout."""
    usual = np.full_like(offsets, np.nan)
    for index in np.flatnonzero(~np.isnan(offsets[:, 0, 0])).tolist():
        now = times_s[index]
        low, high = np.searchsorted(times_s, [now - _AROUND_S, now + _AROUND_S])
        usual[index] = np.nanmedian(offsets[low:high], axis=0)
    return usual


def _patch(grey: NDArray[np.uint8], middle: NDArray[np.float64], between: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the picture around a place, along the line between the eyes."""
    width, height = _PATCH_PX
    step = between * _PATCH_WIDTH / width
    matrix = np.array([[step[0], -step[1], 0.0], [step[1], step[0], 0.0]])
    matrix[:, 2] = middle - matrix[:, :2] @ np.array([(width - 1) / 2, (height - 1) / 2])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(grey, matrix, _PATCH_PX, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
