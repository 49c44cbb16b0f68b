"""Where a player's grammar is broken (SPEC OG107): ends before any play, moves while paused, beats without a play."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy.pack import Policy
from online_guard.terms import EventType
from online_guard.timeline.columns import Timeline
from online_guard.timeline.leaps import Reached, reached_at
from online_guard.timeline.segments import cumulative, exceeds_ns, group_starts, latest, nanoseconds

BEATS_WITHOUT_PLAY = 20
"""So many playing heartbeats of a player that never said `play` (fixed in SPEC OG107)."""


class EarlyEnds(NamedTuple):
    """`ended` events before any `play` of their player, with what their own session had reached by then."""

    session: Integers
    at_ms: Integers
    reached_ns: Integers


class Breaks(NamedTuple):
    """Other breaks of the grammar, one row each; at_ms and until_ms bound it on the client clock."""

    session: Integers
    at_ms: Integers
    until_ms: Integers


def early_ends(timeline: Timeline, curve: Reached, policy: Policy) -> EarlyEnds:
    """Return the `ended` events before any `play` of their player, where the session itself hadn't reached the end."""
    ended = np.flatnonzero(timeline.is_type(EventType.ENDED))
    rows = ended[_plays_until(timeline, ended) == 0]
    own = reached_at(curve, timeline.session[rows], timeline.at_ms[rows])
    short = exceeds_ns(timeline.duration_ns[timeline.session[rows]] - own, nanoseconds(policy.playback.slack_s))
    return EarlyEnds(timeline.session[rows][short], timeline.at_ms[rows][short], own[short])


def breaks(timeline: Timeline, policy: Policy) -> Breaks:
    """Return moves of more than slack_s while paused, and players that beat without ever having said `play`."""
    moved = _paused_moves(timeline, policy)
    beats = timeline.is_type(EventType.HEARTBEAT) & timeline.playing
    count = np.bincount(timeline.track[beats], minlength=len(timeline.track_session))
    said = np.bincount(timeline.track[timeline.is_type(EventType.PLAY)], minlength=len(timeline.track_session))
    silent = (count >= BEATS_WITHOUT_PLAY) & (said == 0)
    rows = np.flatnonzero(beats & silent[timeline.track])
    first = rows[np.unique(timeline.track[rows], return_index=True)[1]]
    begin = np.concatenate((timeline.previous[moved], first))
    end = np.concatenate((moved, first))
    order = np.argsort(end, kind="stable")
    return Breaks(timeline.session[end[order]], timeline.at_ms[begin[order]], timeline.at_ms[end[order]])


def _paused_moves(timeline: Timeline, policy: Policy) -> Integers:
    """Return the events that stand further than slack_s ahead of the player's event before, which was paused.

    Only after the player's first `play` since its last `player_opened`: a bookmark is restored before that.
    """
    before = np.maximum(timeline.previous, 0)
    ahead = exceeds_ns(timeline.position_ns - timeline.start_ns, nanoseconds(policy.playback.slack_s))
    excused = timeline.is_type(EventType.SEEK, EventType.PLAYER_OPENED)
    rows = np.flatnonzero((timeline.previous >= 0) & ahead & ~timeline.playing[before] & ~excused)
    first = timeline.previous[rows]
    opened = np.flatnonzero(timeline.is_type(EventType.PLAYER_OPENED))
    opened = opened[np.lexsort((opened, timeline.track[opened]))]
    found = latest(timeline.track[opened], opened, timeline.track[first], first)
    plays = _plays_until(timeline, first)
    known = found >= 0
    plays[known] -= _plays_until(timeline, opened[found[known]])
    return rows[plays > 0]


def _plays_until(timeline: Timeline, rows: Integers) -> Integers:
    """Return how many `play` events the player of each event had said up to and including that event."""
    said = timeline.is_type(EventType.PLAY).astype(np.int64)
    if bool(timeline.simple.all()):
        return cumulative(said, timeline.starts)[rows]
    order = np.argsort(timeline.track, kind="stable")
    count = np.empty(len(order), np.int64)
    count[order] = cumulative(said[order], group_starts(timeline.track[order]))
    return count[rows]
