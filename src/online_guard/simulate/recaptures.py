"""Pictures as a camera takes them: of the scene itself, of a print of it, of a screen that shows it.

All three go through the same drawn camera, so that nothing but paper or screen tells them apart. A scene is a float
picture, rows × columns × RGB, 0 to 1, square, in which the face fills the middle half. Lengths are in camera pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.faces.decode import RgbPixels
from online_guard.faces.identity import Face

Picture = NDArray[Any]
"""Rows × columns × RGB, float32, 0 to 1."""

FINENESS = 4
"""Samples per camera pixel and direction at which paper, screen and lens are worked out."""


@dataclass(frozen=True)
class Camera:
    """One way to take and store a picture.

    Attributes:
        face_px: Width of the face's box in the stored picture.
        roll_deg: Turn of the camera, and so of a screen's grid.
        blur_px: Sigma of the lens.
        noise: Sigma of the sensor's noise at middle grey, of 1.
        sensor: Sensor pixels per stored pixel.
        sharpening: How much of the difference to a blurred copy the camera adds.
        smoothing: Sigma in colour of the camera's noise filter, of 255; 0 for none.
        gain: Exposure.
        gamma: Tone curve.
        quality: Of the JPEG.
    """

    face_px: int
    roll_deg: float
    blur_px: float
    noise: float
    sensor: float
    sharpening: float
    smoothing: float
    gain: float
    gamma: float
    quality: int


def draw_camera(random: np.random.Generator, face_px: tuple[int, int] = (80, 180)) -> Camera:
    """Return a camera such as laptops and phones have, from the poor to the good."""
    return Camera(
        face_px=int(random.integers(face_px[0], face_px[1] + 1)),
        roll_deg=float(random.normal(0, 4)),
        blur_px=float(random.uniform(0.3, 1.1)),
        noise=float(random.uniform(0.002, 0.03)),
        sensor=float(random.choice([1.0, 1.0, 1.3])),
        sharpening=float(random.choice([0.0, 0.0, random.uniform(0.2, 1.0)])),
        smoothing=float(random.choice([0.0, 0.0, random.uniform(5, 25)])),
        gain=float(random.uniform(0.7, 1.25)),
        gamma=float(random.uniform(0.8, 1.25)),
        quality=int(random.integers(60, 96)),
    )


def taken(scene: Picture, camera: Camera, random: np.random.Generator) -> tuple[RgbPixels, Face]:
    """Return the picture of the scene itself, and the face's box in it."""
    return _shoot(_laid_out(scene, camera), camera, random)


def taken_of_print(scene: Picture, camera: Camera, random: np.random.Generator) -> tuple[RgbPixels, Face]:
    """Return the picture of a print: paler colours, lifted black, a halftone of drawn pitch (or none), paper, lamp."""
    seen = _paled(cv2.GaussianBlur(_laid_out(scene, camera), (0, 0), FINENESS * random.uniform(0.2, 1.2)), random)
    if random.random() < 0.7:
        seen = _halftone(seen, FINENESS * float(random.uniform(0.8, 3.5)) * camera.sensor, random)
    grain = cv2.GaussianBlur(random.standard_normal(seen.shape[:2]).astype(np.float32), (0, 0), FINENESS * 0.7)
    paper = 1 + random.uniform(0.0, 0.03) * grain / grain.std()
    black, white = random.uniform(0.04, 0.2), random.uniform(0.75, 0.95)
    return _shoot(_lamp((black + (white - black) * seen) * paper[..., None], random), camera, random)


def taken_of_screen(scene: Picture, camera: Camera, random: np.random.Generator) -> tuple[RgbPixels, Face]:
    """Return the picture of a screen: its grid of coloured stripes, its tone curve and tint, and glare."""
    pitch = FINENESS * float(random.uniform(0.6, 3.0)) * camera.sensor
    shown = np.clip(_in_cells(_laid_out(scene, camera), pitch), 0, 1) ** random.uniform(0.8, 1.3)
    lit = shown * _grid(shown.shape[0], pitch, camera.roll_deg + float(random.normal(0, 3)), random)
    tint = np.float32(1) + random.uniform(-0.1, 0.1, 3).astype(np.float32)
    glare = random.uniform(0.0, 0.15)
    return _shoot(_lamp(glare + (1 - glare) * lit * tint, random), camera, random)


SPECIES: dict[str, Callable[[Picture, Camera, np.random.Generator], tuple[RgbPixels, Face]]] = {
    "print": taken_of_print,
    "screen": taken_of_screen,
}
"""The made attacks by what ISO/IEC 30107-3 calls their species."""


