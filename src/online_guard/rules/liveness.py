"""How each session's liveness checks came out (SPEC 3.3, OG401 to OG403, OG408)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Flags, Integers
from online_guard.rules.base import Facts
from online_guard.terms import Outcome

REACH_MS = 60_000
"""A check counts at most 60 s outside the session's first to last event (fixed in SPEC 3.3)."""
OUTCOMES = tuple(Outcome)


class CheckCounts(NamedTuple):
    """By session: whether it has events, checks attempted, passed and failed."""

    has_events: Flags
    attempted: Integers
    passed: Integers
    failed: Integers


def count_checks(facts: Facts) -> CheckCounts:
    """Return the counts of every session; a pass without distance or at another time is inconclusive."""
    checks, sittings = facts.evidence.checks, facts.digest.sittings
    size = len(facts.evidence.sessions)
    has_events = np.zeros(size, bool)
    has_events[sittings.session] = True
    passed = check_passed(facts)
    failed = checks.outcome == OUTCOMES.index(Outcome.FAILED)
    return CheckCounts(
        has_events,
        np.bincount(checks.session, minlength=size),
        np.bincount(checks.session[passed], minlength=size),
        np.bincount(checks.session[failed], minlength=size),
    )


def check_passed(facts: Facts) -> Flags:
    """Return which checks passed: outcome `passed`, with a distance, at most 60 s outside the session's events."""
    checks, sittings = facts.evidence.checks, facts.digest.sittings
    first = facts.per_session(sittings.session, sittings.first_at_ms)[checks.session]
    last = facts.per_session(sittings.session, sittings.last_at_ms)[checks.session]
    within = (checks.at_ms >= first - REACH_MS) & (checks.at_ms <= last + REACH_MS)
    said = checks.outcome == OUTCOMES.index(Outcome.PASSED)
    return np.asarray(said & ~np.isnan(checks.distance) & within)
