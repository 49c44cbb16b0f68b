"""Is the face before the camera a print or a screen? The passive check: a score, and a decision where one is fair.

Without an operator's model the project's own check decides: it sees screens and prints only where they leave stripes
(`models/README.md` has its error rates). What it says leads to review by a person, never to refusal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from math import exp
from typing import Protocol

import numpy as np

from .decode import RgbPixels
from .identity import Face
from .stripes import stripes

OWN_CHECK_FILE = "presented_attack.json"
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
    """What gives a score: `Stripes`, or `operator_model.OperatorModel`."""

    @property
    def threshold(self) -> float:
        """Return the score from which on a face is an attack."""

    def score(self, pixels: RgbPixels, face: Face) -> float | None:
        """Return 0 to 1, the higher the more like an attack, or None when not evaluable."""


@dataclass(frozen=True)
class Stripes:
    """The project's own check: score = 1 / (1 + exp(-(bias + weight × stripes))), a logistic regression of one cue.

    Source: `scripts/train_presented_attack.py`; `models/README.md` says on what it was trained, and how weak it is.
    """

    bias: float
    weight: float
    threshold: float

    def score(self, pixels: RgbPixels, face: Face) -> float | None:
        """Return the score of a face, None where stripes can't be measured."""
        measured = stripes(pixels, face)
        return None if measured is None else 1 / (1 + exp(-(self.bias + self.weight * measured)))


@cache
def own_check() -> Stripes:
    """Return the project's own check, as trained."""
    return Stripes(**json.loads(files(__package__).joinpath(OWN_CHECK_FILE).read_text(encoding="utf-8")))


def judge_picture(pixels: RgbPixels, face: Face, check: Check | None = None) -> PresentedAttack:
    """Return what the passive check says of one face.

    Args:
        pixels: RGB picture, rows × columns × 3, as decoded: never scaled or filtered before.
        face: Its box in that picture.
        check: An operator's model (`operator_model.load_operator_model`); the project's own check without one.
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
    using = check or own_check()
    found = (using.score(pixels, face) for pixels, face in zip(frames, faces, strict=True) if face is not None)
    return [score for score in found if score is not None]


def _judged(scores: list[float], check: Check | None) -> PresentedAttack:
    if not scores:
        return PresentedAttack(None, Decision.NOT_EVALUABLE)
    score = float(np.median(scores))
    attack = score >= (check or own_check()).threshold
    return PresentedAttack(score, Decision.ATTACK if attack else Decision.LIVE)
