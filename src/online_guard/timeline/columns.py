"""The timeline: many sessions back to back, events in `seq` order, with the intervals of SPEC 3.3 beside them.

Positions are integer nanoseconds and times integer milliseconds, so results don't depend on what else is in the block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events, Evidence, Flags, Integers
from online_guard.policy.pack import Policy
from online_guard.terms import EventType
from online_guard.timeline.segments import (
    MS_IN_NS,
    NS,
    cumulative,
    group_lasts,
    group_lengths,
    group_starts,
    nanoseconds,
)

ABSENT = -1
"""No previous event, no `from_s`, no row."""


@dataclass(frozen=True)
class Timeline:
    """Columns of n events and of the m sessions that have events; row j's interval ends at event j.

    session: local number 0 … m−1 of the event's session, sorted; `rows` holds its row in `Evidence.sessions`.
    previous: row of the same player's event before, ABSENT for its first. track: number of the (session, player).
    position_ns: where the event stands, a stale `play` after a seek at the landing (SPEC 3.3). from_ns: or ABSENT.
    delta_ms, start_ns, end_ns, allowed_ns: Δt, start and end position and allowed(Δt) of the interval; 0 for a
    player's first event. plays, observed, advance: as SPEC 3.3 says; False for a player's first event.
    simple: of a session, whether it has one player and no backward step of its clock.
    """

    rows: Integers
    starts: Integers
    opened_at_ms: Integers
    opened_received_ms: Integers
    duration_ns: Integers
    simple: Flags
    session: Integers
    track: Integers
    track_session: Integers
    seq: NDArray[np.int32]
    type: NDArray[np.int8]
    at_ms: Integers
    received_ms: Integers
    position_ns: Integers
    from_ns: Integers
    playing: Flags
    rate: NDArray[np.float32]
    player: NDArray[np.int32]
    popup: NDArray[np.int32]
    previous: Integers
    delta_ms: Integers
    start_ns: Integers
    end_ns: Integers
    allowed_ns: Integers
    plays: Flags
    observed: Flags
    advance: Flags

    @property
    def sessions(self) -> int:
        """Return the number of sessions that have events."""
        return len(self.rows)

    @property
    def lengths(self) -> Integers:
        """Return the number of events of each session."""
        return group_lengths(self.starts, len(self.session))

    @property
    def lasts(self) -> Integers:
        """Return the row of each session's last event in `seq` order."""
        return group_lasts(self.starts, len(self.session))

    def is_type(self, *types: EventType) -> Flags:
        """Return where an event has one of these types."""
        result = self.type == types[0].code
        for other in types[1:]:
            result |= self.type == other.code
        return np.asarray(result)

    def complex_events(self) -> Integers:
        """Return the rows of events of sessions that aren't simple."""
        return np.flatnonzero(~self.simple[self.session])


def allowed_ns(delta_ms: Integers | int, policy: Policy) -> Integers:
    """Return allowed(Δt) = max_rate·(1+rate_tolerance)·Δt in ns, exact for rates of up to six decimals."""
    per_ms = round(policy.playback.max_rate * (1 + policy.playback.rate_tolerance) * MS_IN_NS)
    return np.asarray(delta_ms, np.int64) * per_ms


def milliseconds(seconds: float) -> int:
    """Return a limit in seconds as integer ms, rounded."""
    return round(seconds * 1000)


def build(evidence: Evidence, policy: Policy) -> Timeline:
    """Return the timeline of the evidence's events.

    Args:
        evidence: Events sorted by (session, seq), one row for each pair.
        policy: Its `playback` section gives allowed(Δt), slack and the longest observed silence.
    """
    events = evidence.events
    starts = group_starts(events.session)
    lengths = group_lengths(starts, len(events))
    rows = events.session[starts]
    session = np.repeat(np.arange(len(rows)), lengths)
    track, track_session, previous = _tracks(session, starts, events.player)
    has_previous = previous >= 0
    before = np.maximum(previous, 0)
    delta_ms = np.where(has_previous, events.at_ms - events.at_ms[before], 0)
    from_ns = np.where(np.isnan(events.from_s), ABSENT, nanoseconds(np.nan_to_num(events.from_s)))
    position_ns = _standing(events, previous, from_ns, policy)
    start_ns = np.where(has_previous, position_ns[before], 0)
    is_seek = events.type == EventType.SEEK.code
    end_ns = np.where(is_seek, np.where(from_ns == ABSENT, start_ns, from_ns), position_ns)
    end_ns = np.where(has_previous, end_ns, 0)
    closed = events.type == EventType.PLAYER_CLOSED.code
    plays = has_previous & (events.playing & ~closed)[before]
    forward = delta_ms > 0
    allowed = allowed_ns(delta_ms, policy)
    ahead = end_ns - start_ns - allowed > nanoseconds(policy.playback.slack_s) + 1_000
    backward = np.zeros(len(rows), bool)
    backward[session[delta_ms < 0]] = True
    several = np.bincount(track_session, minlength=len(rows)) > 1
    sittings = evidence.sessions
    return Timeline(
        rows=rows,
        starts=starts,
        opened_at_ms=sittings.opened_at_ms[rows],
        opened_received_ms=sittings.opened_received_ms[rows],
        duration_ns=lesson_durations(evidence, rows),
        simple=~(backward | several),
        session=session,
        track=track,
        track_session=track_session,
        seq=events.seq,
        type=events.type,
        at_ms=events.at_ms,
        received_ms=events.received_ms,
        position_ns=position_ns,
        from_ns=from_ns,
        playing=events.playing,
        rate=events.rate,
        player=events.player,
        popup=events.popup,
        previous=previous,
        delta_ms=delta_ms,
        start_ns=start_ns,
        end_ns=end_ns,
        allowed_ns=allowed,
        plays=plays,
        observed=plays & forward & (delta_ms <= milliseconds(policy.playback.max_silence_s)),
        advance=plays & forward & ~ahead,
    )


