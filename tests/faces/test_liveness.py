"""Whole clips: painted heads that do what was asked pass; photos, splices, loops, strangers and slow cameras don't."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from online_guard.faces.clips import Clip, clip_fps
from online_guard.faces.identity import face_vector, find_faces
from online_guard.faces.liveness import REASONS, LivenessReport, judge_clip
from online_guard.faces.liveness_pictures import STRIP_HEIGHT_PX, plot, strip
from online_guard.simulate.head_clips import painted_clip
from online_guard.terms import Action, Outcome

ASKED = (Action.OPEN_MOUTH, Action.NOD, Action.BLINK)
MATCH = 0.55


@pytest.fixture(scope="module")
def genuine() -> Clip:
    return painted_clip(3, ASKED, seed=2)


@pytest.fixture(scope="module")
def passed(genuine: Clip) -> LivenessReport:
    return judge_clip(genuine, ASKED, None, MATCH)


@pytest.fixture(scope="module")
def photo(genuine: Clip) -> np.ndarray:
    return genuine.frames[0]


def filmed(photo: np.ndarray, matrices: list[np.ndarray], fps: float = 15) -> Clip:
    """Return a photo moved by homographies, with the noise of a camera."""
    random = np.random.default_rng(5)
    height, width = photo.shape[:2]
    frames = []
    for matrix in matrices:
        seen = cv2.warpPerspective(photo, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.clip(seen + random.normal(0, 2, seen.shape), 0, 255).astype(np.uint8))
    return Clip(tuple(frames), np.arange(len(frames)) / fps)


def tilts(width: int, height: int) -> list[np.ndarray]:
    """Return 60 homographies of a photo turned left and right by up to 35 degrees, and nodded."""
    focal = 2.0 * width
    centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    back = np.linalg.inv(centre)
    matrices = []
    for step in range(60):
        yaw, pitch = 0.6 * np.sin(step / 8), 0.3 * np.sin(step / 5)
        turn = np.array([[np.cos(yaw), 0, 0], [np.sin(pitch) * np.sin(yaw), np.cos(pitch), 0],
                         [-np.sin(yaw) / focal, np.sin(pitch) / focal, 1]])  # fmt: skip
        matrices.append(back @ turn @ centre)
    return matrices


def test_a_genuine_answer_passes_with_its_evidence(passed: LivenessReport, genuine: Clip) -> None:
    assert (passed.outcome, passed.reasons) == (Outcome.PASSED, ())
    assert [act.action for act in passed.actions] == list(ASKED)
    times = [act.at_s for act in passed.actions]
    assert all(act.found and act.start_s <= act.at_s <= act.end_s and act.strength >= 1 for act in passed.actions)
    assert times == sorted(times)
    assert passed.fps == pytest.approx(15, abs=0.5)
    assert set(passed.evidence_frames) > {act.frame for act in passed.actions}
    assert 5 <= len(passed.evidence_frames) <= 10
    assert list(passed.evidence_frames) == sorted(set(passed.evidence_frames))


def test_the_same_clip_answers_no_other_challenge(genuine: Clip) -> None:
    other = judge_clip(genuine, (Action.BLINK, Action.NOD, Action.OPEN_MOUTH), None, MATCH)
    assert other.outcome is Outcome.FAILED
    assert "wrong_order" in other.reasons


def test_identity_is_held_against_the_reference(genuine: Clip, passed: LivenessReport, photo: np.ndarray) -> None:
    own = face_vector(photo, find_faces(photo)[0])
    assert passed.distance is None
    report = judge_clip(genuine, ASKED, own, MATCH)
    assert report.outcome is Outcome.PASSED
    assert report.distance < MATCH
    stranger = judge_clip(genuine, ASKED, own + 0.1, MATCH)
    assert stranger.distance > MATCH
    assert (stranger.outcome, stranger.reasons) == (Outcome.FAILED, ("wrong_person",))


def test_a_photo_before_the_camera_fails(photo: np.ndarray) -> None:
    still = judge_clip(filmed(photo, [np.eye(3)] * 60), ASKED, None, MATCH)
    assert still.outcome is Outcome.FAILED
    assert "frozen_frames" in still.reasons
    tilted = judge_clip(filmed(photo, tilts(photo.shape[1], photo.shape[0])), ASKED, None, MATCH)
    assert tilted.outcome is not Outcome.PASSED
    assert not any(act.found for act in tilted.actions)


def test_a_cut_to_another_person_fails(genuine: Clip) -> None:
    other = painted_clip(5, (Action.NOD,), seed=4)
    half = len(genuine.frames) // 2
    frames = (*genuine.frames[:half], *other.frames[: len(genuine.frames) - half])
    report = judge_clip(Clip(frames, genuine.times_s[: len(frames)]), ASKED, None, MATCH)
    assert report.outcome is Outcome.FAILED
    assert {"person_changed", "face_jumped"} & set(report.reasons)


def test_a_looped_or_held_stretch_fails(genuine: Clip) -> None:
    looped = (*genuine.frames[:30], *genuine.frames[10:])
    held = (*genuine.frames[:30], *[genuine.frames[30]] * 25, *genuine.frames[30:])
    for frames in (looped, held):
        report = judge_clip(Clip(frames, np.arange(len(frames)) / 15), ASKED, None, MATCH)
        assert report.outcome is Outcome.FAILED
        assert "frozen_frames" in report.reasons


def test_too_little_to_see_is_inconclusive(genuine: Clip) -> None:
    room = np.random.default_rng(1).integers(90, 110, genuine.frames[0].shape).astype(np.uint8)
    empty = Clip((room,) * 40, np.arange(40) / 15)
    slow = Clip(genuine.frames[::2], genuine.times_s[::2])
    short = Clip(genuine.frames[:11], genuine.times_s[:11])
    for clip, reason in ((slow, "too_slow_camera"), (short, "too_few_frames")):
        report = judge_clip(clip, ASKED, None, MATCH)
        assert (report.outcome, report.reasons, report.events) == (Outcome.INCONCLUSIVE, (reason,), ())
        assert [act.action for act in report.actions] == list(ASKED)
    assert "no_face" in judge_clip(empty, ASKED, None, MATCH).reasons


def test_a_face_that_leaves_is_lost(genuine: Clip) -> None:
    away = np.full_like(genuine.frames[0], 80)
    frames = (*genuine.frames[:20], *[away] * 12, *genuine.frames[32:])
    report = judge_clip(Clip(frames, genuine.times_s), ASKED, None, MATCH)
    assert "face_lost" in report.reasons
    assert report.outcome is not Outcome.PASSED


def test_a_second_face_is_seen(genuine: Clip) -> None:
    frames = tuple(np.hstack([frame, frame]) for frame in genuine.frames[:20])
    report = judge_clip(Clip(frames, genuine.times_s[:20]), ASKED, None, MATCH)
    assert "several_faces" in report.reasons
    assert report.outcome is Outcome.FAILED


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 1, float("nan"), 2]])
def test_times_must_increase(genuine: Clip, times: list[float]) -> None:
    times_s = np.concatenate([np.array(times) / 15, np.arange(4, 20) / 15])
    report = judge_clip(Clip(genuine.frames[:20], times_s), ASKED, None, MATCH)
    assert (report.outcome, report.reasons[0]) == (Outcome.FAILED, "implausible_times")


def test_fps_of_few_frames() -> None:
    assert clip_fps(np.array([])) == clip_fps(np.array([0.0])) == 0
    assert clip_fps(np.array([0.0, 0.1, 0.2])) == pytest.approx(10)


def test_the_auditors_pictures(genuine: Clip, passed: LivenessReport) -> None:
    shown = Image.open(io.BytesIO(strip(genuine, passed)))
    assert shown.format == "JPEG"
    assert shown.height > STRIP_HEIGHT_PX
    assert shown.width == len(passed.evidence_frames) * 320
    drawn = Image.open(io.BytesIO(plot(passed)))
    assert drawn.format == "PNG"
    assert np.asarray(drawn.convert("L")).std() > 5
    nothing = judge_clip(Clip(genuine.frames[:3], genuine.times_s[:3]), ASKED, None, MATCH)
    assert Image.open(io.BytesIO(plot(nothing))).format == "PNG"
    assert Image.open(io.BytesIO(strip(genuine, nothing))).width == 320


def test_every_reason_has_words_in_two_languages() -> None:
    assert all(chinese and english for chinese, english in REASONS.values())
