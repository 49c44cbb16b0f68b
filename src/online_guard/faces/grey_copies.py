"""The grey picture and its halved copies, made once for all that look at small ones."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import RgbPixels

Grey = NDArray[np.uint8]
_LEAST_SIDE_PX = 64
"""Shorter side of the smallest copy; the perceptual hash averages it down to 32 px."""


@dataclass(frozen=True)
class GreyCopies:
    """Grey copies (BT.601) of one picture, each half as wide and high as the one before, the whole picture first."""

    copies: tuple[Grey, ...]

    @property
    def smallest(self) -> Grey:
        """Return the smallest copy; both of its sides have 64 px or more, unless the picture itself is smaller."""
        return self.copies[-1]

    def at_least(self, width_px: int) -> Grey:
        """Return the smallest copy that is at least so wide; the whole picture when none is."""
        return next((copy for copy in reversed(self.copies) if copy.shape[1] >= width_px), self.copies[0])


def grey_copies(pixels: RgbPixels) -> GreyCopies:
    """Return the grey copies of a picture. Halving is quick; a step of another size then works on little.

    Args:
        pixels: RGB picture, rows × columns × 3.
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    copies = [grey]
    while min(grey.shape) >= 2 * _LEAST_SIDE_PX:
        size = (grey.shape[1] // 2, grey.shape[0] // 2)
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        copies.append(grey)
    return GreyCopies(tuple(copies))
