"""68 points of a drawn head in space, turned as asked and seen by a camera; and signals drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_guard.faces.signals import Signals

IOD_PX = 60.0


@dataclass(frozen=True)
class Look:
    """A pose (radians), lids (1 open, 0 shut) and mouth gap in distances of the eyes; `flat` makes a photo of it."""

    yaw: float = 0.0
    pitch: float = 0.0
    lids: float = 1.0
    mouth: float = 0.0
    flat: bool = False
    scale: float = 1.0
    roll: float = 0.0


def _model(look: Look) -> NDArray[np.float64]:
    """Return 68 × 3: x to the picture's right, y down, z towards the camera, in distances of the eyes."""
    points = np.zeros((68, 3))
    angle = np.linspace(-1, 1, 17)
    points[:17] = np.stack([1.15 * np.sin(angle * 1.4), 0.3 + 1.2 * np.cos(angle * 1.4) - 0.2, -1.1 * np.abs(angle)], 1)
    points[17:27] = [(x, -0.35, 0.05) for x in np.linspace(-0.9, 0.9, 10)]
    points[27:31] = [(0, 0.0 + 0.2 * k, 0.1 + 0.12 * k) for k in range(4)]
    points[31:36] = [(x, 0.75, 0.2) for x in np.linspace(-0.22, 0.22, 5)]
    for first, middle in ((36, -0.5), (42, 0.5)):
        lid = 0.09 * look.lids
        corners = ((-0.22, 0), (-0.08, -lid), (0.08, -lid), (0.22, 0), (0.08, lid), (-0.08, lid))
        points[first : first + 6] = [(middle + x, y, 0.0) for x, y in corners]
    points[48:68] = (0, 1.1, 0.1)
    points[48], points[54], points[51], points[57] = (-0.4, 1.1, 0), (0.4, 1.1, 0), (0, 1.0, 0.12), (0, 1.25, 0.1)
    points[[61, 62, 63], 1] = 1.1 - look.mouth / 2
    points[[65, 66, 67], 1] = 1.1 + look.mouth / 2
    points[[61, 67], 0], points[[63, 65], 0] = -0.12, 0.12
    if look.flat:
        points[:, 2] = 0
    return points


def points_of(look: Look) -> NDArray[np.float64]:
    """Return 68 × 2 px as a camera ten distances of the eyes away sees the head."""
    cos, sin = np.cos, np.sin
    yaw, pitch, roll = look.yaw, look.pitch, look.roll
    turn = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
    tilt = np.array([[1, 0, 0], [0, cos(pitch), sin(pitch)], [0, -sin(pitch), cos(pitch)]])
    x, y, z = tilt @ turn @ _model(look).T
    seen = np.stack([x, y], 1) * 10 / (10 - z[:, None]) * IOD_PX * look.scale
    return seen @ np.array([[cos(roll), sin(roll)], [-sin(roll), cos(roll)]]) + (160, 120)


def signals_of(fps: float, seconds: float, **series: Any) -> Signals:
    """Return signals of somebody who keeps still, with some of them replaced by functions of time in s."""
    times_s = np.arange(round(fps * seconds)) / fps
    still = np.ones(times_s.size)
    signals = Signals(
        times_s=times_s,
        eye_left=0.15 * still,
        eye_right=0.15 * still,
        mouth=0.02 * still,
        yaw=0 * still,
        yaw_middle=0 * still,
        pitch=-0.4 * still,
        aspect=1.1 * still,
        contrast=0.3 * np.stack([still, still], axis=1),
        place=np.stack([2 * still, 2 * still], axis=1),
    )
    drawn = {name: np.vectorize(function, otypes=[float])(times_s) for name, function in series.items()}
    return replace(signals, **drawn)


def bump(middle_s: float, length_s: float, height: float, rest: float = 0.0) -> Any:
    """Return a function of time that rises smoothly from `rest` by `height` and comes back."""

    def value(at_s: float) -> float:
        part = (at_s - middle_s) / length_s
        return rest + (height * float(np.cos(np.pi * part)) ** 2 if abs(part) < 0.5 else 0.0)

    return value
