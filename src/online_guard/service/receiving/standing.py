"""Where a session stands: what its events and pictures so far say, in full and, batch by batch, ahead of that.

`in_full` reads all events of a lesson. `Track.after` takes one more batch in well under a millisecond, and says no
when only the whole tells: then `in_full` is asked again. A property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from online_guard.evidence import Evidence, Floats, Snapshots
from online_guard.ingest.identity import settle
from online_guard.ingest.live import LiveEvent
from online_guard.policy import Policy
from online_guard.store.evidence_loader import load_lesson
from online_guard.store.tables import SessionRecord
from online_guard.terms import EventType, Outcome
from online_guard.timeline.columns import ABSENT, Timeline, milliseconds
from online_guard.timeline.digest import View, view
from online_guard.timeline.places import snapshot_places


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


@dataclass(slots=True)
class Track:
    """A standing, and what of the last event the next one is measured by.

    standing: after that event. is_plain: whether players spoke one after the other and no clock stepped back. settled:
    whether no picture's place in the lesson can change any more. player: who spoke last, None before any event. at_ms:
    of that event. plays: whether an interval that plays begins at it. position_ns: where it stands. left_ns: when it
    is a seek, where a stale `play` would say that the player is (SPEC 3.3). others: players that spoke before.
    """

    standing: Standing
    is_plain: bool = True
    settled: bool = True
    player: str | None = None
    at_ms: int = 0
    plays: bool = False
    position_ns: int = 0
    left_ns: int | None = None
    others: frozenset[str] = frozenset()

    def after(self, events: Sequence[LiveEvent], policy: Policy) -> Track | None:
        """Return the track after a batch of events, in order and all of larger `seq` than any before; None: unknown.

        Only the whole tells when a player speaks again after another, a clock steps back, or a picture was taken at
        or after the last event: where in the lesson it lies, the next events say.
        """
        if not (self.is_plain and self.settled):
            return None
        track = copy(self)
        silence_ms = milliseconds(policy.playback.max_silence_s)
        slack_ns = round(policy.playback.slack_s * 1e9) + 1_000
        playing_ms, popup_ms = self.standing.playing_ms, self.standing.last_popup_ms
        for event in events:
            passed_ms = 0 if track.player is None else int(event.at_ms) - track.at_ms
            if passed_ms < 0 or event.player in track.others:
                return None
            if event.player == track.player and track.plays and passed_ms <= silence_ms:
                playing_ms += passed_ms
            if event.type is EventType.POPUP_SHOWN:
                popup_ms = playing_ms
            track.stand_at(event, slack_ns)
        before = self.standing
        track.standing = Standing(
            playing_ms, track.position_ns / 1e9, before.part_ends_s, before.retained, popup_ms, before.passed
        )
        return track

    def stand_at(self, event: LiveEvent, slack_ns: int) -> None:
        """Make an event the last one; a stale `play` after a seek stands at the seek's landing."""
        is_first = event.player != self.player
        if is_first and self.player is not None:
            self.others |= {self.player}
        here_ns, left_ns = round(event.position_s * 1e9), None
        if event.type is EventType.SEEK:
            before_ns = None if is_first else self.position_ns
            left_ns = before_ns if event.from_s is None else round(event.from_s * 1e9)
        elif event.type is EventType.PLAY and not is_first and self.left_ns is not None:
            here_ns = self.position_ns if abs(here_ns - self.left_ns) <= slack_ns else here_ns
        self.position_ns, self.left_ns, self.player, self.at_ms = here_ns, left_ns, event.player, int(event.at_ms)
        self.plays = event.playing and event.type is not EventType.PLAYER_CLOSED


def in_full(database: Session, record: SessionRecord, policy: Policy) -> Track:
    """Return where a session stands by all that is stored about its lesson."""
    evidence, raw = load_lesson(database, record.enrolment_id, record.lesson_no)
    return of_lesson(evidence.with_events(settle(raw)[0]), f"{record.platform_id}/{record.session_id}", policy)


