"""Give one picture the blur and the brightness of another, as an alteration of the whole picture might have done."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Mask, Plane

_BLURS = (0.0, 0.7, 1.2, 2.0, 3.2, 5.0)
"""Sigmas in px tried one after the other until the pictures grow apart again."""
_HALVINGS = 3
"""The best of them is refined to a few hundredths of a px: a wrong sigma leaves every hair behind."""
_ENOUGH = 20.0
"""A pixel off by more grey levels than this says nothing more about blur."""


def blurred(picture: Plane, sigma: float) -> Plane:
    """Return the picture under a Gaussian blur of `sigma` px."""
    if sigma == 0:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def sharpness(picture: Plane, counts: Mask) -> float:
    """Return the mean size of the Laplacian over the standard deviation."""
    edges = np.abs(cv2.Laplacian(picture, cv2.CV_32F))[counts]
    return float(edges.mean() / (picture[counts].std() + 1))


def toned(picture: Plane, target: Plane, counts: Mask, rounds: int = 1) -> Plane:
    """Return the picture under the cubic tone curve that brings it closest to the target, outliers weighing little."""
    places = np.flatnonzero(counts.ravel())[::3]
    curve, _ = _curve(picture, target, places, rounds)
    levels = picture / 255 - np.float32(0.5)
    third, second, first, constant = curve
    return np.asarray(((third * levels + second) * levels + first) * levels + constant, np.float32)


def missing_blur(sharper: Plane, target: Plane, counts: Mask) -> float:
    """Return by which sigma, in px, the sharper picture must be blurred to look most like the target."""
    places = np.flatnonzero(counts.ravel())[::4]

    def miss(sigma: float) -> float:
        _, off = _curve(blurred(sharper, sigma), target, places, 1)
        return float(np.mean(np.minimum(off, _ENOUGH)))

    return _lowest(miss)


def _lowest(miss: Callable[[float], float]) -> float:
    """Return where a function with one valley is lowest."""
    misses: dict[float, float] = {}
    for sigma in _BLURS:
        misses[sigma] = miss(sigma)
        if misses[sigma] > min(misses.values()):
            break
    best = min(misses, key=lambda sigma: misses[sigma])
    for _ in range(_HALVINGS):
        tried = sorted(misses)
        place = tried.index(best)
        for near in tried[max(0, place - 1) : place] + tried[place + 1 : place + 2]:
            between = (best + near) / 2
            misses[between] = miss(between)
        best = min(misses, key=lambda sigma: misses[sigma])
    return best


def _curve(
    picture: Plane, target: Plane, places: NDArray[np.intp], rounds: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a robust cubic curve (highest power first, of level / 255 - 0.5) and how far each place is off it."""
    levels = picture.ravel()[places] / np.float32(255) - np.float32(0.5)
    wanted = target.ravel()[places]
    powers = np.stack([levels**3, levels * levels, levels, np.ones_like(levels)], axis=1)
    weights = np.ones_like(levels)
    for again in range(rounds + 1):
        weighted = powers * weights[:, None]
        curve = np.linalg.solve(
            (weighted.T @ powers).astype(np.float64) + 1e-3 * np.eye(4), (weighted.T @ wanted).astype(np.float64)
        ).astype(np.float32)
        off = np.abs(wanted - powers @ curve)
        if again < rounds:
            weights = np.minimum(1, (1.5 * np.median(off) + 0.5) / np.maximum(off, 1e-6)).astype(np.float32)
    return curve, off
