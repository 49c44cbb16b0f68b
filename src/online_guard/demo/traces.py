"""What happened in a session, as rows that can be drawn: moments on the service clock, in ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.terms import EVENT_TYPES, Effect, EventType, Outcome, Subject
from online_guard.timeline.digest import view
from online_guard.verdict import Finding


@dataclass(frozen=True)
class Step:
    """One event; `popup` and `from_s` are None where absent."""

    at_ms: int
    received_ms: int
    type: EventType
    position_s: float
    from_s: float | None
    playing: bool
    player: str
    popup: str | None


@dataclass(frozen=True)
class Photo:
    """One retained picture: whether the service asked for it, and whether it counts."""

    at_ms: int
    asked: bool
    good: bool


@dataclass(frozen=True)
class Check:
    """One liveness check."""

    at_ms: int
    outcome: Outcome


@dataclass(frozen=True)
class Mark:
    """The place of a finding; `reject` tells a refusal from a question for an auditor."""

    rule: str
    reject: bool
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Trace:
    """One session with events, ready to be drawn; `session` is `platform_id/session_id`."""

    session: str
    enrolment_id: str
    lesson_no: int
    duration_s: float
    device: int
    steps: tuple[Step, ...]
    photos: tuple[Photo, ...]
    checks: tuple[Check, ...]
    marks: tuple[Mark, ...]

    @property
    def opened_ms(self) -> int:
        """Return the moment of the first event."""
        return min(step.at_ms for step in self.steps)


def traces(evidence: Evidence, policy: Policy, findings: Sequence[Finding]) -> tuple[Trace, ...]:
    """Return the trace of every session that has events, in the order of `evidence.sessions`."""
    seen = view(evidence, policy)
    offsets = {int(row): int(offset) for row, offset in zip(seen.timeline.rows, seen.clocks.offset_ms, strict=True)}
    bounds = np.searchsorted(evidence.events.session, np.arange(len(evidence.sessions) + 1))
    return tuple(
        _trace(evidence, row, range(bounds[row], bounds[row + 1]), offset, findings)
        for row, offset in sorted(offsets.items())
    )


def _trace(evidence: Evidence, row: int, rows: range, offset_ms: int, findings: Sequence[Finding]) -> Trace:
    """Return the trace of one session; `rows` are those of its events."""
    sessions, key = evidence.sessions, evidence.sessions.key[row]
    enrolment = evidence.enrolments[sessions.enrolment[row]]
    course = next(found for found in evidence.classes if found.class_id == enrolment.class_id)
    lesson_no = int(sessions.lesson_no[row])
    photos, checks = evidence.snapshots, evidence.checks
    return Trace(
        session=str(key),
        enrolment_id=enrolment.enrolment_id,
        lesson_no=lesson_no,
        duration_s=next(lesson.duration_s for lesson in course.lessons if lesson.lesson_no == lesson_no),
        device=int(sessions.device[row]),
        steps=tuple(_step(evidence, event, offset_ms) for event in rows),
        photos=tuple(
            Photo(int(photos.at_ms[taken]) + offset_ms, bool(photos.asked[taken]), bool(photos.good[taken]))
            for taken in np.flatnonzero(photos.session == row)
        ),
        checks=tuple(
            Check(int(checks.at_ms[made]) + offset_ms, tuple(Outcome)[checks.outcome[made]])
            for made in np.flatnonzero(checks.session == row)
        ),
        marks=tuple(
            Mark(found.rule, found.effect is Effect.REJECT, found.start_ms + offset_ms, found.end_ms + offset_ms)
            for found in findings
            if found.subject is Subject.SESSION
            and found.subject_id == key
            and found.effect is not Effect.NOTE
            and found.start_ms is not None
            and found.end_ms is not None
        ),
    )


def _step(evidence: Evidence, row: int, offset_ms: int) -> Step:
    """Return one event of the columns."""
    events = evidence.events
    popup = int(events.popup[row])
    from_s = float(events.from_s[row])
    return Step(
        at_ms=int(events.at_ms[row]) + offset_ms,
        received_ms=int(events.received_ms[row]),
        type=EVENT_TYPES[events.type[row]],
        position_s=float(events.position_s[row]),
        from_s=None if np.isnan(from_s) else from_s,
        playing=bool(events.playing[row]),
        player=str(events.player_names[events.player[row]]),
        popup=None if popup < 0 else str(events.popup_names[popup]),
    )
