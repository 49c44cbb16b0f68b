"""Who is it: faces in a picture, their landmarks, their vectors, and the distance of two vectors.

Pictures are RGB. Coordinates are pixels of the decoded picture: (0, 0) is its upper left corner, x runs to the right,
y down.
"Left" of a landmark is the person's own left, which lies at the right of the picture (unless it was mirrored).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from .decode import RgbPixels
from .grey_copies import GreyCopies, grey_copies
from .models import face_models
from .vector_network import CHIP_PX, chip_vector

FaceVector = NDArray[np.float64]
"""128 numbers, float64; the length is near 1.4 but not normalised."""

Points = NDArray[np.int64]
"""Five points of a face, 5 × 2 (x, y) px."""

_SEARCH_SIDES_PX = (384, 640, 1280)
"""Longer side of the copies searched, one after the other until a face is found. dlib's detector surely sees faces of
70 px: 0.18 of the longer side in the first copy, 0.11 in the second, 0.055 in the third. They take 8, 22 and 83 ms
(4:3). Of 40 real photos the first shows the face in 38, the second in all; on 62 webcam photos and frames of clips the
search finds as many as one that begins at 640 px (one face in 59, several in none), in 1.16 copies on average."""

_NEAR = 0.2
"""A largest face below this share of the longer side is so far from the camera that others beside it may be too small
for that copy: the next is searched as well. It also has the last word on several faces: a coarse copy shows one now and
then where none is."""

_MAX_ENLARGEMENT = 4.0
"""Thumbnails aren't enlarged further: beyond, no face that a person can tell comes to light."""


_CHIP_PADDING = 0.25
"""What the network was trained with: the crop reaches a quarter beyond the face on each side."""


@dataclass(frozen=True)
class Face:
    """One found face: the detector's square box, brows to chin; edges in px, right and bottom outside the box."""

    left: int
    top: int
    right: int
    bottom: int
    score: float

    @property
    def size_px(self) -> int:
        """Return the width of the box."""
        return self.right - self.left


def find_faces(pixels: RgbPixels, grey: GreyCopies | None = None) -> tuple[Face, ...]:
    """Return all frontal faces, the largest first.

    Args:
        pixels: RGB picture, rows × columns × 3.
        grey: Its grey copies, where they were made already.

    Source: dlib's HOG detector, N. Dalal and B. Triggs (2005), with D. King's max-margin training (2015).
    """
    longer = max(pixels.shape[:2])
    grey = grey_copies(pixels) if grey is None else grey
    found: tuple[Face, ...] = ()
    for side_px in _SEARCH_SIDES_PX:
        scale = min(side_px / longer, _MAX_ENLARGEMENT)
        seen_before, found = bool(found), _search(grey, scale) or found
        alone_and_near = len(found) == 1 and found[0].size_px >= _NEAR * longer
        if seen_before or alone_and_near or scale == _MAX_ENLARGEMENT:
            break
    return found


def _search(copies: GreyCopies, scale: float) -> tuple[Face, ...]:
    """Return the faces found in a copy of the picture enlarged by `scale`."""
    height, width = copies.copies[0].shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.resize(copies.at_least(size[0]), size, interpolation=how)
    models = face_models()
    with models.lock:
        boxes, scores, _ = models.detector.run(grey, 0, 0.0)
    faces = [
        Face(
            round(box.left() / scale),
            round(box.top() / scale),
            round((box.right() + 1) / scale),
            round((box.bottom() + 1) / scale),
            float(score),
        )
        for box, score in zip(boxes, scores, strict=True)
    ]
    return tuple(sorted(faces, key=lambda face: (-face.size_px, face.left, face.top)))


def landmarks(pixels: RgbPixels, face: Face) -> Points:
    """Return five points of a face, 5 × 2 (x, y) px.

    Order: outer and inner corner of the left eye, outer and inner corner of the right eye, base of the nose.
    """
    models = face_models()
    with models.lock:
        shape = models.landmarks(pixels, _rectangle(face))
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.int64)


def face_vector(pixels: RgbPixels, face: Face, points: Points | None = None) -> FaceVector:
    """Return the vector of one face, what `face_recognition.face_encodings` gives for the same box to within 1e-5.

    Args:
        pixels: RGB picture, rows × columns × 3.
        face: The face in it.
        points: Its landmarks, where they are known already.

    Source: dlib_face_recognition_resnet_model_v1 over a 150 px RGB crop aligned by the five landmarks.
    """
    corners = landmarks(pixels, face) if points is None else points
    shape = dlib.full_object_detection(_rectangle(face), [dlib.point(x, y) for x, y in corners.tolist()])
    vector: FaceVector = chip_vector(dlib.get_face_chip(pixels, shape, size=CHIP_PX, padding=_CHIP_PADDING))
    vector.flags.writeable = False
    return vector


def distance(one: FaceVector, other: FaceVector) -> float:
    """Return the Euclidean distance of two face vectors: 0 is equal, above about 0.6 are different people.

    Raises:
        ValueError: A vector doesn't hold 128 numbers.
    """
    if one.shape != (128,) or other.shape != (128,):
        raise ValueError(f"a face vector has 128 numbers, got shapes {one.shape} and {other.shape}")
    return float(np.linalg.norm(one - other))


def _rectangle(face: Face) -> Any:
    """Return a face's box as dlib has it: right and bottom lie inside."""
    return dlib.rectangle(face.left, face.top, face.right - 1, face.bottom - 1)
