"""Stretches in which a player was hidden or out of focus, and how far its playing clock moved in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Integers
from online_guard.terms import EventType
from online_guard.timeline.clocks import Clocks
from online_guard.timeline.columns import Timeline
from online_guard.timeline.segments import length_before, union


class Stretches(NamedTuple):
    """From the event that begins a stretch to the one that ends it, in (track, seq) order; rows of events."""

    track: Integers
    begin: Integers
    end: Integers
    played_ms: Integers


def _stretches(timeline: Timeline, begins: EventType, ends: EventType) -> tuple[Integers, Integers, Integers]:
    """Return track, first and last event of each stretch from `begins` to its next `ends`, opening or closing."""
    relevant = timeline.is_type(begins, ends, EventType.PLAYER_CLOSED, EventType.PLAYER_OPENED)
    rows = np.flatnonzero(relevant)
    rows = rows[np.argsort(timeline.track[rows], kind="stable")]
    track = timeline.track[rows]
    begun = timeline.type[rows] == begins.code
    continues = np.zeros(len(rows), bool)
    continues[1:] = (track[1:] == track[:-1]) & begun[:-1]
    first = np.flatnonzero(begun & ~continues)
    stops = np.flatnonzero(~begun)
    following = np.searchsorted(stops, first)
    known = following < len(stops)
    stop = stops[following[known]] if len(stops) else np.zeros(0, np.int64)
    known[known] = track[stop] == track[first[known]]
    last_event = timeline.lasts[timeline.track_session]
    mixed = timeline.complex_events()
    last_event[timeline.track[mixed]] = mixed
    end = last_event[track[first]]
    end[known] = rows[stops[following[known]]]
    return track[first], rows[first], end


def hidden(timeline: Timeline, clocks: Clocks) -> Stretches:
    """Return the stretches from `hidden` to the next `visible`, `player_closed` or `player_opened` of the player."""
    track, begin, end = _stretches(timeline, EventType.HIDDEN, EventType.VISIBLE)
    return Stretches(track, begin, end, clocks.own_at_event_ms[end] - clocks.own_at_event_ms[begin])


def unfocused(timeline: Timeline, clocks: Clocks) -> Stretches:
    """Return the stretches from `blur` to the next `focus`, `player_closed` or `player_opened`, less hidden time."""
    track, begin, end = _stretches(timeline, EventType.BLUR, EventType.FOCUS)
    own = clocks.own_at_event_ms
    away = hidden(timeline, clocks)
    dark = union(away.track, own[away.begin], own[away.end])
    inside = length_before(dark, track, own[end]) - length_before(dark, track, own[begin])
    return Stretches(track, begin, end, own[end] - own[begin] - inside)
