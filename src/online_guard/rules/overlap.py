"""Sessions that play while others of the same owner play (SPEC OG201, OG802)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from online_guard.evidence import Flags, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, seconds
from online_guard.timeline.segments import Spans, first_overlap, length_before


class Overlaps(NamedTuple):
    """Where spans lie over others of their owner.

    over: where at least two of an owner lie over each other. owner: of each playing span. inside_ms: how much of each
    playing span lies there. session_ms: the sum for each session.
    """

    over: Spans
    owner: Integers
    inside_ms: Integers
    session_ms: Integers


def overlaps(facts: Facts, over: Spans, owner_of_session: Integers) -> Overlaps:
    """Return how much of each session's playing time lies within `over` (by owner, service clock)."""
    spans = facts.digest.spans
    owner = owner_of_session[spans.group]
    inside = length_before(over, owner, spans.end) - length_before(over, owner, spans.start)
    total = np.zeros(len(owner_of_session), np.int64)
    np.add.at(total, spans.group, inside)
    return Overlaps(over, owner, inside, total)


def overlap_findings(facts: Facts, found: Overlaps, holds: Flags, policy: Policy) -> Findings:
    """Return a finding for each session in `holds`, with the bounds of its first overlap."""
    spans = facts.digest.spans
    place = np.flatnonzero((found.inside_ms > 0) & holds[spans.group])
    session = spans.group[place]
    begin, end = first_overlap(found.over, found.owner[place], spans.start[place], spans.end[place])
    offset = facts.offset_ms[session]
    return Findings.of_places(
        session,
        value=seconds(found.session_ms[session]),
        limit=policy.windows.overlap_slack_s,
        start_ms=begin - offset,
        end_ms=end - offset,
    )
