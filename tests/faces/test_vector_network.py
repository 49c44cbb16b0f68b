"""The vector network: dlib's numbers by ONNX Runtime, and by dlib itself when the copy can't be made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from online_guard.faces import vector_network
from online_guard.faces.decode import decode
from online_guard.faces.dlib_weights import read_layers
from online_guard.faces.identity import face_vector, find_faces
from online_guard.faces.models import IDENTITY, checked_path, face_models
from online_guard.faces.vector_network import CHIP_PX, TOLERANCE, chip_vector

Pixels = NDArray[np.uint8]
SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"


@pytest.fixture(scope="module")
def dlib_network() -> Any:
    return dlib.face_recognition_model_v1(str(checked_path(IDENTITY)))


@pytest.fixture(scope="module")
def chip() -> Pixels:
    noise = np.random.default_rng(8).integers(0, 256, (CHIP_PX, CHIP_PX, 3))
    return noise.astype(np.uint8)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty cache folder, with no network loaded before or after."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    vector_network._network.cache_clear()
    yield tmp_path / "online-guard"
    vector_network._network.cache_clear()


def largest_difference(dlib_network: Any, pictures: list[Path]) -> float:
    differences = []
    for path in pictures:
        pixels = decode(path.read_bytes())
        for face in find_faces(pixels):
            box = dlib.rectangle(face.left, face.top, face.right - 1, face.bottom - 1)
            shape = face_models().landmarks(pixels, box)
            theirs = np.array(dlib_network.compute_face_descriptor(pixels, shape, 1))
            differences.append(np.abs(theirs - face_vector(pixels, face)).max())
    assert len(differences) >= 30
    return float(max(differences))


def test_vectors_equal_dlibs_on_all_sample_pictures(dlib_network: Any, catalogue: dict[str, Any]) -> None:
    pictures = sorted(path for kind in ("jpg", "webp", "png") for path in SAMPLE_MEDIA.rglob(f"*.{kind}"))
    assert 0 < largest_difference(dlib_network, pictures) <= TOLERANCE


def test_vectors_equal_dlibs_on_real_photos(dlib_network: Any, identity_photos: list[Path]) -> None:
    assert 0 < largest_difference(dlib_network, identity_photos) <= TOLERANCE


def test_the_layers_are_those_of_the_published_network() -> None:
    layers = read_layers(checked_path(IDENTITY).read_bytes())
    assert [layer.kind for layer in layers].count("convolve") == 29
    assert layers[0].window == (150, 150)
    np.testing.assert_allclose(layers[0].weights, vector_network._MEAN_COLOUR, rtol=1e-6)
    assert layers[1].weights is not None
    assert layers[1].weights.shape == (32, 3, 7, 7)
    assert layers[-1].weights is not None
    assert layers[-1].weights.shape == (256, 128)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d[:20_000], lambda d: d + b"\x01\x05con_9", lambda d: b""]
)
def test_a_damaged_network_is_not_read(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match=r"dlib"):
        read_layers(damage(checked_path(IDENTITY).read_bytes()))


def test_the_copy_is_made_once_and_nothing_else_is_left(fresh: Path, chip: Pixels) -> None:
    vector = chip_vector(chip)
    (made,) = fresh.iterdir()
    assert IDENTITY.sha256 in made.name
    written = made.stat().st_mtime_ns
    vector_network._network.cache_clear()
    np.testing.assert_array_equal(chip_vector(chip), vector)
    assert [path.stat().st_mtime_ns for path in fresh.iterdir()] == [written]


def test_a_damaged_copy_is_made_anew(fresh: Path, chip: Pixels, caplog: pytest.LogCaptureFixture) -> None:
    vector = chip_vector(chip)
    (made,) = fresh.iterdir()
    content = bytearray(made.read_bytes())
    content[len(content) // 2] ^= 0x40
    made.write_bytes(content)
    vector_network._network.cache_clear()
    np.testing.assert_array_equal(chip_vector(chip), vector)
    assert "damaged" in caplog.text
    vector_network._network.cache_clear()
    caplog.clear()
    np.testing.assert_array_equal(chip_vector(chip), vector)
    assert caplog.text == ""


def test_without_a_cache_the_network_still_runs_by_onnx_runtime(
    fresh: Path, chip: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    fresh.parent.joinpath("online-guard").write_text("a file where the folder should be")
    vector = chip_vector(chip)
    assert "can't be kept" in caplog.text
    assert "by dlib" not in caplog.text
    assert vector.shape == (128,)


@pytest.mark.parametrize("fault", ["unreadable", "other_numbers"])
def test_dlib_remains_when_the_conversion_fails(
    fresh: Path, chip: Pixels, dlib_network: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:  # fmt: skip
    if fault == "unreadable":
        monkeypatch.setattr(vector_network, "read_layers", lambda data: read_layers(data[:-9]))
    else:
        monkeypatch.setattr(vector_network, "_MEAN_COLOUR", (122.78, 117.0, 104.2))
    with caplog.at_level(logging.WARNING):
        vector = chip_vector(chip)
    assert "computed by dlib" in caplog.text
    np.testing.assert_allclose(vector, np.array(dlib_network.compute_face_descriptor(chip)), rtol=0, atol=1e-7)


def test_threads_get_the_numbers_of_one_thread(fresh: Path) -> None:
    chips = np.random.default_rng(9).integers(0, 256, (12, CHIP_PX, CHIP_PX, 3)).astype(np.uint8)
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(chip_vector, chips))
    np.testing.assert_array_equal(together, [chip_vector(chip) for chip in chips])
