"""What an enrolment had reached in a lesson, and where it last stood, in its other sessions (SPEC 3.3, OG102)."""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts
from online_guard.timeline.columns import ABSENT, allowed_ns, milliseconds
from online_guard.timeline.segments import group_lasts, group_starts, latest, pairs


def reached_elsewhere(facts: Facts, session: Integers, moment_ms: Integers, policy: Policy) -> Integers:
    """Return the furthest position in ns that the enrolment's other sessions of the lesson had reached by a moment.

    Args:
        facts: Tables of all sessions of the enrolments concerned.
        session: Session that asks, for each query.
        moment_ms: Service clock; the other sessions' clocks are known to overlap_slack_s only.
        policy: Gives overlap_slack_s.
    """
    curve = facts.digest.reached
    query, other = _others(facts, session)
    moment = moment_ms[query] + milliseconds(policy.windows.overlap_slack_s)
    row = latest(curve.session, curve.ended_ms, other, moment)
    furthest = np.zeros(len(session), np.int64)
    known = row >= 0
    np.maximum.at(furthest, query[known], curve.furthest_ns[row[known]])
    return furthest


def bound_of_first_events(facts: Facts, policy: Policy) -> Integers:
    """Return p₀ + a in ns of each leap that is a player's first event; 0 of the others.

    The event before it is the latest earlier one of the enrolment in the lesson, by service clock, session and `seq`;
    Δt counts up to max_silence_s, and only if that event plays.
    """
    leaps, marks = facts.digest.leaps, facts.digest.marks
    first = np.flatnonzero(leaps.is_first)
    session = leaps.session[first]
    query, other = _others(facts, session)
    later = other > session[query]
    row = latest(marks.session, marks.moment_ms, other, leaps.at_ms[first][query] - later)
    known = row >= 0
    query, row = query[known], row[known]
    own = np.flatnonzero(leaps.mark_seq[first] != ABSENT)
    asks = np.concatenate((query, own))
    moment = np.concatenate((marks.moment_ms[row], leaps.mark_ms[first][own]))
    stood = np.concatenate((marks.session[row], session[own]))
    position = np.concatenate((marks.position_ns[row], leaps.mark_ns[first][own]))
    plays = np.concatenate((marks.plays[row], leaps.mark_plays[first][own]))
    order = np.lexsort((stood, moment, asks))
    last = order[group_lasts(group_starts(asks[order]), len(order))]
    elapsed = np.minimum(leaps.at_ms[first][asks[last]] - moment[last], milliseconds(policy.playback.max_silence_s))
    bound = np.zeros(len(leaps.session), np.int64)
    bound[first[asks[last]]] = position[last] + np.where(plays[last], allowed_ns(elapsed, policy), 0)
    return bound


def _others(facts: Facts, session: Integers) -> tuple[Integers, Integers]:
    """Return pairs of query and other session of the same enrolment and lesson that has events."""
    lesson, known = facts.lessons.of_session, facts.digest.sittings.session
    query, row = pairs(lesson[session], lesson[known])
    other = known[row]
    apart = other != session[query]
    return query[apart], other[apart]
