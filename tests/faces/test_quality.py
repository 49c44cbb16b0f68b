"""Light, sharpness, size."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from online_guard.faces.grey_copies import grey_copies
from online_guard.faces.identity import Face
from online_guard.faces.quality import SNAPSHOT_LIMITS, Quality, measure, shortcomings

FINE = Quality(brightness=120.0, sharpness=0.2, face_size_px=120)


@pytest.fixture
def scene() -> NDArray[np.uint8]:
    """Return a sharp picture of 200 × 200 px, dark at the left, light at the right."""
    noise = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 60, (200, 200)).astype(np.float32), (0, 0), 1.5)
    return np.clip(np.linspace(60, 180, 200)[None] + noise, 0, 255).astype(np.uint8)


def test_brightness_is_the_mean_luma_of_the_face(scene: NDArray[np.uint8]) -> None:
    left = measure(scene, Face(0, 50, 80, 130, 1.0))
    right = measure(scene, Face(120, 50, 200, 130, 1.0))
    assert left.brightness == pytest.approx(float(scene[50:130, 0:80].mean()), abs=0.01)
    assert right.brightness > left.brightness + 50


def test_luma_weighs_colours_as_bt601() -> None:
    red, green, blue = (measure(grey_copies(np.full((9, 9, 3), colour, np.uint8)).copies[0], None).brightness
                        for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))  # fmt: skip
    assert (red, green, blue) == pytest.approx((76, 150, 29), abs=0.5)


def test_sharpness_falls_with_blur_and_not_with_light(scene: NDArray[np.uint8]) -> None:
    sharp = measure(scene, None).sharpness
    blurred = [measure(cv2.GaussianBlur(scene, (0, 0), sigma), None).sharpness for sigma in (1, 2, 4)]
    assert sharp > blurred[0] > blurred[1] > blurred[2]
    dark = measure((scene * 0.4).astype(np.uint8), None).sharpness
    assert dark == pytest.approx(sharp, rel=0.05)


def test_a_flat_picture_has_no_sharpness() -> None:
    assert measure(np.full((30, 30), 90, np.uint8), None) == Quality(90.0, 0.0, 0)


@pytest.mark.parametrize(
    "face", [Face(-20, -20, 60, 60, 1.0), Face(150, 150, 260, 260, 1.0), Face(-9, 300, 5, 320, 1.0)]
)
def test_a_box_that_leaves_the_picture_is_measured_inside(scene: NDArray[np.uint8], face: Face) -> None:
    seen = measure(scene, face)
    assert 0 < seen.brightness < 255
    assert seen.face_size_px == face.right - face.left


def test_a_fine_picture_has_no_shortcoming() -> None:
    assert shortcomings(FINE, SNAPSHOT_LIMITS) == ()


@pytest.mark.parametrize(
    ("field", "limit", "beyond", "reason"),
    [
        ("brightness", SNAPSHOT_LIMITS.min_brightness, -0.01, "too_dark"),
        ("brightness", SNAPSHOT_LIMITS.max_brightness, 0.01, "too_bright"),
        ("sharpness", SNAPSHOT_LIMITS.min_sharpness, -1e-6, "too_blurred"),
        ("face_size_px", SNAPSHOT_LIMITS.min_face_size_px, -1, "too_small"),
    ],
)
def test_a_value_at_its_limit_passes_and_one_beyond_does_not(
    field: str, limit: float, beyond: float, reason: str
) -> None:
    assert shortcomings(replace(FINE, **{field: limit}), SNAPSHOT_LIMITS) == ()
    assert shortcomings(replace(FINE, **{field: limit + beyond}), SNAPSHOT_LIMITS) == (reason,)


def test_without_a_face_there_is_no_size_to_be_too_small() -> None:
    assert shortcomings(replace(FINE, face_size_px=0), SNAPSHOT_LIMITS) == ()
