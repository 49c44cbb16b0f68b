"""Is it the same picture, or a living face once more?

A perceptual hash and a face vector only find candidates: one learner's honest snapshots agree in both. The *residual*
decides: what is left between two pictures after everything that an alteration may do to a whole picture (move, scale,
turn, mirror, blur, brighten) has been undone. A face that lives never comes back exactly as it was.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from .alignment import GreyPixels, align
from .decode import RgbPixels
from .difference import FaceBox, difference
from .fingerprint import phash_distance
from .identity import Face, FaceVector, distance

SIDE_PX = 192
"""Side of the copy compared. A face at least an eighth as wide as the picture is 24 px and more there."""

_HOT = 24
"""A pixel brighter (darker) by more grey levels than each of its eight neighbours is a defect, or planted."""
_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)

_OFFSET = 4.0
_LOGARITHMS = tuple((share * np.log(np.arange(256) + _OFFSET)).astype(np.float32) for share in (0.299, 0.587, 0.114))
"""Of red, green and blue levels, times the share that BT.601 gives a colour in brightness."""

_HEADER = struct.Struct("<4sQ??4fII")
_FORMAT = b"OGC1"


@dataclass(frozen=True, eq=False)
class Capture:
    """A picture prepared once for all comparisons.

    Attributes:
        pixels_192: Grey copy of 192 × 192 px, 0-255.
        phash: Perceptual hash, 16 hex digits.
        vector: Of the face, when there is exactly one.
        face: Its box in the copy: left, top, right, bottom in px.
        width: Of the picture itself, px.
        height: Of the picture itself, px.
    """

    pixels_192: GreyPixels
    phash: str
    vector: FaceVector | None
    face: FaceBox | None = None
    width: int = SIDE_PX
    height: int = SIDE_PX

    def to_bytes(self) -> bytes:
        """Return the capture as bytes for `from_bytes`, 36 902 of them, 1 024 more with a vector."""
        box = (0.0, 0.0, 0.0, 0.0) if self.face is None else self.face
        header = _HEADER.pack(
            _FORMAT, int(self.phash, 16), self.face is not None, self.vector is not None, *box, self.width, self.height
        )
        vector = b"" if self.vector is None else self.vector.astype("<f8").tobytes()
        return header + vector + self.pixels_192.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> Capture:
        """Return the capture that `to_bytes` wrote.

        Raises:
            GuardError: `capture.damaged`: these bytes aren't a whole capture.
        """
        if len(content) < _HEADER.size or not content.startswith(_FORMAT):
            raise _damaged()
        _, phash, with_face, with_vector, *box = _HEADER.unpack_from(content)
        numbers = 128 if with_vector else 0
        if len(content) != _HEADER.size + 8 * numbers + SIDE_PX**2:
            raise _damaged()
        vector = np.frombuffer(content, "<f8", numbers, _HEADER.size).astype(np.float64)
        vector.flags.writeable = False
        pixels = np.frombuffer(content, np.uint8, offset=_HEADER.size + 8 * numbers).reshape(SIDE_PX, SIDE_PX)
        left, top, right, bottom, width, height = box
        face = (left, top, right, bottom) if with_face else None
        return cls(pixels, f"{phash:016x}", vector if with_vector else None, face, width, height)


@dataclass(frozen=True)
class Likeness:
    """How alike two captures are.

    Attributes:
        phash_distance: Bits of 64 in which their perceptual hashes differ, however the pictures are turned.
        cosine: Of the angle between the face vectors, -1 to 1; None unless both have one.
        distance: Between the face vectors, as `identity.distance`; None unless both have one.
        residual: See `residual`.
    """

    phash_distance: int
    cosine: float | None
    distance: float | None
    residual: float


def capture(pixels: RgbPixels, phash: str, vector: FaceVector | None, face: Face | None = None) -> Capture:
    """Return a picture prepared for comparisons.

    Args:
        pixels: RGB picture, rows × columns × 3.
        phash: Its perceptual hash.
        vector: Of its face.
        face: The face the comparison should look at; without one, the whole picture counts alike.
    """
    grey = _without_hot_pixels(_grey(pixels))
    how = cv2.INTER_AREA if min(grey.shape) >= SIDE_PX else cv2.INTER_LINEAR
    copy = np.asarray(cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=how), np.uint8)
    copy.flags.writeable = False
    box = None
    if face is not None:
        across, down = SIDE_PX / pixels.shape[1], SIDE_PX / pixels.shape[0]
        edges = np.array([face.left * across, face.top * down, face.right * across, face.bottom * down], np.float32)
        box = (float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3]))
    return Capture(copy, phash, vector, box, pixels.shape[1], pixels.shape[0])


def likeness(one: Capture, other: Capture) -> Likeness:
    """Return how alike two captures are; which comes first doesn't matter."""
    both = None if one.vector is None or other.vector is None else (one.vector, other.vector)
    return Likeness(
        phash_distance=phash_distance(one.phash, other.phash),
        cosine=None if both is None else _cosine(*both),
        distance=None if both is None else distance(*both),
        residual=residual(one, other),
    )


