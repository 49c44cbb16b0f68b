"""Clips of people who act before a camera: painted heads, and one public-domain photo, set in motion.

Timings are those of people asked to act: a blink 0.2-0.3 s, a turn 0.9-1.2 s, and between actions a second or less of
looking at the screen, never quite still. Each seed is another sitting: room, light, camera, place, gaze and timings
differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.faces.clips import Clip
from online_guard.terms import Action

from .head_canvas import CANVAS_PX, HEAD_PX
from .head_people import LEARNER_SEEDS, Head, Take, draw_head
from .head_rig import PHOTO_RIG, Pose, Rig, close_lids, drop_jaw, rig_of, turned_places
from .heads import paint, photograph

FRAME_PX = (320, 240)
FACE_LEVEL = 110
"""Mean level, 0-255, that the camera's exposure brings a dark face to."""


@dataclass(frozen=True)
class Motion:
    """One action of a sitting: how long it takes to the peak, stays there and goes back, s, and how far it goes.

    `strength` is a closure for blink, half head heights for open_mouth, radians for the turns and the nod.
    """

    action: Action
    start_s: float
    rise_s: float
    hold_s: float
    fall_s: float
    strength: float

    @property
    def end_s(self) -> float:
        """Return when the head is back in its neutral pose."""
        return self.start_s + self.rise_s + self.hold_s + self.fall_s

    def at(self, time_s: float) -> float:
        """Return how far the action has gone at a time: a smooth rise, a plateau, a smooth fall."""
        up = np.clip((time_s - self.start_s) / self.rise_s, 0, 1)
        down = np.clip((self.end_s - time_s) / self.fall_s, 0, 1)
        gone = min(up, down)
        return float(self.strength * gone**2 * (3 - 2 * gone))


_TIMINGS = {
    # action: shortest and longest rise, hold and fall in s, smallest and greatest strength
    Action.BLINK: ((0.07, 0.09), (0.09, 0.12), (0.09, 0.12), (1.0, 1.0)),
    Action.TURN_LEFT: ((0.35, 0.45), (0.15, 0.30), (0.35, 0.45), (0.36, 0.47)),
    Action.TURN_RIGHT: ((0.35, 0.45), (0.15, 0.30), (0.35, 0.45), (0.36, 0.47)),
    Action.OPEN_MOUTH: ((0.25, 0.35), (0.20, 0.35), (0.25, 0.35), (0.26, 0.32)),
    Action.NOD: ((0.30, 0.38), (0.08, 0.15), (0.32, 0.40), (0.32, 0.40)),
}
"""Blinks: H. R. Schiffman, "Sensation and Perception" (2001), 0.1-0.4 s. The others: tried before a mirror."""


def motions(actions: Sequence[Action], seed: int) -> tuple[Motion, ...]:
    """Return when and how far each action is done in the sitting of a seed; the first starts after 0.6 s or more."""
    random = np.random.default_rng([seed, 31])
    done, start_s = [], float(random.uniform(0.6, 0.9))
    for action in actions:
        rise_s, hold_s, fall_s, strength = (float(random.uniform(*limits)) for limits in _TIMINGS[action])
        done.append(Motion(action, start_s, rise_s, hold_s, fall_s, strength))
        start_s = done[-1].end_s + float(random.uniform(0.5, 0.8))
    return tuple(done)


@dataclass(frozen=True)
class _Sitting:
    """What stays the same through one clip."""

    canvas: NDArray[np.uint8]
    rig: Rig
    take: Take
    looked_at: tuple[NDArray[np.float32], NDArray[np.float32]]
    yaw: float
    pitch: float
    phases: NDArray[np.float64]


def painted_clip(learner: int, actions: Sequence[Action], seed: int, fps: float = 15) -> Clip:
    """Return a genuine clip of a learner who does the actions in their order; 320 × 240 px, about 1.5 s an action.

    Args:
        learner: 1 to 12, as in `sample_media`; 1 is the photo (needs scikit-image), the others are painted.
        actions: What to do; none gives two seconds of a person who only looks.
        seed: Another sitting each.
        fps: Mean number of frames a second; single times vary by a few ms, as a browser's do.
    """
    done = motions(actions, seed)
    random = np.random.default_rng([seed, learner, 37])
    length_s = done[-1].end_s + float(random.uniform(0.4, 0.6)) if done else 2.0
    times_s = np.arange(int(length_s * fps)) / fps
    times_s[1:] += np.clip(random.normal(0, 0.003, len(times_s) - 1), -0.2 / fps, 0.2 / fps)
    sitting = _sit(learner, seed, random)
    frames = tuple(_frame(sitting, _pose(sitting, done, float(at)), float(at), random) for at in times_s)
    return Clip(frames, times_s)


