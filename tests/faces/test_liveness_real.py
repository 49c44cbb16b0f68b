"""Real clips of the shared folder: blinks where people see them, and nothing wrong with living people."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from online_guard.faces.clips import Clip, read_clip
from online_guard.faces.liveness import judge_clip
from online_guard.terms import Action, Outcome

from .conftest import SHARED

TOLERANCE_S = 0.35
CLIPS = (
    ("KwaiVGI_LivePortrait__assets_examples_driving_d0.mp4", math.inf),
    ("OpenTalker_SadTalker__examples_ref_video_WDA_KatieHill_000.mp4", 12),
    ("vdotup_blink-detection__face.mp4", 12),
)
"""Short ones, and the frames a second that they are thinned to."""


@pytest.fixture(scope="module")
def media() -> Path:
    folder = SHARED / "media"
    if not (folder / "blinks.json").is_file():
        pytest.skip(f"no real clips: {folder} does not exist (set ONLINE_GUARD_SHARED)")
    return folder


@pytest.mark.parametrize(("name", "fps"), CLIPS)
def test_blinks_are_found_at_their_moments_and_nowhere_else(media: Path, name: str, fps: float) -> None:
    moments = json.loads((media / "blinks.json").read_text())[name]["blinks_s"]
    clip = read_clip(media / "live" / name)
    step = max(1, math.ceil(clip.fps / fps))
    report = judge_clip(Clip(clip.frames[::step], clip.times_s[::step]), (), None, 0.55)
    assert (report.outcome, report.reasons) == (Outcome.INCONCLUSIVE, ("nothing_asked",))
    seen = [event.at_s for event in report.events if event.action is Action.BLINK]
    assert all(any(abs(at_s - one) <= TOLERANCE_S for one in seen) for at_s in moments)
    assert all(any(abs(at_s - one) <= TOLERANCE_S for at_s in moments) for one in seen)
