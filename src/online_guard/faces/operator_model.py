"""An operator's own anti-spoofing networks (ONNX): loaded from checked bytes, run on their own crop."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.errors import ErrorKind, GuardError

from .decode import RgbPixels
from .identity import Face
from .operator_manifest import ModelEntry, read_manifest

MAX_MODEL_BYTES = 256 * 1024 * 1024
"""The networks in question have 2 to 100 MB; a larger file is a mistake, and would be held in memory whole."""


_WEIGHTS_ELSEWHERE = b"\x0a\x08location\x12"
"""How ONNX names the file of weights kept outside the model (`TensorProto.external_data`, key and value in protobuf).
OpenCV would read such a file from the working folder, whatever it holds: no SHA-256 vouches for it."""


@dataclass(frozen=True)
class Network:
    """One loaded network; OpenCV's are not safe to run from two threads at once, hence the lock."""

    entry: ModelEntry
    net: Any = field(repr=False)
    lock: Any = field(default_factory=threading.Lock, repr=False)

    def probabilities(self, crop: RgbPixels) -> NDArray[np.float64]:
        """Return the share of each class in `entry.classes`, for the square crop of a face."""
        blob = planes(crop, self.entry)
        with self.lock:
            self.net.setInput(blob)
            outputs = np.asarray(self.net.forward(), dtype=np.float64)
        if outputs.size != len(self.entry.classes):
            raise ValueError(f"{outputs.size} outputs, {len(self.entry.classes)} classes")
        return softmax(outputs.ravel()) if self.entry.output == "logits" else outputs.ravel()


@dataclass(frozen=True)
class OperatorModel:
    """All networks of a manifest, averaged.

    Attributes:
        threshold: Score from which on a face is an attack.
        networks: In the manifest's order.
    """

    threshold: float
    networks: tuple[Network, ...]

    def score(self, pixels: RgbPixels, face: Face) -> float | None:
        """Return the mean share of the attack classes, 0 to 1; None where a crop reaches beyond the picture.

        Args:
            pixels: RGB picture, rows × columns × 3.
            face: Its box in that picture.
        """
        scores = []
        for network in self.networks:
            crop = surroundings(pixels, face, network.entry)
            if crop is None:
                return None
            live = network.probabilities(crop)[network.entry.classes.index("live")]
            scores.append(1.0 - live)
        score = float(np.mean(scores))
        return min(max(score, 0.0), 1.0) if np.isfinite(score) else None


def load_operator_model(manifest: Path) -> OperatorModel:
    """Return the networks that a manifest names, after their bytes were compared with their SHA-256.

    Each file is read once; what was hashed is what runs. Each network is run once on a grey picture, so that one that
    doesn't fit its entry stops the start and not the first snapshot.

    Raises:
        GuardError: Those of `read_manifest`; `models.missing`, `models.changed` or `models.unusable`.
    """
    said = read_manifest(manifest)
    return OperatorModel(said.threshold, tuple(_load(entry, manifest.parent / entry.file) for entry in said.model))


def surroundings(pixels: RgbPixels, face: Face, entry: ModelEntry) -> RgbPixels | None:
    """Return the square around a face that a network wants, or None where the picture is too small for it.

    The square has the face's centre in its middle, unless it would reach over an edge: then it is moved inside, as in
    Silent-Face-Anti-Spoofing (Minivision, 2020), whose networks were trained on such crops.
    """
    height, width = pixels.shape[:2]
    room = min(height, width)
    least = entry.crop_scale if entry.least_crop_scale is None else entry.least_crop_scale
    if face.size_px < 1 or round(face.size_px * least) > room:
        return None
    side = min(round(face.size_px * entry.crop_scale), room)
    left = _inside(round((face.left + face.right - side) / 2), side, width)
    top = _inside(round((face.top + face.bottom - side) / 2), side, height)
    return pixels[top : top + side, left : left + side]


def planes(crop: RgbPixels, entry: ModelEntry) -> NDArray[np.float32]:
    """Return a crop as a network takes it: 1 × 3 × height × width, float32, scaled as the entry says."""
    resized = cv2.resize(crop, entry.input_px, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    ordered = resized[..., ::-1] if entry.colour_order == "BGR" else resized
    values = (ordered * (entry.value_max / 255) - np.array(entry.mean)) / np.array(entry.std)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=np.float32)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shares that logits stand for; they sum to 1."""
    grown = np.exp(logits - logits.max())
    return np.asarray(grown / grown.sum())


def _inside(start: int, length: int, whole: int) -> int:
    """Return the start nearest to the wanted one at which a stretch lies inside the whole."""
    return max(0, min(start, whole - length))


def _load(entry: ModelEntry, path: Path) -> Network:
    """Return one network that was hashed, parsed and run once."""
    content = _verified_bytes(entry, path)
    try:
        if _WEIGHTS_ELSEWHERE in content:
            raise ValueError("权重须存于同一文件 / its weights must lie in the same file")
        network = Network(entry, cv2.dnn.readNetFromONNX(np.frombuffer(content, dtype=np.uint8)))
        width, height = entry.input_px
        shares = network.probabilities(np.full((height, width, 3), 128, dtype=np.uint8))
        if not np.isfinite(shares).all() or abs(shares.sum() - 1) > 0.01 or shares.min() < -0.01:
            raise ValueError(f"the outputs aren't shares of classes: {np.round(shares, 3).tolist()}")
    except (cv2.error, ValueError) as fault:
        reason = str(fault).strip().splitlines()[-1]
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "models.unusable",
            f"模型无法按清单运行 / the model doesn't run as the manifest says ({reason})",
            where=str(path),
            remedy="请核对 input_px、output、classes 及算子 / check input_px, output, classes and the operators",
        ) from fault
    return network


def _verified_bytes(entry: ModelEntry, path: Path) -> bytes:
    """Return the bytes of a model file that hash to what the manifest says."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MODEL_BYTES + 1)
    except OSError as fault:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "models.missing",
            f"无法读取模型文件 / the model file can't be read ({fault.strerror})",
            where=str(path),
            remedy="请放到清单所在的文件夹 / put it beside the manifest",
        ) from fault
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "models.changed",
            f"模型文件与清单的 SHA-256 不符 / the file isn't the one in the manifest: {found}, not {entry.sha256}",
            where=str(path),
            remedy="请放回原文件，或核实后更新清单 / put the file back, or check the new one and update the manifest",
        )
    return content
