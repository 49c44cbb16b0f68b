"""The 128 numbers of an aligned face: dlib's network, run by ONNX Runtime from a copy that is made once.

The copy lies in the user's cache folder. Its name holds the SHA-256 of the network it was made from and its own, so
that neither another network nor a damaged copy is ever run. What it computes is compared with what dlib computed
for the same picture before it is trusted. Whatever goes wrong with the copy, dlib's own code is the way that remains:
the same numbers, twenty times slower.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions

from .dlib_weights import read_layers
from .models import IDENTITY, checked_path

log = logging.getLogger(__name__)

CHIP_PX = 150
"""Side of the aligned picture that the network takes."""

TOLERANCE = 1e-5
"""How far a number may lie from dlib's. Measured: within 6e-7."""

ERRORS_ONLY = 3
_MEAN_COLOUR = (122.782, 117.001, 104.298)
_SPREAD = 256

Floats = NDArray[np.float32]
Chip = NDArray[np.uint8]


def chip_vector(chip: Chip) -> NDArray[np.float64]:
    """Return the 128 numbers of an aligned face; safe in threads.

    Args:
        chip: 150 × 150 × 3, RGB, as `dlib.get_face_chip` cuts it with a padding of 0.25.

    Raises:
        GuardError: `models.missing` or `models.changed`.
    """
    with _loading:
        network = _network()
    return network(chip).astype(np.float64)


_loading = threading.Lock()


@cache
def _network() -> Callable[[Chip], Floats]:
    """Return the loaded network, which many threads may run at once; by dlib one after the other."""
    path = checked_path(IDENTITY)
    try:
        network = _by_onnxruntime(_cached_model(path))
        _check(network)
    except Exception as fault:  # noqa: BLE001 - errors of ONNX Runtime have no base of their own
        log.warning("face vectors are computed by dlib, slowly: its network could not be converted: %s", fault)
        return _by_dlib(path)
    return network


def _by_onnxruntime(model: bytes) -> Callable[[Chip], Floats]:
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # several pictures are looked at in threads
    options.log_severity_level = ERRORS_ONLY
    session = InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (pixels,) = session.get_inputs()

    def run(chip: Chip) -> Floats:
        blob = cv2.dnn.blobFromImage(chip, 1 / _SPREAD, (CHIP_PX, CHIP_PX), _MEAN_COLOUR, swapRB=False)
        return np.array(session.run(None, {pixels.name: blob})[0], np.float32).reshape(-1)

    return run


def _by_dlib(path: Path) -> Callable[[Chip], Floats]:
    network, one_at_a_time = dlib.face_recognition_model_v1(str(path)), threading.Lock()

    def run(chip: Chip) -> Floats:
        with one_at_a_time:
            return np.array(network.compute_face_descriptor(chip), np.float32)

    return run


def _check(run: Callable[[Chip], Floats]) -> None:
    """Raise ValueError unless a network gives the numbers that dlib gave for a picture of three gradients."""
    rows, columns = np.mgrid[0:CHIP_PX, 0:CHIP_PX]
    chip = np.dstack([rows, columns, (rows * columns) % 251]).astype(np.uint8)
    vector = run(chip)
    if vector.shape != (128,) or not np.abs(vector[: len(_EXPECTED)] - _EXPECTED).max() <= TOLERANCE:
        raise ValueError("its numbers aren't dlib's")


_EXPECTED = (-0.0811558, 0.1100843, 0.0500671, -0.0425339, -0.1360575, -0.0571751, -0.0442082, -0.0076504)
"""The first of dlib's own numbers (dlib 20.0.1) for that picture."""


def cache_folder() -> Path:
    """Return the folder for what can be computed again: `$XDG_CACHE_HOME/online-guard`, else in `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "online-guard"


def _cached_model(network_path: Path) -> bytes:
    """Return the network as ONNX, from the cache if an intact copy lies there.

    Raises:
        ValueError: The network can't be converted.
        OSError: Its file can't be read.
    """
    for path in sorted(cache_folder().glob(_file_name("*"))):
        try:
            model = path.read_bytes()
            if path.name == _file_name(hashlib.sha256(model).hexdigest()):
                return model
            path.unlink()
        except OSError as fault:
            log.warning("%s can't be read: %s", path, fault)
        else:
            log.warning("%s was damaged and is made anew", path)
    model = _converted(network_path)
    try:
        _write(model)
    except OSError as fault:
        log.warning("the converted face network can't be kept, so each start converts it again: %s", fault)
    return model


def _file_name(own_sha256: str) -> str:
    return f"face-vector-{IDENTITY.sha256}-{own_sha256}.onnx"


def _converted(network_path: Path) -> bytes:
    # Imported here: only the first start on a machine needs it.
    from .onnx_model import onnx_model  # noqa: PLC0415

    model: bytes = onnx_model(read_layers(network_path.read_bytes())).SerializeToString()
    return model


def _write(model: bytes) -> None:
    """Put the model into the cache; who reads sees all of it or nothing."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
        try:
            part.write(model)
            part.close()
            Path(part.name).replace(folder / _file_name(hashlib.sha256(model).hexdigest()))
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise
