"""The timeline: many sessions back to back, events in `seq` order, with the intervals of SPEC 3.3 beside them.

Positions are integer nanoseconds and times integer milliseconds, so results don't depend on what else is in the block.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events, Evidence, Flags, Integers
from online_guard.policy.pack import Policy
from online_guard.terms import EventType
from online_guard.timeline.segments import (
    MS_IN_NS,
    cumulative,
    exceeds_ns,
    group_lasts,
    group_lengths,
    group_starts,
    nanoseconds,
    rows_of_groups,
    running,
)

ABSENT = -1
"""No previous event, no `from_s`, no row."""


@dataclass(frozen=True)
class Timeline:
    """Columns of n events and of the m sessions that have events; row j's interval ends at event j.

    session: local number 0 … m−1 of the event's session, sorted; `rows` holds its row in `Evidence.sessions`.
    previous: row of the same player's event before, ABSENT for its first. track: number of the (session, player).
    position_ns: where the event stands, a stale `play` after a seek at the landing (SPEC 3.3). from_ns: or ABSENT.
    delta_ms, start_ns, end_ns: Δt, start and end position of the interval; gain_ns: end − start − allowed(Δt); 0 for a
    player's first event. plays, observed, advance: as SPEC 3.3 says; False for a player's first event. stands_playing:
    whether an interval that plays begins at the event.
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
    gain_ns: Integers
    stands_playing: Flags
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
        return self.events_of(np.flatnonzero(~self.simple))

    def events_of(self, sessions: Integers) -> Integers:
        """Return the rows of the events of some sessions (sorted local numbers)."""
        return rows_of_groups(self.starts, self.lengths, sessions)

    @cached_property
    def watched(self) -> Flags:
        """Return which intervals are watched segments: observed advances that move forward."""
        return np.asarray(self.advance & self.observed & (self.end_ns > self.start_ns))

    @cached_property
    def heartbeats(self) -> Integers:
        """Return the number of heartbeats of each session."""
        beat = self.is_type(EventType.HEARTBEAT)
        return np.add.reduceat(beat, self.starts, dtype=np.int64) if len(beat) else np.zeros(0, np.int64)

    @cached_property
    def beats(self) -> Integers:
        """Return the rows of the heartbeats whose player's event before is a heartbeat too."""
        beat = self.is_type(EventType.HEARTBEAT)
        rows = np.flatnonzero(beat)
        before = self.previous[rows]
        return np.asarray(rows[(before != ABSENT) & beat[before]])

    def runs(self, flags: Flags, *, broken_before: Integers | None = None) -> tuple[Integers, Integers]:
        """Return the first and the last row of each run of flagged intervals that follow one another.

        In a simple session neighbouring rows are neighbouring intervals; elsewhere each row is a run of its own.

        Args:
            flags: One for each event, False for a player's first event.
            broken_before: Rows at which a run can't go on.
        """
        follows = flags[1:] & flags[:-1]
        if broken_before is not None:
            follows[broken_before - 1] = False
        mixed = self.complex_events()
        follows[mixed[mixed > 0] - 1] = False
        first, last = flags.copy(), flags.copy()
        first[1:] &= ~follows
        last[:-1] &= ~follows
        return np.flatnonzero(first), np.flatnonzero(last)


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
    shift = _Shift.of(previous)
    delta_ms = events.at_ms - shift.before(events.at_ms)
    delta_ms[shift.orphans] = 0
    from_ns = np.full(len(events), ABSENT)
    given = np.flatnonzero(~np.isnan(events.from_s))
    from_ns[given] = nanoseconds(events.from_s[given])
    position_ns = _standing(events, previous, from_ns, policy)
    start_ns, end_ns = shift.before(position_ns), position_ns.copy()
    seeks = np.flatnonzero(events.type == EventType.SEEK.code)
    end_ns[seeks] = np.where(from_ns[seeks] == ABSENT, start_ns[seeks], from_ns[seeks])
    end_ns[shift.orphans] = 0
    stands_playing = events.playing & (events.type != EventType.PLAYER_CLOSED.code)
    plays = shift.before(stands_playing)
    gain_ns = end_ns - start_ns
    gain_ns -= allowed_ns(delta_ms, policy)
    moves = plays & (delta_ms > 0)
    several = np.bincount(track_session, minlength=len(rows)) > 1
    several[session[delta_ms < 0]] = True
    sittings = evidence.sessions
    return Timeline(
        rows=rows,
        starts=starts,
        opened_at_ms=sittings.opened_at_ms[rows],
        opened_received_ms=sittings.opened_received_ms[rows],
        duration_ns=nanoseconds(sittings.duration_s[rows]),
        simple=~several,
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
        gain_ns=gain_ns,
        stands_playing=stands_playing,
        plays=plays,
        observed=moves & (delta_ms <= milliseconds(policy.playback.max_silence_s)),
        advance=moves & ~exceeds_ns(gain_ns, nanoseconds(policy.playback.slack_s)),
    )


