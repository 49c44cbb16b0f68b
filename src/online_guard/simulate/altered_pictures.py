"""One picture sent again, altered so that it isn't the same file: what a likeness search must see through."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from online_guard.faces.decode import RgbPixels

Alteration = Callable[[RgbPixels], RgbPixels]


def _encoded(quality: int) -> Alteration:
    """Return what JPEG at a quality does to a picture."""

    def alter(pixels: RgbPixels) -> RgbPixels:
        _, content = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.ascontiguousarray(np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])

    return alter


def _scaled(scale: float) -> Alteration:
    """Return a picture of another size."""
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return lambda pixels: np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def _cropped(pixels: RgbPixels) -> RgbPixels:
    """Return a picture without 3 % at each edge."""
    height, width = pixels.shape[:2]
    down, across = round(0.03 * height), round(0.03 * width)
    return np.ascontiguousarray(pixels[down : height - down, across : width - across])


def _turned(degrees: float) -> Alteration:
    """Return a picture turned about its middle; its corners become black."""

    def alter(pixels: RgbPixels) -> RgbPixels:
        height, width = pixels.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        return np.asarray(cv2.warpAffine(pixels, turn, (width, height)), np.uint8)

    return alter


def _noisy(pixels: RgbPixels) -> RgbPixels:
    """Return a picture with noise of sigma 10 grey levels in each colour."""
    noise = np.random.default_rng(pixels.size).normal(0, 10, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _blurred(sigma: float) -> Alteration:
    """Return a picture under a Gaussian blur, px."""
    return lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def _gamma(power: float) -> Alteration:
    """Return a picture with another gamma."""
    table = np.round(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return lambda pixels: table[pixels]


def _speckled(pixels: RgbPixels) -> RgbPixels:
    """Return a picture with 50 black or white pixels."""
    random = np.random.default_rng(pixels.size)
    rows, columns = random.integers(0, pixels.shape[0], 50), random.integers(0, pixels.shape[1], 50)
    altered = pixels.copy()
    altered[rows, columns] = random.choice(np.array([0, 255], np.uint8), (50, 1))
    return altered


def _mirrored(pixels: RgbPixels) -> RgbPixels:
    """Return a picture turned left to right."""
    return np.ascontiguousarray(pixels[:, ::-1])


def _lettered(words: str, *, at_top: bool) -> Alteration:
    """Return a picture with a white line of text, a twelfth of its width high."""

    def alter(pixels: RgbPixels) -> RgbPixels:
        height, width = pixels.shape[:2]
        size = width / 400
        place = (round(8 * size), round(24 * size) + 4 if at_top else height - round(12 * size))
        white, thick = (255, 255, 255), max(1, round(2 * size))
        altered = pixels.copy()
        cv2.putText(altered, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7 * size, white, thick, cv2.LINE_AA)
        return altered

    return alter


def _both(one: Alteration, other: Alteration) -> Alteration:
    """Return one alteration after the other."""
    return lambda pixels: other(one(pixels))


ALTERATIONS: dict[str, Alteration] = {
    "jpeg 90": _encoded(90),
    "jpeg 40": _encoded(40),
    "scale 0.5": _scaled(0.5),
    "scale 0.75": _scaled(0.75),
    "scale 1.5": _scaled(1.5),
    "crop 3 %": _cropped,
    "turn 2°": _turned(2),
    "turn -2°": _turned(-2),
    "noise 10": _noisy,
    "blur 2": _blurred(2),
    "blur 4": _blurred(4),
    "gamma 0.7": _gamma(0.7),
    "gamma 1.4": _gamma(1.4),
    "50 pixels": _speckled,
    "mirror": _mirrored,
    "clock": _lettered("2024-05-01 12:34:56", at_top=True),
    "text": _lettered("REC learner 0042", at_top=False),
}
"""Each alteration of its own; the same picture always gives the same."""

TWO_ALTERATIONS: dict[str, Alteration] = {
    f"{one}, {other}": _both(ALTERATIONS[one], ALTERATIONS[other])
    for one, other in (
        ("gamma 0.7", "jpeg 40"),
        ("gamma 1.4", "jpeg 40"),
        ("mirror", "jpeg 40"),
        ("crop 3 %", "jpeg 40"),
        ("noise 10", "jpeg 40"),
        ("blur 2", "jpeg 40"),
        ("clock", "jpeg 40"),
        ("scale 0.5", "jpeg 40"),
        ("turn 2°", "crop 3 %"),
        ("mirror", "turn 2°"),
        ("crop 3 %", "clock"),
        ("gamma 0.7", "blur 2"),
    )
}
"""One after the other."""
