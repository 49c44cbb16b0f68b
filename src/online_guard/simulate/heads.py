"""Painted people, and one public-domain photo (NASA), in any pose: what stands before a camera in tests and the demo.

Everything is drawn from fixed seeds: the same library versions give the same pixels. Nobody is portrayed by a painted
head: each is a relief (skull, nose, brows, lips) lit by one lamp.

Units: a head is drawn on a square canvas of `CANVAS_PX`; its centre is (0, 0), the crown lies at y = -1, the chin at
y = +1, x grows to the right of the picture. Colours are RGB 0-255.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .head_canvas import CANVAS_PX, HEAD_PX, Picture, Plane, X, Y, blob, cover, disc, grain, step, tint
from .head_features import (
    half_width,
    lit,
    relief,
    skull,
    with_beard,
    with_eye,
    with_glasses,
    with_hair,
    with_mouth,
    with_skin,
)
from .head_people import LEARNER_SEEDS, Head, Take, draw_head


def room(random: np.random.Generator) -> Picture:
    """Return a blurred room: a wall with a gradient and a few boxes."""
    wall = np.mean(random.uniform(70, 190, 3)) + random.uniform(-25, 25, 3)
    slope = 1 + 0.12 * X * random.uniform(-1, 1) + 0.12 * Y * random.uniform(-1, 1)
    picture = np.asarray(wall * slope[..., None], np.float32)
    for _ in range(int(random.integers(3, 7))):
        centre_x, centre_y = random.uniform(-1.9, 1.9, 2)
        half_x, half_y = random.uniform(0.2, 0.7, 2)
        box = step(np.minimum(half_x - np.abs(X - centre_x), half_y - np.abs(Y - centre_y)), 0.03)
        shade = np.mean(random.uniform(40, 210, 3)) + random.uniform(-30, 30, 3)
        picture = cover(picture, (shade[0], shade[1], shade[2]), 0.8 * box)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 3), np.float32)


def with_body(
    picture: Picture, head: Head, take: Take, cloth: NDArray[np.float64], random: np.random.Generator
) -> Picture:
    """Return the room with neck, ears, shoulders and clothes."""
    neck = np.clip((0.57 * head.face_width - np.abs(X)) / 0.05, 0, 1) * (Y > 0.5)
    shadow = (0.6 + 0.1 * np.clip(X / 0.42, -1, 1) * take.light[0]) * (1 - 0.35 * blob(0, 0.95, 0.5, 0.25))
    picture = cover(picture, np.asarray(head.skin, np.float32) * shadow[..., None], neck)
    for side in (-1, 1):
        ear = disc(side * head.face_width, head.eye_y + 0.18, 0.09, 0.19, 0.3)
        picture = cover(picture, tint(head.skin, 0.75, 0.75, 0.75), ear)
    collar = Y - 1.22 - 0.28 * np.abs(X) ** 1.5 - 0.12 * np.exp(-((X / 0.3) ** 2)) + 0.2
    weave = 0.8 + 0.05 * grain(random, 2)
    return cover(picture, np.asarray(cloth, np.float32) * weave[..., None], np.clip(collar / 0.03, 0, 1))


def turned(picture: Picture, depth: Plane, take: Take) -> Picture:
    """Return the picture with everything shifted by its depth: a small turn (yaw) or nod (pitch) of the head."""
    height, width = depth.shape
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    from_x, from_y = columns + take.yaw * HEAD_PX * depth, rows + take.pitch * HEAD_PX * depth
    return np.asarray(cv2.remap(picture, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def paint(head: Head, take: Take) -> Picture:
    """Return a canvas with one painted person in one pose, before the camera."""
    person, scene = np.random.default_rng([head.seed, 7]), np.random.default_rng([head.seed, take.number, 11])
    picture = with_body(room(scene), head, take, scene.uniform(30, 180, 3), person)
    face = with_beard(with_mouth(with_skin(head, person), head, take), head, person)
    for side in (-1, 1):
        face = with_eye(face, head, take, side, person)
    outline = np.clip((1 - np.abs(X) / half_width(head, Y)) / 0.06 + 0.3, 0, 1) * (np.abs(Y) < 1)
    picture = cover(picture, lit(face, relief(head), take), outline)
    picture = with_glasses(with_hair(picture, head, take, person), head)
    return turned(picture, cv2.GaussianBlur(skull(head), (0, 0), 6), take)


def photograph(take: Take) -> Picture:
    """Return a canvas with the astronaut of scikit-image (NASA, public domain), turned, lit and smiling as asked."""
    import skimage.data  # noqa: PLC0415  (a development dependency; only this learner needs it)

    source = np.asarray(skimage.data.astronaut(), np.float32)[0:267, 91:358]  # type: ignore[no-untyped-call]
    picture: Picture = cv2.resize(source, (CANVAS_PX, CANVAS_PX), interpolation=cv2.INTER_CUBIC)
    columns, rows = (X * HEAD_PX + CANVAS_PX / 2, Y * HEAD_PX + CANVAS_PX / 2)
    jaw = 14 * take.mouth_open * blob(0, 0.45, 0.55, 0.3) * (Y > 0.12)
    corners = 6 * take.smile * np.sign(X) * blob(0, 0.2, 0.5, 0.16)
    picture = cv2.remap(picture, (columns - corners).astype(np.float32), (rows - jaw).astype(np.float32),
                        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    bulge = np.asarray(np.exp(-(((X / 0.75) ** 2 + ((Y + 0.15) / 0.95) ** 2) ** 1.5)), np.float32)
    lamp = 1 + (0.28 * X * take.light[0] + 0.15 * Y * take.light[1]) * (take.number > 0)
    return turned(np.asarray(picture * lamp[..., None], np.float32), bulge, take)


def shoot(canvas: Picture, take: Take, size_px: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """Return what a camera makes of a canvas: roll, zoom, crop to the size's shape, exposure, blur, noise."""
    width, height = size_px
    scale = width / CANVAS_PX
    frame = cv2.getRotationMatrix2D((CANVAS_PX / 2, CANVAS_PX / 2), take.roll_deg, take.zoom * scale)
    frame[0, 2] += width / 2 - CANVAS_PX / 2 + take.shift[0] * scale
    frame[1, 2] += height / 2 - CANVAS_PX / 2 + take.shift[1] * scale
    picture = cv2.warpAffine(cv2.GaussianBlur(canvas, (0, 0), 0.5 / scale), frame, size_px,
                             flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    if take.blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), take.blur_px)
    random = np.random.default_rng([seed, take.number, 23])
    exposed = picture * take.gain + take.noise * random.standard_normal(picture.shape)
    return np.asarray(np.clip(exposed, 0, 255), np.uint8)


def capture(learner: int, take: Take, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of a learner; number 1 is the photo, the others are painted."""
    if learner == 1:
        return shoot(photograph(take), take, size_px, seed=0)
    head = draw_head(LEARNER_SEEDS[learner - 2])
    return shoot(paint(head, take), take, size_px, head.seed)
