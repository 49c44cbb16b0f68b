"""Moves the face on a canvas: closes lids, drops the jaw, turns and nods the head by bending one still picture.

A rig says where eyes, mouth and skull lie; it works for painted heads and for the photo alike. Lengths are half head
heights, angles radians. "Left" is the person's own: a head turned left looks to the right of an unmirrored picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .head_canvas import CANVAS_PX, HEAD_PX
from .head_features import half_width
from .head_people import Head

Field = NDArray[Any]
"""One float32 per pixel."""
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Eye:
    """The opening of one eye: centre, half width, height above and below the centre, rise towards the outside."""

    x: float
    y: float
    half_width: float
    above: float
    below: float
    slope: float = 0.0


@dataclass(frozen=True)
class Rig:
    """Where the moving parts of a face lie on its canvas.

    Attributes:
        eyes: At the left and at the right of the picture.
        mouth: Middle of the line where the lips part: x, y.
        mouth_half_width: Of that line.
        mouth_sag: How much lower the line is in its middle than at its corners.
        chin_y: Lowest point of the face.
        centre: Of the skull: x, y.
        outline: Half the width of the face at some heights on the canvas, from crown to chin: y, half width.
        half_height: Of the skull with its hair.
        nose_y: Of the tip of the nose.
        nose_depth: How far it stands out.
    """

    eyes: tuple[Eye, Eye]
    mouth: tuple[float, float]
    mouth_half_width: float
    mouth_sag: float
    chin_y: float
    centre: tuple[float, float]
    outline: tuple[tuple[float, float], ...]
    half_height: float
    nose_y: float
    nose_depth: float


PHOTO_RIG = Rig(
    eyes=(Eye(-0.295, -0.445, 0.145, 0.06, 0.035, -0.13), Eye(0.315, -0.405, 0.145, 0.07, 0.028)),
    mouth=(-0.01, 0.235), mouth_half_width=0.27, mouth_sag=0.12, chin_y=0.65,
    centre=(0.0, -0.2), half_height=0.92, nose_y=-0.05, nose_depth=0.16,
    outline=((-1.1, 0.4), (-0.9, 0.7), (-0.5, 0.72), (-0.2, 0.66), (0.1, 0.6), (0.35, 0.48), (0.55, 0.3), (0.68, 0.0)),
)  # fmt: skip
"""Of `heads.photograph`, measured with 68 landmarks."""


def rig_of(head: Head, smile: float) -> Rig:
    """Return the rig of a painted head, from the numbers it was painted with."""
    above, below = head.eye_open * 1.1, head.eye_open * 0.75
    left, right = (
        Eye(side * head.eye_gap, head.eye_y, head.eye_width, above, below, head.eye_tilt) for side in (-1, 1)
    )
    heights = np.linspace(-1, 1, 33, dtype=np.float32)
    widths = half_width(head, heights)
    return Rig(
        eyes=(left, right), mouth=(0.0, head.mouth_y), mouth_half_width=head.mouth_width * (1 + 0.15 * smile),
        mouth_sag=0.06 * smile, chin_y=0.97, centre=(0.0, 0.0), half_height=1.08,
        outline=tuple((float(y), float(width)) for y, width in zip(heights, widths, strict=True)),
        nose_y=head.nose_base - 0.06, nose_depth=0.1 + 0.3 * head.nose_relief,
    )  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """What the head does in one frame.

    Attributes:
        closure: Of the lids, 0 open to 1 closed.
        jaw: How far the lower lip is dropped.
        yaw: Turn to the person's own left, radians.
        pitch: Nod downwards, radians.
        shift: Of the head before its background: x, y.
    """

    closure: float = 0.0
    jaw: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)


def _window(left: float, top: float, right: float, bottom: float) -> tuple[slice, slice, Field, Field]:
    """Return rows and columns of a box on the canvas, and x and y of its pixels."""
    edges = [round(edge * HEAD_PX + CANVAS_PX / 2) for edge in (left, top, right, bottom)]
    columns, rows = slice(max(0, edges[0]), edges[2]), slice(max(0, edges[1]), min(CANVAS_PX, edges[3]))
    axis = (np.arange(CANVAS_PX, dtype=np.float32) - CANVAS_PX / 2) / HEAD_PX
    x, y = np.meshgrid(axis[columns], axis[rows])
    return rows, columns, x, y


def _sampled(canvas: Pixels, x: Field, y: Field) -> Pixels:
    """Return the canvas seen at the given places."""
    to_px = HEAD_PX, CANVAS_PX / 2
    return np.asarray(
        cv2.remap(
            canvas,
            (x * to_px[0] + to_px[1]).astype(np.float32),
            (y * to_px[0] + to_px[1]).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


_LIDS_MEET = 0.0
"""Where closed lids meet: at this share of the way from the middle of the eye to its lower edge."""
_LASH = 0.015
"""Half the thickness of the upper lashes when seen over a closed lid."""


def close_lids(canvas: Pixels, rig: Rig, closure: float) -> None:
    """Draw the lids over the eyes, in place: skin as below the eye, with the lashes where the lids meet."""
    still = canvas.copy()
    for eye, side in zip(rig.eyes, (-1, 1), strict=True):
        rows, columns, x, y = _window(
            eye.x - eye.half_width * 1.1,
            eye.y - eye.above - 0.12,
            eye.x + eye.half_width * 1.1,
            eye.y + eye.below + 0.1,
        )
        outward = (x - eye.x) * side
        down = y - eye.y + eye.slope * outward
        across = np.clip(1 - (outward / eye.half_width) ** 2, 0, 1)
        top, bottom = -eye.above * across, eye.below * across**1.2
        meet = _LIDS_MEET * bottom
        upper, lower = top + closure * (meet - top), bottom + 0.01 + closure * (meet - bottom - 0.01)
        skin = cv2.GaussianBlur(_sampled(still, x, y - down + bottom + 0.065), (0, 0), 2) * np.float32(0.92)
        lid = np.clip((down - top + 0.05) / 0.04, 0, 1) * np.clip((bottom + 0.03 - down) / 0.02, 0, 1)
        lid *= np.clip((upper - down) / 0.012 + 0.5, 0, 1) + np.clip((down - lower) / 0.012 + 0.5, 0, 1)
        lash = np.clip(1.4 - np.abs(down - upper) / (_LASH * (0.35 + 0.65 * across)), 0, 1)
        shown = (across > 0) * min(1.0, 4 * closure)
        covered = still[rows, columns] + (skin - still[rows, columns]) * (np.minimum(lid, 1) * shown)[..., None]
        canvas[rows, columns] = (covered + (0.3 * skin - covered) * (0.9 * lash * shown)[..., None]).astype(np.uint8)


_LIP = 0.06
"""How thick the lower lip is drawn below an open mouth."""


def drop_jaw(canvas: Pixels, rig: Rig, jaw: float) -> None:
    """Part the lips and pull lower lip and chin down, in place; the mouth's inside is dark."""
    middle_x, middle_y = rig.mouth
    rows, columns, x, y = _window(middle_x - 0.85, middle_y - 0.2, middle_x + 0.85, rig.chin_y + 0.6)
    across = np.clip(1 - ((x - middle_x) / rig.mouth_half_width) ** 2, 0, 1)
    line = middle_y - rig.mouth_sag * (1 - across)
    gap = jaw * across**0.6
    below = np.clip((y - line) / (rig.chin_y - line), 0, 1)
    pulled = gap * (1 - below) + jaw * np.exp(-(((x - middle_x) / 0.62) ** 4)) * below
    pulled *= np.clip((rig.chin_y + 0.55 - y) / 0.5, 0, 1) * (y > line)
    lit = canvas[round((middle_y + 0.03) * HEAD_PX + CANVAS_PX / 2), round(middle_x * HEAD_PX + CANVAS_PX / 2)]
    lip = np.clip(lit * np.float32(1.3) + 10, 0, 255)
    seen = _sampled(canvas, x, y - np.minimum(pulled, np.maximum(y - line, 0)))
    edge = np.clip(1.5 - np.abs(y - line - gap - _LIP / 2) / (_LIP / 2), 0, 1) * (across > 0) * min(1.0, 8 * jaw)
    lipped = seen + (lip - seen) * (0.9 * edge)[..., None]
    hole = np.clip(np.minimum(y - line, line + gap - y) / 0.02 + 0.5, 0, 1) * (gap > 0.008)
    inside = np.asarray((30, 10, 12), np.float32)
    canvas[rows, columns] = (lipped + (inside - lipped) * hole[..., None]).astype(np.uint8)


