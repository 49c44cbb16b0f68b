"""Judges a clip against a challenge: did the learner do what was asked, in that order, live and as one person?

The verdict is `failed` where something speaks against the clip, `inconclusive` where too little can be seen, `passed`
where every action was done in order and nothing speaks against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from online_guard.terms import Action, Outcome

from .actions import ActionEvent, find_events, is_flat
from .clips import Clip
from .continuity import MIN_FPS, motion_faults, time_faults
from .eye_contrast import eye_contrast
from .identity import Face, FaceVector, distance, face_vector
from .landmarks import Track, follow
from .response import ActionFound, match_actions
from .signals import Signals, measure_signals

MIN_FRAMES = 12

_SAYS_NOTHING = frozenset(
    {"too_few_frames", "too_slow_camera", "no_face", "face_lost", "nothing_asked", "nothing_done"}
)
"""Reasons for which a clip is inconclusive instead of failed."""

REASONS: dict[str, tuple[str, str]] = {
    "too_few_frames": ("画面帧数太少", "too few frames"),
    "too_slow_camera": ("每秒不同的画面少于 8 帧", "fewer than 8 different frames a second"),
    "nothing_asked": ("没有给出动作要求", "no action was asked for"),
    "nothing_done": ("没有看到任何动作", "no action was seen"),
    "no_face": ("看不到人脸", "no face"),
    "face_lost": ("人脸中途离开画面", "the face was lost on the way"),
    "several_faces": ("画面中有多张人脸", "several faces"),
    "face_jumped": ("人脸位置突变，画面可能被剪接", "the face jumps, as where clips were joined"),
    "wrong_person": ("与本人参考照片不符", "not the person of the reference photo"),
    "person_changed": ("中途换人", "the person changed on the way"),
    "action_missing": ("缺少要求的动作", "an action that was asked is missing"),
    "wrong_order": ("动作顺序不对", "the actions came in another order"),
    "unasked_action": ("做了未要求的动作", "an action that was not asked for"),
    "frozen_frames": ("画面静止或重复", "the picture stands still or repeats"),
    "implausible_times": ("画面时间不可信", "the frames' times can't be true"),
    "flat": ("转动时没有立体感，疑似照片", "the face stays flat as it turns, like a photo"),
}
"""What each reason says, in Chinese and English."""


@dataclass(frozen=True)
class LivenessReport:
    """What a clip shows.

    Attributes:
        outcome: Passed, failed or inconclusive.
        reasons: Codes of `REASONS`, empty when passed.
        fps: Frames a second.
        distance: Greatest distance to the reference among the checked frames; None without reference or face.
        actions: Each asked action, found or not, with its evidence.
        events: Everything the person did, asked or not, in order of time.
        signals: For the plot; None where no frame was looked at.
        evidence_frames: Indices of telling frames in order of time: neutral ones and the peak of each action.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    fps: float
    distance: float | None
    actions: tuple[ActionFound, ...]
    events: tuple[ActionEvent, ...]
    signals: Signals | None
    evidence_frames: tuple[int, ...]


def judge_clip(
    clip: Clip, actions: Sequence[Action], reference: FaceVector | None, match_distance: float
) -> LivenessReport:
    """Return the verdict on a clip with its evidence.

    Args:
        clip: Frames as the camera saw them, not mirrored: the person's left lies at the right of the picture.
        actions: What was asked, in order; empty to see the events alone (the outcome is inconclusive then).
        reference: Vector of the enrolled photo; without one only a change of person within the clip is looked for.
        match_distance: Largest distance of two vectors of one person (policy pack, `liveness.match_distance`).

    Raises:
        GuardError: `models.missing` or `models.changed`; never because of the clip.
    """
    fps = clip.fps
    faults = _unfit(clip, fps)
    if faults:
        missing = tuple(ActionFound(action) for action in actions)
        return LivenessReport(_outcome(faults), tuple(faults), fps, None, missing, (), None, ())
    track = follow(clip)
    signals = measure_signals(track.points, clip.times_s, eye_contrast(clip, track))
    events = find_events(signals)
    found, unfulfilled = match_actions(events, actions)
    frames = _identity_frames(signals, found)
    far, strange = _identity_faults(clip, track, frames, reference, match_distance)
    faults += [*motion_faults(clip, track), *unfulfilled, *(["flat"] if is_flat(signals) else []), *strange]
    return LivenessReport(
        outcome=_outcome(faults),
        reasons=tuple(dict.fromkeys(faults)),
        fps=fps,
        distance=far,
        actions=found,
        events=events,
        signals=signals,
        evidence_frames=tuple(sorted({*frames, *(act.frame for act in found if act.frame is not None)})),
    )


def _unfit(clip: Clip, fps: float) -> list[str]:
    """Return why a clip can't be looked at: its times, too few frames, or too few a second."""
    faults = list(time_faults(clip.times_s))
    if len(clip.frames) < MIN_FRAMES:
        return [*faults, "too_few_frames"]
    return [*faults, "too_slow_camera"] if fps < MIN_FPS else faults


def _outcome(faults: Sequence[str]) -> Outcome:
    if set(faults) - _SAYS_NOTHING - {"action_missing"}:
        return Outcome.FAILED
    if set(faults) & _SAYS_NOTHING:
        return Outcome.INCONCLUSIVE
    return Outcome.FAILED if faults else Outcome.PASSED


def _identity_frames(signals: Signals, found: Sequence[ActionFound]) -> tuple[int, ...]:
    """Return the first frame with a face, and for each action the most frontal frame about its end or begin."""
    seen = np.flatnonzero(~np.isnan(signals.yaw))
    if not seen.size:
        return ()
    usual = float(np.nanmedian(signals.yaw)), float(np.nanmedian(signals.pitch))
    aside = np.abs(signals.yaw - usual[0]) + np.abs(signals.pitch - usual[1]) / 2
    frames = [int(seen[0])]
    for act in found:
        if act.start_s is not None and act.end_s is not None:
            near = seen[(signals.times_s[seen] >= act.start_s - 0.2) & (signals.times_s[seen] <= act.end_s + 0.2)]
            frames.append(int(near[np.argmin(aside[near])]))
    frames.append(int(seen[-1]))
    return tuple(sorted(set(frames)))


def _identity_faults(
    clip: Clip, track: Track, frames: Sequence[int], reference: FaceVector | None, match_distance: float
) -> tuple[float | None, list[str]]:
    """Return the greatest distance to the reference, and `wrong_person` or `person_changed`."""
    vectors = [face_vector(clip.frames[frame], _face(track, frame)) for frame in frames]
    faults = []
    far = None
    if reference is not None and vectors:
        far = max(distance(vector, reference) for vector in vectors)
        if far > match_distance:
            faults.append("wrong_person")
    if any(distance(vectors[0], other) > match_distance for other in vectors[1:]):
        faults.append("person_changed")
    return far, faults


def _face(track: Track, frame: int) -> Face:
    left, top, width, height = track.boxes[frame].round().astype(int).tolist()
    return Face(left, top, left + width, top + height, 1.0)
