"""What the service tells a player to do: pop-ups, snapshots and liveness checks at moments nobody can foresee.

Moments are drawn ahead from `secrets` and kept, but told only when due within the next 60 s of playing (SPEC 8).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.evidence import Evidence
from online_guard.ingest.identity import settle
from online_guard.policy import Policy
from online_guard.store import queries
from online_guard.store.evidence_loader import load_lesson
from online_guard.store.tables import DirectiveRecord, SessionRecord
from online_guard.terms import Outcome
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.digest import digest, view

AHEAD_MS = 60_000
"""No further ahead is a player told (SPEC 8)."""
POPUP_SHARES = (0.4, 0.8)
"""A pop-up comes after such a share of popup.max_gap_s, drawn anew each time: time is left to answer it."""
FIRST_CHECK_SHARES = (0.25, 0.9)
"""The liveness check comes after such a share of liveness.min_playing_s: a session that needs one has had it."""
PART_SHARE = 0.9
"""A snapshot comes within this share of what is left of its part, so that it still lies in it."""
SOON_MS = (3_000, 20_000)
"""What should have come by now comes within so much playing."""
RETRY_MS = (20_000, 50_000)
"""A check or snapshot that failed is asked for again after so much playing."""
POPUP, SNAPSHOT, LIVENESS = "popup", "snapshot", "liveness"


@dataclass(frozen=True)
class Standing:
    """Where a session stands: playing clock, position, and what its lesson still lacks.

    part_ends_s: end of each class hour's part of the lesson. retained: whether a part holds a good asked snapshot.
    last_popup_ms: playing clock at the last pop-up shown, 0 before any. passed: whether a liveness check passed.
    """

    playing_ms: int
    position_s: float
    part_ends_s: tuple[float, ...]
    retained: tuple[bool, ...]
    last_popup_ms: int
    passed: bool


def due(database: Session, record: SessionRecord, policy: Policy, now_ms: int) -> list[dict[str, Any]]:
    """Draw what is missing, and return the directives of a session that are due within the next 60 s of playing."""
    if record.closed_received_ms is not None:
        return []
    standing = _standing(database, record, policy)
    drawn = queries.directives(database, record.row_id)
    for kind, window in (
        (POPUP, _popup_window(standing, drawn, policy)),
        (LIVENESS, _check_window(standing, drawn, policy)),
        (SNAPSHOT, _snapshot_window(standing, drawn)),
    ):
        _plan(database, record, drawn, kind, window, standing.playing_ms)
    told = []
    for directive in sorted(drawn, key=lambda one: (one.due_playing_ms, one.directive_id)):
        if directive.issued_ms is None and directive.due_playing_ms - standing.playing_ms <= AHEAD_MS:
            directive.issued_ms = now_ms
        if (
            directive.issued_ms is not None
            and directive.due_playing_ms >= standing.playing_ms
            and not directive.used_ms
        ):
            told.append(
                {
                    "directive_id": directive.directive_id,
                    "kind": directive.kind,
                    "due_playing_ms": directive.due_playing_ms,
                    "nonce": directive.nonce,
                }
            )
    return told


Window = tuple[int, int] | None
"""Playing clock between which a directive is to come; None when none is needed."""


def _plan(
    database: Session, record: SessionRecord, drawn: list[DirectiveRecord], kind: str, window: Window, playing_ms: int
) -> None:
    """Draw a moment in the window, unless one of the kind is still to come in it; one not told yet is drawn anew."""
    if window is None or any(
        one.kind == kind and not one.used_ms and one.issued_ms and one.due_playing_ms >= playing_ms for one in drawn
    ):
        return
    low, high = window
    kept = next((one for one in drawn if one.kind == kind and one.issued_ms is None), None)
    if kept is not None and playing_ms <= kept.due_playing_ms <= high:
        return
    moment = low + secrets.randbelow(max(1, high - low))
    if kept is not None:
        kept.due_playing_ms = moment
        return
    directive = DirectiveRecord(
        session_row=record.row_id,
        directive_id=f"{kind}-{secrets.token_hex(8)}",
        kind=kind,
        nonce=secrets.token_urlsafe(16),
        due_playing_ms=moment,
        issued_ms=None,
        used_ms=None,
    )
    database.add(directive)
    database.flush()
    drawn.append(directive)


def _popup_window(standing: Standing, drawn: list[DirectiveRecord], policy: Policy) -> Window:
    told = [one.due_playing_ms for one in drawn if one.kind == POPUP and one.issued_ms]
    last = max([standing.last_popup_ms, *told])
    gap = milliseconds(policy.popup.max_gap_s)
    low, high = (last + round(gap * share) for share in POPUP_SHARES)
    if high < standing.playing_ms:
        return standing.playing_ms + SOON_MS[0], standing.playing_ms + SOON_MS[1]
    return max(low, standing.playing_ms), high


def _check_window(standing: Standing, drawn: list[DirectiveRecord], policy: Policy) -> Window:
    if standing.passed:
        return None
    if any(one.kind == LIVENESS and one.issued_ms for one in drawn):
        return standing.playing_ms + RETRY_MS[0], standing.playing_ms + RETRY_MS[1]
    low, high = (round(milliseconds(policy.liveness.min_playing_s) * share) for share in FIRST_CHECK_SHARES)
    if high < standing.playing_ms:
        return standing.playing_ms + SOON_MS[0], standing.playing_ms + SOON_MS[1]
    return max(low, standing.playing_ms), high


def _snapshot_window(standing: Standing, drawn: list[DirectiveRecord]) -> Window:
    """Return when the next part of the lesson that holds no snapshot is to get one: while it plays."""
    begin_s = 0.0
    for end_s, retained in zip(standing.part_ends_s, standing.retained, strict=True):
        if not retained and standing.position_s < end_s:
            start_s = max(begin_s, standing.position_s)
            ahead, room = round((start_s - standing.position_s) * 1000), round((end_s - start_s) * 1000)
            low = standing.playing_ms + ahead
            again = any(one.kind == SNAPSHOT and one.issued_ms for one in drawn) and ahead == 0
            high = round(room * PART_SHARE)
            return low + min(SOON_MS[0], high // 2), low + (min(high, RETRY_MS[1]) if again else high)
        begin_s = end_s
    return None


def _standing(database: Session, record: SessionRecord, policy: Policy) -> Standing:
    evidence, raw = load_lesson(database, record.enrolment_id, record.lesson_no)
    events, _ = settle(raw)
    evidence = evidence.with_events(events)
    seen = view(evidence, policy)
    row = list(evidence.sessions.key).index(f"{record.platform_id}/{record.session_id}")
    local = np.flatnonzero(seen.timeline.rows == row)
    ends, retained = _parts(evidence, digest(seen, evidence, policy).places)
    checks = evidence.checks
    passed = bool(np.any((checks.session == row) & (checks.outcome == list(Outcome).index(Outcome.PASSED))))
    if not len(local):
        return Standing(0, 0.0, ends, retained, 0, passed)
    own = int(local[0])
    shown = seen.showings.shown_clock_ms[seen.showings.session == own]
    return Standing(
        playing_ms=int(seen.clocks.playing_ms[own]),
        position_s=float(seen.timeline.position_ns[seen.timeline.lasts[own]]) / 1e9,
        part_ends_s=ends,
        retained=retained,
        last_popup_ms=int(shown.max(initial=0)),
        passed=passed,
    )


def _parts(evidence: Evidence, places: Any) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Return the end of each class hour's part of the one lesson, and whether it holds a good asked snapshot."""
    enrolment = evidence.enrolments[0]
    lessons = next(c.lessons for c in evidence.classes if c.class_id == enrolment.class_id)
    lesson = next(x for x in lessons if x.lesson_no == evidence.sessions.lesson_no[0])
    number = max(0, int(np.ceil(lesson.class_hours - 1e-9)))
    ends = tuple(lesson.duration_s * (part + 1) / number for part in range(number))
    counts = evidence.snapshots.good[places.snapshot] & evidence.snapshots.asked[places.snapshot]
    held = places.place_ns[counts & (places.place_ns >= 0)] / 1e9
    begins = (0.0, *ends[:-1])
    return ends, tuple(
        bool(np.any((held >= begin) & ((held < end) | (end == ends[-1]))))
        for begin, end in zip(begins, ends, strict=True)
    )
