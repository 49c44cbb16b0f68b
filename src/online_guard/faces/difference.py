"""What is left between two aligned pictures once blur and brightness have been matched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Alignment, GreyPixels, Mask, Matrix, Plane, improved, laid
from .displacement import CELLS, displacements
from .matching import as_altered, blurred, missing_blur, sharpness, spread

FaceBox = tuple[float, float, float, float]
"""Left, top, right, bottom in px of the compared copy."""

_CALM = 1.0
"""Sigma in px of the blur that both pictures get first: it takes out most of a sensor's noise."""
_COARSE = 1.5
"""Sigma in px of copies of half the size, in which a line of text is faint, and an edge several px off still pulls."""
_MOST_STEPS = 8
_AT_REST_PX = 0.1
_BROAD = 10.0
"""Sigma in px beyond which a difference is one of light."""
_SMOOTH = 1.2
_BLOCK_PX = 12
_OVERLAP = 0.6
"""Two pictures that share less of their area can't be compared."""

_STRONG, _WEAK = 20.0, 7.0
"""Grey levels: a patch that reaches the first, down to the second, may be lettering laid over the picture."""
_MOST_COVERED = 0.12
"""Share of the picture that lettering may cover."""

_SCALE = 0.60
"""Puts the limit between the same picture and two at 0.04; see docs/faces.md for what was measured."""


@dataclass(frozen=True)
class _Two:
    """Two pictures as prepared; `aspect` is width over height of the first before it was made square."""

    one: Plane
    other: Plane
    aspect: float


@dataclass(frozen=True)
class _Pair:
    """Two pictures made as alike as one alteration can: as seen from the first one's place, and where to compare."""

    wanted: Plane
    moved: Plane
    counts: Mask


def difference(first: GreyPixels, alignment: Alignment, face: FaceBox | None, aspect: float) -> float:
    """Return how different two aligned pictures of one face are, 0 to 1.

    Two measures, both of the face's worst twentieth: how far it moved against the rest of the picture, px, and what is
    left of grey levels over the picture's standard deviation. Their geometric mean, with weights 0.7 and 0.3, tells
    alterations from life better than either.
    """
    two = _Two(first.astype(np.float32), alignment.picture.astype(np.float32), aspect)
    everywhere, blur = np.ones(first.shape, np.bool_), 0.0
    matrix = _settled(two, alignment.matrix)
    for stage in range(2):
        pair = _compared(two, matrix, everywhere, blur)
        if pair is None:
            return 1.0
        if stage == 0:
            blur = _blur_between(two, matrix)
        matrix = improved(matrix, pair.wanted, pair.moved, pair.counts)
    pair = _compared(two, matrix, everywhere, blur)
    covered = everywhere if pair is None else _lettering(pair, face)
    if pair is not None and covered.any():
        without = _compared(two, matrix, ~covered, blur)
        if without is not None:
            matrix = improved(matrix, without.wanted, without.moved, without.counts)
        pair = _compared(two, matrix, ~covered, blur)
    return 1.0 if pair is None else _measured(pair, face)


def _settled(two: _Two, matrix: Matrix) -> Matrix:
    """Return the map after robust steps in copies of half the size, as many as it takes to come to rest."""
    side_px = two.one.shape[0] // 2
    one, other = (cv2.resize(each, (side_px, side_px), interpolation=cv2.INTER_AREA) for each in (two.one, two.other))
    halves = _Two(np.asarray(one, np.float32), np.asarray(other, np.float32), two.aspect)
    half = np.array([[1, 1, 0.5]], np.float32)
    corners = np.array([[0, 0, 1], [side_px, 0, 1], [0, side_px, 1]], np.float32)
    matrix = matrix * half
    for _ in range(_MOST_STEPS):
        pair = _compared(halves, matrix, np.ones((side_px, side_px), np.bool_), 0.0, _COARSE)
        if pair is None:
            break
        before, matrix = matrix, improved(matrix, pair.wanted, pair.moved, pair.counts)
        if np.abs((matrix - before) @ corners.T).max() < _AT_REST_PX:
            break
    return matrix / half


