"""Reads the layers of dlib's face network from its file; runs nothing.

Source: dlib's `serialize.h` (numbers, strings) and `dnn/layers.h`, `dnn/core.h`, `dnn/tensor.cpp` (layers), versions
19 and 20. A number is a control byte (low four bits: how many bytes follow, highest bit: negative) and its magnitude,
lowest byte first; a real number is two of them, mantissa and power of two; a tensor is a version, four sides and
float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_INPUT = b"\x01\x15input_rgb_image_sized"
"""Ahead of it lie only version numbers, one a layer; behind it the layers stand in the order in which they run."""

_TENSOR_VERSION = 2


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        kind: `input`, `convolve`, `scale`, `relu`, `add`, `max_pool`, `mean_pool` or `project`.
        weights: Of `convolve` (filters × channels × rows × columns), of `scale` (channels) and of `project`
            (inputs × outputs); of `input` the mean colour that is taken off, red, green, blue.
        bias: Of `convolve` and `scale`, a number a channel.
        stride: Of `convolve` and the pools, down and across.
        padding: Of `convolve` and the pools, rows above and below, columns left and right.
        window: Of the pools, rows and columns; (0, 0) is the whole picture.
    """

    kind: str
    weights: Floats | None = None
    bias: Floats | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    window: tuple[int, int] = (0, 0)


def read_layers(data: bytes) -> tuple[Layer, ...]:
    """Return the layers of dlib's 128-number face network in the order in which they run.

    Args:
        data: The whole of `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        ValueError: The bytes aren't such a network.
    """
    start = data.find(_INPUT)
    if start < 0:
        raise ValueError("no dlib network over RGB pictures of a fixed size")
    reader = _Reader(data, start)
    layers: list[Layer] = []
    try:
        while reader.at < len(data):
            layers.append(_READERS[reader.text()](reader))
            if len(layers) > 1:
                reader.skip_bookkeeping()
            if len(layers) == 2:
                reader.integer()  # the layer on the input keeps one number more: how many pictures a sample becomes
    except (IndexError, KeyError, UnicodeDecodeError) as fault:
        raise ValueError(f"not a layer of dlib's face network near byte {reader.at}: {fault!r}") from fault
    return tuple(layers)


class _Reader:
    """A place in the bytes, and how dlib writes what stands there."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def _take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise IndexError("the file ends early")
        self.at += size
        return piece

    def integer(self) -> int:
        control = self._take(1)[0]
        size = control & 0x0F
        if not 1 <= size <= 8 or control & 0x70:
            raise ValueError(f"no number at byte {self.at - 1}")
        magnitude = int.from_bytes(self._take(size), "little")
        return -magnitude if control & 0x80 else magnitude

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def real(self) -> float:
        mantissa, power = self.integers(2)
        return float(np.ldexp(mantissa, power))

    def text(self) -> str:
        return self._take(self.integer()).decode("ascii")

    def tensor(self) -> Floats:
        """Return the numbers of a tensor in one row."""
        if self.integer() != _TENSOR_VERSION:
            raise ValueError(f"no tensor at byte {self.at}")
        count = int(np.prod(self.integers(4)))
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32)

    def skip_learning_rates(self) -> None:
        """Pass by the four factors that training used on weights and biases."""
        for _ in range(4):
            self.real()

    def shape(self) -> tuple[int, ...]:
        """Return the sides of a view into a tensor."""
        return self.integers(5)[1:]

    def skip_bookkeeping(self) -> None:
        """Pass by what follows each layer: three flags of its training and three tensors."""
        self._take(3)
        for _ in range(3):
            self.tensor()


def _input(reader: _Reader) -> Layer:
    mean = [reader.real() for _ in range(3)]
    rows, columns = reader.integers(2)
    return Layer("input", weights=np.array(mean, np.float32), window=(rows, columns))


def _convolve(reader: _Reader) -> Layer:
    numbers = reader.tensor()
    _, _, _, down, across, above, left = reader.integers(7)
    filters, biases = reader.shape(), reader.shape()
    reader.skip_learning_rates()
    weights, bias = numbers[: np.prod(filters)], numbers[np.prod(filters) :]
    return Layer("convolve", weights.reshape(filters), bias.reshape(biases[1]), (down, across), (above, left))


def _scale(reader: _Reader) -> Layer:
    numbers = reader.tensor()
    channels = reader.shape()[1]
    reader.shape()
    reader.integer()
    return Layer("scale", weights=numbers[:channels], bias=numbers[channels:])


def _pool(kind: str) -> Callable[[_Reader], Layer]:
    def read(reader: _Reader) -> Layer:
        rows, columns, down, across, above, left = reader.integers(6)
        return Layer(kind, stride=(down, across), padding=(above, left), window=(rows, columns))

    return read


def _project(reader: _Reader) -> Layer:
    outputs, inputs = reader.integers(2)
    numbers = reader.tensor()
    reader.shape()
    reader.shape()
    reader.integer()
    reader.skip_learning_rates()
    return Layer("project", weights=numbers.reshape(inputs, outputs))


_READERS: dict[str, Callable[[_Reader], Layer]] = {
    "input_rgb_image_sized": _input,
    "con_4": _convolve,
    "affine_": _scale,
    "relu_": lambda _: Layer("relu"),
    "add_prev_": lambda _: Layer("add"),
    "max_pool_2": _pool("max_pool"),
    "avg_pool_2": _pool("mean_pool"),
    "fc_2": _project,
}
"""Each layer by dlib's name of it."""
