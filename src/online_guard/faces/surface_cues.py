"""What a print or a screen does to the picture of a face, in six numbers measured at the camera's own pixels.

Nothing is scaled first: a screen's grid and a print's dots show as stripes (moiré) of a few camera pixels, and any
resampling would blur or make them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from .decode import RgbPixels
from .identity import Face

PATCH_PX = 64
"""Side of the square patches whose spectra are averaged; they lie half over each other."""

MIN_FACE_PX = 80
"""Below, a face holds fewer than four patches, and fine stripes of a screen are finer than the camera's pixels."""


@dataclass(frozen=True)
class SurfaceCues:
    """Six numbers of one face.

    Attributes:
        fine_detail: log10 of the luma power of 0.25 to 0.45 cycles per px over that of 0.06 to 0.25.
        slope: Of log power over log frequency, 0.05 to 0.4 cycles per px: about -2 to -4 in pictures of faces.
        stripes: Strongest single frequency over the median of its neighbours, log10 of power: what repeats stands out.
        colour_stripes: The same in colour difference (Cb and Cr), where a screen's coloured dots beat.
        darkest: Luma of the darkest hundredth over the mean luma: paper and glare lift black.
        colours: Spread of Cb and Cr over the mean luma: prints and glare pale the skin.
    """

    fine_detail: float
    slope: float
    stripes: float
    colour_stripes: float
    darkest: float
    colours: float

    def as_array(self) -> NDArray[np.float64]:
        """Return the numbers in the order of the attributes."""
        return np.array(astuple(self), dtype=np.float64)


CUE_NAMES = tuple(field.name for field in fields(SurfaceCues))


def measure_cues(pixels: RgbPixels, face: Face) -> SurfaceCues | None:
    """Return the cues of a face, or None where it is too small or mostly outside the picture.

    Args:
        pixels: RGB picture, rows × columns × 3, at the size the camera gave.
        face: Its box in that picture.
    """
    height, width = pixels.shape[:2]
    crop = pixels[max(face.top, 0) : min(face.bottom, height), max(face.left, 0) : min(face.right, width)]
    if min(crop.shape[:2]) < MIN_FACE_PX:
        return None
    ycc = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    luma = ycc[..., 0]
    mean = float(luma.mean())
    if mean < 1 or float(luma.std()) < 1:
        return None
    power = _mean_power(luma)
    colour = _mean_power(ycc[..., 1]) + _mean_power(ycc[..., 2])
    low, high = _band(0.06, 0.25), _band(0.25, 0.45)
    return SurfaceCues(
        fine_detail=float(np.log10(power[high].mean() / power[low].mean())),
        slope=_slope(power),
        stripes=_peak(power),
        colour_stripes=_peak(colour),
        darkest=float(np.percentile(luma, 1)) / mean,
        colours=float(np.hypot(ycc[..., 1].std(), ycc[..., 2].std())) / mean,
    )


def _mean_power(plane: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean power spectrum of half-overlapping Hann-windowed patches (P. Welch, 1967), DC first."""
    window = np.outer(np.hanning(PATCH_PX), np.hanning(PATCH_PX)).astype(np.float32)
    rows, columns = (_starts(length) for length in plane.shape)
    patches = np.stack([plane[top : top + PATCH_PX, left : left + PATCH_PX] for top in rows for left in columns])
    patches = (patches - patches.mean(axis=(1, 2), keepdims=True)) * window
    mean: NDArray[np.float64] = (np.abs(np.fft.fft2(patches)) ** 2).mean(axis=0) + _NO_POWER
    return mean


_NO_POWER = 1.0
"""Added to every power, so that a flat patch has a logarithm; rounding to whole grey levels alone gives about 50."""


def _starts(length: int) -> list[int]:
    """Return where patches begin along one side: first and last touch the edges, at most half a patch apart."""
    count = 1 + -(-(length - PATCH_PX) // (PATCH_PX // 2))
    return [round(start) for start in np.linspace(0, length - PATCH_PX, max(count, 1))]


_VERTICAL = np.abs(np.fft.fftfreq(PATCH_PX))[:, None]
_HORIZONTAL = np.abs(np.fft.fftfreq(PATCH_PX))[None, :]
_RADIUS = np.hypot(_VERTICAL, _HORIZONTAL)
"""Frequency of each place in a spectrum, cycles per px."""


def _near_eighths(frequency: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell the frequencies near multiples of an eighth, which the blocks of JPEG and of video codecs give."""
    eighths = frequency * 8
    return np.abs(eighths - np.round(eighths)) < 8 * 1.1 / PATCH_PX


_OF_CODECS = (_near_eighths(_VERTICAL) & (_HORIZONTAL < 2.1 / PATCH_PX)) | (
    _near_eighths(_HORIZONTAL) & (_VERTICAL < 2.1 / PATCH_PX)
)


def _band(low: float, high: float) -> NDArray[np.bool_]:
    """Return where a spectrum's frequency lies between two, cycles per px, without those of codecs."""
    return np.asarray((low <= _RADIUS) & (high > _RADIUS) & ~_OF_CODECS)


def _slope(power: NDArray[np.float64]) -> float:
    """Return the slope of log power over log frequency."""
    band = _band(0.05, 0.4)
    return float(np.polyfit(np.log10(_RADIUS[band]), np.log10(power[band]), 1)[0])


def _peak(power: NDArray[np.float64]) -> float:
    """Return by how much the strongest frequency stands out of its neighbours, log10 of power."""
    logs = np.fft.fftshift(np.log10(power)).astype(np.float32)
    padded = np.pad(logs, 4, mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (9, 9)).reshape(PATCH_PX, PATCH_PX, 81)
    excess = np.fft.ifftshift(logs - np.median(windows, axis=2))
    return float(excess[_band(0.1, 0.5)].max())