def _compared(two: _Two, matrix: Matrix, uncovered: Mask, blur: float, calm: float = _CALM) -> _Pair | None:
    """Return the pictures laid over each other, with blur and brightness matched; None where too little overlaps.

    Args:
        two: The pictures.
        matrix: How the second lies over the first.
        uncovered: Pixels of the first picture that count.
        blur: Sigma in px that the first picture lacks; below 0 the second one lacks it.
        calm: Sigma in px of the blur that both get.
    """
    moved, seen = laid(two.other, matrix)
    counts = seen & uncovered
    if counts.mean() < _OVERLAP:
        return None
    sigma = spread(calm, blur, two.aspect)
    if blur >= 0:
        target = blurred(moved, calm)
        return _Pair(as_altered(two.one, target, counts, sigma), target, counts)
    target = blurred(two.one, calm)
    return _Pair(target, as_altered(moved, target, counts, sigma), counts)


def _blur_between(two: _Two, matrix: Matrix) -> float:
    """Return the blur that the first picture lacks, below 0 what the second one lacks, in px."""
    moved, seen = laid(two.other, matrix)
    calm, target = blurred(two.one, _CALM), blurred(moved, _CALM)
    if sharpness(calm, seen) < sharpness(target, seen):
        return -missing_blur(moved, calm, seen, _CALM, two.aspect)
    return missing_blur(two.one, target, seen, _CALM, two.aspect)


def _lettering(pair: _Pair, face: FaceBox | None) -> Mask:
    """Return what a clock or a line of text covers: strong patches that don't lie within the face.

    A patch within the face (eyes that closed, a mouth that opened) is evidence and stays; so does everything when more
    would be covered than lettering does. Without a face any patch may be lettering.
    """
    off = np.abs(blurred(pair.wanted - pair.moved, 0.6)) * pair.counts
    patches = cv2.morphologyEx((off > _WEAK).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 13), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(patches, connectivity=8)
    peaks = np.zeros(count, np.float32)
    strong = off > _STRONG
    np.maximum.at(peaks, np.asarray(labels[strong], np.intp), off[strong])
    left, top, width, height = (boxes[:, i] for i in range(4))
    outside = np.ones(count, np.bool_)
    if face is not None:
        slack = 0.03 * (face[2] - face[0])
        outside = (left < face[0] - slack) | (left + width > face[2] + slack)
        outside |= (top < face[1] - slack) | (top + height > face[3] + 2 * slack)
    taken = (peaks > _STRONG) & outside & (boxes[:, 4] >= 12)
    taken[0] = False
    covered = cv2.dilate(taken[labels].astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return np.asarray(covered if covered.mean() <= _MOST_COVERED else np.zeros_like(covered), np.bool_)


def _measured(pair: _Pair, face: FaceBox | None) -> float:
    """Return the weighted geometric mean of displacement and grey levels left, scaled to the limit."""
    moved = displacements(pair.wanted, pair.moved, pair.counts)
    middles = np.arange(0.5, CELLS) * pair.counts.shape[0] / CELLS
    near = _within(face, middles, middles, (0.0, 0.1, 0.0, 0.05))
    displaced = np.quantile(moved[near] if near.sum() >= 4 else moved, 0.95)

    weight = pair.counts.astype(np.float32)
    left = (pair.wanted - pair.moved) * weight
    left -= blurred(left, _BROAD) / np.maximum(blurred(weight, _BROAD), 0.05) * weight
    left = blurred(left, _SMOOTH)
    blocks = np.sqrt(np.maximum(cv2.blur(left * left, (_BLOCK_PX, _BLOCK_PX)), 0))  # running sums can dip below 0
    inner = cv2.erode(pair.counts.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    middles = np.arange(0.5, pair.counts.shape[0])
    core = inner & _within(face, middles, middles, (0.08, 0.12, 0.08, 0.12))
    rest = np.quantile(blocks[core if core.sum() >= 100 else inner], 0.95) / max(float(pair.wanted[inner].std()), 1.0)
    return float(min(1.0, _SCALE * displaced**0.7 * rest**0.3))


def _within(
    face: FaceBox | None, across: NDArray[np.float64], down: NDArray[np.float64], margin: tuple[float, ...]
) -> Mask:
    """Return which places lie in the face; all without one.

    Args:
        face: Its box.
        across: Places from left to right, px.
        down: Places from top to bottom, px.
        margin: What is cut off the box at left, top, right and bottom, in its widths and heights.
    """
    if face is None:
        return np.ones((len(down), len(across)), np.bool_)
    left, top, right, bottom = face
    width, height = right - left, bottom - top
    x = (across > left + margin[0] * width) & (across < right - margin[2] * width)
    y = (down > top + margin[1] * height) & (down < bottom - margin[3] * height)
    return np.asarray(y[:, None] & x[None, :], np.bool_)