def lesson_durations(evidence: Evidence, sessions: Integers) -> Integers:
    """Return `duration_s` in ns of the lesson of each of some sessions (rows); 0 where the syllabus lacks it."""
    syllabus = {c.class_id: {x.lesson_no: x.duration_s for x in c.lessons} for c in evidence.classes}
    pairs = zip(
        evidence.sessions.enrolment[sessions].tolist(), evidence.sessions.lesson_no[sessions].tolist(), strict=True
    )
    seconds = np.array(
        [syllabus[evidence.enrolments[row].class_id].get(number, 0.0) for row, number in pairs], np.float64
    )
    return np.rint(seconds * NS).astype(np.int64)


def _tracks(session: Integers, starts: Integers, player: NDArray[np.int32]) -> tuple[Integers, Integers, Integers]:
    """Return each event's track, each track's session, and the row of the track's event before (or ABSENT)."""
    size, sessions = len(session), len(starts)
    previous = np.arange(size) - 1
    previous[starts] = ABSENT
    track = session.copy()
    track_session = np.arange(sessions)
    changed = np.zeros(size, bool)
    changed[1:] = (player[1:] != player[:-1]) & (session[1:] == session[:-1])
    if not changed.any():
        return track, track_session, previous
    mixed = np.zeros(sessions, bool)
    mixed[session[changed]] = True
    rows = np.flatnonzero(mixed[session])
    rows = rows[np.lexsort((player[rows], session[rows]))]
    same = np.zeros(len(rows), bool)
    same[1:] = (session[rows[1:]] == session[rows[:-1]]) & (player[rows[1:]] == player[rows[:-1]])
    previous[rows[same]] = rows[:-1][same[1:]]
    previous[rows[~same]] = ABSENT
    first_of_session = ~same & np.concatenate(([True], session[rows[1:]] != session[rows[:-1]]))
    extra = np.cumsum(~same & ~first_of_session)
    number = np.where(extra > 0, sessions + extra - 1, 0)
    opener = np.flatnonzero(~same)
    run = np.cumsum(~same) - 1
    own = np.where(first_of_session[opener], session[rows[opener]], number[opener])
    track[rows] = own[run]
    others = rows[opener[~first_of_session[opener]]]
    return track, np.concatenate((track_session, session[others])), previous


def _standing(events: Events, previous: Integers, from_ns: Integers, policy: Policy) -> Integers:
    """Return the position each event stands at: a stale `play` after a seek stands at the seek's landing position.

    Such a play repeats, within slack_s, where the player was before the seek. Without `from_s` that is the event
    before the seek, which may itself be a stale play: repeated until nothing moves any more.
    """
    position = nanoseconds(events.position_s)
    plays = np.flatnonzero((events.type == EventType.PLAY.code) & (previous >= 0))
    plays = plays[events.type[previous[plays]] == EventType.SEEK.code]
    seeks = previous[plays]
    known = (from_ns[seeks] != ABSENT) | (previous[seeks] >= 0)
    plays, seeks = plays[known], seeks[known]
    slack = nanoseconds(policy.playback.slack_s) + 1_000
    standing = position.copy()
    while len(plays):
        left = np.where(from_ns[seeks] != ABSENT, from_ns[seeks], standing[np.maximum(previous[seeks], 0)])
        moved = np.where(np.abs(position[plays] - left) <= slack, position[seeks], position[plays])
        if np.array_equal(moved, standing[plays]):
            break
        standing[plays] = moved
    return standing


def backward_steps_ms(timeline: Timeline) -> Integers:
    """Return, for each track, the sum of its clock's backward steps."""
    steps = np.zeros(len(timeline.track_session), np.int64)
    back = np.flatnonzero(timeline.delta_ms < 0)
    np.add.at(steps, timeline.track[back], -timeline.delta_ms[back])
    return steps


def chain_gain_ns(timeline: Timeline, *, above_ns: int) -> tuple[Integers, Integers]:
    """Return the rows of each session's chain (SPEC OG101) and the running gain over what was allowed, in ns.

    The chain holds the playing intervals of all players in `seq` order of their second events, but those that end in
    a `seek` without `from_s` and those with Δt < 0. The gain is Σ max(0, end − start) − Σ allowed(Δt).

    Args:
        timeline: Events of many sessions.
        above_ns: Sessions whose gains alone don't add up to more than this are left out.
    """
    blind = timeline.is_type(EventType.SEEK) & (timeline.from_ns == ABSENT)
    rows = np.flatnonzero(timeline.plays & ~blind & (timeline.delta_ms >= 0))
    gain = np.maximum(0, timeline.end_ns[rows] - timeline.start_ns[rows]) - timeline.allowed_ns[rows]
    gained = np.zeros(timeline.sessions, np.int64)
    np.add.at(gained, timeline.session[rows], np.maximum(gain, 0))
    kept = gained[timeline.session[rows]] > above_ns
    rows, gain = rows[kept], gain[kept]
    return rows, cumulative(gain, group_starts(timeline.session[rows]))
