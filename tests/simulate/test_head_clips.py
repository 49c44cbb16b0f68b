"""Heads in motion do what they are told, each sitting is another, and attacks are what they say."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from online_guard.faces.clips import Clip
from online_guard.faces.fingerprint import perceptual_hash, phash_distance
from online_guard.faces.liveness import judge_clip
from online_guard.faces.pipeline import enrol_reference
from online_guard.simulate import face_attacks
from online_guard.simulate.head_clips import motions, painted_clip
from online_guard.simulate.head_people import LEARNERS
from online_guard.terms import Action, Outcome

SAMPLE_MEDIA = Path(__file__).resolve().parents[2] / "sample_media"
Maker = Callable[..., Clip]
HELD: tuple[Maker, ...] = (
    face_attacks.still_photo,
    face_attacks.moved_photo,
    face_attacks.tilted_photo,
    face_attacks.bent_photo,
    face_attacks.waved_photo,
    face_attacks.frozen_with_noise,
)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return painted_clip(5, [Action.OPEN_MOUTH, Action.TURN_RIGHT, Action.BLINK], 5)


@pytest.fixture(scope="module")
def picture(clip: Clip) -> np.ndarray:
    return clip.frames[2]


def test_a_painted_learner_passes_as_the_person_enrolled(clip: Clip) -> None:
    reference = enrol_reference((SAMPLE_MEDIA / "learner-05" / "reference.jpg").read_bytes()).vector
    report = judge_clip(clip, [Action.OPEN_MOUTH, Action.TURN_RIGHT, Action.BLINK], reference, 0.55)
    assert (report.outcome, report.reasons) == (Outcome.PASSED, ())
    assert report.distance is not None
    assert report.distance <= 0.45
    done = motions([Action.OPEN_MOUTH, Action.TURN_RIGHT, Action.BLINK], 5)
    for seen, meant in zip(report.actions, done, strict=True):
        assert seen.at_s is not None
        assert meant.start_s <= seen.at_s <= meant.end_s


def test_the_photo_nods_and_turns_left() -> None:
    pytest.importorskip("skimage", reason="scikit-image is a development dependency")
    reference = enrol_reference((SAMPLE_MEDIA / "learner-01" / "reference.jpg").read_bytes()).vector
    asked = [Action.NOD, Action.TURN_LEFT, Action.BLINK]
    report = judge_clip(painted_clip(1, asked, 3), asked, reference, 0.55)
    assert (report.outcome, report.reasons) == (Outcome.PASSED, ())
    assert report.distance is not None
    assert report.distance <= 0.45


def test_timings_are_those_of_people() -> None:
    for seed in range(40):
        done = motions(list(Action), seed)
        for motion in done:
            low, high = (0.15, 0.33) if motion.action is Action.BLINK else (0.6, 1.25)
            assert low <= motion.end_s - motion.start_s <= high
            assert motion.at(motion.start_s) == motion.at(motion.end_s) == 0
            assert motion.at(motion.start_s + motion.rise_s + motion.hold_s / 2) == motion.strength
        pauses = [later.start_s - one.end_s for one, later in pairwise(done)]
        assert 0.5 <= min(pauses) <= max(pauses) <= 0.8


def test_a_seed_is_a_sitting() -> None:
    one, again, other = (painted_clip(2, [], seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one.frames, again.frames, strict=True))
    np.testing.assert_array_equal(one.times_s, again.times_s)
    assert one.frames[0].shape == (240, 320, 3)
    assert phash_distance(perceptual_hash(one.frames[0]), perceptual_hash(other.frames[0])) > 6
    assert LEARNERS == 12


def test_frames_come_at_the_rate_asked_for() -> None:
    clip = painted_clip(4, [], 1, fps=24)
    assert clip.fps == pytest.approx(24, rel=0.02)
    assert (np.diff(clip.times_s) > 0.5 / 24).all()
    assert clip.times_s[0] == 0


@pytest.mark.parametrize("maker", HELD)
def test_attacks_from_a_picture_are_repeatable_and_of_its_size(maker: Maker, picture: np.ndarray) -> None:
    one, again, other = (maker(picture, seed, length_s=0.6) for seed in (1, 1, 2))
    assert {frame.shape for frame in one.frames} == {picture.shape}
    assert all(np.array_equal(a, b) for a, b in zip(one.frames, again.frames, strict=True))
    assert not np.array_equal(one.frames[3], other.frames[3])
    assert (np.diff(one.times_s) > 0).all()


def test_a_held_photo_moves_and_a_still_one_does_not(picture: np.ndarray) -> None:
    def travel(maker: Maker) -> float:
        frames = maker(picture, 1, length_s=3).frames
        return max(float(np.abs(frame.astype(int) - frames[0]).mean()) for frame in frames)

    assert travel(face_attacks.still_photo) < 6  # noise and exposure
    assert travel(face_attacks.frozen_with_noise) < 6
    for maker in HELD[1:5]:
        assert travel(maker) > 8


def test_a_virtual_camera_is_too_exact(picture: np.ndarray) -> None:
    clip = face_attacks.frozen_with_noise(picture, 3, length_s=1)
    np.testing.assert_allclose(np.diff(clip.times_s), 1 / 30)
    light = np.array([frame.mean() for frame in clip.frames]) / picture.mean()
    assert 0.975 < light.min() < light.max() < 1.005


def test_a_screen_has_a_bezel_and_keeps_the_times(clip: Clip) -> None:
    shown = face_attacks.screen_replay(Clip(clip.frames[:5], clip.times_s[:5]), 1)
    np.testing.assert_array_equal(shown.times_s, clip.times_s[:5])
    assert shown.frames[0][:4].mean() < shown.frames[0][100:140].mean() / 2


def test_cuts_order_and_pace(clip: Clip) -> None:
    other = Clip(tuple(255 - frame for frame in clip.frames), clip.times_s)
    cut = face_attacks.spliced(clip, other, 0.5)
    half = round(len(clip.frames) * 0.5)
    assert np.array_equal(cut.frames[half - 1], clip.frames[half - 1])
    assert cut.frames[half].mean() == pytest.approx(255 - clip.frames[half].mean(), abs=3)
    assert cut.times_s[-1] == pytest.approx(clip.times_s[-1], abs=0.2)
    swapped = face_attacks.wrong_order([clip, other], [1, 0])
    assert np.array_equal(swapped.frames[0], other.frames[0])
    for made in (cut, swapped):
        assert (np.diff(made.times_s) > 0).all()
        assert len(made.frames) == len(made.times_s)
    assert face_attacks.slowed(clip, 2).fps == pytest.approx(clip.fps / 2)
    fast = face_attacks.sped_up(clip, 2)
    assert fast.times_s[-1] == pytest.approx(clip.times_s[-1] / 2, abs=0.1)
    assert fast.fps == pytest.approx(clip.fps, rel=0.05)
