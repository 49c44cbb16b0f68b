"""Presentation attacks made from a picture or a clip of the person to be impersonated; each seed is another try.

Amplitudes are those of a hand: it trembles by about a millimetre at 4 to 12 Hz (R. J. Elble and W. C. Koller, "Tremor",
1990), drifts by centimetres, and tilts or bends a sheet by tens of degrees. A photo is as wide as the picture, so a
tenth of the picture is some 2 cm. All functions return clips of the picture's own size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from online_guard.faces.clips import Clip
from online_guard.faces.decode import RgbPixels

LENGTH_S = 5.0
Warp = Callable[[float], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Seconds → for each pixel of the frame, the column and row of the photo that is seen there."""


def still_photo(picture: RgbPixels, seed: int, fps: float = 15, length_s: float = LENGTH_S) -> Clip:
    """Return a photo fixed before the camera: nothing moves but the camera's noise and exposure."""
    columns, rows = _grid(picture)
    return _held(picture, lambda _: (columns, rows), seed, fps, length_s)


def moved_photo(picture: RgbPixels, seed: int, fps: float = 15, length_s: float = LENGTH_S) -> Clip:
    """Return a photo held in a hand that drifts, swings nearer and farther, rolls a little and trembles."""
    height, width = picture.shape[:2]
    columns, rows = _grid(picture)
    drift, tremor = _sway(seed, 6, (0.1, 0.7)), _sway(seed + 1, 3, (4, 12))
    reach = np.random.default_rng([seed, 41]).uniform(0.3, 1.0)

    def warp(at_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        slow, fast = drift(at_s) * reach, tremor(at_s)
        turn, near = np.deg2rad(6 * slow[2] + 0.4 * fast[2]), 1 + 0.12 * slow[3]
        x = (columns - width / 2) / near - width * (0.10 * slow[0] + 0.004 * fast[0])
        y = (rows - height / 2) / near - height * (0.08 * slow[1] + 0.004 * fast[1])
        return _f32(x * np.cos(turn) + y * np.sin(turn) + width / 2, y * np.cos(turn) - x * np.sin(turn) + height / 2)

    return _held(picture, warp, seed, fps, length_s)


def tilted_photo(picture: RgbPixels, seed: int, fps: float = 15, length_s: float = LENGTH_S) -> Clip:
    """Return a flat photo turned to the left and right and nodded by up to 20 to 40 degrees, as a head would be."""
    height, width = picture.shape[:2]
    columns, rows = _grid(picture)
    random = np.random.default_rng([seed, 43])
    yaw_limit, pitch_limit = np.deg2rad(random.uniform(20, 40)), np.deg2rad(random.uniform(8, 25))
    away = 2.2 * width  # the distance of the camera, in px of the photo
    sway, tremor = _sway(seed, 2, (0.2, 0.6)), _sway(seed + 1, 2, (4, 12))

    def warp(at_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        slow, fast = sway(at_s), tremor(at_s)
        return _tilted(columns - width / 2 - width * 0.003 * fast[0], rows - height / 2 - height * 0.003 * fast[1],
                       yaw_limit * slow[0], pitch_limit * slow[1], away, (width / 2, height / 2))  # fmt: skip

    return _held(picture, warp, seed, fps, length_s)


def bent_photo(picture: RgbPixels, seed: int, fps: float = 15, length_s: float = LENGTH_S) -> Clip:
    """Return a photo bent round an upright cylinder, flexed and turned to look like a head's turn."""
    height, width = picture.shape[:2]
    columns, rows = _grid(picture)
    random = np.random.default_rng([seed, 47])
    least, most = np.sort(random.uniform(0.35, 1.1, 2))  # half the angle the photo covers on its cylinder
    turn_limit = np.deg2rad(random.uniform(12, 30))
    sway, tremor = _sway(seed, 2, (0.2, 0.8)), _sway(seed + 1, 2, (4, 12))

    def warp(at_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        slow, fast = sway(at_s), tremor(at_s)
        half_angle = least + (most - least) * (0.5 + 0.5 * slow[0])
        radius, turn = width / 2 / half_angle, turn_limit * slow[1]
        across = np.clip((columns - width / 2 - width * 0.003 * fast[0]) / radius, -0.999, 0.999)
        nearer = 1 + (np.sqrt(1 - across**2) - 1) * radius / (2.5 * width)
        y = (rows - height / 2) / nearer - height * 0.003 * fast[1]
        return _f32(width / 2 + (np.arcsin(across) - turn) * radius, y + height / 2)

    return _held(picture, warp, seed, fps, length_s)


def waved_photo(picture: RgbPixels, seed: int, fps: float = 15, length_s: float = LENGTH_S) -> Clip:
    """Return a photo waved up and down, quickly flipped forwards and rippled: its eyes get flat as in a blink."""
    height, width = picture.shape[:2]
    columns, rows = _grid(picture)
    random = np.random.default_rng([seed, 53])
    pitch_limit, ripple = np.deg2rad(random.uniform(30, 55)), height * random.uniform(0.005, 0.02)
    rate, along, across = random.uniform(1.2, 3.0), random.uniform(1, 2.5), random.uniform(0.04, 0.12)
    flips = random.uniform(0.3, 1.0, max(1, int(length_s)))

    def warp(at_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        # One flip a second, each of its own strength, over in 0.3 s: about as long as a blink.
        flip = flips[int(at_s) % len(flips)] * np.exp(-(((at_s % 1 - 0.5) / 0.11) ** 2))
        wave = np.sin(2 * np.pi * rate * at_s)
        x, y = columns - width / 2, rows - height / 2 - height * across * wave
        x, y = _tilted(x, y, 0.1 * wave, pitch_limit * flip, 2.2 * width, (width / 2, height / 2))
        return _f32(x, y + ripple * np.sin(2 * np.pi * (along * y / height - rate * at_s)))

    return _held(picture, warp, seed, fps, length_s)


def frozen_with_noise(picture: RgbPixels, seed: int, fps: float = 30, length_s: float = LENGTH_S) -> Clip:
    """Return what a virtual camera sends of one picture: exact times, noise, and 98 to 100 % of the brightness."""
    random = np.random.default_rng([seed, 59])
    frames = []
    for _ in range(round(fps * length_s)):
        noise = random.standard_normal(picture.shape, np.float32) * np.float32(random.uniform(1, 3))
        frames.append(np.clip(picture * np.float32(random.uniform(0.98, 1)) + noise, 0, 255).astype(np.uint8))
    return Clip(tuple(frames), np.arange(len(frames)) / fps)


def screen_replay(clip: Clip, seed: int) -> Clip:
    """Return a clip played on a screen and filmed: dark bezel, moiré, rolling bands, glare, other gamma, soft edges."""
    random = np.random.default_rng([seed, 61])
    height, width = clip.frames[0].shape[:2]
    columns, rows = _grid(clip.frames[0])
    tilt, scale = np.deg2rad(random.uniform(-6, 6)), random.uniform(0.82, 0.97)
    shake, gamma, bezel = _sway(seed, 2, (0.3, 6)), random.uniform(0.75, 1.3), random.uniform(5, 40)
    angle, pitch_px = random.uniform(0, np.pi), random.uniform(2.3, 6.0)
    moire = np.sin(2 * np.pi * (columns * np.cos(angle) + rows * np.sin(angle)) / pitch_px)[..., None]
    moire = moire * random.uniform(3, 10) * np.asarray((1.0, 0.6, -0.8), np.float32)
    glare = random.uniform(20, 90) * np.exp(-(((columns - random.uniform(0, width)) / (0.25 * width)) ** 2)
                                            - ((rows - random.uniform(0, height)) / (0.2 * height)) ** 2)  # fmt: skip
    frames = []
    for number, (frame, at_s) in enumerate(zip(clip.frames, clip.times_s, strict=True)):
        x = (columns - width / 2) / scale - 0.004 * width * shake(float(at_s))[0]
        y = (rows - height / 2) / scale - 0.004 * width * shake(float(at_s))[1]
        from_x, from_y = _tilted(x, y, tilt, tilt / 2, 2.5 * width, (width / 2, height / 2))
        shown = cv2.remap(
            frame, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0)
        )
        on = ((from_x >= 0) & (from_x < width) & (from_y >= 0) & (from_y < height))[..., None]
        bands = 1 + 0.03 * np.sin(2 * np.pi * (rows / height * 1.5 + 2.3 * float(at_s)))[..., None]
        light = (255 * (shown / np.float32(255)) ** gamma * bands + moire) * on + bezel * ~on + glare[..., None]
        frames.append(_filmed(cv2.GaussianBlur(light.astype(np.float32), (0, 0), 0.7), 2.0, [seed, number, 61]))
    return Clip(tuple(frames), clip.times_s)


def wrong_order(clips: Sequence[Clip], order: Sequence[int]) -> Clip:
    """Return recordings of single actions played one after another in another order than asked for."""
    return joined([clips[number] for number in order])


def spliced(one: Clip, other: Clip, at_share: float = 0.5) -> Clip:
    """Return a clip that begins with one person and goes on with another, cut at a share of the first one's frames."""
    cut = max(1, round(len(one.frames) * at_share))
    later = other.times_s >= one.times_s[cut - 1]
    rest = tuple(frame for frame, kept in zip(other.frames, later, strict=True) if kept) or other.frames[-1:]
    first = Clip(one.frames[:cut], one.times_s[:cut])
    times = other.times_s[later] if later.any() else other.times_s[-1:]
    return joined([first, Clip(rest, times - times[0])])


def joined(clips: Sequence[Clip]) -> Clip:
    """Return clips one after another, at the pace of each."""
    times, start_s = [], 0.0
    for clip in clips:
        times.append(clip.times_s + start_s)
        start_s = float(times[-1][-1]) + (1 / clip.fps if clip.fps else 1 / 15)
    return Clip(tuple(frame for clip in clips for frame in clip.frames), np.concatenate(times))


def slowed(clip: Clip, factor: float = 2.0) -> Clip:
    """Return the clip stretched in time by a factor, frame by frame."""
    return Clip(clip.frames, clip.times_s * factor)


def sped_up(clip: Clip, factor: float = 2.0) -> Clip:
    """Return the clip compressed in time by a factor at its own frame rate: frames are left out."""
    kept = np.unique(np.round(np.arange(0, len(clip.frames) - 1e-9, factor)).astype(int))
    kept = kept[kept < len(clip.frames)]
    return Clip(tuple(clip.frames[number] for number in kept), clip.times_s[kept] / factor)


def _grid(picture: RgbPixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return column and row of every pixel."""
    height, width = picture.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return columns, rows


def _f32(x: NDArray[np.floating], y: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _sway(seed: int, channels: int, rates_hz: tuple[float, float]) -> Callable[[float], NDArray[np.float64]]:
    """Return smooth random motion by time, each channel between -1 and 1: three sines of random rate and phase."""
    random = np.random.default_rng([seed, 67, channels])
    rates = random.uniform(*rates_hz, (channels, 3))
    phases = random.uniform(0, 2 * np.pi, (channels, 3))
    shares = random.dirichlet((2, 2, 2), channels)
    return lambda at_s: np.asarray((shares * np.sin(2 * np.pi * rates * at_s + phases)).sum(axis=1))


def _tilted(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    yaw: float,
    pitch: float,
    away_px: float,
    centre: tuple[float, float],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where a camera sees the points of a flat sheet that is turned about its middle (a homography)."""
    # The ray (x, y, away) meets the plane with normal n through the origin; its coordinates in the sheet follow.
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch)
    right = np.array([cos_yaw, 0.0, -sin_yaw])
    down = np.array([sin_yaw * sin_pitch, cos_pitch, cos_yaw * sin_pitch])
    normal = np.cross(right, down)
    reach = normal[2] * away_px / (normal[0] * x + normal[1] * y + normal[2] * away_px)
    point = (x * reach, y * reach, away_px * (reach - 1))
    along, below = (axis[0] * point[0] + axis[1] * point[1] + axis[2] * point[2] for axis in (right, down))
    return _f32(along + centre[0], below + centre[1])


def _held(picture: RgbPixels, warp: Warp, seed: int, fps: float, length_s: float) -> Clip:
    """Return a picture seen through a warp that changes with time, filmed by a camera."""
    random = np.random.default_rng([seed, 71])
    times_s = np.arange(round(fps * length_s)) / fps
    times_s[1:] += np.clip(random.normal(0, 0.003, len(times_s) - 1), -0.2 / fps, 0.2 / fps)
    noise, rate, phase = random.uniform(1.5, 3), random.uniform(0.2, 0.6), random.uniform(0, 6)
    room = [float(channel) for channel in np.median(picture, axis=(0, 1)) * random.uniform(0.4, 0.9)]
    frames = []
    for number, at_s in enumerate(times_s):
        from_x, from_y = warp(float(at_s))
        seen = cv2.remap(picture, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=room)
        exposure = 1 + 0.015 * np.sin(2 * np.pi * rate * at_s + phase)
        frames.append(_filmed(seen * np.float32(exposure), noise, [seed, number, 73]))
    return Clip(tuple(frames), times_s)


def _filmed(light: NDArray[np.float32], noise: float, seeds: list[int]) -> RgbPixels:
    """Return light with the noise of a sensor, as 8-bit pixels."""
    random = np.random.default_rng(seeds)
    return np.asarray(
        np.clip(light + random.standard_normal(light.shape, np.float32) * np.float32(noise), 0, 255), np.uint8
    )
