"""Finds, checks and loads the model files, once per process and not before they are needed.

The files come with the package `face_recognition_models`; its code isn't imported (it needs setuptools at run time),
and neither is `face_recognition` (it makes Pillow accept truncated images). `models/manifest.toml` says the same as the
constants here in prose: licence, input, threshold, origin.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlib

from online_guard.errors import ErrorKind, GuardError

_PACKAGE = "face_recognition_models"


@dataclass(frozen=True)
class ModelFile:
    """One file of the package `face_recognition_models`, and what it must hash to."""

    name: str
    sha256: str


LANDMARKS = ModelFile(
    "shape_predictor_5_face_landmarks.dat", "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
)
IDENTITY = ModelFile(
    "dlib_face_recognition_resnet_model_v1.dat", "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
)
LIVENESS_LANDMARKS = ModelFile(
    "shape_predictor_68_face_landmarks.dat", "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
)
"""68 points, for liveness only, loaded when the first clip is judged. Trained on iBUG 300-W, whose terms exclude
commercial use: an operator decides (models/README.md)."""
MODEL_FILES = (LANDMARKS, IDENTITY, LIVENESS_LANDMARKS)
"""`IDENTITY` is loaded by `vector_network`."""


@dataclass(frozen=True)
class FaceModels:
    """The loaded dlib models. They aren't safe to call from two threads at once: hold `lock` around each call.

    Attributes:
        detector: Frontal face detector (HOG), compiled into dlib.
        landmarks: Five points of a face (`LANDMARKS`).
        lock: Held by whoever calls one of the two.
    """

    detector: Any
    landmarks: Any
    lock: threading.Lock


_loading = threading.Lock()
_loaded: list[FaceModels] = []


def face_models() -> FaceModels:
    """Return the models of this process; the first call checks the landmarks' SHA-256 and loads them.

    Raises:
        GuardError: `models.missing` or `models.changed`.
    """
    with _loading:
        if not _loaded:
            _loaded.append(
                FaceModels(
                    detector=dlib.get_frontal_face_detector(),
                    landmarks=dlib.shape_predictor(str(checked_path(LANDMARKS))),
                    lock=threading.Lock(),
                )
            )
        return _loaded[0]


def checked_path(model: ModelFile) -> Path:
    """Return where a model file lies, after its bytes were compared with its SHA-256.

    Raises:
        GuardError: `models.missing` or `models.changed`.
    """
    path = _folder() / model.name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise _missing(str(path)) from fault
    if found != model.sha256:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "models.changed",
            f"模型文件与登记的 SHA-256 不符 / the model file isn't the one on record: {found}, not {model.sha256}",
            where=str(path),
            remedy=f"请重新安装 {_PACKAGE} / install {_PACKAGE} again",
        )
    return path


def _folder() -> Path:
    """Return the model folder of the installed package, found without importing it."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(_PACKAGE)
    return Path(spec.submodule_search_locations[0]) / "models"


def _missing(where: str) -> GuardError:
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "models.missing",
        "缺少人脸模型文件 / a face model file is missing",
        where=where,
        remedy=f"请安装 {_PACKAGE} / install {_PACKAGE}",
    )
