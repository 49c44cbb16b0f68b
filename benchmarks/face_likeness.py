"""Is it the same picture, or a living face once more? Both error rates, and times.

Run `python benchmarks/face_likeness.py [--captures 10000000]`. Photos and clips in ../shared/media are used when they
are there, besides the project's own sample media. Times are of one core.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from online_guard.faces.capture_index import CaptureIndex
from online_guard.faces.decode import RgbPixels, decode
from online_guard.faces.fingerprint import perceptual_hash
from online_guard.faces.identity import find_faces
from online_guard.faces.likeness import Capture, capture, residual
from online_guard.simulate.altered_pictures import ALTERATIONS, TWO_ALTERATIONS

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ONLINE_GUARD_SHARED", ROOT.parent / "shared"))
SAME = 0.04
"""snapshot.same_picture_residual of the shipped policy."""
APART_S = 2.0
EVERY_S = 0.5


def prepared(pixels: RgbPixels) -> Capture | None:
    """Return a good picture's capture, None unless it shows exactly one face."""
    faces = find_faces(pixels)
    return capture(pixels, perceptual_hash(pixels), None, faces[0]) if len(faces) == 1 else None


def photos() -> dict[str, list[RgbPixels]]:
    """Return all photos by where they come from."""
    sources = {
        "sample media": sorted((ROOT / "sample_media").glob("learner-*/*")),
        "real photos": sorted((SHARED / "media" / "identity").glob("*")),
    }
    return {source: [decode(path.read_bytes()) for path in paths] for source, paths in sources.items() if paths}


def frames(clip: Path) -> list[tuple[float, RgbPixels]]:
    """Return (seconds, picture) of a clip, every `EVERY_S`."""
    video = cv2.VideoCapture(str(clip))
    rate = video.get(cv2.CAP_PROP_FPS)
    found: list[tuple[float, RgbPixels]] = []
    for number in itertools.count():
        if not video.grab():
            return found
        if not found or number / rate - found[-1][0] >= EVERY_S - 1e-6:
            found.append((number / rate, np.ascontiguousarray(video.retrieve()[1][:, :, ::-1])))
    return found


def honest_pairs() -> Iterator[tuple[str, Capture, Capture]]:
    """Yield (source, one, other): pictures that were both truly taken."""
    for learner in sorted((ROOT / "sample_media").glob("learner-*")):
        taken = [prepared(decode(path.read_bytes())) for path in sorted(learner.iterdir())]
        yield from (("painted snapshots", *pair) for pair in itertools.combinations(filter(None, taken), 2))
    for clip in sorted((SHARED / "media" / "live").glob("*.mp4")):
        known = [(at_s, prepared(pixels)) for at_s, pixels in frames(clip)]
        for (one_s, one), (other_s, other) in itertools.combinations(known, 2):
            if one is not None and other is not None and other_s - one_s >= APART_S - 1e-6:
                yield "frames of living faces", one, other


def detection() -> str:
    """Return the share of altered pictures known as the same, as a table."""
    lines = []
    for source, pictures in photos().items():
        known = [(pixels, one) for pixels in pictures if (one := prepared(pixels)) is not None]
        lines += [f"\n{source}: {len(known)} photos", f"{'alteration':24} {'same':>6} {'95 % of residuals':>18}"]
        for name, alter in {**ALTERATIONS, **TWO_ALTERATIONS}.items():
            # an altered picture in which no face is found isn't good, and no evidence: it isn't compared
            compared = [(one, prepared(alter(pixels))) for pixels, one in known]
            left = [residual(one, other) for one, other in compared if other is not None]
            lines.append(f"{name:24} {np.mean(np.array(left) <= SAME):6.1%} {np.quantile(left, 0.95):18.4f}")
    return "\n".join(lines)


def false_alarms() -> str:
    """Return how many honest pairs count as the same picture, and the time per comparison."""
    left: dict[str, list[float]] = {}
    spent_s = 0.0
    for source, one, other in honest_pairs():
        began = time.thread_time()
        left.setdefault(source, []).append(residual(one, other))
        spent_s += time.thread_time() - began
    lines = [f"{'honest pairs':24} {'pairs':>6} {'same':>6} {'least':>8} {'1 %':>8} {'median':>8}"]
    for source, values in left.items():
        least, first, median = np.quantile(values, (0, 0.01, 0.5))
        same = sum(value <= SAME for value in values)
        lines.append(f"{source:24} {len(values):6d} {same:6d} {least:8.4f} {first:8.4f} {median:8.4f}")
    pairs = sum(map(len, left.values()))
    return "\n".join(lines) + f"\n{1000 * spent_s / pairs:.1f} ms a comparison"


def index_speed(captures: int, look_ups: int = 400) -> str:
    """Return times of look-ups among captures of learners whose 100 hashes each lie within 8 bits of a common one."""
    random = np.random.default_rng(1)
    hashes = np.repeat(random.integers(0, 2**64, -(-captures // 100), dtype=np.uint64), 100)[:captures]
    for _ in range(8):
        bits = np.uint64(1) << random.integers(0, 64, captures, dtype=np.uint64)
        hashes ^= np.where(random.random(captures) < 0.75, bits, np.uint64(0))
    index = CaptureIndex()
    began = time.thread_time()
    index.add_many(np.arange(captures), hashes)
    built_s = time.thread_time() - began
    for key in range(1000):
        index.add(captures + key, f"{int(hashes[key]):016x}", random.standard_normal(128))
    times_ms = []
    for wanted in random.choice(hashes, look_ups):
        vector = random.standard_normal(128)
        began = time.thread_time()
        index.candidates(f"{int(wanted):016x}", vector)
        times_ms.append(1000 * (time.thread_time() - began))
    middle, slow = np.quantile(times_ms, (0.5, 0.99))
    return (
        f"index of {captures:,} captures: look-up p50 {middle:.1f} ms, p99 {slow:.1f} ms "
        "(straight and mirrored, exact), "
        f"{index.size_bytes / 1e6:.0f} MB, sorted in {built_s:.1f} s"
    )


def report(captures: int = 10_000_000) -> str:
    """Return everything measured, as text."""
    return "\n".join(
        [f"the same picture: residual <= {SAME}", detection(), "", false_alarms(), "", index_speed(captures)]
    )


if __name__ == "__main__":
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=10_000_000)
    print(report(parser.parse_args().captures))
