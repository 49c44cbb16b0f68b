"""Is the face before the camera a print or a screen? The passive check: a score, and a decision where one is fair.

Without an operator's model the project's own six cues decide; `models/README.md` says how weak they are. Their decision
leads to review by a person, never to refusal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .decode import RgbPixels
from .identity import Face
from .surface_cues import CUE_NAMES, measure_cues

OWN_CUES_FILE = "presented_attack.json"
"""Beside this module; written by `scripts/train_presented_attack.py`."""


class Decision(StrEnum):
    """What the passive check says of a face."""

    LIVE = "live"
    ATTACK = "attack"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True)
class PresentedAttack:
    """Outcome of the passive check.

    Attributes:
        score: 0 to 1, the higher the more like a print or a screen; None when not evaluable.
        decision: What follows from it.
    """

    score: float | None
    decision: Decision

    @property
    def flag(self) -> bool | None:
        """Return what rows call `presented_attack`: whether it is an attack, None when that can't be told."""
        return None if self.decision is Decision.NOT_EVALUABLE else self.decision is Decision.ATTACK


class Check(Protocol):
    """What gives a score: the own cues, or `operator_model.OperatorModel`."""

    @property
    def threshold(self) -> float:
        """Return the score from which on a face is an attack."""

    def score(self, pixels: RgbPixels, face: Face) -> float | None:
        """Return 0 to 1, the higher the more like an attack, or None when not evaluable."""


@dataclass(frozen=True)
class OwnCues:
    """Logistic regression over `SurfaceCues`: score = 1 / (1 + exp(-(bias + Σ weight × (cue - mean) / spread)))."""

    bias: float
    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    threshold: float

    def score(self, pixels: RgbPixels, face: Face) -> float | None:
        """Return the score of a face, None where the cues can't be measured."""
        cues = measure_cues(pixels, face)
        if cues is None:
            return None
        # Beyond 4 spreads a cue was never seen in training: it says no more than that it is far out.
        far = np.clip((cues.as_array() - self.mean) / self.spread, -4, 4)
        return float(1 / (1 + np.exp(-(self.bias + self.weight @ far))))


@cache
def own_cues() -> OwnCues:
    """Return the project's own check, as trained."""
    said = json.loads(files(__package__).joinpath(OWN_CUES_FILE).read_text(encoding="utf-8"))
    columns = {key: np.array([said["cues"][name][key] for name in CUE_NAMES]) for key in ("weight", "mean", "spread")}
    return OwnCues(bias=said["bias"], threshold=said["threshold"], **columns)


def judge_picture(pixels: RgbPixels, face: Face, check: Check | None = None) -> PresentedAttack:
    """Return what the passive check says of one face.

    Args:
        pixels: RGB picture, rows × columns × 3, as decoded: never scaled or filtered before.
        face: Its box in that picture.
        check: An operator's model (`operator_model.load_operator_model`); the own cues without one.
    """
    return _judged(_scores((pixels,), (face,), check), check)


def judge_frames(
    frames: Sequence[RgbPixels], faces: Sequence[Face | None], check: Check | None = None
) -> PresentedAttack:
    """Return what the passive check says of some frames of a clip: the median of the frames that can be judged.

    Args:
        frames: RGB pictures of one person.
        faces: The face in each; None where none was found.
        check: As in `judge_picture`.

    Raises:
        ValueError: The numbers of frames and faces differ.
    """
    return _judged(_scores(frames, faces, check), check)


def _scores(frames: Sequence[RgbPixels], faces: Sequence[Face | None], check: Check | None) -> list[float]:
    """Return the scores of the frames that have one."""
    using = check or own_cues()
    found = (using.score(pixels, face) for pixels, face in zip(frames, faces, strict=True) if face is not None)
    return [score for score in found if score is not None]


def _judged(scores: list[float], check: Check | None) -> PresentedAttack:
    if not scores:
        return PresentedAttack(None, Decision.NOT_EVALUABLE)
    score = float(np.median(scores))
    attack = score >= (check or own_cues()).threshold
    return PresentedAttack(score, Decision.ATTACK if attack else Decision.LIVE)
