"""How far each part of a picture moved against another: a smooth field of displacements.

Noise and compression move nothing; a head that lives moves against its room, and a mouth and eyes against the head.
Gathered over thousands of pixels, a tenth of a pixel can be told from noise.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Mask, Plane, slopes
from .matching import blurred

CELLS = 12
"""The field has 12 × 12 places, 16 px apart."""

_STIFF = 2000.0
"""Weight of differences between neighbouring places, against squared slopes summed over a cell."""
_HELD = 50.0
"""Weight of standing still: a cell without any edge moves with its neighbours, or not at all."""
_LIGHT = 8.0
"""Sigma in px beyond which a difference is one of light, not of movement."""
_MOST = 8.0
"""Grey levels from which on a larger difference counts no more."""


def _neighbours() -> NDArray[np.float32]:
    """Return the matrix of squared differences between places side by side."""
    places = np.arange(CELLS * CELLS).reshape(CELLS, CELLS)
    matrix = np.zeros((CELLS * CELLS, CELLS * CELLS), np.float32)
    for one, other in ((places[:, :-1], places[:, 1:]), (places[:-1], places[1:])):
        for i, j in zip(one.ravel(), other.ravel(), strict=True):
            matrix[[i, j, i, j], [i, j, j, i]] += np.array([1, 1, -1, -1], np.float32)
    return matrix


_STIFFNESS = _STIFF * _neighbours()


def displacements(one: Plane, other: Plane, counts: Mask) -> NDArray[np.float32]:
    """Return by how many px each cell of `other` moved against `one`, 12 × 12.

    Source: B. Lucas and T. Kanade (1981) in cells, smoothed as by B. Horn and B. Schunck (1981).
    """
    across, down = slopes(np.asarray(cv2.addWeighted(one, 0.5, other, 0.5, 0), np.float32))
    weight = counts.astype(np.float32)
    off = (one - other) * weight
    off -= blurred(off, _LIGHT) / np.maximum(blurred(weight, _LIGHT), 0.05) * weight
    weight *= np.minimum(1, _MOST / np.maximum(np.abs(off), 1e-3))

    def summed(values: Plane) -> NDArray[np.float32]:
        cells = cv2.resize(values * weight, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        return np.asarray(cells.ravel() * np.float32(values.size / CELLS**2), np.float32)

    n = CELLS * CELLS
    at = np.arange(n)
    matrix = np.zeros((2 * n, 2 * n), np.float32)
    matrix[:n, :n] = matrix[n:, n:] = _STIFFNESS
    matrix[at, at] += summed(across * across) + _HELD
    matrix[n + at, n + at] += summed(down * down) + _HELD
    matrix[at, n + at] = matrix[n + at, at] = summed(across * down)
    pull = np.concatenate([summed(across * off), summed(down * off)])
    # OpenCV's, since BLAS spreads so small a system over threads that only wait for each other: a quarter of the time
    moved = cv2.solve(matrix, pull[:, None], flags=cv2.DECOMP_CHOLESKY)[1].ravel()
    return np.hypot(moved[:n], moved[n:]).reshape(CELLS, CELLS)
