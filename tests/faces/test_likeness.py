"""Is it the same picture, or a living face once more?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from online_guard.errors import GuardError
from online_guard.faces.decode import RgbPixels, decode
from online_guard.faces.fingerprint import perceptual_hash
from online_guard.faces.identity import face_vector, find_faces
from online_guard.faces.likeness import Capture, capture, likeness, residual
from online_guard.simulate.altered_pictures import ALTERATIONS

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_MEDIA = ROOT / "sample_media"
SHARED = Path(os.environ.get("ONLINE_GUARD_SHARED", ROOT.parent / "shared"))
SAME = 0.04
"""The shipped policy's snapshot.same_picture_residual."""

REFERENCES = tuple(f"learner-{learner:02d}/reference.jpg" for learner in range(1, 13))


@cache
def pixels_of(name: str) -> RgbPixels:
    return decode((SAMPLE_MEDIA / name).read_bytes())


def prepared(pixels: RgbPixels, *, vector: bool = False) -> Capture:
    face = find_faces(pixels)[0]
    return capture(pixels, perceptual_hash(pixels), face_vector(pixels, face) if vector else None, face)


@cache
def sample_capture(name: str) -> Capture:
    return prepared(pixels_of(name))


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_an_altered_picture_is_the_same_picture(alteration: str) -> None:
    for name in REFERENCES[list(ALTERATIONS).index(alteration) % 3 :: 3]:
        altered = ALTERATIONS[alteration](pixels_of(name))
        again = capture(altered, perceptual_hash(altered), None)
        assert residual(sample_capture(name), again) <= SAME, name


def test_snapshots_of_one_learner_are_different_pictures(catalogue: dict[str, Any]) -> None:
    for learner in catalogue["learners"]:
        pictures = [learner["reference"], *learner["snapshots"]]
        for one, other in itertools.combinations(pictures, 2):
            assert residual(sample_capture(one), sample_capture(other)) > SAME, (one, other)


def test_the_replayed_reference_is_the_reference() -> None:
    assert residual(sample_capture("special/replayed-reference.webp"), sample_capture(REFERENCES[0])) <= SAME


def test_eyes_that_close_make_another_picture() -> None:
    pixels = pixels_of(REFERENCES[0])
    face = find_faces(pixels)[0]
    height, width = face.bottom - face.top, face.right - face.left
    blinked = pixels.copy()
    rows = slice(face.top + round(0.2 * height), face.top + round(0.38 * height))
    columns = slice(face.left + round(0.1 * width), face.right - round(0.1 * width))
    blinked[rows, columns] = cv2.blur(blinked[rows, columns], (9, 1 + 2 * round(0.1 * height)))
    assert residual(sample_capture(REFERENCES[0]), prepared(blinked)) > SAME


def test_the_order_does_not_matter_and_nothing_is_drawn_by_chance() -> None:
    names = (*REFERENCES[:3], "learner-01/snapshot-1.jpg", "special/no-face.png")
    captures = [capture(pixels_of(name), "0" * 16, None) for name in names] + [sample_capture(REFERENCES[1])]
    for one, other in itertools.combinations(captures, 2):
        assert residual(one, other) == residual(other, one) == residual(one, other)
        assert 0 <= residual(one, other) <= 1


def test_a_flat_picture_is_like_nothing_but_itself() -> None:
    black = capture(np.zeros((240, 320, 3), np.uint8), "0" * 16, None)
    assert residual(black, black) == 0
    assert residual(black, sample_capture(REFERENCES[0])) == 1


def test_numbers_of_a_likeness() -> None:
    one, other = (prepared(pixels_of(name), vector=True) for name in (REFERENCES[0], "learner-01/snapshot-1.jpg"))
    alike = likeness(one, other)
    assert alike == likeness(other, one)
    assert alike.phash_distance == (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()
    assert alike.cosine is not None
    assert alike.distance is not None
    assert 0.9 < alike.cosine < 1
    assert 0.1 < alike.distance < 0.6
    without = likeness(one, sample_capture(REFERENCES[1]))
    assert without.cosine is None
    assert without.distance is None


def test_a_capture_survives_storage() -> None:
    for one in (prepared(pixels_of(REFERENCES[1]), vector=True), capture(pixels_of(REFERENCES[2]), "f" * 16, None)):
        again = Capture.from_bytes(one.to_bytes())
        assert again.to_bytes() == one.to_bytes()
        assert (again.phash, again.width, again.height, again.face) == (one.phash, one.width, one.height, one.face)
        np.testing.assert_array_equal(again.pixels_192, one.pixels_192)
        if one.vector is not None:
            np.testing.assert_array_equal(again.vector, one.vector)
        assert residual(again, one) == 0


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-1], lambda whole: whole + b"0", lambda _: b"", lambda _: b"OGC0"]
)
def test_a_damaged_capture_is_refused(damage: Callable[[bytes], bytes]) -> None:
    whole = sample_capture(REFERENCES[0]).to_bytes()
    with pytest.raises(GuardError) as refusal:
        Capture.from_bytes(damage(whole))
    assert refusal.value.code == "capture.damaged"


def frames_of(clip: Path, every_s: float, most: int) -> list[tuple[float, Capture]]:
    video = cv2.VideoCapture(str(clip))
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    found: list[tuple[float, Capture]] = []
    number = 0
    while len(found) < most and video.grab():
        at_s = number / rate
        number += 1
        if not found or at_s - found[-1][0] >= every_s:
            pixels = np.ascontiguousarray(video.retrieve()[1][:, :, ::-1])
            faces = find_faces(pixels)
            if len(faces) == 1:
                found.append((at_s, capture(pixels, perceptual_hash(pixels), None, faces[0])))
    return found


def test_frames_of_a_living_face_are_never_the_same_picture() -> None:
    folder = SHARED / "media" / "live"
    clips = sorted(path for path in folder.rglob("*") if path.suffix in {".mp4", ".webm"}) if folder.is_dir() else []
    if not clips:
        pytest.skip(f"no clips of living faces: {folder} is absent or empty (set ONLINE_GUARD_SHARED)")
    compared = 0
    for clip in clips:
        frames = frames_of(clip, every_s=2.0, most=max(3, 40 // len(clips)))
        for (_, one), (_, other) in itertools.pairwise(frames):
            compared += 1
            assert residual(one, other) > SAME, clip.name
    assert compared > 0
