"""Lay one picture over another: the affine map that fits best, straight or mirrored, found from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

GreyPixels = NDArray[np.uint8]
"""Rows × columns, 0-255."""

_SIDES_PX = (48, 96, 192)
_ROUNDS = (40, 20, 10)
"""Copies searched one after the other, and the most steps in each: a turn of 3° or a crop of 5 % lies within reach of
the first, in which a step takes a sixteenth of the time."""
_NEAR_ENOUGH = 1e-4
"""A step that adds less correlation than this is the last one."""
_HOPELESS = 0.5
"""A correlation below this in the coarse copy is that of two scenes; the same picture keeps 0.9 and more."""


@dataclass(frozen=True)
class Alignment:
    """How a second picture lies over a first one of the same size.

    Attributes:
        laid: The second picture as it looks from the first one's place, rows × columns, 0-255.
        seen: Where the second picture has a pixel there, rows × columns of bool.
        mirrored: Whether it was turned left to right first.
        matrix: 2 × 3: from a pixel (x, y) of the first picture to one of the second, mirrored or not.
    """

    laid: GreyPixels
    seen: NDArray[np.bool_]
    mirrored: bool
    matrix: NDArray[np.float32]


def align(first: GreyPixels, second: GreyPixels) -> Alignment | None:
    """Return how the second picture fits over the first best, None where it doesn't.

    Both are square, of one size. Mirrored is tried as well; the one that correlates better in the coarse copy is kept.

    Source: G. Evangelidis and E. Psarakis, "Parametric Image Alignment Using Enhanced Correlation Coefficient
    Maximization" (2008): it doesn't see a change of brightness or contrast.
    """
    firsts = [_copy(first, side) for side in _SIDES_PX]
    found: tuple[float, NDArray[np.float32]] = (_HOPELESS, np.eye(2, 3, dtype=np.float32))
    kept, mirrored = None, False
    for turned, picture in ((False, second), (True, np.ascontiguousarray(second[:, ::-1]))):
        tried = _closer(firsts[0], _copy(picture, _SIDES_PX[0]), np.eye(2, 3, dtype=np.float32), _ROUNDS[0])
        if tried is not None and tried[0] > found[0]:
            found, kept, mirrored = tried, picture, turned
    if kept is None:
        return None
    matrix = found[1]
    for finer, side, rounds in zip(firsts[1:], _SIDES_PX[1:], _ROUNDS[1:], strict=True):
        again = _closer(finer, _copy(kept, side), _twice(matrix), rounds)
        if again is None:
            return None
        matrix = again[1]
    return _laid_over(kept, matrix, mirrored)


def _laid_over(second: GreyPixels, matrix: NDArray[np.float32], mirrored: bool) -> Alignment:
    """Return the second picture seen from the first one's place."""
    size = (second.shape[1], second.shape[0])
    laid = cv2.warpAffine(
        second, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    everywhere = np.full(second.shape, 255, np.uint8)
    seen = cv2.warpAffine(everywhere, matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP) > 0
    return Alignment(np.asarray(laid, np.uint8), np.asarray(seen, np.bool_), mirrored, matrix)


def _closer(
    first: GreyPixels, second: GreyPixels, matrix: NDArray[np.float32], rounds: int
) -> tuple[float, NDArray[np.float32]] | None:
    """Return the correlation reached from a first guess and the map; None where nothing correlates."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, rounds, _NEAR_ENOUGH)
    try:
        correlation, better = cv2.findTransformECC(first, second, matrix, cv2.MOTION_AFFINE, criteria)
    except cv2.error:  # the way it says that pictures are flat or have nothing in common
        return None
    return float(correlation), np.asarray(better, np.float32)


def _copy(picture: GreyPixels, side_px: int) -> GreyPixels:
    """Return the picture at another size."""
    if picture.shape[0] == side_px:
        return picture
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def _twice(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the same map for copies of twice the size."""
    larger = matrix.copy()
    larger[:, 2] *= 2
    return larger
