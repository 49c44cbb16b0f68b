"""Cheats before the camera, as the facts that the face pipeline would find about them (rows 13 to 16 and 24).

Each learner studies honestly; then the rows of the pictures and checks say what was really shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from random import Random

from online_guard.simulate.honest import DAY_MS, Desk
from online_guard.simulate.learner import HONEST, Habits
from online_guard.simulate.tape import Row, tape_of
from online_guard.terms import Outcome

Parameters = Mapping[str, float]
STILL = replace(HONEST, liveness=(Outcome.FAILED, Outcome.FAILED))
"""A picture or a clip can't do the actions in the order just drawn."""


def _study(desk: Desk, lesson_no: int, habits: Habits = HONEST) -> tuple[list[Row], list[Row]]:
    """Study a lesson and return the rows of its pictures and of its checks."""
    rows = tape_of(desk.service).rows
    pictures, checks = len(rows["snapshots"]), len(rows["liveness"])
    desk.study(lesson_no, habits=habits)
    return rows["snapshots"][pictures:], rows["liveness"][checks:]


def _alike(desk: Desk, capture: Row, other_id: object, *, reference: bool, residual: float | None, far: float) -> None:
    """Add what the duplicate search finds: `residual` as measured (0 = the same picture), `far` the face distance."""
    rng = desk.rng
    row: Row = {
        "platform_id": capture["platform_id"],
        "session_id": capture["session_id"],
        "snapshot_id": capture.get("snapshot_id", capture.get("check_id")),
        "other_kind": "reference" if reference else "snapshot",
        "other_id": other_id,
        "phash_distance": rng.randint(0, 3) if residual is not None else rng.randint(8, 30),
        "distance": round(far, 6),
    }
    if residual is not None:
        row["residual"] = round(residual * rng.uniform(0.3, 1.0), 6)
    tape_of(desk.service).rows["likenesses"].append(row)


def _name(capture: Row) -> str:
    return f"{capture['platform_id']}/{capture['session_id']}/{capture['snapshot_id']}"


def reference_photo(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Send the enrolment photo, a few pixels changed or blurred and compressed, and claim liveness."""
    for row in chain(*_study(desk, lesson_no)):
        row["distance"] = round(desk.rng.uniform(0.0, 0.06), 6)
        far = desk.rng.uniform(0.0, 0.06)
        _alike(desk, row, desk.enrolment_id, reference=True, residual=given["residual"], far=far)


def capture_pool(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Send captures of earlier lessons again, re-encoded."""
    tape = tape_of(desk.service)
    pool = [row for row in tape.rows["snapshots"] if str(row["session_id"]).startswith(f"{desk.enrolment_id}-")]
    for row in _study(desk, lesson_no)[0]:
        _alike(desk, row, _name(desk.rng.choice(pool)), reference=False, residual=given["residual"], far=0.02)


def virtual_camera(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Feed one still image with noise to the camera; the passive check and the challenge see it, or nobody looks."""
    pictures, checks = _study(desk, lesson_no, STILL if given["seen"] else HONEST)
    if given["seen"]:
        for row in (*pictures, *checks):
            row["presented_attack"] = True


def recorded_clip(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Replay a clip of the learner: the actions come in another order, or by luck in this one but seen before."""
    tape = tape_of(desk.service)
    pool = [row for row in tape.rows["snapshots"] if str(row["session_id"]).startswith(f"{desk.enrolment_id}-")]
    checks = _study(desk, lesson_no, HONEST if given["lucky"] or not given["seen"] else STILL)[1]
    if given["lucky"]:
        _alike(desk, checks[0], _name(desk.rng.choice(pool)), reference=False, residual=0.03, far=0.05)


def proxy_learner(desk: Desk, lesson_no: int, given: Parameters) -> None:
    """Let somebody else sit there, `distance` away from the reference; 0 where no camera looks."""
    captures = chain(*_study(desk, lesson_no))
    for row in captures if given["distance"] else ():
        row["distance"] = round(given["distance"] + desk.rng.uniform(0.0, 0.08), 6)


def one_face(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
    """Let one person be enrolled, reference photo and all, under several names."""
    shown = [_study(desk, lesson_no)[0][0] for desk in desks]
    for desk, row, other in zip(desks[1:], shown[1:], shown, strict=False):
        _alike(desk, row, _name(other), reference=False, residual=None, far=desk.rng.uniform(*FARM_DISTANCES))


FARM_DISTANCES = (0.15, 0.38)
"""Of two pictures of one person, below the limit of 0.40 as most of them are."""


def one_device(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
    """Let a farm play the lessons of several learners on one device at once."""
    tape = tape_of(desks[0].service)
    before = len(tape.rows["sessions"])
    together_ms = max(desk.now_ms for desk in desks)
    for desk in desks:
        desk.now_ms = together_ms + desk.rng.randint(0, 60_000)
        desk.study(lesson_no)
    for row in tape.rows["sessions"][before:]:
        row["device_id"] = f"{desks[0].enrolment_id}-farm"


def photo_thief(desks: Sequence[Desk], lesson_no: int, given: Parameters) -> None:
    """Upload the picture of another learner, who sent it earlier; the file itself, or re-encoded."""
    owner, thief = desks
    (original, *_), _ = _study(owner, lesson_no)
    thief.now_ms = max(thief.now_ms, owner.now_ms + DAY_MS)
    for row in _study(thief, lesson_no)[0]:
        row["distance"] = round(_stranger(thief.rng), 6)
        if given["same_file"]:
            row["sha256"], row["phash"] = original["sha256"], original["phash"]
        residual = 0.0 if given["same_file"] else 0.03
        _alike(thief, row, _name(original), reference=False, residual=residual, far=residual)


def _stranger(rng: Random) -> float:
    """Return the face distance of another person."""
    return rng.uniform(0.72, 0.95)
