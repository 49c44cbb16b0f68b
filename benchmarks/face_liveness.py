"""How well liveness does: blinks found, attacks let through, genuine learners refused, seconds a clip.

APCER is the share of attack clips of one kind that pass a random challenge, BPCER the share of genuine clips that don't
pass theirs (ISO/IEC 30107-3), both with 95 % Wilson intervals. Attacks are made from the identity photos of the shared
folder, or from the sample media's reference photos where there is none. A clip is followed once and held against all 54
challenges; each counts one challenge drawn for it, and the mean over all 54 stands beside it.
Usage: `python benchmarks/face_liveness.py`, about ten minutes on one core.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from online_guard.faces.actions import find_events
from online_guard.faces.challenge import CHALLENGES
from online_guard.faces.clips import Clip, read_clip
from online_guard.faces.continuity import motion_faults
from online_guard.faces.decode import RgbPixels, decode
from online_guard.faces.eye_contrast import eye_contrast
from online_guard.faces.identity import find_faces
from online_guard.faces.landmarks import follow
from online_guard.faces.liveness import judge_clip
from online_guard.faces.proportions import Proportion
from online_guard.faces.response import match_actions
from online_guard.faces.signals import measure_signals
from online_guard.simulate.face_attacks import bent_photo, moved_photo, still_photo, tilted_photo, waved_photo
from online_guard.simulate.head_clips import painted_clip
from online_guard.terms import Action, Outcome

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ONLINE_GUARD_SHARED", ROOT.parent / "shared"))
MATCH_DISTANCE = 0.55
TOLERANCE_S = 0.35
BASELINE_S = 0.5
ATTACKS: tuple[Callable[..., Clip], ...] = (still_photo, moved_photo, tilted_photo, bent_photo, waved_photo)
TRIES = 2
"""Clips of each kind from each photo."""
GENUINE_CLIPS = 60
PHOTO_SIDE_PX = 480


def said(part: Proportion) -> str:
    """Return a share with its interval and counts."""
    if part.share is None or part.interval is None:
        return "–"
    low, high = part.interval
    return f"{part.share:.1%} ({low:.1%}–{high:.1%}; {part.hits} of {part.of})"


def photos() -> tuple[str, list[RgbPixels]]:
    """Return where the photos come from, and those that show one face."""
    folder = SHARED / "media" / "identity"
    paths = sorted(folder.iterdir()) if folder.is_dir() else sorted((ROOT / "sample_media").glob("*/reference.jpg"))
    pictures = []
    for path in paths:
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}:
            pixels = decode(path.read_bytes())
            scale = min(1.0, PHOTO_SIDE_PX / max(pixels.shape[:2]))
            small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            if len(find_faces(small)) == 1:
                pictures.append(np.asarray(small, np.uint8))
    return "identity photos" if folder.is_dir() else "reference photos of the sample media", pictures


def attacks() -> Iterator[str]:
    """Yield the table of attacks by kind."""
    source, pictures = photos()
    random = np.random.default_rng(11)
    yield f"Attacks made from {len(pictures)} {source}, {TRIES} clips of each kind from each:\n"
    yield "| attack | APCER of a drawn challenge | mean over all 54 | clips with an event | said to be frozen or flat |"
    yield "| --- | --- | --- | --- | --- |"
    everything: list[bool] = []
    for make in ATTACKS:
        passed, shares, moved, wrong = [], [], 0, 0
        for number in range(TRIES * len(pictures)):
            clip = make(pictures[number % len(pictures)], seed=1000 + number)
            track = follow(clip)
            events = find_events(measure_signals(track.points, clip.times_s, eye_contrast(clip, track)))
            faults = list(motion_faults(clip, track))
            through = [not faults and not match_actions(events, asked)[1] for asked in CHALLENGES]
            passed.append(through[random.integers(len(CHALLENGES))])
            shares.append(float(np.mean(through)))
            moved += bool(events)
            wrong += bool(faults)
        everything += passed
        rate = said(Proportion(sum(passed), len(passed)))
        yield f"| {make.__name__} | {rate} | {np.mean(shares):.2%} | {moved} | {wrong} |"
    yield f"| all | {said(Proportion(sum(everything), len(everything)))} | | | |"


def genuine() -> Iterator[str]:
    """Yield BPCER over painted heads that answer random challenges, and why they were refused."""
    random = np.random.default_rng(7)
    refused, why, spent = 0, dict[str, int](), []
    for number in range(GENUINE_CLIPS):
        asked = CHALLENGES[random.integers(len(CHALLENGES))]
        clip = painted_clip(1 + number % 12, asked, seed=500 + number)
        begun = time.process_time()
        report = judge_clip(clip, asked, None, MATCH_DISTANCE)
        spent.append((time.process_time() - begun) / len(clip.frames))
        refused += report.outcome is not Outcome.PASSED
        for reason in report.reasons:
            why[reason] = why.get(reason, 0) + 1
    yield f"Genuine challenge clips of painted heads: BPCER {said(Proportion(refused, GENUINE_CLIPS))}; {why or 'none'}"
    yield f"One core, 320 × 240 px: {np.median(spent) * 1000:.1f} ms a frame"


def speed() -> Iterator[str]:
    """Yield the seconds for a 5-second clip of 640 × 480 px at 30 frames a second."""
    asked = (Action.BLINK, Action.TURN_LEFT, Action.OPEN_MOUTH)
    small = painted_clip(1, asked, seed=3, fps=30)
    frames = tuple(cv2.resize(frame, (640, 480)) for frame in (small.frames * 2)[:150])
    clip = Clip(frames, np.arange(150) / 30)
    judge_clip(Clip(frames[:15], clip.times_s[:15]), asked, None, MATCH_DISTANCE)  # loads the models
    begun = time.process_time()
    judge_clip(clip, asked, None, MATCH_DISTANCE)
    yield f"A clip of 5 s (150 frames, 640 × 480 px): {time.process_time() - begun:.2f} s of one core"


def blinks() -> Iterator[str]:
    """Yield blink recall and false blinks a minute on the clips that `blinks.json` lists, by frame rate."""
    listing = SHARED / "media" / "blinks.json"
    if not listing.is_file():
        yield f"Blinks: not measured, {listing} does not exist (set ONLINE_GUARD_SHARED)"
        return
    yield "| frames a second | blink recall | false blinks a minute |\n| --- | --- | --- |"
    listed: dict[str, Any] = json.loads(listing.read_text(encoding="utf-8"))
    clips = [
        (read_clip(listing.parent / "live" / name), entry["blinks_s"], entry["ignore_s"])
        for name, entry in listed.items()
    ]
    for label, most in (("as filmed", 1e9), ("12", 12.0), ("10", 10.0)):
        hits, false, minutes, of = 0, 0, 0.0, 0
        for clip, moments, ignored in clips:
            some = _thinned(clip, most)
            track = follow(some)
            events = find_events(measure_signals(track.points, some.times_s, eye_contrast(some, track)))
            seen = [event.at_s for event in events if event.action is Action.BLINK and event.at_s >= BASELINE_S]
            counted = [at for at in moments if at >= BASELINE_S and not _inside(at, ignored)]
            hits += sum(any(abs(at - one) <= TOLERANCE_S for one in seen) for at in counted)
            false += sum(
                not _inside(one, ignored) and all(abs(at - one) > TOLERANCE_S for at in moments) for one in seen
            )
            of, minutes = of + len(counted), minutes + float(some.times_s[-1]) / 60
        yield f"| {label} | {said(Proportion(hits, of))} | {false / minutes:.2f} ({false} in {minutes:.1f} min) |"


def _inside(at_s: float, stretches: list[list[float]]) -> bool:
    return any(begin <= at_s <= end for begin, end in stretches)


def _thinned(clip: Clip, fps: float) -> Clip:
    """Return every n-th frame, so that at most `fps` a second are left."""
    step = max(1, int(np.ceil(clip.fps / fps - 0.05)))
    return Clip(clip.frames[::step], clip.times_s[::step])


def report() -> str:
    """Return all tables as Markdown."""
    parts = (blinks, attacks, genuine, speed)
    return "\n\n".join("\n".join(part()) for part in parts)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    print(report())
