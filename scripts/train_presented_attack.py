"""Trains the passive check's own model and writes `src/online_guard/faces/presented_attack.json`.

Trained on captures made by `online_guard.simulate.recaptures` of painted heads (`sample_media/`; learner-01 is NASA's
astronaut) and of two pictures that scikit-image ships (a cat, a motorcycle), and on squares of these two as they are.
No other photo of a person enters. The same versions of NumPy, OpenCV and scikit-image give the same numbers. Takes
about four minutes on one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from online_guard.faces.decode import RgbPixels, decode
from online_guard.faces.identity import Face, find_faces
from online_guard.faces.stripes import stripes
from online_guard.simulate.recaptures import SPECIES, Picture, draw_camera, taken

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "src" / "online_guard" / "faces" / "presented_attack.json"

LEARNERS = range(1, 9)
"""Learners 9 to 12 of the sample media are kept for measuring."""
PICTURES = ("chelsea", "motorcycle_left")
"""Pictures of scikit-image; others are kept for measuring."""
ROUNDS = 20
"""Captures of each scene and kind; squares of each picture come four times as often."""
SEED = 1
MARGIN = 0.3
"""How far beyond the most striped genuine capture the threshold lies, log10 of power (twice): a false accusation costs
more than a print that is caught by other means."""

Capture = tuple[str, RgbPixels, Face]
"""`genuine` or the species of the attack, the picture, and the place of the face (or of what stands for one)."""


def made_captures(learners: range, pictures: tuple[str, ...], rounds: int, seed: int) -> Iterator[Capture]:
    """Yield captures of heads and pictures: each scene itself, a print and a screen, by cameras drawn anew."""
    faces = [_face_scene(f"learner-{learner:02d}/reference.jpg") for learner in learners]
    for number in range(rounds):
        random = np.random.default_rng([seed, number])
        for scene in faces + [_picture_scene(name, random) for name in pictures]:
            for kind, take in {"genuine": taken, **SPECIES}.items():
                yield kind, *take(scene, draw_camera(random), random)


def squares(pictures: tuple[str, ...], count: int, seed: int) -> Iterator[Capture]:
    """Yield random squares of face size of scikit-image's pictures, as their cameras made them."""
    for name in pictures:
        random, pixels = np.random.default_rng([seed, 99]), _picture(name)
        for _ in range(count):
            side = int(random.integers(80, 200))
            top, left = (int(random.integers(0, length - side + 1)) for length in pixels.shape[:2])
            yield "genuine", pixels, Face(left, top, left + side, top + side, 1.0)


def fit(measured: NDArray[np.float64], attack: NDArray[np.bool_]) -> dict[str, float]:
    """Return bias and weight of a logistic regression, and a threshold above every genuine capture.

    Args:
        measured: Stripes of each capture.
        attack: What each capture is.
    """
    rows = np.column_stack([np.ones(len(measured)), measured])
    weights = np.zeros(2)
    for _ in range(50):  # Newton's method; it settles within ten steps
        said = _logistic(rows @ weights)
        weights -= np.linalg.solve((rows * (said * (1 - said))[:, None]).T @ rows, rows.T @ (said - attack))
    bias, weight = np.round(weights, 3).tolist()
    limit = measured[~attack].max() + MARGIN
    return {"bias": bias, "weight": weight, "threshold": round(float(_logistic(bias + weight * limit)), 3)}


def _logistic(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def main() -> None:
    """Write the model and say how it separates its own training captures."""
    cv2.setNumThreads(1)
    found = [
        (measured, kind != "genuine")
        for captures in (made_captures(LEARNERS, PICTURES, ROUNDS, SEED), squares(PICTURES, 4 * ROUNDS, SEED))
        for kind, pixels, face in captures
        if (measured := stripes(pixels, face)) is not None
    ]
    measured, attack = (np.array(column) for column in zip(*found, strict=True))
    model = fit(measured, attack)
    WRITTEN.write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    print(f"{len(found)} captures, {attack.sum()} of them attacks: {model}")


def _face_scene(name: str) -> Picture:
    """Return a square of twice the face's box from a picture of the sample media."""
    pixels = decode((ROOT / "sample_media" / name).read_bytes())
    face = find_faces(pixels)[0]
    half = face.size_px
    centre_x, centre_y = (face.left + face.right) // 2, (face.top + face.bottom) // 2
    wide = cv2.copyMakeBorder(pixels, half, half, half, half, cv2.BORDER_REFLECT)
    return wide[centre_y : centre_y + 2 * half, centre_x : centre_x + 2 * half].astype(np.float32) / 255


def _picture_scene(name: str, random: np.random.Generator) -> Picture:
    """Return a random square of one of scikit-image's pictures: what cameras see, though no face."""
    pixels = _picture(name)
    side = int(random.integers(200, min(420, *pixels.shape[:2]) + 1))
    top, left = (int(random.integers(0, length - side + 1)) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side].astype(np.float32) / 255


def _picture(name: str) -> RgbPixels:
    """Return one of the pictures that lie in scikit-image's package."""
    file = next(Path(skimage.data.__file__).parent.glob(f"{name}.*"))
    return np.asarray(cv2.imread(str(file), cv2.IMREAD_COLOR_RGB), np.uint8)


if __name__ == "__main__":
    main()
