"""A clip → its judgement, the telling frames compared with everything seen before, and the answer in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from online_guard.faces.clips import Clip
from online_guard.faces.decode import RgbPixels
from online_guard.faces.fingerprint import perceptual_hash
from online_guard.faces.identity import Face, FaceVector, face_vector, find_faces
from online_guard.faces.likeness import Capture, capture
from online_guard.faces.liveness import REASONS, LivenessReport, judge_clip
from online_guard.faces.liveness_pictures import plot, strip
from online_guard.faces.presented_attack import judge_frames
from online_guard.faces.response import ActionFound
from online_guard.rules.captures import RESIDUAL_NOISE
from online_guard.service.capturing import duplicates
from online_guard.service.capturing.seen_pictures import Likeness, Sought
from online_guard.service.house import House
from online_guard.store.capture_rows import FRAME, CaptureRow, put_likenesses, stronger
from online_guard.store.tables import CheckRecord, EnrolmentRecord, SessionRecord, SnapshotRecord
from online_guard.terms import LABELS, Action, Outcome

SEEN_BEFORE = "seen_before"
IMPLAUSIBLE_TIMES = "implausible_times"
WORDS = REASONS | {SEEN_BEFORE: ("画面以前出现过，疑似重放", "the picture was seen before, as in a replay")}
"""Each reason in Chinese and English."""
CLIP_MS = 60_000
"""No clip is longer; a snapshot of the same camera within this time may show the same moment (SPEC OG604)."""
MOST_CLOCK_ERROR_MS = 1_000
"""A clip filmed after the challenge was drawn can't be longer than the time until it came, but for a camera's clock."""
MOST_AT_ONCE = 24
"""Candidates that a frame is compared with while its sender waits, some 60 ms each; the worker compares with all."""
NEWEST = 1 << 62
"""The row of a capture that isn't kept yet: later than all."""


@dataclass(frozen=True)
class JudgedClip:
    """What a clip shows: its length, and as `pictures` its telling frames as the duplicate search compares them."""

    report: LivenessReport
    length_ms: int
    presented_attack: bool | None
    pictures: tuple[Capture, ...]
    strip: bytes
    plot: bytes


def judge(house: House, clip: Clip, actions: Sequence[Action], reference: FaceVector | None) -> JudgedClip:
    """Return the judgement of a clip that answers a challenge; it takes one to two seconds."""
    report = judge_clip(clip, actions, reference, house.policy.liveness.match_distance)
    numbers = _telling(report)
    frames = [clip.frames[number] for number in numbers]
    faces = [_only_face(frame) for frame in frames]
    calm = [number in report.evidence_frames[:1] for number in numbers]
    return JudgedClip(
        report=report,
        length_ms=round(1000 * float(clip.times_s[-1] - clip.times_s[0])),
        presented_attack=judge_frames(frames, faces, house.passive_check).flag,
        pictures=tuple(_capture(*shown) for shown in zip(frames, faces, calm, strict=True)),
        strip=strip(clip, report),
        plot=plot(report),
    )


def _telling(report: LivenessReport) -> list[int]:
    """Return the frames that are compared: the first one shown in the strip, and the peak of each action found."""
    peaks = {one.frame for one in report.actions if one.frame is not None}
    return sorted({*report.evidence_frames[:1], *peaks})


def _only_face(frame: RgbPixels) -> Face | None:
    faces = find_faces(frame)
    return faces[0] if len(faces) == 1 else None


def _capture(frame: RgbPixels, face: Face | None, is_calm: bool) -> Capture:
    """Return a frame as it is compared; turned away or with closed eyes, a face may resemble another person's."""
    vector = face_vector(frame, face) if face is not None and is_calm else None
    return capture(frame, perceptual_hash(frame), vector, face)


@dataclass(frozen=True)
class Found:
    """What a clip's frames have in common with earlier captures, and whether all candidates were compared."""

    rows: tuple[Likeness, ...]
    is_whole: bool

    def __add__(self, other: Found) -> Found:
        """Return what two searches found."""
        return Found(self.rows + other.rows, self.is_whole and other.is_whole)


