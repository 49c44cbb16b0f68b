"""What is no living take: a still picture, frames shown twice; and what is one: fluttering lids in a face at rest."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from online_guard.faces.clips import Clip
from online_guard.faces.continuity import motion_faults
from online_guard.faces.landmarks import POINTS, Track

FPS = 15
FRAMES = 60


def track(frames: int = FRAMES) -> Track:
    """Return the track of a face that fills a picture of 96 × 96 px."""
    return Track(
        points=np.full((frames, POINTS, 2), 48.0),
        boxes=np.tile([0.0, 0.0, 96.0, 96.0], (frames, 1)),
        faces=np.ones(frames, np.int64),
        restarted=np.zeros(frames, np.bool_),
    )


def clip(lids: float, drift: float, noise: float = 2.0, seed: int = 8) -> Clip:
    """Return a face of random blobs whose eyes' rows get darker every second frame, and whose light drifts sideways."""
    random = np.random.default_rng(seed)
    face = np.kron(random.uniform(60, 190, (24, 24)), np.ones((4, 4)))
    rows, columns = np.mgrid[0:96, 0:96] / 96
    frames = []
    for number in range(FRAMES):
        light = face * (1 + drift * np.sin(number / 9) * (columns - 0.5) * (0.5 + rows))
        light[30:42] *= 1 - lids * (number % 2)
        grey = light + noise * random.standard_normal(light.shape)
        frames.append(np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return Clip(tuple(frames), np.arange(FRAMES) / FPS)


def test_noise_over_one_picture_is_frozen() -> None:
    assert list(motion_faults(clip(lids=0, drift=0), track())) == ["frozen_frames"]


def test_a_face_in_slow_motion_lives() -> None:
    assert list(motion_faults(clip(lids=0, drift=0.3), track())) == []


def test_a_clip_slowed_by_showing_frames_twice_has_too_few() -> None:
    living = clip(lids=0, drift=0.3)
    slowed = Clip(tuple(living.frames[number // 2] for number in range(FRAMES)), living.times_s)
    assert list(motion_faults(slowed, track())) == ["too_slow_camera"]
    assert list(motion_faults(Clip(slowed.frames, slowed.times_s / 2), track())) == []


@pytest.mark.parametrize(("other", "faults"), [(0.0, []), (0.2, []), (1.0, ["face_jumped"])])
def test_a_picture_that_is_suddenly_another_is_a_cut(other: float, faults: list[str]) -> None:
    one, stranger = clip(lids=0, drift=0.3), clip(lids=0, drift=0.3, seed=9)
    mixed = [
        np.asarray((1 - other) * frame + other * later, np.uint8)
        for frame, later in zip(one.frames, stranger.frames, strict=True)
    ]
    assert list(motion_faults(Clip((*one.frames[:30], *mixed[30:]), one.times_s), track())) == faults
    slowly = [one.frames[number] if number % 8 < 4 else mixed[number] for number in range(FRAMES)]
    faded = [cv2.addWeighted(a, 0.5, b, 0.5, 0) for a, b in pairwise(slowly)]
    assert "face_jumped" not in list(motion_faults(Clip(tuple(faded), one.times_s[1:]), track(FRAMES - 1)))


def test_who_rests_before_a_thrifty_coder_shows_no_frame_twice() -> None:
    moving = clip(lids=0, drift=0.3)
    resting = Clip(tuple(moving.frames[max(0, number - 30)] for number in range(FRAMES)), moving.times_s)
    assert "too_slow_camera" not in list(motion_faults(resting, track()))


def test_lids_that_flutter_faster_than_the_camera_hide_no_motion() -> None:
    assert list(motion_faults(clip(lids=0.5, drift=0.3), track())) == []
