"""What a painted head is made of: relief and light, skin, mouth, beard, eyes, hair and glasses."""

from __future__ import annotations

import cv2
import numpy as np

from .head_canvas import HEAD_PX, Colour, Picture, Plane, X, Y, blob, cover, disc, grain, step, tint
from .head_people import HAIR_STYLES, Head, Take


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