def turned_places(rig: Rig, pose: Pose, x: Field, y: Field) -> tuple[Field, Field]:
    """Return from where on the canvas each place of the picture comes when the head is turned, nodded and shifted.

    Each row of the face is half a circle with a nose before it; beyond the face the motion fades out, so that the room
    stands still.
    """
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = (
        float(turn(angle)) for angle in (pose.yaw, pose.pitch) for turn in (np.sin, np.cos)
    )
    heights, widths = np.asarray(rig.outline, np.float32).T
    broad = float(widths.max())
    # The neck lies behind and below the face: turning carries the whole face along a little.
    carried = (0.22 * broad * sin_yaw + pose.shift[0], 0.3 * broad * sin_pitch + pose.shift[1])
    u, v = x - rig.centre[0] - carried[0], y - rig.centre[1] - carried[1]
    edge = np.interp(v + rig.centre[1] - broad * sin_pitch * 0.5, heights, widths).astype(np.float32)
    front = np.sqrt(np.maximum(edge**2 - u**2, 0))
    nose_u, nose_v = broad * sin_yaw, (rig.nose_y - rig.centre[1]) * cos_pitch + broad * sin_pitch
    nose = rig.nose_depth * np.exp(-(((u - nose_u) / 0.17) ** 2) - ((v - nose_v) / 0.22) ** 2)
    from_u = u * cos_yaw - (front + nose) * sin_yaw
    # What turns into view behind the cheek was never seen: the cheek goes on there.
    from_u = np.where(front > 0, np.clip(from_u, -0.955 * edge, 0.955 * edge), from_u)
    move_u = from_u - u - carried[0]
    move_v = v * (cos_pitch - 1) - (front + nose) * sin_pitch - carried[1]
    share = np.clip((1.75 - np.sqrt((u / broad) ** 2 + (v / rig.half_height) ** 2)) / 0.7, 0, 1)
    return np.asarray(x + move_u * share, np.float32), np.asarray(y + move_v * share, np.float32)