class _Shift(NamedTuple):
    """How to look at each event's player's event before, which is mostly the row above.

    odd: rows where it isn't that row. instead: the row to look at there. orphans: rows without an event before.
    """

    odd: Integers
    instead: Integers
    orphans: Integers

    @classmethod
    def of(cls, previous: Integers) -> _Shift:
        """Return the shift for the rows of the events before (or ABSENT)."""
        odd = np.flatnonzero(previous != np.arange(-1, len(previous) - 1))
        odd = np.union1d(odd, np.zeros(min(1, len(previous)), np.int64))
        return cls(odd, np.maximum(previous[odd], 0), odd[previous[odd] == ABSENT])

    def before(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return the column's value at each event's event before; 0 or False without one."""
        result = np.empty_like(column)
        result[1:] = column[:-1]
        result[self.odd] = column[self.instead]
        result[self.orphans] = 0
        return result


def _tracks(session: Integers, starts: Integers, player: NDArray[np.int32]) -> tuple[Integers, Integers, Integers]:
    """Return each event's track, each track's session, and the row of the track's event before (or ABSENT)."""
    size, sessions = len(session), len(starts)
    previous = np.arange(-1, size - 1)
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
    back = timeline.complex_events()
    back = back[timeline.delta_ms[back] < 0]
    np.add.at(steps, timeline.track[back], -timeline.delta_ms[back])
    return steps


def chain_gain_ns(timeline: Timeline, policy: Policy, *, above_ns: int) -> tuple[Integers, Integers]:
    """Return the rows of each session's chain (SPEC OG101) and the running gain over what was allowed, in ns.

    The chain holds the playing intervals of all players in `seq` order of their second events, but those that end in
    a `seek` without `from_s` and those with Δt < 0. The gain is Σ max(0, end − start) − Σ allowed(Δt).

    Args:
        timeline: Events of many sessions.
        policy: Its `playback` section gives allowed(Δt).
        above_ns: Sessions whose gains alone don't add up to more than this are left out.
    """
    chained = timeline.plays & (timeline.delta_ms >= 0)
    seeks = np.flatnonzero(timeline.is_type(EventType.SEEK))
    chained[seeks[timeline.from_ns[seeks] == ABSENT]] = False
    gained = np.maximum(timeline.gain_ns, 0)
    gained *= chained
    swift = np.flatnonzero(np.add.reduceat(gained, timeline.starts) > above_ns) if len(chained) else timeline.starts
    rows = timeline.events_of(swift)
    rows = rows[chained[rows]]
    ahead = np.maximum(0, timeline.end_ns[rows] - timeline.start_ns[rows])
    gain = ahead - allowed_ns(timeline.delta_ms[rows], policy)
    return rows, cumulative(gain, group_starts(timeline.session[rows]))


def chain_excess_ns(gain: Integers, starts: Integers) -> Integers:
    """Return how far each chain's running gain lies above its lowest point so far, 0 at its beginning (SPEC OG101).

    Args:
        gain: Running gain of `chain_gain_ns`.
        starts: First place of each session in it.
    """
    return np.asarray(gain - np.minimum(0, running(np.minimum, gain, starts)))
