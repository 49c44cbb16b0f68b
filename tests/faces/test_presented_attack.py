"""The passive check: what is decided from scores, and what the project's own check sees."""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_guard.faces.decode import RgbPixels, decode
from online_guard.faces.identity import Face, find_faces
from online_guard.faces.presented_attack import (
    Decision,
    PresentedAttack,
    Stripes,
    judge_frames,
    judge_picture,
    own_check,
)
from online_guard.faces.stripes import MIN_FACE_PX, stripes
from online_guard.simulate.recaptures import SPECIES, Camera, taken

ROOT = Path(__file__).resolve().parents[2]
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


LIMIT = -(np.log(1 / own_check().threshold - 1) + own_check().bias) / own_check().weight
"""Stripes at the own check's threshold."""


def skin(side: int = 200, seed: int = 1) -> RgbPixels:
    """Return soft blotches with a camera's noise: no stripes."""
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(random.standard_normal((side, side)).astype(np.float32), (0, 0), 12)
    level = 140 + 30 * soft / soft.std() + 2 * random.standard_normal((side, side))
    return np.repeat(np.clip(level, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def striped(pixels: RgbPixels, period_px: float, angle_deg: float, strength: float) -> RgbPixels:
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    along = columns * np.cos(np.deg2rad(angle_deg)) + rows * np.sin(np.deg2rad(angle_deg))
    wave = strength * np.sin(2 * np.pi * along / period_px)
    return np.clip(pixels + wave[..., None], 0, 255).astype(np.uint8)


def jpeg(pixels: RgbPixels, quality: int) -> RgbPixels:
    _, content = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR_RGB), np.uint8)


@settings(max_examples=25, deadline=None)
@given(period_px=st.floats(2.6, 11), angle_deg=st.floats(12, 78), seed=st.integers(0, 99))
def test_faint_stripes_over_a_face_are_an_attack(period_px: float, angle_deg: float, seed: int) -> None:
    assert judge_picture(striped(skin(seed=seed), period_px, angle_deg, 10), FACE).decision is Decision.ATTACK


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), quality=st.integers(30, 100))
def test_noise_and_the_blocks_of_a_jpeg_are_none(seed: int, quality: int) -> None:
    assert judge_picture(jpeg(skin(seed=seed), quality), FACE).decision is Decision.LIVE


@pytest.mark.parametrize(("period_px", "decision"), [(4, Decision.LIVE), (5, Decision.ATTACK)])
def test_upright_stripes_are_seen_unless_a_codec_could_have_made_them(period_px: float, decision: Decision) -> None:
    assert judge_picture(striped(skin(), period_px, 0, 10), FACE).decision is decision


def test_stronger_stripes_never_score_lower() -> None:
    scores = [judge_picture(striped(skin(), 5, 30, strength), FACE).score for strength in (0, 1, 2, 4, 8, 16)]
    assert scores == sorted(scores)
    assert scores[0] < 0.6 < 0.9 < scores[-1]


@pytest.mark.parametrize("kind", ["frame", "shirt", "blinds"])
def test_edges_and_stripes_beside_the_face_are_none(kind: str) -> None:
    pixels = skin()
    if kind == "frame":
        cv2.rectangle(pixels, (40, 40), (160, 160), (10, 10, 10), 6)
    elif kind == "shirt":
        pixels[160:] = striped(pixels, 5, 80, 40)[160:]
    else:
        rows, columns = np.mgrid[0:200, 0:200]
        behind = np.hypot(columns - 100, rows - 100) > 65
        pixels[behind] = striped(pixels, 6, 85, 40)[behind]
    assert judge_picture(pixels, FACE).decision is Decision.LIVE


@pytest.mark.parametrize(("side", "measured"), [(MIN_FACE_PX - 1, False), (MIN_FACE_PX, True)])
def test_a_small_face_is_not_evaluable(side: int, measured: bool) -> None:
    said = judge_picture(skin(), Face(50, 50, 50 + side, 50 + side, 1.0))
    assert (said.decision is not Decision.NOT_EVALUABLE, said.score is not None) == (measured, measured)


@pytest.mark.parametrize(("left", "measured"), [(-30, True), (-60, False), (-500, False), (500, False)])
def test_a_face_mostly_outside_the_picture_is_not_evaluable(left: int, measured: bool) -> None:
    assert (stripes(skin(), Face(left, 20, left + 120, 140, 1.0)) is not None) == measured


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_no_stripes(level: int) -> None:
    assert stripes(np.full((200, 200, 3), level, np.uint8), FACE) == pytest.approx(0, abs=1e-6)


def test_the_threshold_itself_is_an_attack() -> None:
    check = own_check()
    assert 0.5 < LIMIT < 1.5
    assert check.score(PIXELS, FACE) == pytest.approx(1 / (1 + np.exp(-check.bias)))


def test_sample_pictures_are_live(catalogue: dict[str, Any], sample: Callable[[str], bytes]) -> None:
    for person in catalogue["learners"]:
        pixels = decode(sample(person["snapshots"][0]))
        assert judge_picture(pixels, find_faces(pixels)[0]).decision is Decision.LIVE, person["learner"]


CAMERA = Camera(80, 3.0, 0.5, 0.01, 1.0, 0.0, 0.0, 1.0, 1.0, 85)


@pytest.mark.parametrize("kind", ["genuine", *SPECIES])
def test_a_made_screen_and_a_made_print_differ_from_the_scene(kind: str, sample: Callable[[str], bytes]) -> None:
    scene = decode(sample("learner-09/reference.jpg")).astype(np.float32)[60:300, 60:300] / 255
    take = SPECIES.get(kind, taken)
    said = [judge_picture(*take(scene, CAMERA, np.random.default_rng(seed))).decision for seed in range(5)]
    attacks = said.count(Decision.ATTACK)
    assert attacks == 0 if kind == "genuine" else attacks >= 1


def test_training_puts_the_threshold_beyond_every_genuine_capture() -> None:
    path = ROOT / "scripts" / "train_presented_attack.py"
    spec = importlib.util.spec_from_file_location("train_presented_attack", path)
    assert spec is not None
    assert spec.loader is not None
    training = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(training)
    genuine, attacks = np.linspace(0.1, 0.5, 50), np.linspace(0.2, 3, 50)
    check = Stripes(**training.fit(np.r_[genuine, attacks], np.arange(100) >= 50))
    limit = -(np.log(1 / check.threshold - 1) + check.bias) / check.weight
    assert check.weight > 0
    assert limit == pytest.approx(0.5 + training.MARGIN, abs=0.01)


def test_the_manifest_names_the_shipped_model() -> None:
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text("utf-8"))
    (entry,) = manifest["own"]
    content = files("online_guard.faces").joinpath(entry["file"]).read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert all(entry[key] for key in ("name", "licence", "origin", "input", "output", "threshold"))