def _sit(learner: int, seed: int, random: np.random.Generator) -> _Sitting:
    """Return the room, the light and the place of one sitting."""
    within = random.uniform
    take = Take(
        number=1000 + seed, roll_deg=within(-4, 4), zoom=within(0.98, 1.12), shift=(within(-16, 16), within(-8, 10)),
        light=(within(-0.6, 0.6), within(-0.6, -0.2), 0.9), ambient=within(0.38, 0.5), smile=within(-0.3, 0.5),
        gaze=within(-0.5, 0.5), gain=within(0.85, 1.1), noise=within(1.5, 3.0),
    )  # fmt: skip
    if learner == 1:
        picture, rig = photograph(Take(take.number, light=take.light)), PHOTO_RIG
    else:
        head = _groomed(draw_head(LEARNER_SEEDS[learner - 2]))
        picture, rig = paint(head, replace(take, roll_deg=0.0)), rig_of(head, take.smile)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.5 * CANVAS_PX / FRAME_PX[0])
    middle = slice(CANVAS_PX // 3, 2 * CANVAS_PX // 3)
    exposure = np.clip(FACE_LEVEL / soft[middle, middle].mean(), 1, 2)  # as a camera that looks for faces does
    canvas = np.clip(soft * exposure * take.gain, 0, 255).astype(np.uint8)
    yaw, pitch, phases = within(-0.09, 0.09), within(-0.05, 0.05), within(0, 2 * np.pi, 8)
    return _Sitting(canvas, rig, take, _looked_at(take), yaw, pitch, phases)


_THIN_BROW = 0.015
"""Half height of a brow that doesn't hide lids below it, in half head heights."""


def _groomed(head: Head) -> Head:
    """Return a head as it comes before the camera: light glasses, a light beard, hair out of the eyes.

    Landmarks lose brows under a painted fringe, lids close beneath heavy brows, lips in a painted beard, at the chin or
    right below the nose, and a turned face behind thick frames.
    """
    open_faced = replace(
        head,
        glasses=head.glasses and "thin",
        beard=min(head.beard, 0.25),
        moustache=min(head.moustache, 0.4),
        hair="parted" if head.hair == "fringe" else head.hair,
        eye_gap=max(head.eye_gap, 0.29),
        eye_width=max(head.eye_width, 0.16),
        eye_open=max(head.eye_open, 0.08),
        eye_tilt=float(np.clip(head.eye_tilt, -0.1, 0.12)),
        brow_lift=max(head.brow_lift, 0.19) if head.brow_weight > _THIN_BROW else head.brow_lift,
        brow_weight=min(head.brow_weight, 0.03),
    )
    if 0.14 <= head.mouth_y - head.nose_base <= 0.28:
        return open_faced
    nose_base = min(head.nose_base, 0.39)
    width = float(np.clip(head.mouth_width, 0.25, 0.3))
    return replace(
        open_faced, nose_base=nose_base, mouth_y=nose_base + 0.2, mouth_width=width, lips=min(head.lips, 0.06)
    )


def _pose(sitting: _Sitting, done: Sequence[Motion], at_s: float) -> Pose:
    """Return the head's pose at a time: its actions, over a slow sway that never stops."""
    gone = dict.fromkeys(Action, 0.0)
    for motion in done:
        gone[motion.action] += motion.at(at_s)
    sway = np.sin(2 * np.pi * at_s * np.array([0.21, 0.33, 0.27, 0.41, 0.9, 1.1]) + sitting.phases[:6])
    return Pose(
        closure=min(1.0, gone[Action.BLINK]),
        jaw=gone[Action.OPEN_MOUTH],
        yaw=sitting.yaw + 0.025 * sway[0] + gone[Action.TURN_LEFT] - gone[Action.TURN_RIGHT],
        pitch=sitting.pitch + 0.018 * sway[1] + gone[Action.NOD],
        shift=(0.025 * sway[2] + 0.004 * sway[4], 0.018 * sway[3] + 0.004 * sway[5]),
    )


def _frame(sitting: _Sitting, pose: Pose, at_s: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return what the camera sees of a pose."""
    canvas = sitting.canvas.copy()
    if pose.jaw > 0:
        drop_jaw(canvas, sitting.rig, pose.jaw)
    if pose.closure > 0:
        close_lids(canvas, sitting.rig, pose.closure)
    # Motion is smooth: it is worked out for every other pixel.
    from_x, from_y = (
        cv2.resize(places * np.float32(HEAD_PX) + np.float32(CANVAS_PX / 2), FRAME_PX, interpolation=cv2.INTER_LINEAR)
        for places in turned_places(sitting.rig, pose, *sitting.looked_at)
    )
    seen = cv2.remap(canvas, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    exposure = 1 + 0.012 * np.sin(2 * np.pi * 0.35 * at_s + sitting.phases[6])
    light = np.asarray(random.standard_normal(seen.shape, np.float32))
    light *= np.float32(sitting.take.noise)
    light += seen * np.float32(exposure)
    return np.asarray(np.clip(light, 0, 255, out=light), np.uint8)


def _looked_at(take: Take) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the canvas places, in half head heights, that the middles of blocks of 2 × 2 pixels look at."""
    width, height = FRAME_PX
    scale = take.zoom * width / CANVAS_PX
    turn = np.deg2rad(take.roll_deg)
    columns, rows = np.meshgrid(np.arange(0.5, width, 2), np.arange(0.5, height, 2))
    x = (columns - width / 2 - take.shift[0]) / (scale * HEAD_PX)
    y = (rows - height / 2 - take.shift[1]) / (scale * HEAD_PX)
    return (
        np.asarray(np.cos(turn) * x + np.sin(turn) * y, np.float32),
        np.asarray(-np.sin(turn) * x + np.cos(turn) * y, np.float32),
    )