def residual(one: Capture, other: Capture) -> float:
    """Return what is left between two captures after alignment, 0 to 1: at most 0.04 is the same picture.

    The same picture stays the same when re-encoded, scaled, cut at its edges, turned a little, mirrored, blurred,
    brightened, given noise, single wrong pixels, a clock or a line of text. 1.0 where nothing aligns. Which of the two
    comes first doesn't matter. A picture of fewer pixels than the copy says less: its differences weigh less.
    """
    first, second = sorted((one, other), key=lambda each: (each.face is None, each.pixels_192.tobytes()))
    if np.array_equal(first.pixels_192, second.pixels_192):
        return 0.0
    alignment = align(first.pixels_192, second.pixels_192)
    if alignment is None:
        return 1.0
    left = difference(first.pixels_192, alignment, first.face, first.width / first.height)
    return left * min(_fineness(one), _fineness(other))


def _fineness(one: Capture) -> float:
    """Return how much a difference weighs: less in a picture of fewer pixels than the copy, where noise moves more.

    The square root: with all of the quotient, two frames 160 px wide of one still learner came to 0.034.
    """
    return float(min(1.0, np.sqrt(np.sqrt(one.width * one.height) / SIDE_PX)))


def _grey(pixels: RgbPixels) -> GreyPixels:
    """Return the weighted geometric mean of the colours.

    A tone curve or white balance changes each colour by itself. A mean of their logarithms follows such a change as one
    grey level does; the usual weighted sum leaves differences between cloth and skin behind that look like life.
    """
    red, green, blue = (table[pixels[:, :, i]] for i, table in enumerate(_LOGARITHMS))
    return np.asarray(np.clip(cv2.exp(red + green + blue) - np.float32(_OFFSET - 0.5), 0, 255), np.uint8)


def _without_hot_pixels(grey: GreyPixels) -> GreyPixels:
    """Return the picture with the median of its neighbours in the place of every single pixel that stands out."""
    brightest, darkest = cv2.dilate(grey, _RING), cv2.erode(grey, _RING)
    level = grey.astype(np.int16)
    stands_out = (level - brightest > _HOT) | (darkest - level > _HOT)
    return np.asarray(np.where(stands_out, cv2.medianBlur(grey, 3), grey), np.uint8)


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the cosine of the angle between two vectors."""
    return float(np.clip(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)), -1.0, 1.0))


def _damaged() -> GuardError:
    """Return the refusal of bytes that no capture was written as."""
    return GuardError(
        ErrorKind.MALFORMED,
        "capture.damaged",
        "保存的留存影像副本已损坏 / the stored copy of a capture is damaged",
        remedy="请由原始图片重新生成 / prepare it again from the picture itself",
    )