def _laid_out(scene: Picture, camera: Camera) -> Picture:
    """Return the scene, turned, at FINENESS samples per sensor pixel."""
    side = round(2 * camera.face_px * camera.sensor) * FINENESS
    height, width = scene.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), camera.roll_deg, side / width)
    turn[0, 2] += (side - width) / 2
    turn[1, 2] += (side - height) / 2
    flags = cv2.INTER_CUBIC
    return np.asarray(
        np.clip(cv2.warpAffine(scene, turn, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT), 0, 1), np.float32
    )


def _paled(picture: Picture, random: np.random.Generator) -> Picture:
    """Return the colours that a printer can make: less saturated, a little shifted."""
    grey = picture.mean(axis=2, keepdims=True)
    cast = 1 + random.uniform(-0.06, 0.06, 3)
    return np.asarray(np.clip((grey + (picture - grey) * random.uniform(0.5, 0.95)) * cast, 0, 1), np.float32)


def _halftone(picture: Picture, cell: float, random: np.random.Generator) -> Picture:
    """Return the picture as dots of cyan, magenta and yellow on turned grids; `cell` in samples."""
    side = picture.shape[0]
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    inked = picture.copy()
    strength = random.uniform(0.3, 1.0)
    for plane, angle in enumerate(np.deg2rad(np.array([15, 75, 45]) + random.uniform(-10, 10))):
        along = (columns * np.cos(angle) + rows * np.sin(angle)) * (2 * np.pi / cell)
        across = (rows * np.cos(angle) - columns * np.sin(angle)) * (2 * np.pi / cell)
        screen = 0.5 + (np.cos(along) + np.cos(across)) / 4
        dots = np.clip((picture[..., plane] - screen) * 4 + 0.5, 0, 1)
        inked[..., plane] = (1 - strength) * picture[..., plane] + strength * dots
    return inked


def _in_cells(picture: Picture, pitch: float) -> Picture:
    """Return the picture at a screen's own pixels of `pitch` samples, and back at its size."""
    side = picture.shape[0]
    cells = max(8, round(side / pitch))
    small = cv2.resize(picture, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_NEAREST), np.float32)


def _grid(side: int, pitch: float, angle_deg: float, random: np.random.Generator) -> Picture:
    """Return how much light each sample of a screen of red, green and blue stripes gives, 1 on average."""
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    angle = np.deg2rad(angle_deg)
    along = (columns * np.cos(angle) + rows * np.sin(angle)) / pitch
    down = (rows * np.cos(angle) - columns * np.sin(angle)) / pitch
    depth = random.uniform(0.3, 1.0)
    gap = 1 - depth * 0.5 * (1 + np.cos(2 * np.pi * down)) ** 4 / 16
    stripes = [1 + depth * np.cos(2 * np.pi * (along - third / 3)) for third in range(3)]
    light = np.dstack([stripe * gap for stripe in stripes])
    return np.asarray(light / light.mean(), np.float32)


def _lamp(picture: Picture, random: np.random.Generator) -> Picture:
    """Return a flat picture lit unevenly, as paper and glass are."""
    side = picture.shape[0]
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    slope = 1 + random.uniform(-0.4, 0.4) * rows + random.uniform(-0.4, 0.4) * columns
    return np.asarray(picture * slope[..., None], np.float32)


def _shoot(light: Picture, camera: Camera, random: np.random.Generator) -> tuple[RgbPixels, Face]:
    """Return what the camera stores of the light that reaches it: lens, sensor with colour filters, noise, JPEG."""
    lens = FINENESS * camera.blur_px
    sensor_side = light.shape[0] // FINENESS
    seen: Picture = cv2.resize(
        cv2.GaussianBlur(light, (0, 0), lens), (sensor_side, sensor_side), interpolation=cv2.INTER_AREA
    )
    seen = np.clip(seen * camera.gain, 0, 1) ** camera.gamma
    raw: Picture = seen[..., 1].copy()
    raw[0::2, 0::2], raw[1::2, 1::2] = seen[0::2, 0::2, 0], seen[1::2, 1::2, 2]
    raw += camera.noise * np.sqrt(raw + 0.1) * random.standard_normal(raw.shape)
    sixteen = np.asarray(np.clip(raw, 0, 1) * 65535, np.uint16)
    picture: Picture = cv2.cvtColor(sixteen, cv2.COLOR_BayerRGGB2RGB).astype(np.float32) / 257
    side = 2 * camera.face_px
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    if camera.smoothing:
        picture = cv2.bilateralFilter(picture, 5, camera.smoothing, 1.5)
    picture = picture + camera.sharpening * (picture - cv2.GaussianBlur(picture, (0, 0), 1.0))
    stored = cv2.cvtColor(np.asarray(np.clip(picture, 0, 255), np.uint8), cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, camera.quality])
    pixels = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB), np.uint8)
    edge = camera.face_px // 2
    return pixels, Face(edge, edge, edge + camera.face_px, edge + camera.face_px, 1.0)
