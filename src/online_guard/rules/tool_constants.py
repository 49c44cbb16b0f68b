"""The constants of a known tool, each measured on cases: intervals, answers, events (SPEC OG805).

The numbers are engineering tolerances, chosen so that no honest learner agrees by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from online_guard.evidence import Flags, Floats, Integers
from online_guard.terms import EventType
from online_guard.timeline.columns import ABSENT
from online_guard.timeline.digest import View
from online_guard.timeline.segments import MS_IN_NS, NS

FEWEST_BEATS = 20
"""A timer with jitter of 10 ms or more hits one millisecond in 4 % of its beats: 18 of 20 never. An idle browser's
jitters less (OG803), so no shipped signature says a period alone."""
FEWEST_ANSWERS = 3
"""Reactions spread over seconds: 1 % of them lie within 10 ms, three in a row once in 10⁶."""
FEWEST_PAUSES = 2
"""Pauses spread over minutes: 0.01 % of them lie within 10 ms."""
FEWEST_GAPS = 3
"""Of the gaps below a second: 1 % of them lie within 3 ms of three given ones."""
FEWEST_EVENTS = 10
"""Less is a page that was opened by mistake."""
MICRO_GAP_MS = 1_000
COARSE_MS = 100
"""Browsers that resist fingerprinting tell time in steps of 100 ms, some logs in whole seconds (OG803)."""
PERIOD_MS = 0
STEP_NS = MS_IN_NS
GAP_MS = 1
CLICK_MS = 5
"""How late a browser calls a timer back when nothing else runs."""
SEND_MS = 100
"""How much the way through a network varies."""
EQUAL_STEP_NS = 10 * MS_IN_NS
"""Players tell a position in hundredths of a second."""
STOP_SHARE = 0.005
SHARE_NOISE = 1e-9


class Cases(NamedTuple):
    """What one constant is measured on: session (local number) and value of each case, and whether it agrees."""

    session: Integers
    value: Integers | Floats
    agrees: Flags


class Seen:
    """A block's view, and what several signatures ask of it: found once."""

    def __init__(self, view: View) -> None:
        self.timeline = view.timeline
        self.showings = view.showings

    @cached_property
    def beats(self) -> tuple[Integers, Integers, Integers]:
        """Return row, session and Δt of `Timeline.beats`."""
        timeline, rows = self.timeline, self.timeline.beats
        return rows, timeline.session[rows], timeline.delta_ms[rows]

    def beats_of(self, sessions: Flags) -> tuple[Integers, Integers]:
        """Return row and session of the beats of some sessions."""
        rows, session, _ = self.beats
        kept = np.flatnonzero(sessions[session])
        return rows[kept], session[kept]

    def rows_of(self, sessions: Flags) -> Integers:
        """Return the rows of the events of some sessions, in order."""
        return self.timeline.events_of(np.flatnonzero(sessions))

    def coarse(self, sessions: Flags) -> Flags:
        """Return which of some sessions tell time in steps of 100 ms or more."""
        rows = self.rows_of(sessions)
        result = sessions.copy()
        result[self.timeline.session[rows[self.timeline.at_ms[rows] % COARSE_MS != 0]]] = False
        return result


def _near(session: Integers, value: Integers, constant: float, tolerance: int) -> Cases:
    return Cases(session, value, np.abs(value - round(constant)) <= tolerance)


def _long_enough(seen: Seen, sessions: Flags) -> Integers:
    return np.flatnonzero(sessions & (seen.timeline.lengths >= FEWEST_EVENTS))


def _first(seen: Seen, first: EventType, sessions: Flags) -> Cases:
    """Return the first event of each session with enough events."""
    session = _long_enough(seen, sessions)
    kind = seen.timeline.type[seen.timeline.starts[session]].astype(np.int64)
    return Cases(session, kind, kind == first.code)


def _stop(seen: Seen, share: float, sessions: Flags) -> Cases:
    """Return the last position of each session with enough events, as a share of the lesson."""
    timeline = seen.timeline
    session = _long_enough(seen, sessions)
    stopped = timeline.position_ns[timeline.lasts[session]] / np.maximum(timeline.duration_ns[session], 1)
    return Cases(session, stopped, np.abs(stopped - share) <= STOP_SHARE + SHARE_NOISE)


def _answers(seen: Seen, latency_ms: float, sessions: Flags) -> Cases:
    showings = seen.showings
    rows = np.flatnonzero(showings.answered & sessions[showings.session])
    return _near(showings.session[rows], showings.reaction_ms[rows], latency_ms, CLICK_MS)


