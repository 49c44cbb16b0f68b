"""How well liveness does: blinks found, attacks let through, genuine learners refused, seconds a clip.

APCER is the share of attack clips of one kind that pass a random challenge, BPCER the share of genuine clips that don't
pass theirs (ISO/IEC 30107-3), both with 95 % Wilson intervals. Attacks are made from the identity photos of the shared
folder, or from the sample media's reference photos where there is none, and from clips of painted heads. A clip is
followed once and held against all 54 challenges; each counts one challenge drawn for it, and the mean over all 54
stands beside it. Nothing is held against a reference photo: that check is `identity`'s.
Usage: `python benchmarks/face_liveness.py`, about six minutes on two cores.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from online_guard.faces.challenge import CHALLENGES
from online_guard.faces.clips import Clip, read_clip
from online_guard.faces.decode import RgbPixels, decode
from online_guard.faces.identity import find_faces
from online_guard.faces.liveness import judge_clip
from online_guard.faces.proportions import Proportion
from online_guard.faces.response import match_actions
from online_guard.simulate import face_attacks
from online_guard.simulate.head_clips import painted_clip
from online_guard.simulate.head_people import LEARNERS
from online_guard.terms import Action, Outcome

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ONLINE_GUARD_SHARED", ROOT.parent / "shared"))
PROCESSES = 2
MATCH_DISTANCE = 0.55
TOLERANCE_S = 0.35
BASELINE_S = 0.5
PHOTO_ATTACKS = ("still_photo", "moved_photo", "tilted_photo", "bent_photo", "waved_photo")
PHOTO_CLIPS = 320
PHOTO_CLIP_S = 4.0
PHOTO_SIDE_PX = 360
GENUINE_CLIPS = 120
GENUINE_FPS = (12.0, 13.5, 15.0)
CLIP_ATTACKS_EVERY = 5
"""Attacks are made from one in so many of the genuine clips."""
RATES: tuple[tuple[str, float], ...] = (("as filmed", 1e9), ("12", 12.0), ("10", 10.0))
Actions = tuple[Action, ...]


@dataclass(frozen=True)
class Tried:
    """One attack clip: its kind, which of the challenges it passed, whether anything happened, what was wrong."""

    kind: str
    passed: Sequence[bool]
    events: bool
    faults: frozenset[str]


def tried(kind: str, clip: Clip, challenges: Sequence[Actions] = CHALLENGES) -> Tried:
    """Return what a clip does against challenges, followed once."""
    report = judge_clip(clip, (), None, MATCH_DISTANCE)
    faults = frozenset(report.reasons) - {"nothing_asked"}
    passed = [not faults and not match_actions(report.events, asked)[1] for asked in challenges]
    return Tried(kind, passed, bool(report.events), faults)


def try_photo(job: tuple[int, RgbPixels]) -> Tried:
    """Return what an attack made from a photo does."""
    number, picture = job
    kind = PHOTO_ATTACKS[number % len(PHOTO_ATTACKS)]
    make: Callable[..., Clip] = getattr(face_attacks, kind)
    return tried(kind, make(picture, seed=1000 + number, length_s=PHOTO_CLIP_S))


def asked_of(number: int) -> Actions:
    """Return the challenge that a genuine clip answers: each of the 54 in turn, with every learner."""
    return CHALLENGES[(number * 17 + number // LEARNERS * 5) % len(CHALLENGES)]


def try_genuine(number: int) -> tuple[tuple[str, ...], list[Tried]]:
    """Return why a painted learner who answers was refused, and what attacks made from that clip do."""
    asked, learner, seed = asked_of(number), 1 + number % LEARNERS, 500 + number
    clip = painted_clip(learner, asked, seed, GENUINE_FPS[number // LEARNERS % len(GENUINE_FPS)])
    report = judge_clip(clip, asked, None, MATCH_DISTANCE)
    refused = () if report.outcome is Outcome.PASSED else report.reasons
    if number % CLIP_ATTACKS_EVERY:
        return refused, []
    others = [other for other in CHALLENGES if other != asked]
    stranger = painted_clip(1 + (number + 5) % LEARNERS, asked, seed, clip.fps)
    fluent = painted_clip(learner, asked, seed, fps=24)
    shown = face_attacks.screen_replay(clip, seed)
    return refused, [
        tried("wrong_order", clip, others),
        tried("frozen_with_noise", face_attacks.frozen_with_noise(clip.frames[2], seed, 15, 4.0)),
        tried("spliced, own challenge", face_attacks.spliced(clip, stranger), [asked]),
        tried("screen_replay, another challenge", shown, others),
        tried("screen_replay, own challenge", shown, [asked]),
        tried("slowed, own challenge", face_attacks.slowed(fluent), [asked]),
        tried("sped_up, own challenge", face_attacks.sped_up(fluent), [asked]),
    ]


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


def table(attempts: Sequence[Tried]) -> Iterator[str]:
    """Yield the table of attacks by kind, and all together."""
    random = np.random.default_rng(11)
    yield "| attack | APCER of a drawn challenge | mean over all its challenges | clips with an event | faults seen |"
    yield "| --- | --- | --- | --- | --- |"
    hits = 0
    for kind in dict.fromkeys(one.kind for one in attempts):
        clips = [one for one in attempts if one.kind == kind]
        drawn = sum(one.passed[random.integers(len(one.passed))] for one in clips)
        hits += drawn
        mean = float(np.mean([np.mean(one.passed) for one in clips]))
        faults = Counter(fault for one in clips for fault in one.faults)
        seen = ", ".join(f"{fault} {count}" for fault, count in faults.most_common()) or "–"
        rate = said(Proportion(drawn, len(clips)))
        yield f"| {kind} | {rate} | {mean:.2%} | {sum(one.events for one in clips)} | {seen} |"
    yield f"| all | {said(Proportion(hits, len(attempts)))} | | | |"


def find_blinks(name: str) -> list[tuple[list[float], float]]:
    """Return, for each rate, the moments of the blinks found in a real clip, s, and the clip's length, s."""
    clip = read_clip(SHARED / "media" / "live" / name)
    found = []
    for _, most in RATES:
        step = max(1, int(np.ceil(clip.fps / most - 0.05)))
        report = judge_clip(Clip(clip.frames[::step], clip.times_s[::step]), (), None, MATCH_DISTANCE)
        moments = [event.at_s for event in report.events if event.action is Action.BLINK]
        found.append(([at_s for at_s in moments if at_s >= BASELINE_S], float(clip.times_s[-1])))
    return found


