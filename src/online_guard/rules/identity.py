"""Distances to the learner's reference, by session (SPEC OG404, OG407)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Flags, Floats, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts
from online_guard.rules.liveness import check_passed
from online_guard.timeline.segments import group_lasts, group_lengths, group_starts

DISTANCE_NOISE = 1e-6
"""A limit on a distance counts as passed only by more than this (SPEC 3.3)."""


class Distances(NamedTuple):
    """By session with events and at least one distance: how many, their median and the greatest."""

    session: Integers
    number: Integers
    median: Floats
    greatest: Floats


def distances(facts: Facts) -> Distances:
    """Return the distances of good snapshots and passed checks that have one, by session."""
    snapshots, checks = facts.evidence.snapshots, facts.evidence.checks
    of_snapshot = snapshots.good & ~np.isnan(snapshots.distance)
    of_check = check_passed(facts)
    session = np.concatenate((snapshots.session[of_snapshot], checks.session[of_check]))
    value = np.concatenate((snapshots.distance[of_snapshot], checks.distance[of_check]))
    kept = np.isin(session, facts.digest.sittings.session)
    session, value = session[kept], value[kept]
    order = np.lexsort((value, session))
    session, value = session[order], value[order]
    starts = group_starts(session)
    count = group_lengths(starts, len(session))
    median = (value[starts + (count - 1) // 2] + value[starts + count // 2]) / 2
    return Distances(session[starts], count, median, value[group_lasts(starts, len(session))])


def wrong_person(found: Distances, policy: Policy) -> Flags:
    """Return where at least two distances have a median beyond reject_distance (OG404)."""
    return np.asarray((found.number >= 2) & (found.median > policy.liveness.reject_distance + DISTANCE_NOISE))
