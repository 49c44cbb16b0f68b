"""Lay one picture over another: the affine map that fits best, straight or mirrored, found from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

GreyPixels = NDArray[np.uint8]
"""Rows × columns, 0-255."""

Matrix = NDArray[np.float32]
"""2 × 3: an affine map of (x, y, 1), px."""

Plane = NDArray[np.float32]
"""One number per pixel, rows × columns."""

Mask = NDArray[np.bool_]
"""One truth per pixel, rows × columns."""

_COARSE_PX, _FINER_PX = 48, 96
_ROUNDS = {_COARSE_PX: 40, _FINER_PX: 20}
"""Sides of the copies searched one after the other, and the most steps in each: a turn of 3° or a crop of 5 % lies
within reach of the first, in which a step takes a sixteenth of the time."""
_NEAR_ENOUGH = 1e-4
"""A step that adds less correlation than this is the last one."""
_CLEARLY = 0.15
"""Straight or mirrored: less apart than this in the coarse copy, both are followed to the end."""
_HOPELESS = 0.5
"""A correlation below this in the coarse copy is that of two scenes; the same picture keeps 0.9 and more."""


@dataclass(frozen=True)
class Alignment:
    """How a second picture lies over a first one of the same size.

    Attributes:
        picture: The second picture, turned left to right where that fits better.
        matrix: 2 × 3: from a pixel (x, y) of the first picture to one of `picture`.
    """

    picture: GreyPixels
    matrix: Matrix


def align(first: GreyPixels, second: GreyPixels) -> Alignment | None:
    """Return how the second picture fits over the first best, None where it doesn't.

    Both are square, of one size. Mirrored is tried as well; the one that correlates better is kept.

    Source: G. Evangelidis and E. Psarakis, "Parametric Image Alignment Using Enhanced Correlation Coefficient
    Maximization" (2008): it doesn't see a change of brightness or contrast.
    """
    tries = []
    for picture in (second, np.ascontiguousarray(second[:, ::-1])):
        found = _closer(first, picture, np.eye(2, 3, dtype=np.float32), _COARSE_PX)
        if found is not None and found[0] > _HOPELESS:
            tries.append((*found, picture))
    tries.sort(key=lambda tried: -tried[0])
    if len(tries) == 2 and tries[0][0] - tries[1][0] > _CLEARLY:
        tries.pop()
    best: tuple[float, Alignment] | None = None
    for _, matrix, picture in tries:
        found = _closer(first, picture, matrix, _FINER_PX)
        if found is not None and found[0] > (_HOPELESS if best is None else best[0]):
            best = found[0], Alignment(picture, found[1])
    return None if best is None else best[1]


def _closer(first: GreyPixels, second: GreyPixels, matrix: Matrix, side_px: int) -> tuple[float, Matrix] | None:
    """Return the correlation of copies of a size and the map, from a first guess; None where nothing correlates."""
    one, other = (cv2.resize(each, (side_px, side_px), interpolation=cv2.INTER_AREA) for each in (first, second))
    scale = np.array([[1, 1, side_px / first.shape[0]]], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS[side_px], _NEAR_ENOUGH)
    try:
        correlation, better = cv2.findTransformECC(one, other, matrix * scale, cv2.MOTION_AFFINE, criteria)
    except cv2.error:  # the way it says that pictures are flat or have nothing in common
        return None
    return float(correlation), np.asarray(better / scale, np.float32)


def laid(picture: Plane, matrix: Matrix) -> tuple[Plane, Mask]:
    """Return the picture seen from the first one's place, and where it has pixels there, two px off its edges."""
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    everywhere = np.full(picture.shape, 255, np.uint8)
    within = cv2.warpAffine(everywhere, matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    within = cv2.erode(within, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(moved, np.float32), np.asarray(within > 0, np.bool_)


def slopes(picture: Plane) -> tuple[Plane, Plane]:
    """Return the change to the right and downwards, grey levels per px."""
    across, down = (cv2.Sobel(picture, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def improved(matrix: Matrix, wanted: Plane, moved: Plane, counts: Mask) -> Matrix:
    """Return the map after one step towards `wanted`, in which what differs by far has no say.

    Correlation alone is pulled aside by a line of text or a black corner, by up to 0.3 px.

    Args:
        matrix: The map under which `moved` was laid.
        wanted: The first picture with the brightness of `moved`.
        moved: The second picture seen from the first one's place.
        counts: Pixels that may have a say.

    Source: one Gauss-Newton step with Tukey's biweight, scale from the median absolute deviation.
    """
    across, down = slopes(moved)
    places = np.flatnonzero((counts & (np.abs(across) + np.abs(down) > 1)).ravel())
    if len(places) < 200:
        return matrix
    half = moved.shape[0] / 2
    rows, columns = np.divmod(places, moved.shape[1])
    x, y = (columns - half).astype(np.float32) / half, (rows - half).astype(np.float32) / half
    off = (wanted - moved).ravel()[places]
    gx, gy = across.ravel()[places], down.ravel()[places]
    far = 4.685 * (1.4826 * np.median(np.abs(off)) + 0.5)
    weights = np.maximum(0, 1 - (off / far) ** 2) ** 2
    ways = np.stack([gx * x, gx * y, gx, gy * x, gy * y, gy], axis=1)
    weighted = ways * weights[:, None]
    a, b, c, d, e, f = np.linalg.solve(weighted.T @ ways + np.eye(6), weighted.T @ off).astype(np.float64)
    shift = np.array([[1 + a / half, b / half, c - a - b], [d / half, 1 + e / half, f - d - e], [0, 0, 1]])
    return np.asarray(matrix.astype(np.float64) @ shift, np.float32)
