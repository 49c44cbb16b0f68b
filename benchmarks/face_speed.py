"""How fast a picture is inspected, and how much faster than by the default calls of `face_recognition`.

    python benchmarks/face_speed.py

Each picture is scaled to 640 and 1 280 px on its longer side and stored as JPEG, quality 90. Both ways then see the
same files on one core, by turns, in CPU time of all processes that take part, the least of three runs. "Default calls"
are those of its README: `load_image_file`, `face_locations`, `face_encodings`, each with its defaults; `face_encodings`
then searches for faces a second time. "Known boxes" hands it the boxes. `face_recognition` runs in a process of its
own: importing it makes Pillow accept truncated images.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
from PIL import Image

from online_guard.faces import decoder
from online_guard.faces.decode import decode
from online_guard.faces.fingerprint import perceptual_hash, sha256_hex
from online_guard.faces.grey_copies import grey_copies
from online_guard.faces.identity import FaceVector, face_vector, find_faces, landmarks
from online_guard.faces.likeness import capture, likeness
from online_guard.faces.pipeline import inspect
from online_guard.faces.presented_attack import judge_picture
from online_guard.faces.quality import measure

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ONLINE_GUARD_SHARED", ROOT.parent / "shared"))
SIDES_PX = (640, 1280)
MOST_PICTURES = 16
SECONDS_OF_THROUGHPUT = 4.0

MOST_PICTURES = 8
SECONDS_OF_THREADS = 3.0

THEIRS = """
import json, sys, time
from face_recognition import face_encodings, face_locations, load_image_file
for line in sys.stdin:
    path, own_box = json.loads(line)
    default, known = [], []
    for _ in range(3):
        start = time.process_time()
        image = load_image_file(path)
        boxes = face_locations(image)
        found = time.process_time()
        face_encodings(image)
        end = time.process_time()
        face_encodings(image, boxes)
        default.append(end - start)
        known.append(found - start + time.process_time() - end)
    vector = face_encodings(image, [own_box])[0].tolist() if own_box else None
    print(json.dumps([min(default), min(known), vector]), flush=True)
"""
"""Per picture: CPU seconds of the default calls, of those with the boxes handed over, and the vector of our box."""

Steps = dict[str, list[float]]


def pictures(folder: Path, side_px: int) -> list[Path]:
    """Return some pictures brought to a size: real photos where there are any, else the sample snapshots."""
    photos = sorted((SHARED / "media" / "identity").glob("*.jpg"))
    found = photos or sorted((ROOT / "sample_media").glob("learner-*/snapshot-1.jpg"))
    scaled = []
    for path in found[:: max(1, len(found) // MOST_PICTURES)][:MOST_PICTURES]:
        with Image.open(path) as image:
            scale = side_px / max(image.size)
            size = (round(image.width * scale), round(image.height * scale))
            scaled.append(folder / f"{side_px}-{path.parent.name}-{path.stem}.jpg")
            image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(scaled[-1], quality=90)
    return scaled


def cpu_s() -> float:
    """Return the CPU seconds of this process and of those that decode for it."""
    own = time.process_time()
    decoders = [made.process.pid for made in decoder._lent.made if made.process]  # noqa: SLF001  nobody else needs to know
    return own + sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in decoders) / 1e9


def timed(steps: Steps, name: str, call: Callable[[], Any]) -> Any:
    """Return what a call returns, and note its milliseconds: the least of three."""
    spent = []
    for _ in range(3):
        start = cpu_s()
        result = call()
        spent.append((cpu_s() - start) * 1000)
    steps.setdefault(name, []).append(min(spent))
    return result


def inspect_step_by_step(content: bytes, steps: Steps) -> tuple[list[int] | None, FaceVector | None]:
    """Note the milliseconds of each step and of the whole; return the box as `face_recognition` has it, the vector."""
    pixels = timed(steps, "decode", lambda: decode(content))
    grey = timed(steps, "grey copies", lambda: grey_copies(pixels))
    faces = timed(steps, "find_faces", lambda: find_faces(pixels, grey))
    timed(steps, "inspect", lambda: inspect(content, passive=False))
    if len(faces) != 1:
        return None, None
    face = faces[0]
    points = timed(steps, "landmarks", lambda: landmarks(pixels, face))
    vector = timed(steps, "face_vector", lambda: face_vector(pixels, face, points))
    timed(steps, "quality, pose", lambda: measure(grey.copies[0], face, points))
    phash = timed(steps, "SHA-256, perceptual hash", lambda: (sha256_hex(content), perceptual_hash(pixels, grey))[1])
    prepared = timed(steps, "capture (asked for)", lambda: capture(pixels, phash, vector, face))
    moved = capture(np.roll(pixels, 3, axis=1), phash, vector, face)
    timed(steps, "likeness (asked for)", lambda: likeness(prepared, moved))
    timed(steps, "passive check (asked for)", lambda: judge_picture(pixels, face))
    return [face.top, face.right - 1, face.bottom - 1, face.left], vector


def compare(side_px: int, theirs: subprocess.Popen[str], folder: Path) -> list[str]:
    """Return the lines about one size of picture."""
    steps: Steps = {}
    default, known, difference = [], [], 0.0
    paths = pictures(folder, side_px)
    for path in paths:
        box, vector = inspect_step_by_step(path.read_bytes(), steps)
        print(json.dumps([str(path), box]), file=theirs.stdin, flush=True)
        of_default, of_known, their_vector = json.loads(theirs.stdout.readline())
        default.append(of_default * 1000)
        known.append(of_known * 1000)
        if vector is not None:
            difference = max(difference, float(np.abs(vector - their_vector).max()))
    own = mean(steps["inspect"])
    lines = [f"## {side_px} px, {len(paths)} pictures, CPU ms each, mean", ""]
    lines += [f"{name:28}{mean(spent):8.2f}" for name, spent in steps.items() if name != "inspect"]
    lines += [
        f"{'inspect, without (asked for)':28}{own:8.2f}  = {1000 / own:.0f} snapshots a second on one core",
        f"{'face_recognition, default':28}{mean(default):8.2f}  = {mean(default) / own:.1f} times ours",
        f"{'face_recognition, known box':28}{mean(known):8.2f}  = {mean(known) / own:.1f} times ours",
        f"{'largest vector difference':28}{difference:8.1e}",
        "",
    ]
    return lines


def in_threads(contents: list[bytes], threads: int) -> float:
    """Return how many snapshots a second some threads inspect, by the wall clock."""
    done = 0
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as workers:
        while time.perf_counter() - start < SECONDS_OF_THREADS:
            done += len(list(workers.map(inspect, contents)))
    return done / (time.perf_counter() - start)


def report() -> str:
    """Return the measurements as text."""
    cv2.setNumThreads(1)
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", THEIRS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as theirs,
    ):
        folder = Path(name)
        inspect_step_by_step(pictures(folder, 320)[0].read_bytes(), {})  # loads the models
        lines = [line for side_px in SIDES_PX for line in compare(side_px, theirs, folder)]
        theirs.stdin.close()
        contents = [path.read_bytes() for path in pictures(folder, 640)]
        rates = [f"{in_threads(contents, threads):.0f} with {threads}" for threads in (1, 2)]
    lines.append(f"Snapshots a second at 640 px by the wall clock, threads: {', '.join(rates)}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
