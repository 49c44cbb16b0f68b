"""Makes the pictures of `sample_media/`: painted heads, and one public-domain photo (NASA) in several poses.

Run `python scripts/make_sample_media.py` to write pictures and `catalogue.json`, with `--table` to print the table of
measured distances for the README instead. Everything is drawn from fixed seeds: the same library versions give the
same bytes. Nobody is portrayed by a painted head: each is a relief (skull, nose, brows, lips) lit by one lamp.

Units: a head is drawn on a square canvas of `CANVAS_PX`; its centre is (0, 0), the crown lies at y = -1, the chin at
y = +1, x grows to the right of the picture. Colours are RGB 0-255.
"""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from online_guard.faces.identity import distance
from online_guard.faces.pipeline import enrol_reference, inspect

Plane = NDArray[Any]
"""One number per canvas pixel, float."""
Picture = NDArray[Any]
"""Rows × columns × RGB, float, 0-255."""
Colour = tuple[float, float, float]

FOLDER = Path(__file__).resolve().parent.parent / "sample_media"
CANVAS_PX = 400
HEAD_PX = 105.0
"""Half the height of a head on the canvas."""

LEARNER_SEEDS = (472, 898, 31, 74, 90, 778, 199, 625, 683, 73, 147)
"""Heads that are more than 0.6 apart for dlib, searched among the first 900 seeds; learner-01 is the photo."""
STRANGER_SEED = 252
"""A head that belongs to no learner."""

