"""Where in the lesson a snapshot was taken (SPEC OG601)."""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.timeline.columns import ABSENT, Timeline
from online_guard.timeline.segments import group_lasts, group_starts, last_at_or_before, pairs


def snapshot_places(timeline: Timeline, session: Integers, at_ms: Integers) -> Integers:
    """Return the lesson position of each snapshot in ns, ABSENT in a session without a watched segment.

    A snapshot lies in the watched segment whose interval holds its `at_ms` (start included, end not; of several the
    one whose first event has the larger `seq`), in proportion to the time; outside any, at the end of the latest
    that ended at or before it; before all of them at the start of the first.

    Args:
        timeline: Events of the sessions.
        session: Local number of each snapshot's session.
        at_ms: Client clock of each snapshot.
    """
    snapshot, segment = _candidates(timeline, session, at_ms)
    before = timeline.previous[segment]
    moment, begin, end = at_ms[snapshot], timeline.at_ms[before], timeline.at_ms[segment]
    inside = (begin <= moment) & (moment < end)
    passed = ~inside & (end <= moment)
    rank = np.where(inside, 2, np.where(passed, 1, 0))
    preference = np.where(inside, 0, np.where(passed, end, -begin))
    seq = np.where(rank == 0, -timeline.seq[before].astype(np.int64), timeline.seq[before])
    order = np.lexsort((seq, preference, rank, snapshot))
    best = order[group_lasts(group_starts(snapshot[order]), len(order))]
    chosen = segment[best]
    start_ns, end_ns = timeline.start_ns[chosen], timeline.end_ns[chosen]
    share = (moment[best] - begin[best]) / np.maximum(end[best] - begin[best], 1)
    between = start_ns + np.rint((end_ns - start_ns) * share).astype(np.int64)
    places = np.full(len(session), ABSENT)
    places[snapshot[best]] = np.where(rank[best] == 2, between, np.where(rank[best] == 1, end_ns, start_ns))
    return places


def _candidates(timeline: Timeline, session: Integers, at_ms: Integers) -> tuple[Integers, Integers]:
    """Return pairs (snapshot, row of a watched segment) among which the right segment of each snapshot is.

    In a simple session the segments follow one another, so it is the last that began at or before the snapshot, or
    the first; elsewhere it may be any.
    """
    watched = timeline.watched
    plain = timeline.simple[session]
    easy, hard = np.flatnonzero(plain), np.flatnonzero(~plain)
    begin, end = timeline.starts[session[easy]], timeline.lasts[session[easy]] + 1
    last = last_at_or_before(timeline.at_ms, begin, end, at_ms[easy])
    first, final = timeline.runs(watched)
    # the interval that begins at an event is the next row's; the last watched one up to it ends its run or lies in one
    upto = np.where(last >= 0, last + 1, begin)
    run = np.searchsorted(first, upto, "right") - 1
    row = np.minimum(final[np.maximum(run, 0)] if len(final) else upto, upto)
    known = (run >= 0) & (row >= begin)
    fallback = first[np.minimum(np.searchsorted(first, begin), max(len(first) - 1, 0))] if len(first) else begin
    row = np.where(known, row, fallback)
    exists = watched[row] & (row >= begin) & (row < end)
    rows = np.flatnonzero(watched & ~timeline.simple[timeline.session]) if len(hard) else easy[:0]
    left, right = pairs(session[hard], timeline.session[rows])
    return np.concatenate((easy[exists], hard[left])), np.concatenate((row[exists], rows[right]))
