"""Stripes in the picture of a face: what a screen's grid and a print's dots leave there (moiré).

Measured at the camera's own pixels: any scaling before would blur stripes away or make new ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import RgbPixels
from .identity import Face

MIN_FACE_PX = 80
"""Below, the region holds too few patches to average the texture of hair, beards and glasses away."""

_REGION = 1.3
"""Side of the square looked at, in widths of the box. Over 1 520 made captures and natural squares, at a false alarm in
200, the box alone finds 0.34 of the attacks, 1.3 widths 0.37, 1.6 widths 0.41; but striped blinds behind a learner give
no false alarm up to 1.3 widths, and in four of five pictures at 1.6."""

_PATCH_PX = 64
"""Side of the square patches whose spectra are averaged."""

_MOST_PATCHES = 8
"""Along one side: up to a region of 288 px they lie half over each other, in larger ones they spread."""

_LOWEST, _HIGHEST = 0.07, 0.5
"""Frequencies searched, cycles per px."""

_ROUNDING_POWER = 100.0
"""Added to every power, so that a flat patch has a logarithm; rounding to whole levels alone gives half of it."""


def stripes(pixels: RgbPixels, face: Face) -> float | None:
    """Return how far the frequency that stands out most exceeds its neighbours: log10 of power, 0.1 to 0.3 mostly.

    Args:
        pixels: RGB picture, rows × columns × 3, at the size the camera gave.
        face: Its box in that picture.

    Returns:
        None for a face below `MIN_FACE_PX`, or one whose square lies outside the picture for more than half its width.

    Source: moiré as a mark of recaptured screens, K. Patel, H. Han, A. K. Jain, "Secure Face Unlock: Spoof Detection on
        Smartphones" (2016); here as an isolated peak of the mean spectrum of patches (P. Welch, 1967).
    """
    height, width = pixels.shape[:2]
    margin = round(face.size_px * (_REGION - 1) / 2)
    rows = slice(max(face.top - margin, 0), max(min(face.bottom + margin, height), 0))
    columns = slice(max(face.left - margin, 0), max(min(face.right + margin, width), 0))
    region = pixels[rows, columns]
    if face.size_px < MIN_FACE_PX or min(region.shape[:2]) < max(MIN_FACE_PX, face.size_px * _REGION / 2):
        return None
    luma = np.asarray(cv2.cvtColor(region, cv2.COLOR_RGB2GRAY), np.float32)
    return _peak(_log_power(luma))


def _log_power(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean log10 power of Hann-windowed patches, 64 × 33 (the other half mirrors it), constant part first.

    The mean of logarithms, not of powers: stripes lie over the whole face, hair and glasses over a patch or two.
    """
    down, along = (_starts(length) for length in luma.shape)
    patches = np.stack([luma[top : top + _PATCH_PX, left : left + _PATCH_PX] for top in down for left in along])
    patches = (patches - patches.mean(axis=(1, 2), keepdims=True)) * _WINDOW
    half = np.log10(np.abs(np.fft.rfft2(patches)) ** 2 + _ROUNDING_POWER).mean(axis=0)
    return np.asarray(half, np.float32)


def _starts(length: int) -> list[int]:
    """Return where patches begin along one side; the first and the last touch the edges."""
    count = min(1 + -(-(length - _PATCH_PX) // (_PATCH_PX // 2)), _MOST_PATCHES)
    return [round(start) for start in np.linspace(0, length - _PATCH_PX, count)]


def _peak(log_power: NDArray[np.float32]) -> float:
    """Return by how much a frequency exceeds every neighbour 3 steps away, at most over the searched band.

    A step is 1/64 cycle per px; under the window one stripe is 2 steps wide. An edge gives a ray of frequencies through
    the constant part, so that some neighbour is as strong: it is no peak.
    """
    mirrored = np.roll(log_power[::-1], 1, axis=0)
    wide = np.hstack([mirrored[:, 3:0:-1], log_power, mirrored[:, -2:-5:-1]])
    wide = np.vstack([wide[-3:], wide, wide[:3]])
    around = cv2.dilate(wide, _RING)[3:-3, 3:-3]
    return float((log_power - around)[_SEARCHED].max())


def _searched() -> NDArray[np.bool_]:
    """Tell the places of a spectrum to search: not those that the 8 px blocks of JPEG and of video give.

    These lie near an axis and near multiples of an eighth.
    """
    across = np.abs(np.fft.fftfreq(_PATCH_PX))
    on_axis = across < 2.1 / _PATCH_PX
    of_blocks = np.abs(across - np.round(across * 8) / 8) < 1.1 / _PATCH_PX
    radius = np.hypot(across[:, None], across[None, :])
    blocks = np.outer(on_axis, of_blocks) | np.outer(of_blocks, on_axis)
    return np.asarray((radius >= _LOWEST) & (radius <= _HIGHEST) & ~blocks)[:, : _PATCH_PX // 2 + 1]


_WINDOW = np.outer(np.hanning(_PATCH_PX), np.hanning(_PATCH_PX)).astype(np.float32)
_RING = np.pad(np.zeros((5, 5), np.uint8), 1, constant_values=1)
"""The neighbours 3 steps away."""
_SEARCHED = _searched()
