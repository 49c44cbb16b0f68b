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


def as_altered(picture: Plane, target: Plane, counts: Mask, sigma: float) -> Plane:
    """Return the picture brightened and blurred to look like the target, outliers weighing little.

    The tone curve is found on blurred pictures, where hairs that don't lie quite over each other do no harm, and laid
    on the picture before it is blurred: a bright edge spreads further than a dark one.

    Args:
        picture: As prepared.
        target: The other picture, already blurred.
        counts: Pixels that the curve is found on.
        sigma: Of the blur, px.
    """
    places = np.flatnonzero(counts.ravel())[::3]
    curve, _ = _curve(blurred(picture, sigma), target, places, 1)
    steps = np.arange(0, 256, 0.25, dtype=np.float32)
    table = _powers(steps) @ curve
    at = np.clip(picture * 4, 0, len(table) - 1).astype(np.intp)
    return blurred(np.asarray(table[at], np.float32), sigma)


def missing_blur(sharper: Plane, target: Plane, counts: Mask, already: float) -> float:
    """Return by which sigma, in px, the sharper picture must be blurred to look most like the target.

    Args:
        sharper: As prepared.
        target: Blurred by `already`.
        counts: Pixels compared.
        already: Sigma in px that both get in any case.
    """
    places = np.flatnonzero(counts.ravel())[::4]

    def miss(sigma: float) -> float:
        _, off = _curve(blurred(sharper, float(np.hypot(already, sigma))), target, places, 1)
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
    """Return a robust tone curve, the weights of `_powers`, and how far each place is off it."""
    wanted = target.ravel()[places]
    powers = _powers(picture.ravel()[places])
    weights = np.ones_like(wanted)
    for again in range(rounds + 1):
        weighted = powers * weights[:, None]
        curve = np.linalg.solve(
            (weighted.T @ powers).astype(np.float64) + 1e-3 * np.eye(5), (weighted.T @ wanted).astype(np.float64)
        ).astype(np.float32)
        off = np.abs(wanted - powers @ curve)
        if again < rounds:
            weights = np.minimum(1, (1.5 * np.median(off) + 0.5) / np.maximum(off, 1e-6)).astype(np.float32)
    return curve, off


def _powers(levels: Plane) -> Plane:
    """Return what tone curves are made of: cubic, with a logarithm for the steep start of a gamma below 1."""
    centred = levels / np.float32(255) - np.float32(0.5)
    steep = np.log(np.maximum(levels, 0) + np.float32(4)) / np.float32(5)
    return np.stack([centred**3, centred * centred, centred, np.ones_like(centred), steep], axis=-1)
