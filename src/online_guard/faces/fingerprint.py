"""Two names of a picture: one of its bytes, one of its looks."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from .decode import RgbPixels
from .grey_copies import GreyCopies, grey_copies


def sha256_hex(image_bytes: bytes) -> str:
    """Return the SHA-256 of the bytes as received, 64 lower-case hex digits."""
    return hashlib.sha256(image_bytes).hexdigest()


def perceptual_hash(pixels: RgbPixels, grey: GreyCopies | None = None) -> str:
    """Return a 64-bit hash of how a picture looks, 16 lower-case hex digits.

    Args:
        pixels: RGB picture, rows × columns × 3.
        grey: Its grey copies, where they were made already.

    Grey (BT.601), halved while both sides keep 64 px, then 32 × 32 (area mean), two-dimensional DCT-II, the 8 × 8
    lowest frequencies (constant part included); a bit is 1 where the coefficient is above their median. Bits run row
    by row, the first is the highest. Coefficients are rounded to 1/100 of a grey level first, so that rounding noise
    decides nothing in a flat picture.

    It only finds candidates: two honest snapshots of a learner seconds apart share it in 8 % of pairs, and a crop of
    the same picture lies 6 to 12 bits away.

    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), DCT hash.
    """
    smallest = (grey_copies(pixels) if grey is None else grey).smallest
    square = cv2.resize(smallest, (32, 32), interpolation=cv2.INTER_AREA)
    lowest = np.round(cv2.dct(square.astype(np.float32))[:8, :8].astype(np.float64), 2)
    bits = (lowest > np.median(lowest)).ravel()
    return np.packbits(bits).tobytes().hex()


def phash_distance(one: str, other: str) -> int:
    """Return in how many of 64 bits two perceptual hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
