"""Is it the same picture, or a living face once more? On sample media."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from online_guard.errors import GuardError
from online_guard.faces.decode import decode
from online_guard.faces.fingerprint import perceptual_hash
from online_guard.faces.identity import face_vector, find_faces
from online_guard.faces.likeness import Capture, capture, likeness, residual

SAME = 0.04


def prepared(image: bytes) -> Capture:
    pixels = decode(image)
    face = find_faces(pixels)[0]
    return capture(pixels, perceptual_hash(pixels), face_vector(pixels, face), face)


def test_two_snapshots_of_one_learner_are_two_pictures(sample: Callable[[str], bytes]) -> None:
    one, other = (prepared(sample(f"learner-04/{name}")) for name in ("snapshot-1.jpg", "snapshot-2.webp"))
    assert residual(one, other) > SAME


def test_a_picture_is_itself_and_order_does_not_matter(sample: Callable[[str], bytes]) -> None:
    one, other = (prepared(sample(f"special/{name}")) for name in ("replayed-reference.webp", "wrong-person.jpg"))
    assert likeness(one, one).residual == 0.0
    assert likeness(one, other) == likeness(other, one)
    assert residual(one, prepared(sample("learner-01/reference.jpg"))) <= SAME


def test_a_capture_survives_storage(sample: Callable[[str], bytes]) -> None:
    one = prepared(sample("learner-02/reference.jpg"))
    again = Capture.from_bytes(one.to_bytes())
    assert again.to_bytes() == one.to_bytes()
    assert again.vector is not None
    np.testing.assert_array_equal(again.vector, one.vector)
    with pytest.raises(GuardError, match=r"capture|damaged"):
        Capture.from_bytes(one.to_bytes()[:-1])
