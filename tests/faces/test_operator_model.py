"""An operator's own networks: what lies before them, and what is refused before they run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from online_guard.errors import ErrorKind, GuardError
from online_guard.faces.identity import Face
from online_guard.faces.operator_model import OperatorModel, load_operator_model, planes, softmax, surroundings
from online_guard.faces.presented_attack import Decision, judge_picture

SIDE = 20


def network(weights: NDArray[np.float32], bias: NDArray[np.float32], side: int = SIDE) -> bytes:
    """Return an ONNX network that takes the mean of each plane, times weights (3 × classes), plus a bias."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"], axis=1),
        helper.make_node("Gemm", ["means", "weights", "bias"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, weights.shape[1]])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = made.SerializeToString()
    return content


RED_MINUS_BLUE = network(np.float32([[0, 1, 0], [0, 0, 0], [0, -1, 0]]), np.float32([0, 0, -50]))
"""Three logits: 0, first plane minus third, and one that is never large."""

ENTRY: dict[str, Any] = {
    "name": "means",
    "file": "means.onnx",
    "sha256": hashlib.sha256(RED_MINUS_BLUE).hexdigest(),
    "licence": "Apache-2.0",
    "origin": "made by the test",
    "input_px": [SIDE, SIDE],
    "crop_scale": 2.0,
    "colour_order": "RGB",
    "value_max": 1.0,
    "output": "logits",
    "classes": ["attack", "live", "attack"],
}
FACE = Face(40, 40, 60, 60, 1.0)


def toml(threshold: object, *entries: dict[str, Any]) -> str:
    """Return a manifest; Python's spelling of numbers, texts and lists is TOML's too."""
    lines = [f"threshold = {threshold}"]
    for entry in entries:
        lines += ["[[model]]", *(f"{key} = {value!r}" for key, value in entry.items())]
    return "\n".join(lines) + "\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., OperatorModel]:
    """Return a function that loads a manifest with changed entries beside `means.onnx`."""

    def load_with(*changes: dict[str, Any], threshold: object = 0.5, content: bytes = RED_MINUS_BLUE) -> OperatorModel:
        (tmp_path / "means.onnx").write_bytes(content)
        entries = [{**ENTRY, "sha256": hashlib.sha256(content).hexdigest(), **change} for change in changes or ({},)]
        (tmp_path / "manifest.toml").write_text(toml(threshold, *entries), encoding="utf-8")
        return load_operator_model(tmp_path / "manifest.toml")

    return load_with


def flat(red: int, green: int, blue: int) -> NDArray[np.uint8]:
    return np.full((100, 100, 3), (red, green, blue), dtype=np.uint8)


def sigmoid(value: float) -> float:
    return 1 / (1 + float(np.exp(-value)))


def test_the_score_is_the_share_of_all_classes_but_live(load: Callable[..., OperatorModel]) -> None:
    score = load().score(flat(255, 0, 51), FACE)
    assert score == pytest.approx(1 - sigmoid(1 - 0.2), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "logit"),
    [
        ({"colour_order": "BGR"}, 0.2 - 1),
        ({"value_max": 2.0}, 2 * (1 - 0.2)),
        ({"mean": [0.5, 0.0, 0.0]}, 0.5 - 0.2),
        ({"std": [0.5, 1.0, 0.25]}, 2 - 0.8),
        ({"colour_order": "BGR", "mean": [0.5, 0.0, 0.0]}, 0.2 - 0.5 - 1),
    ],
)
def test_planes_are_laid_as_the_manifest_says(
    load: Callable[..., OperatorModel], change: dict[str, Any], logit: float
) -> None:
    assert load(change).score(flat(255, 0, 51), FACE) == pytest.approx(1 - sigmoid(logit), abs=1e-6)


def test_class_order_decides_which_output_is_live(load: Callable[..., OperatorModel]) -> None:
    model = load({"classes": ["live", "attack", "attack"]})
    assert model.score(flat(255, 0, 51), FACE) == pytest.approx(sigmoid(1 - 0.2), abs=1e-6)


def test_several_networks_are_averaged(load: Callable[..., OperatorModel]) -> None:
    model = load({}, {"colour_order": "BGR"})
    assert model.score(flat(255, 0, 51), FACE) == pytest.approx(0.5, abs=1e-6)