def _period(seen: Seen, period_ms: float, sessions: Flags) -> Cases:
    """Return Δt from beat to beat of the sessions in which that very Δt is frequent: no other could agree."""
    _, session, delta_ms = seen.beats
    hits = np.bincount(session[delta_ms == round(period_ms)], minlength=len(sessions))
    kept = np.flatnonzero((sessions & (hits > FEWEST_BEATS // 2))[session])
    return Cases(session[kept], delta_ms[kept], delta_ms[kept] == round(period_ms))


def _step(seen: Seen, step_s: float, sessions: Flags) -> Cases:
    rows, session = seen.beats_of(sessions)
    return _near(session, _step_ns(seen, rows), step_s * NS, STEP_NS)


def _step_ns(seen: Seen, rows: Integers) -> Integers:
    position = seen.timeline.position_ns
    return np.asarray(position[rows] - position[seen.timeline.previous[rows]])


def _sending(seen: Seen, period_ms: float, sessions: Flags) -> Cases:
    rows, session = seen.beats_of(sessions)
    received = seen.timeline.received_ms
    return _near(session, received[rows] - received[seen.timeline.previous[rows]], period_ms, SEND_MS)


def _beats_of_lesson(seen: Seen, number: int, sessions: Flags) -> Cases:
    """Return the steps of the sessions with so many heartbeats; one agrees that cuts the lesson into equal parts."""
    timeline = seen.timeline
    beats = timeline.heartbeats
    rows, session = seen.beats_of(sessions & (beats == number))
    step, duration = _step_ns(seen, rows), timeline.duration_ns[session]
    off = [(np.abs(step * parts - duration), EQUAL_STEP_NS * parts) for parts in (number - 1, number)]
    return Cases(session, beats[session], np.any([distance <= limit for distance, limit in off], axis=0))


def _micro_gaps(seen: Seen, gaps_ms: tuple[float, ...], sessions: Flags) -> Cases:
    """Return the gaps below a second between neighbouring events that aren't both heartbeats.

    None agrees in a session that lacks one of the constants.
    """
    timeline = seen.timeline
    rows = seen.rows_of(sessions)
    rows = rows[1:][timeline.session[rows[1:]] == timeline.session[rows[:-1]]]
    gap = timeline.at_ms[rows] - timeline.at_ms[rows - 1]
    beat = EventType.HEARTBEAT.code
    micro = ((timeline.type[rows] != beat) | (timeline.type[rows - 1] != beat)) & (gap >= 0) & (gap < MICRO_GAP_MS)
    rows, gap = rows[micro], gap[micro]
    session = timeline.session[rows]
    near = [np.abs(gap - round(constant)) <= GAP_MS for constant in gaps_ms]
    has_all = np.all([np.bincount(session[one], minlength=timeline.sessions) > 0 for one in near], axis=0)
    return Cases(session, gap, np.any(near, axis=0) & has_all[session])


def _pauses(seen: Seen, pause_ms: float, sessions: Flags) -> Cases:
    """Return the pauses after which the player's next event is a `play`."""
    timeline = seen.timeline
    rows = seen.rows_of(sessions)
    rows = rows[(timeline.type[rows] == EventType.PLAY.code) & (timeline.previous[rows] != ABSENT)]
    rows = rows[timeline.type[timeline.previous[rows]] == EventType.PAUSE.code]
    return _near(timeline.session[rows], timeline.delta_ms[rows], pause_ms, CLICK_MS)


def _kinds(seen: Seen, kinds: tuple[EventType, ...], sessions: Flags) -> Cases:
    """Return the events of the sessions with enough; where one doesn't agree none does: `only` has no tolerance."""
    timeline = seen.timeline
    rows = seen.rows_of(sessions & (timeline.lengths >= FEWEST_EVENTS))
    session = timeline.session[rows]
    known = np.isin(timeline.type[rows], [kind.code for kind in kinds])
    pure = np.bincount(session[~known], minlength=timeline.sessions) == 0
    return Cases(session, timeline.type[rows].astype(np.int64), pure[session])


CONSTANTS: dict[str, tuple[Callable[[Seen, Any, Flags], Cases], int]] = {
    "first_event": (_first, 1),
    "stop_share": (_stop, 1),
    "answer_latency_ms": (_answers, FEWEST_ANSWERS),
    "heartbeat_period_ms": (_period, FEWEST_BEATS),
    "position_step_s": (_step, FEWEST_BEATS),
    "heartbeats_per_lesson": (_beats_of_lesson, FEWEST_BEATS),
    "send_period_ms": (_sending, FEWEST_BEATS),
    "gaps_ms": (_micro_gaps, FEWEST_GAPS),
    "pause_ms": (_pauses, FEWEST_PAUSES),
    "event_types": (_kinds, 1),
}
"""By key of a signature: how it is measured, and how many cases it needs at least. The cheapest stand first."""
