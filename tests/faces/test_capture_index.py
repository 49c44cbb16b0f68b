"""Every hash within reach is found, straight and mirrored, whatever was sorted already; vectors of the latest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from online_guard.faces import capture_index
from online_guard.faces.capture_index import CaptureIndex
from online_guard.faces.fingerprint import perceptual_hash, phash_distance

ODD_COLUMNS = 0x5555555555555555
HASHES = st.integers(0, 2**64 - 1)


def text(number: int) -> str:
    return f"{number:016x}"


def flipped(number: int, bits: set[int]) -> int:
    for bit in bits:
        number ^= 1 << bit
    return number


def by_hand(known: list[int], wanted: int) -> list[int]:
    return [
        place
        for place, each in enumerate(known)
        if min((each ^ wanted).bit_count(), (each ^ wanted ^ ODD_COLUMNS).bit_count()) <= 12
    ]


@settings(max_examples=60, deadline=None)
@given(HASHES, st.sets(st.integers(0, 63), max_size=16), st.booleans(), st.integers(0, 400))
def test_exactly_those_within_twelve_bits_are_found(wanted: int, bits: set[int], mirrored: bool, before: int) -> None:
    others = np.random.default_rng(before).integers(0, 2**63, 400, dtype=np.uint64)
    near = flipped(wanted, bits) ^ (ODD_COLUMNS if mirrored else 0)
    known = [*map(int, others[:before]), near, *map(int, others[before:])]
    index = CaptureIndex()
    index.add_many(np.arange(len(known)), np.array(known, np.uint64))
    index._sorted = capture_index._sorted(index._hashes[:before])
    assert index.candidates(text(wanted)) == by_hand(known, wanted)
    index._sorted = capture_index._sorted(index._hashes[: len(known)])
    assert index.candidates(text(wanted)) == by_hand(known, wanted)


@pytest.mark.parametrize(("bits", "found"), [(11, True), (12, True), (13, False)])
def test_twelve_bits_are_within_reach_and_thirteen_are_not(bits: int, found: bool) -> None:
    random = np.random.default_rng(bits)
    index = CaptureIndex()
    for key in range(200):
        place = set(map(int, random.choice(64, bits, replace=False)))
        index.add(key, text(flipped(0xF0F0F0F0F0F0F0F0, place)))
    index._sorted = capture_index._sorted(index._hashes[:200])
    assert index.candidates(text(0xF0F0F0F0F0F0F0F0)) == (list(range(200)) if found else [])


def test_it_sorts_by_itself_and_still_finds_all() -> None:
    hashes = np.random.default_rng(5).integers(0, 2**64, 70_000, dtype=np.uint64)
    index = CaptureIndex()
    index.add_many(np.arange(70_000), hashes)
    assert index._sorted.count == len(index) == 70_000
    index.add(123_456, text(int(hashes[9]) ^ 7))
    assert index.candidates(text(int(hashes[9]))) == [9, 123_456]


def test_a_mirrored_picture_is_within_reach(sample_pixels: list[NDArray[np.uint8]]) -> None:
    index = CaptureIndex()
    for key, pixels in enumerate(sample_pixels):
        index.add(key, perceptual_hash(pixels))
    for key, pixels in enumerate(sample_pixels):
        mirrored = np.ascontiguousarray(pixels[:, ::-1])
        assert phash_distance(perceptual_hash(pixels), perceptual_hash(mirrored)) > 12
        assert key in index.candidates(perceptual_hash(mirrored))


def test_a_vector_finds_what_no_hash_does() -> None:
    random = np.random.default_rng(1)
    vector = random.standard_normal(128)
    aside = random.standard_normal(128)
    aside -= vector * (aside @ vector) / (vector @ vector)
    aside *= np.linalg.norm(vector) / np.linalg.norm(aside)
    index = CaptureIndex()
    for key, cosine in enumerate((0.9949, 0.9951, 1.0)):
        index.add(key, text(0), cosine * vector + np.sqrt(1 - cosine**2) * aside)
    assert index.candidates(text(0xFFFFFFFF), vector * 1.3) == [1, 2]
    assert index.candidates(text(0xFFFFFFFF)) == []


def test_the_latest_vectors_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_index, "LATEST_VECTORS", 3)
    vectors = np.eye(128)
    index = CaptureIndex()
    for key in range(5):
        index.add(key, text(0), vectors[key])
    assert [index.candidates(text(0xFFFFFFFF), vectors[key]) for key in range(5)] == [[], [], [2], [3], [4]]


@pytest.fixture(scope="module")
def sample_pixels() -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(2)
    coarse = random.integers(0, 255, (8, 6, 8, 3)).astype(np.uint8)
    return [cv2.resize(each, (320, 240), interpolation=cv2.INTER_CUBIC) for each in coarse]
