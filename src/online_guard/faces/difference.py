"""What is left between two aligned pictures once blur and brightness have been matched."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Alignment, GreyPixels

FaceBox = tuple[float, float, float, float]
"""Left, top, right, bottom in px of the compared copy."""

Plane = NDArray[Any]
"""One number per pixel, float32."""

_CALM = 1.0
"""Sigma in px of the blur that both pictures get first: it takes out most of a sensor's noise."""
_BLURS = (0.0, 0.6, 1.0, 1.5, 2.2, 3.2, 4.5)
"""Sigmas in px tried on the sharper picture; the best is refined between its neighbours."""
_BROAD = 10.0
"""Sigma in px beyond which a difference is one of light."""
_SMOOTH = 1.2
_BLOCK_PX = 12
_SCALE = 0.8
"""Puts the limit between the same picture and two at 0.04."""


def difference(first: GreyPixels, alignment: Alignment, face: FaceBox | None) -> float:
    """Return the root mean square left in the worst blocks over the picture's standard deviation, 0 to 1."""
    seen = cv2.erode(alignment.seen.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if seen.mean() < 0.6:
        return 1.0
    altered, target = _matched(first.astype(np.float32), alignment.laid.astype(np.float32), seen)
    weight = seen.astype(np.float32)
    left = (altered - target) * weight
    left -= _blurred(left, _BROAD) / np.maximum(_blurred(weight, _BROAD), 0.05) * weight
    left = _blurred(left, _SMOOTH)
    blocks = np.sqrt(np.maximum(cv2.blur(left * left, (_BLOCK_PX, _BLOCK_PX)), 0))  # running sums can dip below 0
    where = seen & _inner(face, seen.shape)
    if where.sum() < _BLOCK_PX**2:
        where = seen
    return float(min(1.0, _SCALE * np.quantile(blocks[where], 0.98) / max(float(target[seen].std()), 1.0)))


def _inner(face: FaceBox | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where the face lies, without the edge of its box; everywhere without a face."""
    inside = np.zeros(shape, bool)
    left, top, right, bottom = (0.0, 0.0, float(shape[1]), float(shape[0])) if face is None else face
    across, down = 0.08 * (right - left), 0.05 * (bottom - top)
    rows = slice(max(0, int(top + down)), max(0, int(bottom - down)))
    inside[rows, max(0, int(left + across)) : max(0, int(right - across))] = True
    return inside


def _matched(one: Plane, other: Plane, seen: NDArray[np.bool_]) -> tuple[Plane, Plane]:
    """Return the sharper picture blurred and brightened to look like the other, and the other."""
    sharper, target = _blurred(one, _CALM), _blurred(other, _CALM)
    if _sharpness(sharper, seen) < _sharpness(target, seen):
        sharper, target = target, sharper

    def miss(sigma: float) -> float:
        again = _toned(_blurred(sharper, sigma), target, seen, rounds=1)
        return float(np.mean(np.minimum(np.abs(again - target)[seen], 20)))

    misses = {sigma: miss(sigma) for sigma in _BLURS[:2]}
    for sigma in _BLURS[2:]:
        if misses[max(misses)] > min(misses.values()):
            break
        misses[sigma] = miss(sigma)
    best = min(misses, key=lambda sigma: misses[sigma])
    place = _BLURS.index(best)
    for near in _BLURS[max(0, place - 1) : place] + _BLURS[place + 1 : place + 2]:
        misses[(best + near) / 2] = miss((best + near) / 2)
    best = min(misses, key=lambda sigma: misses[sigma])
    return _toned(_blurred(sharper, best), target, seen, rounds=2), target


def _toned(picture: Plane, target: Plane, seen: NDArray[np.bool_], rounds: int) -> Plane:
    """Return the picture under the cubic tone curve that brings it closest to the target, outliers weighing little."""
    places = np.flatnonzero(seen)[::3]
    levels = picture / 255 - 0.5
    powers = np.vander(levels.ravel()[places], 4)
    wanted = target.ravel()[places]
    weights = np.ones(len(places), np.float32)
    for _ in range(rounds):
        curve = np.linalg.lstsq(powers * weights[:, None], wanted * weights, rcond=None)[0]
        off = np.abs(wanted - powers @ curve)
        weights = np.sqrt(np.minimum(1, (1.5 * np.median(off) + 0.5) / np.maximum(off, 1e-6)))
    return np.asarray(np.polyval(curve, levels), np.float32)


def _sharpness(picture: Plane, seen: NDArray[np.bool_]) -> float:
    """Return the mean size of the Laplacian over the standard deviation."""
    edges = np.abs(cv2.Laplacian(picture, cv2.CV_32F))[seen]
    return float(edges.mean() / (picture[seen].std() + 1))


def _blurred(picture: Plane, sigma: float) -> Plane:
    """Return the picture under a Gaussian blur."""
    if sigma == 0:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
