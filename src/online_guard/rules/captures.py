"""Captures and which of them are the same picture (SPEC OG602, OG604, OG605, OG801)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from online_guard.evidence import Flags, Integers, Names
from online_guard.policy import Policy
from online_guard.rules.base import Facts
from online_guard.timeline.segments import pairs

RESIDUAL_NOISE = 1e-6
OUTSIDE = -1
"""A capture that has no row in the bundle: nobody's, and earlier."""


@dataclass(frozen=True)
class Captures:
    """Snapshots and, after them, checks (whose rows stand for the frames of their clips).

    received_ms: of a frame its check's `at_ms` on the service clock. is_frame: of a clip. counts: a good snapshot, or
    a frame.
    """

    key: Names
    session: Integers
    at_ms: Integers
    received_ms: Integers
    is_frame: Flags
    counts: Flags

    def row_of(self, names: Names) -> Integers:
        """Return the row of each capture by its key, OUTSIDE where the bundle has none; a snapshot before a check."""
        wanted = set(names)
        named = np.flatnonzero(np.fromiter(map(wanted.__contains__, self.key), bool, len(self.key)))
        rows = {self.key[row]: row for row in named[::-1].tolist()}
        return np.array([rows.get(name, OUTSIDE) for name in names], np.int64)


class Pairs(NamedTuple):
    """Pairs of captures, by row, each both ways; `other` may be OUTSIDE."""

    capture: Integers
    other: Integers

    def both_ways(self) -> Pairs:
        """Return the pairs and, where both are known, their reverse."""
        known = self.other != OUTSIDE
        return Pairs(
            np.concatenate((self.capture, self.other[known])), np.concatenate((self.other, self.capture[known]))
        )


def captures(facts: Facts) -> Captures:
    """Return the captures of all sessions; one without events goes by its opening's offset."""
    evidence = facts.evidence
    snapshots, checks, sessions = evidence.snapshots, evidence.checks, evidence.sessions
    offset = sessions.opened_received_ms - sessions.opened_at_ms
    offset[facts.digest.sittings.session] = facts.digest.sittings.offset_ms
    return Captures(
        key=np.concatenate((snapshots.key, checks.key)),
        session=np.concatenate((snapshots.session, checks.session)),
        at_ms=np.concatenate((snapshots.at_ms, checks.at_ms)),
        received_ms=np.concatenate((snapshots.received_ms, checks.at_ms + offset[checks.session])),
        is_frame=np.repeat([False, True], [len(snapshots), len(checks)]),
        counts=np.concatenate((snapshots.good, np.ones(len(checks), bool))),
    )


def likened(facts: Facts, known: Captures, rows: Integers) -> Pairs:
    """Return the captures that likeness rows put beside another capture.

    Rows whose own capture has no row fall away, and those whose other has none though it is of the same session.
    """
    likenesses, keys = facts.evidence.likenesses, facts.evidence.sessions.key
    if not len(rows):
        return Pairs(rows, rows)
    capture = known.row_of(likenesses.capture[rows])
    other = known.row_of(likenesses.other_id[rows])
    theirs = [name.rpartition("/")[0] for name in likenesses.other_id[rows]]
    own = np.array(theirs, object) == keys[likenesses.session[rows]]
    kept = (capture != OUTSIDE) & ~((other == OUTSIDE) & own.astype(bool))
    return Pairs(capture[kept], other[kept])


def same_pictures(facts: Facts, known: Captures, policy: Policy) -> Pairs:
    """Return the pairs of captures that are the same picture, both ways: equal SHA-256, or a small residual."""
    good = np.flatnonzero(known.counts & ~known.is_frame)
    number = facts.evidence.snapshots.sha256_number[good]
    left, right = pairs(number, number)
    equal = Pairs(good[left], good[right])
    likenesses = facts.evidence.likenesses
    small = likenesses.residual <= policy.snapshot.same_picture_residual + RESIDUAL_NOISE
    alike = likened(facts, known, np.flatnonzero(small & ~likenesses.other_is_reference))
    both = alike.both_ways()
    capture, other = np.concatenate((equal.capture, both.capture)), np.concatenate((equal.other, both.other))
    kept = (capture != OUTSIDE) & (capture != other)
    kept &= known.counts[capture] & ((other == OUTSIDE) | known.counts[other])
    return Pairs(capture[kept], other[kept])


def earlier_elsewhere(known: Captures, found: Pairs) -> Flags:
    """Return which pairs' other capture is of another session and was received no later, or lies outside."""
    other = found.other
    apart = known.session[other] != known.session[found.capture]
    earlier = known.received_ms[other] <= known.received_ms[found.capture]
    return np.asarray((other == OUTSIDE) | (apart & earlier))