def blink_table(listed: dict[str, Any], found: Sequence[list[tuple[list[float], float]]]) -> Iterator[str]:
    """Yield blink recall and false blinks a minute on the clips that `blinks.json` lists, by frame rate."""
    yield "| frames a second | blink recall | false blinks a minute |\n| --- | --- | --- |"
    for number, (label, _) in enumerate(RATES):
        hits, false, of, minutes = 0, 0, 0, 0.0
        for entry, clip in zip(listed.values(), found, strict=True):
            seen, length_s = clip[number]
            moments, ignored = entry["blinks_s"], entry["ignore_s"]
            counted = [at for at in moments if at >= BASELINE_S and not _inside(at, ignored)]
            hits += sum(any(abs(at - one) <= TOLERANCE_S for one in seen) for at in counted)
            false += sum(
                not _inside(one, ignored) and all(abs(at - one) > TOLERANCE_S for at in moments) for one in seen
            )
            of, minutes = of + len(counted), minutes + length_s / 60
        yield f"| {label} | {said(Proportion(hits, of))} | {false / minutes:.2f} ({false} in {minutes:.1f} min) |"


def _inside(at_s: float, stretches: list[list[float]]) -> bool:
    return any(begin <= at_s <= end for begin, end in stretches)


def speed() -> str:
    """Return the seconds for a 5-second clip of 640 × 480 px at 30 frames a second."""
    asked = (Action.BLINK, Action.TURN_LEFT, Action.OPEN_MOUTH)
    small = painted_clip(1, asked, seed=3, fps=30)
    frames = tuple(cv2.resize(frame, (640, 480)) for frame in (small.frames * 2)[:150])
    clip = Clip(frames, np.arange(150) / 30)
    judge_clip(Clip(frames[:15], clip.times_s[:15]), asked, None, MATCH_DISTANCE)  # loads the models
    begun = time.process_time()
    judge_clip(clip, asked, None, MATCH_DISTANCE)
    return f"A clip of 5 s (150 frames, 640 × 480 px): {time.process_time() - begun:.2f} s of one core"


def report() -> Iterator[str]:
    """Yield all tables as Markdown."""
    listing = SHARED / "media" / "blinks.json"
    listed: dict[str, Any] = json.loads(listing.read_text(encoding="utf-8")) if listing.is_file() else {}
    source, pictures = photos()
    jobs = [(number, pictures[number // len(PHOTO_ATTACKS) % len(pictures)]) for number in range(PHOTO_CLIPS)]
    with Pool(PROCESSES, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        if listed:
            yield from blink_table(listed, pool.map(find_blinks, listed, chunksize=1))
        else:
            yield f"Blinks: not measured, {listing} does not exist (set ONLINE_GUARD_SHARED)"
        yield f"\n{PHOTO_CLIPS} attack clips made from {len(pictures)} {source}:\n"
        yield from table(pool.map(try_photo, jobs, chunksize=4))
        genuine = pool.map(try_genuine, range(GENUINE_CLIPS), chunksize=1)
    yield "\nAttack clips made from clips of painted heads:\n"
    *rows, _ = table([attempt for _, attempts in genuine for attempt in attempts])  # a total of such kinds says nothing
    yield from rows
    refused = [reasons for reasons, _ in genuine if reasons]
    why = dict(Counter(reason for reasons in refused for reason in reasons))
    rate = said(Proportion(len(refused), len(genuine)))
    yield f"\nGenuine clips of painted heads: BPCER {rate}; {why or 'none refused'}"
    yield f"\n{speed()}"


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for line in report():
        print(line, flush=True)
