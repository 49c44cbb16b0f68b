"""The passive check: what is decided from scores, and what the own cues see."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from online_guard.faces.decode import RgbPixels
from online_guard.faces.identity import Face
from online_guard.faces.presented_attack import Decision, PresentedAttack, judge_frames, judge_picture

PIXELS = np.zeros((200, 200, 3), np.uint8)
FACE = Face(50, 50, 150, 150, 1.0)


@dataclass
class Scores:
    """A check that gives one score after another."""

    given: list[float | None]
    threshold: float = 0.5
    seen: list[Face] = field(default_factory=list)

    def score(self, pixels: RgbPixels, face: Face) -> float | None:
        self.seen.append(face)
        return self.given[len(self.seen) - 1]


@pytest.mark.parametrize(
    ("score", "decision", "flag"),
    [(0.49, Decision.LIVE, False), (0.5, Decision.ATTACK, True), (0.51, Decision.ATTACK, True),
     (None, Decision.NOT_EVALUABLE, None)],
)  # fmt: skip
def test_a_score_is_compared_with_the_threshold(score: float | None, decision: Decision, flag: bool | None) -> None:
    said = judge_picture(PIXELS, FACE, Scores([score]))
    assert (said, said.flag) == (PresentedAttack(score, decision), flag)


def test_a_clip_has_the_median_of_the_frames_that_can_be_judged() -> None:
    check = Scores([0.9, None, 0.1, 0.6])
    said = judge_frames([PIXELS] * 5, [FACE, None, FACE, FACE, FACE], check)
    assert said == PresentedAttack(0.6, Decision.ATTACK)
    assert len(check.seen) == 4


def test_a_clip_without_a_frame_to_judge_is_not_evaluable() -> None:
    for said in (judge_frames([], []), judge_frames([PIXELS], [None]), judge_frames([PIXELS], [FACE], Scores([None]))):
        assert said == PresentedAttack(None, Decision.NOT_EVALUABLE)


def test_frames_and_faces_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        judge_frames([PIXELS], [])
