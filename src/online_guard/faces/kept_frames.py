"""The frames of a clip in memory: small enough to see a face in, and never more than a bound in all."""

from __future__ import annotations

import cv2
import numpy as np

from online_guard.errors import ErrorKind, GuardError

from .decode import RgbPixels

KEPT_SIDE_PX = 640
"""Frames are kept at this longer side at most; a face that fills a third of it has eyes of some 40 px."""
KEPT_SIDE_LONG_PX = 320
MAX_KEPT_BYTES = 300 * 1024 * 1024
"""When the frames kept need more than this (340 of 640 × 480), all are halved: 900 frames then need 276 MB at most."""


class KeptFrames:
    """Frames as they come, made smaller when they need too much memory; every frame goes the same way."""

    def __init__(self) -> None:
        self._frames: list[RgbPixels] = []
        self._shape: tuple[int, ...] = ()
        self._side_px = KEPT_SIDE_PX

    def add(self, pixels: RgbPixels, where: str) -> None:
        """Keep one more frame, refuse it if its size differs from the first one's."""
        self._shape = self._shape or pixels.shape
        if pixels.shape != self._shape:
            raise GuardError(
                ErrorKind.INVALID,
                "clip.sizes",
                "各帧尺寸不一致 / the frames aren't all of one size",
                where=where,
                remedy="请不要在拍摄中改变画面尺寸 / don't change the size while recording",
            )
        small = fitted(pixels, KEPT_SIDE_PX)
        if self._side_px == KEPT_SIDE_PX and (len(self._frames) + 1) * small.nbytes > MAX_KEPT_BYTES:
            self._side_px = KEPT_SIDE_LONG_PX
            self._frames = [fitted(frame, KEPT_SIDE_LONG_PX) for frame in self._frames]
        self._frames.append(fitted(small, self._side_px))

    def frames(self) -> tuple[RgbPixels, ...]:
        """Return all frames kept."""
        return tuple(self._frames)


def fitted(pixels: RgbPixels, side_px: int) -> RgbPixels:
    """Return a picture whose longer side is at most `side_px`."""
    height, width = pixels.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
