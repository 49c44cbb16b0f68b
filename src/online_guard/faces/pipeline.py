"""A picture in, everything measured about it out: decode → faces → quality → vector → fingerprints.

Facts only: whether a distance is too far is for the rules and their policy. `good` means that the picture can serve as
evidence at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from online_guard.errors import ErrorKind, GuardError

from .decode import RgbPixels, decode
from .fingerprint import perceptual_hash, sha256_hex
from .identity import Face, FaceVector, distance, face_vector, find_faces
from .quality import REFERENCE_LIMITS, SNAPSHOT_LIMITS, Quality, QualityLimits, measure, shortcomings

UNREADABLE = "unreadable"
NO_FACE = "no_face"
SEVERAL_FACES = "several_faces"

_WORDS = {
    NO_FACE: ("未检测到人脸", "no face"),
    SEVERAL_FACES: ("检测到多张人脸", "several faces"),
    "too_dark": ("光线过暗", "too dark"),
    "too_bright": ("曝光过度", "too bright"),
    "too_blurred": ("画面模糊", "too blurred"),
    "too_small": ("人脸过小", "face too small"),
}
"""Each reason except `unreadable` for people, in Chinese and English."""


@dataclass(frozen=True)
class SnapshotReport:
    """What one picture shows.

    Attributes:
        good: Whether it can serve as evidence: readable, exactly one face, large, sharp and lit enough.
        reasons: Why not: `unreadable`, `no_face`, `several_faces`, `too_dark`, `too_bright`, `too_blurred` or
            `too_small`.
        detail: With `unreadable`, the code of the refusal, such as `image.truncated`; else empty.
        faces: Number of faces found.
        distance: To the reference vector, when there is one and exactly one face.
        sha256: Of the bytes as received.
        phash: Perceptual hash, 16 hex digits; None when unreadable.
        brightness: Mean luma of the largest face, else of the picture; None when unreadable.
        sharpness: As `quality.Quality`; None when unreadable.
        face_size_px: Width of the largest face's box, 0 without one.
        width: Of the upright picture in px, 0 when unreadable.
        height: Of the upright picture in px, 0 when unreadable.
        vector: Of the face, when there is exactly one.
    """

    good: bool
    reasons: tuple[str, ...]
    detail: str
    faces: int
    distance: float | None
    sha256: str
    phash: str | None
    brightness: float | None
    sharpness: float | None
    face_size_px: int
    width: int
    height: int
    vector: FaceVector | None = field(compare=False, repr=False)


@dataclass(frozen=True)
class ReferenceReport:
    """An accepted reference photo; attributes as in `SnapshotReport`."""

    sha256: str
    phash: str
    brightness: float
    sharpness: float
    face_size_px: int
    width: int
    height: int
    vector: FaceVector = field(compare=False, repr=False)


def inspect(image_bytes: bytes, reference_vector: FaceVector | None = None) -> SnapshotReport:
    """Return what a picture shows; bytes that can't be decoded give a report with the reason `unreadable`.

    Args:
        image_bytes: JPEG, PNG or WebP.
        reference_vector: 128 numbers of the enrolled reference photo, if there is one.

    Raises:
        GuardError: `models.missing` or `models.changed`; never because of the picture.
    """
    try:
        pixels = decode(image_bytes)
    except GuardError as refusal:
        return _unreadable(image_bytes, refusal)
    faces, quality, reasons = _look(pixels, SNAPSHOT_LIMITS)
    vector = face_vector(pixels, faces[0]) if len(faces) == 1 else None
    return SnapshotReport(
        good=not reasons,
        reasons=reasons,
        detail="",
        faces=len(faces),
        distance=None if vector is None or reference_vector is None else distance(vector, reference_vector),
        sha256=sha256_hex(image_bytes),
        phash=perceptual_hash(pixels),
        brightness=quality.brightness,
        sharpness=quality.sharpness,
        face_size_px=quality.face_size_px,
        width=pixels.shape[1],
        height=pixels.shape[0],
        vector=vector,
    )


def enrol_reference(image_bytes: bytes) -> ReferenceReport:
    """Return the facts of a reference photo that is fit to be one.

    Args:
        image_bytes: JPEG, PNG or WebP.

    Raises:
        GuardError: One of `decode`'s; or `reference.no_face`, `reference.several_faces`, `reference.too_dark`,
            `reference.too_bright`, `reference.too_blurred`, `reference.too_small` (the first that holds; the message
            names all).

    Source: SPEC section 7: exactly one face, large, sharp and lit enough.
    """
    pixels = decode(image_bytes)
    faces, quality, reasons = _look(pixels, REFERENCE_LIMITS)
    if reasons:
        raise _refused(reasons)
    return ReferenceReport(
        sha256=sha256_hex(image_bytes),
        phash=perceptual_hash(pixels),
        brightness=quality.brightness,
        sharpness=quality.sharpness,
        face_size_px=quality.face_size_px,
        width=pixels.shape[1],
        height=pixels.shape[0],
        vector=face_vector(pixels, faces[0]),
    )


def _look(pixels: RgbPixels, limits: QualityLimits) -> tuple[tuple[Face, ...], Quality, tuple[str, ...]]:
    """Return faces, quality of the largest one, and the reasons why the picture isn't good."""
    faces = find_faces(pixels)
    quality = measure(pixels, faces[0] if faces else None)
    wrong_count = () if len(faces) == 1 else (SEVERAL_FACES,) if faces else (NO_FACE,)
    return faces, quality, wrong_count + shortcomings(quality, limits)


def _unreadable(image_bytes: bytes, refusal: GuardError) -> SnapshotReport:
    """Return the report of bytes that aren't a picture."""
    return SnapshotReport(
        good=False,
        reasons=(UNREADABLE,),
        detail=refusal.code,
        faces=0,
        distance=None,
        sha256=sha256_hex(image_bytes),
        phash=None,
        brightness=None,
        sharpness=None,
        face_size_px=0,
        width=0,
        height=0,
        vector=None,
    )


def _refused(reasons: tuple[str, ...]) -> GuardError:
    """Return the refusal of a reference photo, with every shortcoming in words."""
    chinese, english = zip(*(_WORDS[reason] for reason in reasons), strict=True)
    return GuardError(
        ErrorKind.INVALID,
        f"reference.{reasons[0]}",
        f"参考照片不合格：{'、'.join(chinese)} / the reference photo isn't fit: {', '.join(english)}",
        remedy="请提供仅含本人、正面、清晰、光线充足的照片 / send a sharp, well-lit frontal photo of the learner alone",
    )
