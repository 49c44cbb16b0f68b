"""Writes dlib's face network as an ONNX model, which ONNX Runtime runs twenty times faster than dlib does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .dlib_weights import Floats, Layer

_OPSET, _IR_VERSION = 13, 8
"""Old enough for every ONNX Runtime that the project installs with."""


@dataclass(frozen=True)
class _Value:
    """What one node hands to the next: its name; channels, rows and columns."""

    name: str
    sides: tuple[int, int, int]


def onnx_model(layers: tuple[Layer, ...]) -> ModelProto:
    """Return the network as ONNX: `pixels` (1 × 3 × rows × columns) → `vector` (1 × 128), both float32.

    `pixels` are red, green and blue less the mean colour, over 256. Each `scale` is folded into the convolution before
    it.

    Args:
        layers: As `dlib_weights.read_layers` returns them.

    Raises:
        ValueError: A layer lacks its weights, or a scale or a shortcut doesn't fit.
    """
    picture = _Value("pixels", (3, *layers[0].window))
    graph = _Graph(picture)
    for layer, following in zip(layers[1:], (*layers[2:], None), strict=True):
        graph.append(layer, following)
    vector = helper.make_tensor_value_info(graph.now.name, TensorProto.FLOAT, [1, 128])
    pixels = helper.make_tensor_value_info(picture.name, TensorProto.FLOAT, [1, *picture.sides])
    whole = helper.make_graph(graph.nodes, "face_vector", [pixels], [vector], graph.weights)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


@dataclass
class _Graph:
    """A network under construction.

    Attributes:
        now: Output of the last layer.
        block: Where the current residual block began.
        shortcut: What its end adds: the block's input, or its mean pool where the block halves the picture.
    """

    now: _Value
    nodes: list[NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.block = self.shortcut = self.now

    def append(self, layer: Layer, following: Layer | None) -> None:
        """Add a layer."""
        match layer.kind:
            case "convolve":
                self.now = self._convolve(layer, following)
            case "relu":
                at_end_of_block = self.now == self.block
                self.now = _Value(self._node("Relu", [self.now.name]), self.now.sides)
                if at_end_of_block:
                    self.block = self.shortcut = self.now
            case "max_pool":
                self.now = self.block = self.shortcut = self._pool("MaxPool", self.now, layer)
            case "mean_pool" if layer.window == (0, 0):
                self.now = _Value(self._node("GlobalAveragePool", [self.now.name]), (self.now.sides[0], 1, 1))
            case "mean_pool":
                self.shortcut = self._pool("AveragePool", self.block, layer)
            case "add":
                self._end_block()
            case "project":
                self._project(layer)

    def _convolve(self, layer: Layer, scale: Layer | None) -> _Value:
        if layer.weights is None or layer.bias is None:
            raise ValueError("a convolution without weights")
        weights, bias = layer.weights, layer.bias
        if scale is not None and scale.weights is not None and scale.bias is not None:
            weights, bias = weights * scale.weights[:, None, None, None], bias * scale.weights + scale.bias
        window = (weights.shape[2], weights.shape[3])
        name = self._node(
            "Conv", [self.now.name, self._constant(weights), self._constant(bias)],
            kernel_shape=window, strides=layer.stride, pads=layer.padding * 2,
        )  # fmt: skip
        return _Value(name, (weights.shape[0], *_slid_over(self.now, window, layer)))

    def _pool(self, kind: str, value: _Value, layer: Layer) -> _Value:
        name = self._node(kind, [value.name], kernel_shape=layer.window, strides=layer.stride, pads=layer.padding * 2)
        return _Value(name, (value.sides[0], *_slid_over(value, layer.window, layer)))

    def _end_block(self) -> None:
        """Add the shortcut; like dlib, first fill up what is smaller with zeros, at the end of each side."""
        channels, rows, columns = (max(pair) for pair in zip(self.now.sides, self.shortcut.sides, strict=True))
        sides = (channels, rows, columns)
        filled = [self._filled(value, sides) for value in (self.now, self.shortcut)]
        total = self._node("Add", filled)
        # The rectifier that follows moves the start of the next block behind itself.
        self.now = self.block = self.shortcut = _Value(total, sides)

    def _filled(self, value: _Value, sides: tuple[int, int, int]) -> str:
        if value.sides == sides:
            return value.name
        missing = [whole - part for whole, part in zip(sides, value.sides, strict=True)]
        return self._node("Pad", [value.name, self._constant(np.array([0] * 5 + missing, np.int64))], mode="constant")

    def _project(self, layer: Layer) -> None:
        if layer.weights is None:
            raise ValueError("a projection without weights")
        flat = self._node("Flatten", [self.now.name])
        self.now = _Value(self._node("Gemm", [flat, self._constant(layer.weights)]), (layer.weights.shape[1], 1, 1))

    def _constant(self, values: Floats | NDArray[np.int64]) -> str:
        name = f"weights_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name


def _slid_over(value: _Value, window: tuple[int, int], layer: Layer) -> tuple[int, int]:
    """Return how many rows and columns remain when a window slides over a value."""
    _, *sides = value.sides
    rows, columns = (
        (side + 2 * padding - width) // stride + 1
        for side, padding, width, stride in zip(sides, layer.padding, window, layer.stride, strict=True)
    )
    return rows, columns
