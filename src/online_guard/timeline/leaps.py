"""Positions that the session's own way doesn't explain (SPEC OG102), and the curve of what it had reached.

What other sessions of the enrolment had reached is not known here; the rule asks for it later.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Flags, Integers
from online_guard.policy.pack import Policy
from online_guard.terms import EventType
from online_guard.timeline.columns import ABSENT, Timeline, allowed_ns, milliseconds
from online_guard.timeline.segments import exceeds_ns, group_starts, latest, nanoseconds, running


class Leaps(NamedTuple):
    """Events further than slack_s beyond what their own session explains.

    session: of the event. at_ms, seq, position_ns: of the event. reached_ns: by the session itself at that moment.
    bound_ns: p₀ + a from the player's event before, 0 for a player's first event. is_first: whether it is one; then
    mark_ms, mark_seq, mark_ns, mark_plays describe the latest earlier event of the same session (mark_seq ABSENT if
    there is none).
    """

    session: Integers
    at_ms: Integers
    seq: Integers
    position_ns: Integers
    reached_ns: Integers
    bound_ns: Integers
    is_first: Flags
    mark_ms: Integers
    mark_seq: Integers
    mark_ns: Integers
    mark_plays: Flags


class Reached(NamedTuple):
    """Furthest end position of a session's advances that ended at or before a moment; sorted by (session, moment)."""

    session: Integers
    ended_ms: Integers
    furthest_ns: Integers


def reached(timeline: Timeline, wanted: Flags | None = None) -> Reached:
    """Return the curve of reached positions of all sessions, or of those wanted, on the client clock."""
    sessions = np.arange(timeline.sessions) if wanted is None else np.flatnonzero(wanted)
    rows = timeline.events_of(sessions)
    rows = rows[timeline.advance[rows]]
    session, ended = timeline.session[rows], timeline.at_ms[rows]
    if not bool(np.all((session[1:] > session[:-1]) | (ended[1:] >= ended[:-1]))):
        order = np.lexsort((ended, session))
        rows, session, ended = rows[order], session[order], ended[order]
    furthest = np.maximum(timeline.end_ns[rows], 0)
    if not bool(np.all((session[1:] > session[:-1]) | (furthest[1:] >= furthest[:-1]))):
        furthest = running(np.maximum, furthest, group_starts(session))
    return Reached(session, ended, furthest)


def reached_at(curve: Reached, session: Integers, at_ms: Integers) -> Integers:
    """Return what each session had reached at a moment of its client clock, in ns."""
    if len(curve.session) == 0:
        return np.zeros(len(session), np.int64)
    row = latest(curve.session, curve.ended_ms, session, at_ms)
    return np.where(row >= 0, curve.furthest_ns[np.maximum(row, 0)], 0)


def last_reached(timeline: Timeline) -> Reached:
    """Return the last point of each session's curve."""
    _, last = timeline.runs(timeline.advance)
    ended = np.full(timeline.sessions, np.iinfo(np.int64).min)
    np.maximum.at(ended, timeline.session[last], timeline.at_ms[last])
    known = np.unique(timeline.session[last])
    ends = timeline.end_ns * timeline.advance
    furthest = np.maximum.reduceat(ends, timeline.starts) if len(ends) else ended
    return Reached(known, ended[known], np.maximum(furthest[known], 0))


def candidates(timeline: Timeline, policy: Policy) -> tuple[Integers, Integers]:
    """Return the events that OG102 judges and that the player's event before doesn't explain, and p₀ + a of each.

    Judged are a `seek`, a player's first event, and an event whose interval before it doesn't play or has Δt < 0.
    """
    back = timeline.delta_ms < 0
    rows = np.flatnonzero(timeline.is_type(EventType.SEEK) | ~timeline.plays | back)
    longest = allowed_ns(milliseconds(policy.playback.max_silence_s), policy)
    step = np.where(back[rows], longest, allowed_ns(timeline.delta_ms[rows], policy)) * timeline.plays[rows]
    bound = np.where(timeline.previous[rows] == ABSENT, 0, timeline.start_ns[rows] + step)
    far = exceeds_ns(timeline.position_ns[rows] - bound, nanoseconds(policy.playback.slack_s))
    return rows[far], bound[far]


def leaps(timeline: Timeline, unexplained: tuple[Integers, Integers], curve: Reached, policy: Policy) -> Leaps:
    """Return those of the candidates that what their own session had reached can't explain either."""
    rows, bound = unexplained
    own = reached_at(curve, timeline.session[rows], timeline.at_ms[rows])
    beyond = exceeds_ns(timeline.position_ns[rows] - own, nanoseconds(policy.playback.slack_s))
    rows, own, bound = rows[beyond], own[beyond], bound[beyond]
    first = timeline.previous[rows] == ABSENT
    mark = _marks_before(timeline, rows, first)
    at = np.maximum(mark, 0)
    return Leaps(
        session=timeline.session[rows],
        at_ms=timeline.at_ms[rows],
        seq=timeline.seq[rows].astype(np.int64),
        position_ns=timeline.position_ns[rows],
        reached_ns=own,
        bound_ns=bound,
        is_first=first,
        mark_ms=np.where(mark == ABSENT, 0, timeline.at_ms[at]),
        mark_seq=np.where(mark == ABSENT, ABSENT, timeline.seq[at].astype(np.int64)),
        mark_ns=np.where(mark == ABSENT, 0, timeline.position_ns[at]),
        mark_plays=(mark != ABSENT) & timeline.stands_playing[at] if len(rows) else first,
    )


def _marks_before(timeline: Timeline, rows: Integers, first: Flags) -> Integers:
    """Return, for each player's first event among `rows`, the session's event just before it by (clock, seq)."""
    result = np.full(len(rows), ABSENT)
    asked = np.flatnonzero(first)
    sessions = np.unique(timeline.session[rows[asked]])
    events = timeline.events_of(sessions)
    order = events[np.lexsort((timeline.seq[events], timeline.at_ms[events], timeline.session[events]))]
    place = np.zeros(len(timeline.session) if len(order) else 0, np.int64)
    place[order] = np.arange(len(order))
    before = place[rows[asked]] - 1
    candidate = order[np.maximum(before, 0)] if len(order) else before
    own = (before >= 0) & (timeline.session[candidate] == timeline.session[rows[asked]]) if len(order) else before >= 0
    result[asked] = np.where(own, candidate, ABSENT)
    return result
