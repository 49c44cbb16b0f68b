"""Faces, landmarks, vectors; against face_recognition itself and on real photos."""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from online_guard.faces.decode import decode
from online_guard.faces.identity import Face, distance, face_vector, find_faces, landmarks

SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"

Reader = Callable[[str], bytes]

BY_FACE_RECOGNITION = """
import json, sys
import face_recognition
for path, (top, right, bottom, left) in json.load(sys.stdin):
    image = face_recognition.load_image_file(path)
    vectors = face_recognition.face_encodings(image, [(top, right, bottom, left)])
    print(json.dumps([float(value) for value in vectors[0]]))
"""


def only_face(content: bytes) -> Face:
    faces = find_faces(decode(content))
    assert len(faces) == 1
    return faces[0]


def test_box_and_landmarks_lie_on_the_photographed_face(sample: Reader) -> None:
    content = sample("learner-01/reference.jpg")
    face = only_face(content)
    assert 100 < face.size_px < 180
    points = landmarks(decode(content), face)
    left_outer, left_inner, right_inner, right_outer = points[0, 0], points[1, 0], points[3, 0], points[2, 0]
    assert left_outer > left_inner > right_inner > right_outer  # the person's left eye is at the right of the picture
    assert points[4, 1] > points[:4, 1].max()
    assert right_inner < points[4, 0] < left_inner
    assert (points[:, 0] > face.left).all()
    assert (points[:, 0] < face.right).all()


def test_faces_come_largest_first(sample: Reader) -> None:
    small = cv2.resize(decode(sample("learner-02/reference.jpg")), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    large = decode(sample("learner-01/reference.jpg"))
    canvas = np.zeros((large.shape[0], large.shape[1] + small.shape[1], 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    canvas[:, small.shape[1] :] = large
    sizes = [face.size_px for face in find_faces(canvas)]
    assert len(sizes) == 2
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("width_px", [90, 200, 1400, 3000])
def test_a_face_is_found_in_small_and_large_pictures(sample: Reader, width_px: int) -> None:
    pixels = decode(sample("learner-01/reference.jpg"))
    scaled = cv2.resize(pixels, (width_px, width_px), interpolation=cv2.INTER_CUBIC)
    faces = find_faces(scaled)
    assert len(faces) == 1
    assert 0.25 < faces[0].size_px / width_px < 0.5
    if width_px >= 200:
        own = face_vector(pixels, find_faces(pixels)[0])
        assert distance(own, face_vector(scaled, faces[0])) < 0.25


def test_a_face_far_from_the_camera_is_found_in_the_second_search(sample: Reader) -> None:
    pixels = decode(sample("learner-01/reference.jpg"))
    canvas = np.full((1000, 1400, 3), 128, np.uint8)
    canvas[500:780, 600:880] = cv2.resize(pixels, (280, 280), interpolation=cv2.INTER_AREA)
    faces = find_faces(canvas)
    assert len(faces) == 1
    assert faces[0].size_px < 1400 / 8


def test_a_smaller_face_beside_the_learner_is_found(sample: Reader) -> None:
    """Of 1 280 px, the learner's face takes 0.3; the other's 0.19. Beside a learner at 0.16, one of 0.12."""
    for learner_px, other_px in ((384, 243), (205, 154)):
        canvas = np.full((960, 1280, 3), 120, np.uint8)
        for name, left, width_px in (("learner-04", 560, learner_px), ("learner-06", 40, other_px)):
            pixels = decode(sample(f"{name}/reference.jpg"))
            scale = width_px / find_faces(pixels)[0].size_px
            small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:960, : 1280 - left]
            canvas[: small.shape[0], left : left + small.shape[1]] = small
        assert len(find_faces(canvas)) == 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (20, 20)])
def test_pictures_too_small_for_a_face_have_none(shape: tuple[int, int]) -> None:
    assert find_faces(np.full((*shape, 3), 200, np.uint8)) == ()


def test_vectors_are_read_only_and_repeat_bit_by_bit(sample: Reader) -> None:
    pixels = decode(sample("learner-03/reference.jpg"))
    face = find_faces(pixels)[0]
    vector = face_vector(pixels, face)
    assert vector.shape == (128,)
    assert vector.dtype == np.float64
    assert not vector.flags.writeable
    np.testing.assert_array_equal(vector, face_vector(pixels, face))


def test_distance_is_euclidean() -> None:
    zero, one = np.zeros(128), np.zeros(128)
    one[3], one[9] = 0.3, -0.4
    assert distance(zero, one) == distance(one, zero) == pytest.approx(0.5)
    assert distance(one, one) == 0


def test_distance_refuses_other_vectors() -> None:
    with pytest.raises(ValueError, match="128"):
        distance(np.zeros(128), np.zeros(64))


def test_vectors_equal_those_of_face_recognition(catalogue: dict[str, Any]) -> None:
    if importlib.util.find_spec("face_recognition") is None:
        pytest.skip("face_recognition is not installed (development dependency)")
    people = catalogue["learners"][:4]
    names = [name for person in people for name in (person["reference"], person["snapshots"][1])]
    ours, questions = [], []
    for name in names:
        pixels = decode((SAMPLE_MEDIA / name).read_bytes())
        face = find_faces(pixels)[0]
        ours.append(face_vector(pixels, face))
        # its order is top, right, bottom, left, with right and bottom inside the box
        box = (face.top, face.right - 1, face.bottom - 1, face.left)
        assert min(box) >= 0
        questions.append((str(SAMPLE_MEDIA / name), box))
    # In a process of its own: importing it makes Pillow accept truncated images.
    done = subprocess.run(
        [sys.executable, "-c", BY_FACE_RECOGNITION],
        input=json.dumps(questions), capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = np.array([json.loads(line) for line in done.stdout.splitlines()])
    assert theirs.shape == (len(names), 128)
    np.testing.assert_allclose(np.array(ours), theirs, rtol=0, atol=1e-5)


def test_real_people_are_told_apart(identity_photos: list[Path]) -> None:
    vectors = []
    for path in identity_photos:
        pixels = decode(path.read_bytes())
        faces = find_faces(pixels)
        assert len(faces) == 1, path.name
        vectors.append((path.name.split("__")[0], face_vector(pixels, faces[0])))
    genuine, impostor = [], []
    for (one, vector), (other, second) in itertools.combinations(vectors, 2):
        (genuine if one == other else impostor).append(distance(vector, second))
    assert len(genuine) > 50
    assert len(impostor) > 500
    assert np.mean(np.array(genuine) <= 0.6) > 0.95
    assert np.mean(np.array(impostor) > 0.6) > 0.99