def test_probabilities_are_taken_as_they_are(load: Callable[..., OperatorModel]) -> None:
    shares = network(np.zeros((3, 2), np.float32), np.float32([0.3, 0.7]))
    model = load({"output": "probabilities", "classes": ["live", "attack"]}, content=shares)
    assert model.score(flat(9, 9, 9), FACE) == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize(("threshold", "decision"), [(0.29, "attack"), (0.31, "live")])
def test_the_manifest_sets_the_threshold(load: Callable[..., OperatorModel], threshold: float, decision: str) -> None:
    shares = network(np.zeros((3, 2), np.float32), np.float32([0.7, 0.3]))
    model = load({"output": "probabilities", "classes": ["live", "attack"]}, content=shares, threshold=threshold)
    assert judge_picture(flat(9, 9, 9), FACE, model).decision == Decision(decision)


def test_the_crop_is_the_square_around_the_face(load: Callable[..., OperatorModel]) -> None:
    rows, columns = np.mgrid[0:100, 0:100]
    pixels = np.dstack([columns, rows, rows]).astype(np.uint8)
    entry = load().networks[0].entry
    crop = surroundings(pixels, FACE, entry)
    assert crop is not None
    assert (crop[0, 0, 0], crop[0, 0, 1], crop[-1, -1, 0], crop[-1, -1, 1]) == (30, 30, 69, 69)
    moved = surroundings(pixels, Face(0, 70, 20, 90, 1.0), entry)
    assert moved is not None
    assert (moved[0, 0, 0], moved[0, 0, 1], moved.shape) == (0, 60, (40, 40, 3))


def test_planes_keep_rows_and_columns_apart(load: Callable[..., OperatorModel]) -> None:
    entry = load().networks[0].entry.model_copy(update={"input_px": (20, 16)})
    crop = np.zeros((40, 40, 3), np.uint8)
    crop[:20, :, 0] = 255
    laid = planes(crop, entry)
    assert (laid.shape, laid.dtype) == ((1, 3, 16, 20), np.float32)
    assert (laid[0, 0, :8] == 1).all()
    assert (laid[0, 0, 8:] == 0).all()


@pytest.mark.parametrize(("size", "fits"), [(50, True), (51, False)])
def test_a_face_without_surroundings_is_not_evaluable(
    load: Callable[..., OperatorModel], size: int, fits: bool
) -> None:
    said = judge_picture(flat(9, 9, 9), Face(10, 10, 10 + size, 10 + size, 1.0), load())
    assert (said.decision is not Decision.NOT_EVALUABLE, said.score is not None) == (fits, fits)


def test_a_smaller_crop_may_stand_in_where_the_manifest_allows_it(load: Callable[..., OperatorModel]) -> None:
    model = load({"least_crop_scale": 1.5})
    crop = surroundings(flat(9, 9, 9), Face(10, 10, 70, 70, 1.0), model.networks[0].entry)
    assert crop is not None
    assert crop.shape == (100, 100, 3)
    assert model.score(flat(9, 9, 9), Face(10, 10, 80, 80, 1.0)) is None


def test_softmax_survives_large_logits() -> None:
    assert softmax(np.array([1000.0, 0.0])).tolist() == [1.0, 0.0]


def test_a_changed_file_stops_the_start(load: Callable[..., OperatorModel], tmp_path: Path) -> None:
    with pytest.raises(GuardError, match="SHA-256") as refusal:
        load({"sha256": "0" * 64})
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.UNAVAILABLE, "models.changed")
    assert refusal.value.where == str(tmp_path / "means.onnx")


def test_a_file_changed_after_loading_changes_nothing(load: Callable[..., OperatorModel], tmp_path: Path) -> None:
    model = load()
    before = model.score(flat(255, 0, 51), FACE)
    (tmp_path / "means.onnx").write_bytes(b"")
    assert model.score(flat(255, 0, 51), FACE) == before


@pytest.mark.parametrize("content", [b"", b"no network", RED_MINUS_BLUE[:-40]])
def test_bytes_that_are_no_network_stop_the_start(load: Callable[..., OperatorModel], content: bytes) -> None:
    with pytest.raises(GuardError) as refusal:
        load(content=content)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.UNAVAILABLE, "models.unusable")


