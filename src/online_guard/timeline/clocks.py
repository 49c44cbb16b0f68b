"""The three clocks of SPEC 3.3: the client's `at_ms`, the service clock, and the playing clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy.pack import Policy
from online_guard.timeline.columns import Timeline, milliseconds
from online_guard.timeline.segments import (
    Spans,
    cumulative,
    group_starts,
    latest,
    length_before,
    total_length,
    union,
)


@dataclass(frozen=True)
class Clocks:
    """Clocks of a timeline, in ms.

    offset_ms: of each session, service clock − client clock. spans: union of a session's observed playing intervals
    (client clock). playing_ms: their length, the session's playing clock at its end. at_event_ms: the session's
    playing clock at each event's `at_ms`. own_at_event_ms: likewise, of the event's player alone. track_ms: playing
    clock of each track. first_at_ms, last_at_ms: first and last event of each session by client clock.
    """

    offset_ms: Integers
    spans: Spans
    playing_ms: Integers
    at_event_ms: Integers
    own_at_event_ms: Integers
    track_ms: Integers
    first_at_ms: Integers
    last_at_ms: Integers


def read(timeline: Timeline, policy: Policy) -> Clocks:
    """Return the clocks of a timeline; `clock.max_lead_s` bounds the offset from below (SPEC 3.3)."""
    opening = timeline.opened_received_ms - timeline.opened_at_ms
    empty = len(timeline.starts) == 0
    late = opening if empty else np.minimum.reduceat(timeline.received_ms - timeline.at_ms, timeline.starts)
    offset = np.maximum(np.minimum(opening, late), opening - milliseconds(policy.clock.max_lead_s))
    first, last = timeline.runs(timeline.observed)
    begin, end = timeline.at_ms[timeline.previous[first]], timeline.at_ms[last]
    spans = union(timeline.session[first], begin, end)
    at_event = cumulative(timeline.delta_ms * timeline.observed, timeline.starts)
    own_at_event, track_spans = at_event, spans
    first_at, last_at = timeline.at_ms[timeline.starts], timeline.at_ms[timeline.lasts]
    mixed = timeline.complex_events()
    if len(mixed):
        own_at_event = at_event.copy()
        at_event[mixed] = length_before(spans, timeline.session[mixed], timeline.at_ms[mixed])
        track_spans = union(timeline.track[first], begin, end)
        own_at_event[mixed] = length_before(track_spans, timeline.track[mixed], timeline.at_ms[mixed])
        np.minimum.at(first_at, timeline.session[mixed], timeline.at_ms[mixed])
        np.maximum.at(last_at, timeline.session[mixed], timeline.at_ms[mixed])
    return Clocks(
        offset_ms=offset,
        spans=spans,
        playing_ms=total_length(spans, timeline.sessions),
        at_event_ms=at_event,
        own_at_event_ms=own_at_event,
        track_ms=total_length(track_spans, len(timeline.track_session)),
        first_at_ms=first_at,
        last_at_ms=last_at,
    )


def moment_of(clocks: Clocks, session: Integers, playing_ms: Integers) -> Integers:
    """Return the client moment at which a session's playing clock first reaches a value.

    Args:
        clocks: Clocks of the timeline.
        session: Local number of each query's session.
        playing_ms: Value of its playing clock, from 0 to its end.
    """
    spans = clocks.spans
    length = spans.end - spans.start
    before = cumulative(length, group_starts(spans.group)) - length
    row = latest(spans.group, before, session, np.maximum(playing_ms, 1), strictly=True)
    return spans.start[row] + np.maximum(playing_ms, 0) - before[row]
