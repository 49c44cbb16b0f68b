"""Who is painted, and how a picture is taken: the parameters of a head and of a take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .head_canvas import Colour

LEARNER_SEEDS = (472, 898, 31, 74, 90, 778, 199, 625, 683, 73, 147)
"""Heads that are more than 0.6 apart for dlib, searched among the first 900 seeds; learner-01 is the photo."""
LEARNERS = 1 + len(LEARNER_SEEDS)
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