SKINS: tuple[Colour, ...] = (
    (236, 200, 180), (222, 180, 150), (205, 160, 128), (180, 135, 105),
    (150, 105, 78), (115, 78, 58), (85, 58, 45), (245, 215, 200),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (25, 20, 18), (60, 40, 28), (110, 75, 45), (190, 150, 95),
    (150, 150, 150), (225, 222, 218), (130, 60, 35), (15, 15, 20),
)  # fmt: skip
IRISES: tuple[Colour, ...] = ((70, 50, 35), (40, 28, 20), (90, 120, 150), (95, 115, 75))
HAIR_STYLES = {
    # style: (how far it stands off the skull, down to which y it falls beside the face)
    "bald": (0.0, -1.0), "short": (0.08, 0.0), "receding": (0.05, 0.05), "parted": (0.1, -0.02), "bun": (0.05, -0.15),
    "fringe": (0.13, 0.1), "curly": (0.26, 0.35), "bob": (0.16, 0.75), "long": (0.16, 1.6),
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """What stays the same in all pictures of one painted person; lengths in half head heights."""

    seed: int
    skin: Colour
    hair_colour: Colour
    hair: str
    hairline: float
    iris: Colour
    face_width: float
    jaw: float
    eye_gap: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    eye_y: float
    brow_lift: float
    brow_weight: float
    brow_tilt: float
    nose_base: float
    nose_width: float
    nose_relief: float
    mouth_y: float
    mouth_width: float
    lips: float
    beard: float
    moustache: float
    glasses: str
    age: float


@dataclass(frozen=True)
class Take:
    """What differs from picture to picture: pose, expression, light, camera."""

    number: int
    yaw: float = 0.0
    pitch: float = 0.0
    roll_deg: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    light: tuple[float, float, float] = (0.3, -0.5, 1.0)
    ambient: float = 0.35
    mouth_open: float = 0.0
    smile: float = 0.0
    gaze: float = 0.0
    lids: float = 1.0
    gain: float = 1.0
    noise: float = 1.0
    blur_px: float = 0.0


REFERENCE = Take(0)
REFERENCE_PX = (360, 360)
SNAPSHOT_PX = (320, 240)
SNAPSHOTS = (
    Take(1, 0.07, 0.02, 3, 0.97, (14, 4), (-0.55, -0.35, 0.9), 0.42, smile=0.8, gaze=0.6, noise=2.5),
    Take(2, -0.09, 0.05, -4, 1.04, (-16, -6), (0.7, -0.3, 0.9), 0.45, mouth_open=0.45, gaze=-0.5, noise=3, gain=0.88),
    Take(3, 0.03, -0.04, 2, 0.95, (5, 10), (0.15, -0.6, 0.9), 0.45, smile=-0.4, lids=0.8, noise=3, gain=0.82),
)


def draw_head(seed: int) -> Head:
    """Return the person of a seed; the parameters are uniform in ranges that still look like a face."""
    random = np.random.default_rng(seed)
    within = random.uniform
    bearded = random.random() < 0.5
    styles = ("short", "bald", "receding", "parted", "curly") if bearded else (
        "long", "bob", "fringe", "curly", "bun", "parted")  # fmt: skip
    red, green, blue = np.clip(np.asarray(SKINS[random.integers(len(SKINS))]) * within(0.93, 1.05), 0, 255)
    return Head(
        seed=seed,
        skin=(float(red), float(green), float(blue)),
        hair=styles[random.integers(len(styles))],
        hair_colour=HAIRS[random.integers(len(HAIRS))],
        hairline=within(-0.72, -0.45),
        iris=IRISES[random.integers(len(IRISES))],
        face_width=within(0.62, 0.86),
        jaw=within(1.6, 3.6),
        eye_gap=within(0.25, 0.38),
        eye_width=within(0.12, 0.19),
        eye_open=within(0.04, 0.085),
        eye_tilt=within(-0.2, 0.25),
        eye_y=within(-0.1, 0.06),
        brow_lift=within(0.12, 0.22),
        brow_weight=within(0.03, 0.06) if bearded else within(0.012, 0.05),
        brow_tilt=within(-0.25, 0.4),
        nose_base=within(0.3, 0.46),
        nose_width=within(0.10, 0.21),
        nose_relief=within(0.1, 0.4),
        mouth_y=within(0.55, 0.68),
        mouth_width=within(0.18, 0.36),
        lips=within(0.03, 0.09),
        beard=within(0.5, 1) if bearded and random.random() < 0.4 else 0.0,
        moustache=within(0.6, 1) if bearded and random.random() < 0.35 else 0.0,
        glasses=("", "", "", "round", "square", "thin")[random.integers(6)],
        age=within(0, 1),
    )


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


def half_width(head: Head, y: Plane) -> Plane:
    """Return half the width of the face at a height; `jaw` 1.6 is pointed, 3.6 square."""
    power = np.where(y < 0, 2.3, head.jaw)
    return np.asarray(
        head.face_width * np.clip(1 - np.clip(np.abs(y), 0, 1) ** power, 1e-4, 1) ** (1 / power), np.float32
    )


def skull(head: Head) -> Plane:
    """Return the depth of the bare head, 1 at its middle."""
    across = np.sqrt(np.clip(1 - (X / half_width(head, Y)) ** 2, 0, 1))
    return np.asarray(across * np.sqrt(np.clip(1 - np.abs(Y) ** 3, 0, 1)), np.float32)


def relief(head: Head) -> Plane:
    """Return the depth of the face with nose, sockets, brows, cheeks, lips, chin and folds."""
    ridge = np.clip((Y - head.eye_y + 0.1) / (head.nose_base - head.eye_y), 0, 1) * (head.nose_base > Y)
    nose = ridge * np.exp(-((X / (0.055 + 0.35 * head.nose_width * ridge**2)) ** 2))
    z = 0.75 * skull(head) + head.nose_relief * cv2.GaussianBlur(nose.astype(np.float32), (0, 0), 3)
    z += 0.12 * blob(0, head.nose_base - 0.05, 0.55 * head.nose_width, 0.07)
    for side in (-1, 1):
        eye = side * head.eye_gap
        z += 0.08 * blob(side * head.nose_width * 0.75, head.nose_base - 0.02, 0.06, 0.06)
        z += -0.10 * blob(eye, head.eye_y - 0.02, 0.20, 0.12) + 0.05 * blob(eye, head.eye_y, 0.10, 0.07)
        z += 0.06 * blob(eye * 1.05, head.eye_y - head.brow_lift, 0.22, 0.06)
        z += 0.07 * blob(side * 0.62 * head.face_width, 0.25, 0.20, 0.16)
        z -= 0.06 * head.age * blob(side * (head.mouth_width + 0.05), head.mouth_y - 0.08, 0.05, 0.14)
        z -= 0.03 * head.age * blob(eye, head.eye_y + 0.13, 0.14, 0.03)
    z += 0.06 * blob(0, head.mouth_y, head.mouth_width, 0.08) + 0.08 * blob(0, 0.86, 0.2, 0.1)
    z -= 0.04 * blob(0, head.mouth_y + 0.13, 0.16, 0.05)
    for fold in range(3 if head.age > 0.4 else 0):
        line = np.exp(-(((Y + 0.35 + 0.09 * fold + 0.03 * np.cos(3 * X)) / 0.018) ** 2))
        z -= 0.02 * head.age * line * (np.abs(X) < 0.45)
    return np.asarray(z, np.float32)


def lit(picture: Picture, z: Plane, take: Take) -> Picture:
    """Return the colours under one lamp: ambient light, diffuse light, darker hollows and a small gloss."""
    slope_x, slope_y = (cv2.Sobel(z, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=HEAD_PX / 8) for dx in (1, 0))
    normal = np.dstack([-slope_x, -slope_y, np.ones_like(z)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    lamp = np.asarray(take.light, np.float32) / np.float32(np.linalg.norm(take.light))
    diffuse = np.clip(normal @ lamp, 0, 1)
    hollow = np.clip((z - cv2.GaussianBlur(z, (0, 0), 8)) * 1.2, -0.25, 0.1)
    light = cv2.GaussianBlur(take.ambient + (1 - take.ambient) * 1.15 * diffuse + hollow, (0, 0), 1.0)
    return np.asarray(picture * light[..., None] + 18 * diffuse[..., None] ** 24, np.float32)


def with_skin(head: Head, random: np.random.Generator) -> Picture:
    """Return the bare skin of a face: grain, red cheeks, red tip of the nose, nostrils."""
    speckle = 1 + 0.02 * grain(random, 1.0) + 0.025 * grain(random, 12)
    face = np.asarray(head.skin, np.float32) * speckle[..., None]
    for side in (-1, 1):
        face = cover(face, tint(head.skin, 1.0, 0.82, 0.78), 0.4 * blob(side * 0.42, 0.28, 0.2, 0.16))
    face = cover(face, tint(head.skin, 1.0, 0.85, 0.8), 0.4 * blob(0, head.nose_base - 0.06, 0.12, 0.1))
    for side in (-1, 1):
        nostril = disc(side * head.nose_width * 0.55, head.nose_base + 0.005, 0.04, 0.02, 0.8)
        face = cover(face, tint(head.skin, 0.25, 0.25, 0.25), 0.8 * nostril)
    return face


def with_mouth(face: Picture, head: Head, take: Take) -> Picture:
    """Return the face with lips, and teeth when the mouth is open."""
    red: Colour = (min(255, head.skin[0] * 0.82 + 20), head.skin[1] * 0.52, head.skin[2] * 0.52 + 5)
    width = head.mouth_width * (1 + 0.15 * take.smile)
    across = np.clip(1 - (X / width) ** 2, 0, 1)
    inside = np.abs(X) < width
    middle = head.mouth_y - take.smile * 0.06 * (X / width) ** 2 - 0.012 * np.cos(np.pi * X / width * 1.5)
    gap = take.mouth_open * 0.16 * across
    above = Y - middle + gap * 0.4
    below = Y - middle - gap * 0.6
    upper = head.lips * 0.8 * across**0.8 * (1 - 0.25 * np.exp(-((X / 0.04) ** 2)))
    lower = head.lips * 1.15 * across**0.7
    face = cover(face, tint(red, 0.9, 0.9, 0.9), 0.85 * step(np.minimum(above + upper, -above), 0.015) * inside)
    face = cover(face, red, 0.8 * step(np.minimum(below, lower - below), 0.015) * inside)
    face = cover(face, tint(red, 0.35, 0.35, 0.35), 0.9 * step(0.010 - np.abs(Y - middle), 0.02) * inside)
    hole = step(np.minimum(above, -below), 0.015) * inside * (gap > 0.01)
    face = cover(face, (55, 20, 22), hole)
    return cover(face, (225, 220, 210), hole * np.clip((0.05 - above) / 0.01, 0, 1))


def with_beard(face: Picture, head: Head, random: np.random.Generator) -> Picture:
    """Return the face with beard and moustache; both are absent at 0."""
    hairs = 0.75 + 0.25 * np.clip(grain(random, 0.8, 2.0), -2, 2)
    cheeks = np.clip((Y - 0.40 - 0.25 * (1 - (X / head.face_width) ** 2)) / 0.1, 0, 1)
    chin = np.clip(cheeks - 0.9 * disc(0, head.mouth_y, head.mouth_width * 1.05, 0.09, 0.4), 0, 1)
    lip = disc(0, (head.nose_base + head.mouth_y) / 2 + 0.02, head.mouth_width * 1.05, 0.06, 0.5)
    face = cover(face, head.hair_colour, np.clip(chin * head.beard * hairs, 0, 1))
    return cover(face, head.hair_colour, np.clip(lip * head.moustache * hairs, 0, 1))


def with_eye(face: Picture, head: Head, take: Take, side: int, random: np.random.Generator) -> Picture:
    """Return the face with one eye and its brow; `side` is -1 at the left of the picture."""
    centre = side * head.eye_gap
    outward = (X - centre) * side
    y = Y - head.eye_y + head.eye_tilt * outward
    across = np.clip(1 - (outward / head.eye_width) ** 2, 0, 1)
    top, bottom = -head.eye_open * 1.1 * take.lids * across, head.eye_open * 0.75 * across**1.2
    opening = step(np.minimum(y - top, bottom - y), 0.015) * (across > 0)
    face = cover(face, tint(head.skin, 0.72, 0.72, 0.72),
                 0.6 * blob(centre, head.eye_y - 0.03, head.eye_width * 1.1, head.eye_open * 1.9))  # fmt: skip
    eye = np.asarray((228, 222, 216), np.float32) * (0.72 + 0.28 * np.clip((y - top) / 0.06, 0, 1))[..., None]
    iris_x, iris = centre + 0.05 * take.gaze, head.eye_open * 1.05
    eye = cover(eye, head.iris, disc(iris_x, -0.008, iris, iris, 0.2, y))
    eye = cover(eye, (12, 10, 10), disc(iris_x, -0.008, iris * 0.48, iris * 0.48, 0.3, y))
    eye = cover(eye, (255, 255, 255), disc(iris_x - 0.02, -0.03, 0.016, 0.016, 0.6, y))
    face = cover(face, eye, opening)
    face = cover(face, tint(head.skin, 0.22, 0.22, 0.22), 0.9 * step(0.013 - np.abs(y - top), 0.018) * (across > 0))
    for line, seen in ((y - bottom, across > 0), (y - top + 0.045, across > 0.1)):
        face = cover(face, tint(head.skin, 0.55, 0.55, 0.55), 0.5 * step(0.008 - np.abs(line), 0.025) * seen)
    brow_y = head.eye_y - head.brow_lift - head.brow_tilt * 0.35 * outward + 0.9 * (outward - 0.03) ** 2
    taper = np.clip(1 - ((outward - 0.02) / (head.eye_width * 1.35)) ** 4, 0, 1)
    hairs = 0.7 + 0.3 * np.clip(grain(random, 1.6, 0.8), -2, 2)
    brow = step(head.brow_weight * taper - np.abs(Y - brow_y), 0.025) * taper * hairs
    return cover(face, tint(head.hair_colour, 0.8, 0.8, 0.8), np.clip(brow, 0, 1) * min(1, head.brow_weight * 30))


def with_hair(picture: Picture, head: Head, take: Take, random: np.random.Generator) -> Picture:
    """Return the picture with the hair of the head's style, drawn as strands."""
    off, end = HAIR_STYLES[head.hair]
    width = head.face_width
    wave = 0.02 * grain(random, 6)
    strands = 0.85 + 0.16 * grain(random, 1.0, 9.0) + 0.25 * np.clip(-Y * 0.6 + take.light[0] * X * 0.4, -0.5, 0.8)
    cap = np.clip((1 - np.hypot(X / (width + off + wave), (Y + 0.17) / (1 + off + wave * 0.5))) / 0.05 + 0.5, 0, 1)
    line = {
        "receding": head.hairline - 0.2 + 0.2 * (np.abs(X) / width) ** 2,
        "fringe": head.eye_y - head.brow_lift - 0.04 + 0.15 * (X / width) ** 4 + 0.03 * grain(random, 3, 30),
        "parted": head.hairline + 0.25 * np.abs(X - 0.25) + 0.3 * (X / width) ** 4,
    }.get(head.hair, head.hairline + 0.45 * (X / width) ** 4 + 0.6 * wave)
    top = cap * step(line - Y, 0.05)
    beside = np.clip((np.abs(X) / half_width(head, np.clip(Y, -1, 0.98)) - 0.93) / 0.06, 0, 1)
    temples = cap * beside * step(end - Y, 0.08) * (Y < 0)
    fall = np.clip((width + off + wave + 0.03 * Y - np.abs(X)) / 0.05, 0, 1) * step(end - Y, 0.1) * (Y > -0.2)
    behind = np.clip((np.abs(X) - half_width(head, np.clip(Y, -1, 0.9)) * 0.94) / 0.05, 0, 1)
    mask = np.maximum(np.maximum(top, temples), fall * behind * (end > 0.2)) * (head.hair != "bald")
    return cover(picture, np.asarray(head.hair_colour, np.float32) * strands[..., None] + 4, np.clip(mask, 0, 1))


def with_glasses(picture: Picture, head: Head) -> Picture:
    """Return the picture with the head's glasses, if it wears any."""
    if not head.glasses:
        return picture
    frame: Colour = (25, 22, 22)
    power, radius_x, radius_y = (4, 0.22, 0.17) if head.glasses == "square" else (2, 0.2, 0.2)
    thick = 0.04 if head.glasses == "thin" else 0.09
    centre = head.eye_gap * 1.02
    for side in (-1, 1):
        rim = (np.abs((X - side * centre) / radius_x) ** power
               + np.abs((Y - head.eye_y - 0.03) / radius_y) ** power) ** (1 / power) - 1  # fmt: skip
        picture = cover(picture, frame, 0.95 * step(thick - np.abs(rim), 0.06))
        picture = cover(picture, (225, 235, 245), 0.07 * (rim < 0))
        bow = (side * X > centre + radius_x) & (side * X < head.face_width * 0.98)
        picture = cover(picture, frame, step(0.018 - np.abs(Y - head.eye_y), 0.02) * bow)
    bridge = step(0.016 - np.abs(Y - head.eye_y + 0.03 * np.cos(6 * X)), 0.02)
    return cover(picture, frame, bridge * (np.abs(X) < centre - radius_x))


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


def encode(picture: NDArray[np.uint8], kind: str) -> bytes:
    """Return the bytes of a picture as `jpg`, `webp` or `png` (256 colours, to stay small)."""
    image, out = Image.fromarray(picture), io.BytesIO()
    if kind == "jpg":
        image.save(out, "JPEG", quality=85)
    elif kind == "webp":
        image.save(out, "WEBP", quality=82, method=4)
    else:
        image.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def capture(learner: int, take: Take, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of a learner; number 1 is the photo, the others are painted."""
    if learner == 1:
        return shoot(photograph(take), take, size_px, seed=0)
    head = draw_head(LEARNER_SEEDS[learner - 2])
    return shoot(paint(head, take), take, size_px, head.seed)


def learners() -> dict[str, bytes]:
    """Return file name and bytes of every reference photo and good snapshot."""
    files = {}
    for learner in range(1, len(LEARNER_SEEDS) + 2):
        folder = f"learner-{learner:02d}"
        files[f"{folder}/reference.jpg"] = encode(capture(learner, REFERENCE, REFERENCE_PX), "jpg")
        for take, kind in zip(SNAPSHOTS, ("jpg", "webp", "jpg"), strict=True):
            files[f"{folder}/snapshot-{take.number}.{kind}"] = encode(capture(learner, take, SNAPSHOT_PX), kind)
    return files


def specials() -> list[tuple[str, int, list[str], str, bytes]]:
    """Return file, learner it was sent for, reasons against it, what it shows, and bytes of pictures with a fault."""
    one, two, three = SNAPSHOTS
    dark, bright = replace(one, number=4, gain=0.15, noise=2), replace(one, number=5, gain=2.6)
    blurred, far = replace(three, number=6, blur_px=3.8, gain=1.0, noise=1), replace(one, number=7, zoom=0.22)

    def snap(learner: int, take: Take) -> bytes:
        return encode(capture(learner, take, SNAPSHOT_PX), "jpg")

    def half(learner: int, take: Take) -> NDArray[np.uint8]:
        return capture(learner, replace(take, zoom=0.8), SNAPSHOT_PX)[:, 60:260]

    stranger = shoot(paint(draw_head(STRANGER_SEED), one), one, SNAPSHOT_PX, STRANGER_SEED)
    empty = shoot(room(np.random.default_rng(31)), one, SNAPSHOT_PX, seed=31)
    replayed = encode(capture(1, REFERENCE, REFERENCE_PX), "webp")
    return [
        ("wrong-person.jpg", 4, [], "a stranger sits in for the learner", encode(stranger, "jpg")),
        ("no-face.png", 2, ["no_face"], "an empty room", encode(empty, "png")),
        ("two-faces.jpg", 5, ["several_faces"], "two people before the camera",
         encode(np.hstack([half(5, two), half(8, three)]), "jpg")),
        ("dark.jpg", 3, ["too_dark"], "a room without light", snap(3, dark)),
        ("bright.jpg", 8, ["too_bright"], "over-exposed", snap(8, bright)),
        ("blurred.jpg", 12, ["too_blurred"], "out of focus", snap(12, blurred)),
        ("small.jpg", 10, ["too_small"], "far from the camera", snap(10, far)),
        ("replayed-reference.webp", 1, [], "the reference photo itself, re-encoded", replayed),
    ]  # fmt: skip


def catalogue() -> tuple[dict[str, bytes], bytes]:
    """Return all files by name, and the bytes of `catalogue.json`, which lists them."""
    files = learners()
    people = []
    for learner in range(1, len(LEARNER_SEEDS) + 2):
        own = sorted(name for name in files if name.startswith(f"learner-{learner:02d}/snapshot"))
        people.append({"learner": f"learner-{learner:02d}", "origin": "photo" if learner == 1 else "painted",
                       "reference": f"learner-{learner:02d}/reference.jpg", "snapshots": own})  # fmt: skip
    odd = []
    for name, learner, reasons, shows, content in specials():
        files[f"special/{name}"] = content
        odd.append({"file": f"special/{name}", "learner": f"learner-{learner:02d}", "reasons": reasons, "shows": shows})
    listing = json.dumps({"learners": people, "specials": odd}, indent=2) + "\n"
    return files, listing.encode()


def table() -> str:
    """Return the Markdown table of measured distances between the pictures in the folder."""
    listing = json.loads((FOLDER / "catalogue.json").read_text())
    vectors = {
        p["learner"]: enrol_reference((FOLDER / p["reference"]).read_bytes()).vector for p in listing["learners"]
    }
    lines = ["| learner | own snapshots | nearest other reference |", "| --- | --- | --- |"]
    for person in listing["learners"]:
        own = vectors[person["learner"]]
        shots = [inspect((FOLDER / name).read_bytes(), own).distance for name in person["snapshots"]]
        near, name = min((distance(own, other), name) for name, other in vectors.items() if name != person["learner"])
        lines.append(f"| {person['learner']} | {', '.join(f'{shot:.2f}' for shot in shots)} | {near:.2f} ({name}) |")
    lines += ["", "| special | sent for | reasons | faces | distance |", "| --- | --- | --- | --- | --- |"]
    for odd in listing["specials"]:
        seen = inspect((FOLDER / odd["file"]).read_bytes(), vectors[odd["learner"]])
        far = "–" if seen.distance is None else f"{seen.distance:.2f}"
        lines.append(f"| {odd['file']} | {odd['learner']} | {', '.join(seen.reasons) or '–'} | {seen.faces} | {far} |")
    return "\n".join(lines)


def main() -> None:
    """Write the folder, or print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--table", action="store_true", help="print measured distances instead of writing files")
    if arguments.parse_args().table:
        print(table())
        return
    files, listing = catalogue()
    for name, content in files.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(content)
    (FOLDER / "catalogue.json").write_bytes(listing)
    print(f"{len(files)} pictures, {sum(map(len, files.values()))} bytes in {FOLDER}")


if __name__ == "__main__":
    main()
