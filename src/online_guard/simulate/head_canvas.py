"""The canvas that heads are painted on: soft shapes, smooth noise, layers of colour.

A canvas is a square of `CANVAS_PX`; its centre is (0, 0), a head's crown lies at y = -1, its chin at y = +1, x grows to
the right of the picture. Colours are RGB 0-255.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
"""One number per canvas pixel, float."""
Picture = NDArray[Any]
"""Rows × columns × RGB, float, 0-255."""
Colour = tuple[float, float, float]

CANVAS_PX = 400
HEAD_PX = 105.0
"""Half the height of a head on the canvas."""


def grid() -> tuple[Plane, Plane]:
    """Return x and y of every canvas pixel in half head heights."""
    axis = (np.arange(CANVAS_PX, dtype=np.float32) - CANVAS_PX / 2) / HEAD_PX
    x, y = np.meshgrid(axis, axis)
    return x, y


X, Y = grid()


def blob(centre_x: float, centre_y: float, width: float, height: float) -> Plane:
    """Return a bell of height 1."""
    return np.exp(-(((X - centre_x) / width) ** 2) - ((Y - centre_y) / height) ** 2)


def disc(
    centre_x: float, centre_y: float, radius_x: float, radius_y: float | Plane, soft: float, y: Plane = Y
) -> Plane:
    """Return an ellipse, 1 inside and 0 outside."""
    return np.clip((1 - np.hypot((X - centre_x) / radius_x, (y - centre_y) / radius_y)) / soft + 0.5, 0, 1)


def step(value: Plane, soft: float) -> Plane:
    """Return 1 where the value is positive and 0 where it is negative, with a soft edge."""
    return np.clip(value / soft + 0.5, 0, 1)


def grain(random: np.random.Generator, across_px: float, down_px: float | None = None) -> Plane:
    """Return smooth noise of variance 1."""
    white = random.standard_normal((CANVAS_PX, CANVAS_PX)).astype(np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), sigmaX=across_px, sigmaY=down_px or across_px)
    return np.asarray(soft / soft.std(), np.float32)


def cover(picture: Picture, colour: Colour | Picture, mask: Plane) -> Picture:
    """Return the picture with a colour laid over it where the mask is 1."""
    return np.asarray(picture + (np.asarray(colour, np.float32) - picture) * mask[..., None], np.float32)


def tint(colour: Colour, red: float, green: float, blue: float) -> Colour:
    """Return a colour with its channels multiplied."""
    return colour[0] * red, colour[1] * green, colour[2] * blue
