"""SHA-256 of the bytes and perceptual hash of the looks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from online_guard.faces.fingerprint import perceptual_hash, phash_distance, sha256_hex


def hash_by_definition(grey: NDArray[np.float64]) -> str:
    """Return the hash of a 32 × 32 grey picture, with the DCT written out."""
    at = np.arange(32)
    basis = np.cos(np.pi * np.outer(at, 2 * at + 1) / 64) * np.where(at == 0, np.sqrt(1 / 32), np.sqrt(2 / 32))[:, None]
    lowest = np.round((basis @ grey @ basis.T)[:8, :8], 2)
    digits = "".join("1" if value > np.median(lowest) else "0" for value in lowest.ravel())
    return f"{int(digits, 2):016x}"


def test_sha256_of_a_known_text() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("seed", range(5))
def test_hash_follows_its_definition(seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (32, 32)).astype(np.uint8)
    assert perceptual_hash(np.dstack([grey, grey, grey])) == hash_by_definition(grey.astype(np.float64))


def test_hash_follows_light_and_size_by_little_and_tells_a_mirrored_picture() -> None:
    noise = np.random.default_rng(8).normal(0, 1, (240, 320)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 20)
    grey = np.clip(128 + 40 * smooth / smooth.std(), 0, 255)
    scene = grey.astype(np.uint8)[..., None].repeat(3, axis=2)
    usual = perceptual_hash(scene)
    assert phash_distance(usual, perceptual_hash((scene * 0.8).astype(np.uint8))) <= 4
    assert phash_distance(usual, perceptual_hash(cv2.resize(scene, (200, 150), interpolation=cv2.INTER_AREA))) <= 4
    assert phash_distance(usual, perceptual_hash(np.ascontiguousarray(scene[:, ::-1]))) > 16


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_flat_pictures_share_one_stable_hash(level: int) -> None:
    expected = "0000000000000000" if level == 0 else "8000000000000000"
    assert perceptual_hash(np.full((90, 70, 3), level, np.uint8)) == expected


@pytest.mark.parametrize(
    ("one", "other", "bits"), [("0" * 16, "0" * 16, 0), ("0" * 16, "f" * 16, 64), ("00000000000000f0", "0" * 16, 4)]
)
def test_distance_counts_bits(one: str, other: str, bits: int) -> None:
    assert phash_distance(one, other) == bits
