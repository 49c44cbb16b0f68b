"""A picture in, everything measured about it out.

Decode → faces → quality → five points and vector → distance → likeness to the enrolled photo → passive check.

Facts only: whether a distance is too far is for the rules and their policy. `good` means that the picture can serve as
evidence at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from online_guard.errors import ErrorKind, GuardError

from .decode import RgbPixels, decode
from .fingerprint import perceptual_hash, sha256_hex
from .grey_copies import grey_copies
from .identity import Face, FaceVector, Points, distance, face_vector, find_faces, landmarks
from .likeness import Capture, Likeness, capture, likeness
from .pose import Pose
from .presented_attack import Check, PresentedAttack, judge_picture
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
    "turned": ("未正对镜头", "turned away from the camera"),
}
"""Each reason except `unreadable` for people, in Chinese and English."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """What any picture shows: number of faces, the largest with its points, its quality, the only one's vector."""

    pixels: RgbPixels
    phash: str
    faces: int
    face: Face | None
    points: Points | None
    quality: Quality
    vector: FaceVector | None

    @cached_property
    def capture(self) -> Capture:
        return capture(self.pixels, self.phash, self.vector, self.face)

    def reasons(self, limits: QualityLimits) -> tuple[str, ...]:
        """Return why the picture isn't good."""
        wrong_count = () if self.faces == 1 else (SEVERAL_FACES,) if self.faces else (NO_FACE,)
        return wrong_count + shortcomings(self.quality, limits)


@dataclass(frozen=True, kw_only=True)
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
        pose: Which way the largest face looks, roughly; None without one.
        face: Box of the largest face; None without one.
        points: Five points of the largest face, (x, y) in px, as `identity.landmarks`; empty without one.
        likeness: To the reference capture, when there is one and the picture is readable.
        presented_attack: What the passive check says of the face, when it was asked and there is exactly one.
        vector: Of the face, when there is exactly one.
        refusal: With `unreadable`, why, in words.
        seen: The decoded picture, kept for `capture`; None when unreadable.
    """

    good: bool
    reasons: tuple[str, ...]
    detail: str = ""
    faces: int = 0
    distance: float | None = None
    sha256: str
    phash: str | None = None
    brightness: float | None = None
    sharpness: float | None = None
    face_size_px: int = 0
    width: int = 0
    height: int = 0
    pose: Pose | None = None
    face: Face | None = None
    points: tuple[tuple[int, int], ...] = ()
    likeness: Likeness | None = None
    presented_attack: PresentedAttack | None = None
    vector: FaceVector | None = field(default=None, compare=False, repr=False)
    refusal: GuardError | None = field(default=None, compare=False, repr=False)
    seen: _Seen | None = field(default=None, compare=False, repr=False)

    @property
    def capture(self) -> Capture | None:
        """Return the picture prepared for comparisons with others, made when first asked for; None when unreadable."""
        return None if self.seen is None else self.seen.capture


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
    pose: Pose
    vector: FaceVector = field(compare=False, repr=False)
    capture: Capture = field(compare=False, repr=False)


def inspect(
    image_bytes: bytes,
    reference: FaceVector | Capture | None = None,
    *,
    passive: bool = True,
    check: Check | None = None,
) -> SnapshotReport:
    """Return what a picture shows; bytes that can't be decoded give a report with the reason `unreadable`.

    Args:
        image_bytes: JPEG, PNG or WebP.
        reference: Of the enrolled photo, if there is one: its vector, or its capture, which also tells how alike the
            two pictures are.
        passive: Whether to look for signs of a print or a screen.
        check: An operator's model for that; the project's own cues without one.

    Raises:
        GuardError: `models.missing`, `models.changed` or `image.no_decoder`; never because of the picture.
    """
    try:
        pixels = decode(image_bytes)
    except GuardError as refusal:
        if refusal.kind is ErrorKind.UNAVAILABLE:
            raise
        return _unreadable(image_bytes, refusal)
    seen = _look(pixels)
    reasons = seen.reasons(SNAPSHOT_LIMITS)
    known = reference.vector if isinstance(reference, Capture) else reference
    return SnapshotReport(
        good=not reasons,
        reasons=reasons,
        faces=seen.faces,
        distance=None if seen.vector is None or known is None else distance(seen.vector, known),
        sha256=sha256_hex(image_bytes),
        phash=seen.phash,
        brightness=seen.quality.brightness,
        sharpness=seen.quality.sharpness,
        face_size_px=seen.quality.face_size_px,
        width=pixels.shape[1],
        height=pixels.shape[0],
        pose=seen.quality.pose,
        face=seen.face,
        points=() if seen.points is None else tuple((x, y) for x, y in seen.points.tolist()),
        likeness=likeness(seen.capture, reference) if isinstance(reference, Capture) else None,
        presented_attack=judge_picture(pixels, seen.face, check) if passive and seen.face and seen.faces == 1 else None,
        vector=seen.vector,
        seen=seen,
    )


def enrol_reference(image_bytes: bytes) -> ReferenceReport:
    """Return the facts of a reference photo that is fit to be one.

    Args:
        image_bytes: JPEG, PNG or WebP.

    Raises:
        GuardError: One of `decode`'s; or `reference.no_face`, `reference.several_faces`, `reference.too_dark`,
            `reference.too_bright`, `reference.too_blurred`, `reference.too_small`, `reference.turned` (the first that
            holds; the message names all).

    Source: SPEC section 7: exactly one face, large, sharp and lit enough.
    """
    pixels = decode(image_bytes)
    seen = _look(pixels)
    reasons = seen.reasons(REFERENCE_LIMITS)
    if reasons or seen.vector is None or seen.quality.pose is None:
        raise _refused(reasons)
    return ReferenceReport(
        sha256=sha256_hex(image_bytes),
        phash=seen.phash,
        brightness=seen.quality.brightness,
        sharpness=seen.quality.sharpness,
        face_size_px=seen.quality.face_size_px,
        width=pixels.shape[1],
        height=pixels.shape[0],
        pose=seen.quality.pose,
        vector=seen.vector,
        capture=seen.capture,
    )


def _look(pixels: RgbPixels) -> _Seen:
    grey = grey_copies(pixels)
    found = find_faces(pixels, grey)
    face = found[0] if found else None
    points = None if face is None else landmarks(pixels, face)
    vector = face_vector(pixels, found[0], points) if len(found) == 1 else None
    quality = measure(grey.copies[0], face, points)
    return _Seen(pixels, perceptual_hash(pixels, grey), len(found), face, points, quality, vector)


def _unreadable(image_bytes: bytes, refusal: GuardError) -> SnapshotReport:
    """Return the report of bytes that aren't a picture."""
    sha256 = sha256_hex(image_bytes)
    return SnapshotReport(good=False, reasons=(UNREADABLE,), detail=refusal.code, sha256=sha256, refusal=refusal)


def _refused(reasons: tuple[str, ...]) -> GuardError:
    """Return the refusal of a reference photo, with every shortcoming in words."""
    chinese, english = zip(*(_WORDS[reason] for reason in reasons), strict=True)
    return GuardError(
        ErrorKind.INVALID,
        f"reference.{reasons[0]}",
        f"参考照片不合格：{'、'.join(chinese)} / the reference photo isn't fit: {', '.join(english)}",
        remedy="请提供仅含本人、正面、清晰、光线充足的照片 / send a sharp, well-lit frontal photo of the learner alone",
    )