def test_weights_in_a_file_without_sha256_stop_the_start(
    load: Callable[..., OperatorModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    onnx.save_model(onnx.load_from_string(RED_MINUS_BLUE), "split.onnx", save_as_external_data=True, location="weights",
                    size_threshold=0)  # fmt: skip
    with pytest.raises(GuardError, match="same file") as refusal:
        load(content=(folder / "split.onnx").read_bytes())
    assert refusal.value.code == "models.unusable"


@pytest.mark.parametrize(
    "change",
    [{"classes": ["live", "attack"]}, {"output": "probabilities"}],
    ids=["other number of classes", "logits called probabilities"],
)
def test_a_network_that_does_not_fit_its_entry_stops_the_start(
    load: Callable[..., OperatorModel], change: dict[str, Any]
) -> None:
    with pytest.raises(GuardError) as refusal:
        load(change)
    assert refusal.value.code == "models.unusable"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"file": "../means.onnx"}, "model.0.file"),
        ({"file": "/etc/passwd"}, "model.0.file"),
        ({"file": "..\\means.onnx"}, "model.0.file"),
        ({"file": ".."}, "model.0.file"),
        ({"sha256": "F" * 64}, "model.0.sha256"),
        ({"licence": " "}, "model.0.licence"),
        ({"input_px": [20]}, "model.0.input_px.1"),
        ({"input_px": [20, 100_000]}, "model.0.input_px.1"),
        ({"crop_scale": 0.5}, "model.0.crop_scale"),
        ({"crop_scale": "2.7"}, "model.0.crop_scale"),
        ({"least_crop_scale": 3.0}, "model.0"),
        ({"colour_order": "rgb"}, "model.0.colour_order"),
        ({"std": [0.0, 1.0, 1.0]}, "model.0.std.0"),
        ({"classes": ["attack", "attack"]}, "model.0.classes"),
        ({"classes": ["live", "live"]}, "model.0.classes"),
        ({"classes": ["live", "spoof"]}, "model.0.classes.1"),
        ({"treshold": 0.3}, "model.0.treshold"),
    ],
)
def test_a_wrong_entry_is_named_with_its_key(
    load: Callable[..., OperatorModel], tmp_path: Path, change: dict[str, Any], key: str
) -> None:
    with pytest.raises(GuardError) as refusal:
        load(change)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.INVALID, "models.manifest_invalid")
    assert refusal.value.where == str(tmp_path / "manifest.toml")
    assert refusal.value.faults[0].where == key
    assert key in refusal.value.message


@pytest.mark.parametrize("threshold", ["0", "1.01", "nan", "inf", "'0.5'", "true"])
def test_an_impossible_threshold_is_refused(load: Callable[..., OperatorModel], threshold: str) -> None:
    with pytest.raises(GuardError) as refusal:
        load(threshold=threshold)
    assert [fault.where for fault in refusal.value.faults] == ["threshold"]


@pytest.mark.parametrize("key", sorted(ENTRY))
def test_each_key_is_asked_for(tmp_path: Path, key: str) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != key}
    (tmp_path / "manifest.toml").write_text(toml(0.5, entry), encoding="utf-8")
    with pytest.raises(GuardError) as refusal:
        load_operator_model(tmp_path / "manifest.toml")
    assert [fault.where for fault in refusal.value.faults] == [f"model.0.{key}"]


@pytest.mark.parametrize(
    "content",
    [b"threshold = ", b"\xff\xfe", b"a = " + b"[" * 30_000, b"#" * 70_000],
    ids=["no value", "no UTF-8", "deep", "long"],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.toml").write_bytes(content)
    with pytest.raises(GuardError) as refusal:
        load_operator_model(tmp_path / "manifest.toml")
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.MALFORMED, "models.manifest_malformed")


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(GuardError) as refusal:
        load_operator_model(tmp_path / "absent.toml")
    assert (refusal.value.code, refusal.value.where) == ("models.missing", str(tmp_path / "absent.toml"))
    (tmp_path / "manifest.toml").write_text(toml(0.5, ENTRY), encoding="utf-8")
    with pytest.raises(GuardError) as refusal:
        load_operator_model(tmp_path / "manifest.toml")
    assert (refusal.value.code, refusal.value.where) == ("models.missing", str(tmp_path / "means.onnx"))


def test_the_made_networks_are_valid_onnx() -> None:
    onnx.checker.check_model(onnx.load_from_string(RED_MINUS_BLUE))
