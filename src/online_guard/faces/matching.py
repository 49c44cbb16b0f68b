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


def _shapes() -> NDArray[np.float64]:
    """Return what tone curves are made of, quarters of levels × 5: cubic, and the steep start of a gamma below 1."""
    levels = np.arange(0, 255.25, 0.25)
    centred = levels / 255 - 0.5
    shapes = np.stack([centred**3, centred**2, centred, np.ones_like(levels), np.log(levels + 4)], axis=1)
    independent, _ = np.linalg.qr(shapes)
    return np.asarray(independent * np.sqrt(len(levels)))


_SHAPES = _shapes()


def blurred(picture: Plane, sigma: float | tuple[float, float]) -> Plane:
    """Return the picture under a Gaussian blur of `sigma` px, or of so many across and down."""
    across, down = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), across, None, down, cv2.BORDER_REPLICATE), np.float32)


def spread(calm: float, more: float, aspect: float) -> tuple[float, float]:
    """Return the blur across and down, in px of square copies, of a picture that was blurred by `more` before.

    Args:
        calm: Sigma in px of the blur that the copy gets in any case.
        more: Sigma of the blur before, geometric mean of across and down.
        aspect: Width over height of the picture, which the square copy squeezed.
    """
    return float(np.hypot(calm, more / np.sqrt(aspect))), float(np.hypot(calm, more * np.sqrt(aspect)))


def sharpness(picture: Plane, counts: Mask) -> float:
    """Return the mean size of the Laplacian over the standard deviation."""
    edges = np.abs(cv2.Laplacian(picture, cv2.CV_32F))[counts]
    return float(edges.mean() / (picture[counts].std() + 1))


def as_altered(picture: Plane, target: Plane, counts: Mask, sigma: tuple[float, float]) -> Plane:
    """Return the picture brightened and blurred to look like the target, outliers weighing little.

    The tone curve is found on blurred pictures, where hairs that don't lie quite over each other do no harm, and laid
    on the picture before it is blurred: a bright edge spreads further than a dark one.

    Args:
        picture: As prepared.
        target: The other picture, already blurred.
        counts: Pixels that the curve is found on.
        sigma: Of the blur, across and down, px.
    """
    places = np.flatnonzero(counts.ravel())[::3]
    curve, _ = _curve(blurred(picture, sigma), target, places)
    return blurred(curve[_step_of(picture)], sigma)


def missing_blur(sharper: Plane, target: Plane, counts: Mask, calm: float, aspect: float) -> float:
    """Return by which sigma, in px, the sharper picture must be blurred to look most like the target.

    Args:
        sharper: As prepared.
        target: Blurred by `calm`.
        counts: Pixels compared.
        calm: Sigma in px that both get in any case.
        aspect: As in `spread`.
    """
    places = np.flatnonzero(counts.ravel())[::4]

    def miss(sigma: float) -> float:
        _, off = _curve(blurred(sharper, spread(calm, sigma, aspect)), target, places)
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


def _curve(picture: Plane, target: Plane, places: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a robust tone curve, a level for each quarter of a level, and how far each place is off it."""
    wanted = target.ravel()[places]
    steps = _step_of(picture.ravel()[places])
    off = np.zeros_like(wanted)
    curve = np.empty(0, np.float32)
    for again in range(2):
        weights = np.minimum(1, (1.5 * np.median(off) + 0.5) / np.maximum(off, 1e-6)) if again else np.ones_like(wanted)
        many = np.bincount(steps, weights, len(_SHAPES))
        total = np.bincount(steps, weights * wanted, len(_SHAPES))
        squares = (_SHAPES * many[:, None]).T @ _SHAPES
        held = 1e-9 * np.trace(squares) * np.eye(len(squares))
        curve = (_SHAPES @ np.linalg.solve(squares + held, _SHAPES.T @ total)).astype(np.float32)
        off = np.abs(wanted - curve[steps])
    return curve, off


def _step_of(picture: Plane) -> NDArray[np.intp]:
    """Return to which quarter of a level each pixel belongs."""
    return np.asarray(np.clip(picture * 4 + np.float32(0.5), 0, len(_SHAPES) - 1), np.intp)