def search(
    house: House, database: Session, session: SessionRecord, check_id: str, judged: JudgedClip, after: int = 0
) -> Found:
    """Return what the frames of a clip, which aren't kept yet, share with the captures kept after a row."""
    learner_id = database.get_one(EnrolmentRecord, session.enrolment_id).learner_id
    name = f"{session.platform_id}/{session.session_id}"
    found = Found((), is_whole=True)
    for picture in judged.pictures:
        own = CaptureRow(
            NEWEST, FRAME, session.enrolment_id, learner_id, session.row_id, name, check_id, picture.phash, None
        )
        sought = Sought(own, picture, after, MOST_AT_ONCE)
        rows, is_whole = house.seen.likenesses(database, house.vault, house.policy, sought)
        found += Found(tuple(rows), is_whole)
    return found


def keep_frames(
    house: House, database: Session, session: SessionRecord, check_id: str, judged: JudgedClip, found: Found
) -> None:
    """Keep the telling frames for later searches, and what they have in common with earlier captures."""
    duplicates.keep_frames(house, database, session, check_id, judged.pictures, found.is_whole)
    rows: dict[tuple[str, str], Likeness] = {}
    for row in found.rows:
        key = (row["other_kind"], row["other_id"])
        rows[key] = stronger(row, rows.get(key, row))
    put_likenesses(database, rows.values())


def was_seen(house: House, database: Session, check: CheckRecord, found: Found) -> bool:
    """Return whether a frame of a clip is an earlier picture; snapshots that the session took meanwhile may be."""
    limit = house.policy.snapshot.same_picture_residual + RESIDUAL_NOISE
    same = [row for row in found.rows if row["residual"] is not None and row["residual"] <= limit]
    return any(not _taken_meanwhile(database, check, row) for row in same)


def _taken_meanwhile(database: Session, check: CheckRecord, row: Likeness) -> bool:
    if row["other_row"] != check.session_row:
        return False
    snapshot = database.get(SnapshotRecord, (check.session_row, row["other_id"].rpartition("/")[2]))
    return snapshot is not None and abs(snapshot.at_ms - check.at_ms) <= CLIP_MS


def told(check: CheckRecord, judged: JudgedClip, seen: bool) -> tuple[Outcome, dict[str, Any]]:
    """Return the outcome, and the answer to the sender.

    A frame seen before fails the check, whatever else it shows; so does a clip longer than the time it could be filmed
    in: a recording that was slowed down.
    """
    report = judged.report
    stretched = judged.length_ms > (check.received_ms or 0) - (check.issued_ms or 0) + MOST_CLOCK_ERROR_MS
    faults = [*([SEEN_BEFORE] if seen else []), *([IMPLAUSIBLE_TIMES] if stretched else [])]
    outcome = Outcome.FAILED if faults else report.outcome
    reasons = tuple(dict.fromkeys((*report.reasons, *faults)))
    return outcome, {
        "check_id": check.check_id,
        "outcome": str(outcome),
        "reasons": [_reason(name) for name in reasons],
        "fps": round(report.fps, 2),
        "distance": None if report.distance is None else round(report.distance, 6),
        "presented_attack": judged.presented_attack,
        "actions": [_shown(one) for one in report.actions],
        "events": [{"action": str(one.action), "at_s": round(one.at_s, 3)} for one in report.events],
        "strip": f"/v1/liveness/{check.check_id}/strip",
        "plot": f"/v1/liveness/{check.check_id}/plot",
    }


def _reason(name: str) -> dict[str, str]:
    zh, en = WORDS[name]
    return {"reason": name, "zh": zh, "en": en}


def _shown(one: ActionFound) -> dict[str, Any]:
    """Return what was seen of an action: times in s of the clip, the signal before it and at its peak."""
    zh, en = LABELS[one.action]
    numbers = {
        name: None if value is None else round(value, 4)
        for name, value in asdict(one).items()
        if name not in ("action", "found")
    }
    return {"action": str(one.action), "zh": zh, "en": en, "found": one.found, **numbers}
