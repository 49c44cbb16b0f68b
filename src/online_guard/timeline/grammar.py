"""Where a player's grammar is broken (SPEC OG107): ends before any play, moves while paused, beats without a play."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy.pack import Policy
from online_guard.terms import EventType
from online_guard.timeline.columns import Timeline
from online_guard.timeline.leaps import Reached, reached_at
from online_guard.timeline.segments import exceeds_ns, latest, nanoseconds

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


def ends_before_play(timeline: Timeline) -> Integers:
    """Return the rows of the `ended` events before any `play` of their player."""
    ended = np.flatnonzero(timeline.is_type(EventType.ENDED))
    return np.asarray(ended[_plays_until(timeline, ended) == 0])


def early_ends(timeline: Timeline, rows: Integers, curve: Reached, policy: Policy) -> EarlyEnds:
    """Return those of the ends before any play where the session itself hadn't reached the lesson's end."""
    own = reached_at(curve, timeline.session[rows], timeline.at_ms[rows])
    short = exceeds_ns(timeline.duration_ns[timeline.session[rows]] - own, nanoseconds(policy.playback.slack_s))
    return EarlyEnds(timeline.session[rows][short], timeline.at_ms[rows][short], own[short])


def breaks(timeline: Timeline, policy: Policy) -> Breaks:
    """Return moves of more than slack_s while paused, and players that beat without ever having said `play`."""
    moved = _paused_moves(timeline, policy)
    beats = timeline.is_type(EventType.HEARTBEAT) & timeline.playing
    said = np.zeros(len(timeline.track_session), bool)
    said[timeline.track[np.flatnonzero(timeline.is_type(EventType.PLAY))]] = True
    sessions = np.unique(timeline.track_session[~said])
    rows = timeline.events_of(sessions)
    rows = rows[beats[rows] & ~said[timeline.track[rows]]]
    _, place, count = np.unique(timeline.track[rows], return_index=True, return_counts=True)
    first = rows[place[count >= BEATS_WITHOUT_PLAY]]
    begin = np.concatenate((timeline.previous[moved], first))
    end = np.concatenate((moved, first))
    order = np.argsort(end, kind="stable")
    return Breaks(timeline.session[end[order]], timeline.at_ms[begin[order]], timeline.at_ms[end[order]])


def _paused_moves(timeline: Timeline, policy: Policy) -> Integers:
    """Return the events that stand further than slack_s ahead of the player's event before, which was paused.

    Only after the player's first `play` since its last `player_opened`: a bookmark is restored before that.
    """
    rows = np.flatnonzero(~timeline.plays & ~timeline.is_type(EventType.SEEK, EventType.PLAYER_OPENED))
    first = timeline.previous[rows]
    ahead = exceeds_ns(timeline.position_ns[rows] - timeline.start_ns[rows], nanoseconds(policy.playback.slack_s))
    moved = (first >= 0) & ahead & ~timeline.playing[np.maximum(first, 0)]
    rows, first = rows[moved], first[moved]
    opened = np.flatnonzero(timeline.is_type(EventType.PLAYER_OPENED))
    opened = opened[np.lexsort((opened, timeline.track[opened]))]
    found = latest(timeline.track[opened], opened, timeline.track[first], first)
    plays = _plays_until(timeline, first)
    known = found >= 0
    plays[known] -= _plays_until(timeline, opened[found[known]])
    return rows[plays > 0]


def _plays_until(timeline: Timeline, rows: Integers) -> Integers:
    """Return how many `play` events the player of each event had said up to and including that event."""
    said = np.flatnonzero(timeline.is_type(EventType.PLAY))
    said = said[np.argsort(timeline.track[said], kind="stable")]
    track = timeline.track[said]
    last = latest(track, said, timeline.track[rows], rows)
    return np.asarray(np.where(last >= 0, last + 1 - np.searchsorted(track, timeline.track[rows]), 0))