def of_lesson(evidence: Evidence, key: str, policy: Policy) -> Track:
    """Return where a session (`platform_id/session_id`) stands by the evidence of all sessions of its lesson."""
    seen = view(evidence, policy)
    row = list(evidence.sessions.key).index(key)
    ends, retained = _parts(evidence, seen)
    checks = evidence.checks
    passed = bool(np.any((checks.session == row) & (checks.outcome == list(Outcome).index(Outcome.PASSED))))
    local = np.flatnonzero(seen.timeline.rows == row)
    if not len(local):
        nowhere = Standing(0, 0.0, ends, retained, 0, passed)
        return Track(nowhere, settled=not np.any(evidence.snapshots.session == row))
    own = int(local[0])
    shown = seen.showings.shown_clock_ms[seen.showings.session == own]
    standing = Standing(
        playing_ms=int(seen.clocks.playing_ms[own]),
        position_s=float(seen.timeline.position_ns[seen.timeline.lasts[own]]) / 1e9,
        part_ends_s=ends,
        retained=retained,
        last_popup_ms=int(shown.max(initial=0)),
        passed=passed,
    )
    return _track(standing, seen.timeline, own, evidence)


def _track(standing: Standing, timeline: Timeline, own: int, evidence: Evidence) -> Track:
    """Return the track behind a session's last event."""
    last = int(timeline.lasts[own])
    rows = slice(int(timeline.starts[own]), last + 1)
    players, at_ms = timeline.player[rows], timeline.at_ms[rows]
    speakers = players[np.flatnonzero(np.append(True, players[1:] != players[:-1]))]
    pictures = evidence.snapshots.at_ms[evidence.snapshots.session == timeline.rows[own]]
    watched = bool(timeline.watched[rows].any())
    names = evidence.events.player_names
    left_ns, before = None, int(timeline.previous[last])
    if timeline.type[last] == EventType.SEEK.code:
        known = int(timeline.from_ns[last])
        left_ns = known if known != ABSENT else int(timeline.position_ns[before]) if before != ABSENT else None
    return Track(
        standing,
        is_plain=bool((at_ms[1:] >= at_ms[:-1]).all()) and len(set(speakers.tolist())) == len(speakers),
        settled=not len(pictures) or (watched and bool(pictures.max() < at_ms[-1])),
        player=names[timeline.player[last]],
        at_ms=int(timeline.at_ms[last]),
        plays=bool(timeline.stands_playing[last]),
        position_ns=int(timeline.position_ns[last]),
        left_ns=left_ns,
        others=frozenset(names[code] for code in speakers[:-1].tolist()),
    )


def _parts(evidence: Evidence, seen: View) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Return the end of each class hour's part of the one lesson, and whether it holds a good asked snapshot."""
    enrolment = evidence.enrolments[0]
    lessons = next(c.lessons for c in evidence.classes if c.class_id == enrolment.class_id)
    lesson = next(x for x in lessons if x.lesson_no == evidence.sessions.lesson_no[0])
    number = max(0, int(np.ceil(lesson.class_hours - 1e-9)))
    ends = tuple(lesson.duration_s * (part + 1) / number for part in range(number))
    held = _held_s(evidence.snapshots, seen.timeline)
    begins = (0.0, *ends)[: len(ends)]
    return ends, tuple(
        bool(np.any((held >= begin) & ((held < end) | (end == ends[-1]))))
        for begin, end in zip(begins, ends, strict=True)
    )


def _held_s(snapshots: Snapshots, timeline: Timeline) -> Floats:
    """Return where in the lesson the good asked snapshots lie that count."""
    counts = np.flatnonzero(snapshots.good & snapshots.asked & np.isin(snapshots.session, timeline.rows))
    if not len(counts):
        return np.zeros(0)
    local = np.searchsorted(timeline.rows, snapshots.session[counts])
    places_ns = snapshot_places(timeline, local, snapshots.at_ms[counts])
    return np.asarray(places_ns[places_ns >= 0] / 1e9)
