"""The frames of a clip in memory: small enough to see a face in, and never more than a bound in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

if TYPE_CHECKING:
    from .decode import RgbPixels

KEPT_SIDE_PX = 640
"""Frames are kept at this longer side at most; a face that fills a third of it has eyes of some 40 px."""
KEPT_SIDE_LONG_PX = 320
MAX_KEPT_BYTES = 300 * 1024 * 1024
"""When the frames kept need more than this (340 of 640 × 480), all are halved: 900 frames then need 276 MB at most."""


class KeptFrames:
    """Frames as they come, made smaller when there is no room for them; every frame goes the same way.

    Args:
        room: uint8, one-dimensional, `MAX_KEPT_BYTES`: where the frames lie, one after the other.
    """

    def __init__(self, room: NDArray[np.uint8]) -> None:
        self._room = room
        self._given: tuple[int, ...] = ()
        self._kept: tuple[int, ...] = (0, 0, 3)
        self._count = 0
        self._side_px = KEPT_SIDE_PX

    def add(self, pixels: RgbPixels, where: str) -> None:
        """Keep one more frame, refuse it if its size differs from the first one's."""
        self._given = self._given or pixels.shape
        if pixels.shape != self._given:
            raise GuardError(
                ErrorKind.INVALID,
                "clip.sizes",
                "各帧尺寸不一致 / the frames aren't all of one size",
                where=where,
                remedy="请不要在拍摄中改变画面尺寸 / don't change the size while recording",
            )
        small = fitted(pixels, KEPT_SIDE_PX)
        if self._side_px == KEPT_SIDE_PX and (self._count + 1) * small.nbytes > self._room.size:
            self._side_px = KEPT_SIDE_LONG_PX
            frames, self._count = self.frames(), 0
            for frame in frames:  # each moves to where an earlier one lay
                self._put(fitted(frame, KEPT_SIDE_LONG_PX))
        self._put(fitted(small, self._side_px))

    def frames(self) -> NDArray[np.uint8]:
        """Return all frames kept, frames × rows × columns × 3, where they lie."""
        shape = (self._count, *self._kept)
        return self._room[: int(np.prod(shape))].reshape(shape)

    def _put(self, frame: RgbPixels) -> None:
        at = self._count * frame.size
        self._room[at : at + frame.size] = frame.ravel()
        self._kept = frame.shape
        self._count += 1


def fitted(pixels: RgbPixels, side_px: int) -> RgbPixels:
    """Return a picture whose longer side is at most `side_px`."""
    height, width = pixels.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
