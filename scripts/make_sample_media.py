"""Makes the pictures of `sample_media/`: painted heads, and one public-domain photo (NASA) in several poses.

Run `python scripts/make_sample_media.py` to write pictures and `catalogue.json`, with `--table` to print the table of
measured distances for the README instead. Everything is drawn from fixed seeds (`online_guard.simulate.heads`): the
same library versions give the same bytes.
"""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from online_guard.faces.identity import distance
from online_guard.faces.pipeline import enrol_reference, inspect
from online_guard.simulate.head_people import LEARNER_SEEDS, REFERENCE, SNAPSHOTS, STRANGER_SEED, Take, draw_head
from online_guard.simulate.heads import capture, paint, room, shoot

FOLDER = Path(__file__).resolve().parent.parent / "sample_media"
REFERENCE_PX = (360, 360)
SNAPSHOT_PX = (320, 240)


def encode(picture: NDArray[np.uint8], kind: str) -> bytes:
    """Return the bytes of a picture as `jpg`, `webp` or `png` (256 colours, to stay small)."""
    image, out = Image.fromarray(picture), io.BytesIO()
    if kind == "jpg":
        image.save(out, "JPEG", quality=85)
    elif kind == "webp":
        image.save(out, "WEBP", quality=82, method=4)
    else:
        image.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def learners() -> dict[str, bytes]:
    """Return file name and bytes of every reference photo and good snapshot."""
    files = {}
    for learner in range(1, len(LEARNER_SEEDS) + 2):
        folder = f"learner-{learner:02d}"
        files[f"{folder}/reference.jpg"] = encode(capture(learner, REFERENCE, REFERENCE_PX), "jpg")
        for take, kind in zip(SNAPSHOTS, ("jpg", "webp", "jpg"), strict=True):
            files[f"{folder}/snapshot-{take.number}.{kind}"] = encode(capture(learner, take, SNAPSHOT_PX), kind)
    return files


def specials() -> list[tuple[str, int, list[str], str, bytes]]:
    """Return file, learner it was sent for, reasons against it, what it shows, and bytes of pictures with a fault."""
    one, two, three = SNAPSHOTS
    dark, bright = replace(one, number=4, gain=0.15, noise=2), replace(one, number=5, gain=2.6)
    blurred, far = replace(three, number=6, blur_px=3.8, gain=1.0, noise=1), replace(one, number=7, zoom=0.22)

    def snap(learner: int, take: Take) -> bytes:
        return encode(capture(learner, take, SNAPSHOT_PX), "jpg")

    def half(learner: int, take: Take) -> NDArray[np.uint8]:
        return capture(learner, replace(take, zoom=0.8), SNAPSHOT_PX)[:, 60:260]

    stranger = shoot(paint(draw_head(STRANGER_SEED), one), one, SNAPSHOT_PX, STRANGER_SEED)
    empty = shoot(room(np.random.default_rng(31)), one, SNAPSHOT_PX, seed=31)
    replayed = encode(capture(1, REFERENCE, REFERENCE_PX), "webp")
    return [
        ("wrong-person.jpg", 4, [], "a stranger sits in for the learner", encode(stranger, "jpg")),
        ("no-face.png", 2, ["no_face"], "an empty room", encode(empty, "png")),
        ("two-faces.jpg", 5, ["several_faces"], "two people before the camera",
         encode(np.hstack([half(5, two), half(8, three)]), "jpg")),
        ("dark.jpg", 3, ["too_dark"], "a room without light", snap(3, dark)),
        ("bright.jpg", 8, ["too_bright"], "over-exposed", snap(8, bright)),
        ("blurred.jpg", 12, ["too_blurred"], "out of focus", snap(12, blurred)),
        ("small.jpg", 10, ["too_small"], "far from the camera", snap(10, far)),
        ("replayed-reference.webp", 1, [], "the reference photo itself, re-encoded", replayed),
    ]  # fmt: skip


def catalogue() -> tuple[dict[str, bytes], bytes]:
    """Return all files by name, and the bytes of `catalogue.json`, which lists them."""
    files = learners()
    people = []
    for learner in range(1, len(LEARNER_SEEDS) + 2):
        own = sorted(name for name in files if name.startswith(f"learner-{learner:02d}/snapshot"))
        people.append({"learner": f"learner-{learner:02d}", "origin": "photo" if learner == 1 else "painted",
                       "reference": f"learner-{learner:02d}/reference.jpg", "snapshots": own})  # fmt: skip
    odd = []
    for name, learner, reasons, shows, content in specials():
        files[f"special/{name}"] = content
        odd.append({"file": f"special/{name}", "learner": f"learner-{learner:02d}", "reasons": reasons, "shows": shows})
    listing = json.dumps({"learners": people, "specials": odd}, indent=2) + "\n"
    return files, listing.encode()


def table() -> str:
    """Return the Markdown table of measured distances between the pictures in the folder."""
    listing = json.loads((FOLDER / "catalogue.json").read_text())
    vectors = {
        p["learner"]: enrol_reference((FOLDER / p["reference"]).read_bytes()).vector for p in listing["learners"]
    }
    lines = ["| learner | own snapshots | nearest other reference |", "| --- | --- | --- |"]
    for person in listing["learners"]:
        own = vectors[person["learner"]]
        shots = [inspect((FOLDER / name).read_bytes(), own).distance for name in person["snapshots"]]
        near, name = min((distance(own, other), name) for name, other in vectors.items() if name != person["learner"])
        lines.append(f"| {person['learner']} | {', '.join(f'{shot:.2f}' for shot in shots)} | {near:.2f} ({name}) |")
    lines += ["", "| special | sent for | reasons | faces | distance |", "| --- | --- | --- | --- | --- |"]
    for odd in listing["specials"]:
        seen = inspect((FOLDER / odd["file"]).read_bytes(), vectors[odd["learner"]])
        far = "–" if seen.distance is None else f"{seen.distance:.2f}"
        lines.append(f"| {odd['file']} | {odd['learner']} | {', '.join(seen.reasons) or '–'} | {seen.faces} | {far} |")
    return "\n".join(lines)


def main() -> None:
    """Write the folder, or print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--table", action="store_true", help="print measured distances instead of writing files")
    if arguments.parse_args().table:
        print(table())
        return
    files, listing = catalogue()
    for name, content in files.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(content)
    (FOLDER / "catalogue.json").write_bytes(listing)
    print(f"{len(files)} pictures, {sum(map(len, files.values()))} bytes in {FOLDER}")


if __name__ == "__main__":
    main()
