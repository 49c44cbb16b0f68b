"""Trains the passive check's six-cue model and writes `src/online_guard/faces/presented_attack.json`.

Trained on: captures made by `online_guard.simulate.recaptures` of painted heads (`sample_media/`) and of pictures that
scikit-image ships (NASA's astronaut, a cat, a coffee cup, a motorcycle, bricks, grass): no other photo of a person. The
same versions of NumPy, OpenCV and scikit-image give the same numbers. Takes about four minutes on one core.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from online_guard.faces.decode import decode
from online_guard.faces.identity import find_faces
from online_guard.faces.surface_cues import CUE_NAMES, measure_cues
from online_guard.simulate.recaptures import SPECIES, Picture, draw_camera, taken

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "src" / "online_guard" / "faces" / "presented_attack.json"

TRAINED_LEARNERS = range(1, 9)
"""The painted heads of learners 9 to 12 are kept for measuring."""
TRAINED_PICTURES = ("chelsea", "coffee", "motorcycle_left", "brick", "grass")
ROUNDS = 24
"""Captures of each scene and kind."""
RIDGE = 1.0
"""Weight of the squared weights, in captures."""
HONEST_ABOVE = 0.002
"""Share of the genuine training captures that may lie at or above the threshold."""


def face_scene(name: str) -> Picture:
    """Return a square of twice the face's box from a picture of the sample media."""
    pixels = decode((ROOT / "sample_media" / name).read_bytes())
    face = find_faces(pixels)[0]
    half = face.size_px
    centre_x, centre_y = (face.left + face.right) // 2, (face.top + face.bottom) // 2
    wide = cv2.copyMakeBorder(pixels, half, half, half, half, cv2.BORDER_REFLECT)
    return wide[centre_y : centre_y + 2 * half, centre_x : centre_x + 2 * half].astype(np.float32) / 255


def picture_scene(name: str, random: np.random.Generator) -> Picture:
    """Return a random square of one of scikit-image's pictures: what cameras see, though no face."""
    folder = Path(skimage.data.__file__).parent
    file = next(folder.glob(f"{name}.*"))
    pixels = cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    side = int(random.integers(200, min(420, *pixels.shape[:2]) + 1))
    top, left = (int(random.integers(0, length - side + 1)) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side].astype(np.float32) / 255


def captures(learners: range, pictures: tuple[str, ...], rounds: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return the cues of captures: `genuine` and each species → captures × cues."""
    found: dict[str, list[NDArray[np.float64]]] = {"genuine": [], **{name: [] for name in SPECIES}}
    faces = [face_scene(f"learner-{learner:02d}/reference.jpg") for learner in learners]
    for number in range(rounds):
        random = np.random.default_rng([seed, number])
        scenes = faces + [picture_scene(name, random) for name in pictures]
        for scene in scenes:
            for kind, take in {"genuine": taken, **SPECIES}.items():
                cues = measure_cues(*take(scene, draw_camera(random), random))
                if cues is not None:
                    found[kind].append(cues.as_array())
    return {kind: np.array(rows) for kind, rows in found.items()}


def fit(genuine: NDArray[np.float64], attacks: NDArray[np.float64]) -> dict[str, Any]:
    """Return bias, weights and standardisation of a ridge logistic regression, both classes of equal weight."""
    cues = np.vstack([genuine, attacks])
    label = np.repeat([0.0, 1.0], [len(genuine), len(attacks)])
    share = np.repeat([0.5 / len(genuine), 0.5 / len(attacks)], [len(genuine), len(attacks)]) * len(cues)
    mean, spread = genuine.mean(axis=0), genuine.std(axis=0)
    rows = np.column_stack([np.ones(len(cues)), np.clip((cues - mean) / spread, -4, 4)])
    ridge = np.diag([0.0] + [RIDGE] * cues.shape[1])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):  # Newton's method; it settles within ten steps
        said = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (share * (said - label)) + ridge @ weights
        weights -= np.linalg.solve((rows * (share * said * (1 - said))[:, None]).T @ rows + ridge, slope)
    honest = 1 / (1 + np.exp(-rows[: len(genuine)] @ weights))
    threshold = float(np.ceil(np.quantile(honest, 1 - HONEST_ABOVE) * 100) / 100)
    columns = {"weight": weights[1:], "mean": mean, "spread": spread}
    return {
        "threshold": threshold,
        "bias": round(float(weights[0]), 4),
        "cues": {
            name: {key: round(float(values[number]), 4) for key, values in columns.items()}
            for number, name in enumerate(CUE_NAMES)
        },
    }


def main() -> None:
    """Write the model and say how it separates its own training captures."""
    cv2.setNumThreads(1)
    found = captures(TRAINED_LEARNERS, TRAINED_PICTURES, ROUNDS, seed=1)
    model = fit(found["genuine"], np.vstack([found[name] for name in SPECIES]))
    WRITTEN.write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    print({kind: len(rows) for kind, rows in found.items()}, WRITTEN.read_text())


if __name__ == "__main__":
    main()
