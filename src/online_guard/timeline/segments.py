"""Grouped primitives over sorted columns: running extremes, unions, look-ups by group and time.

All arithmetic is on integers (ms, ns), so a group gives the same bits alone and in a crowd. Sums may wrap around on the
way; differences inside a group are exact as long as the group itself spans less than 2⁶³.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Floats, Integers


def group_starts(group: Integers) -> Integers:
    """Return the first row of each run of equal values in a sorted column."""
    if len(group) == 0:
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))


def distinct(values: Integers) -> Integers:
    """Return each value once, sorted; by sorting, as the hashing of `np.unique` takes ten times as long for many."""
    ordered = np.sort(values)
    return ordered[group_starts(ordered)]


def group_lengths(starts: Integers, size: int) -> Integers:
    """Return the number of rows of each group that begins at `starts` in a column of `size` rows."""
    lengths = np.empty(len(starts), np.int64)
    lengths[:-1], lengths[-1:] = starts[1:], size
    lengths -= starts
    return lengths


def group_lasts(starts: Integers, size: int) -> Integers:
    """Return the last row of each group that begins at `starts` in a column of `size` rows."""
    return starts + group_lengths(starts, size) - 1


def rows_of_groups(starts: Integers, lengths: Integers, groups: Integers) -> Integers:
    """Return the rows of some groups, one group after the other, given first row and length of every group."""
    sizes = lengths[groups]
    ends = np.cumsum(sizes)
    return np.asarray(np.repeat(starts[groups] - ends + sizes, sizes) + np.arange(ends[-1] if len(ends) else 0))


def last_at_or_before(column: Integers, starts: Integers, stops: Integers, values: Integers) -> Integers:
    """Return, for each query, the last row of its stretch of a column whose value is at most the query's; −1 if none.

    Args:
        column: Rising within each stretch.
        starts: First row of each query's stretch.
        stops: End of it, exclusive.
        values: One for each query.
    """
    low, high = starts.copy(), stops.copy()
    while bool(np.any(low < high)):
        middle = (low + high) // 2
        later = column[np.minimum(middle, len(column) - 1)] > values
        open_ = low < high
        high = np.where(open_ & later, middle, high)
        low = np.where(open_ & ~later, middle + 1, low)
    return np.where(low > starts, low - 1, -1)


def cumulative(values: Integers, starts: Integers) -> Integers:
    """Return the running sum of integers, begun again at each group."""
    total: Integers = np.cumsum(values)
    if len(starts) == 0:
        return total
    before = total[starts] - values[starts]
    total -= np.repeat(before, group_lengths(starts, len(values)))
    return total


ROOM = 2**62
"""Keys of group and value must stay below this."""


def running(operation: np.ufunc, values: NDArray[Any], starts: Integers) -> NDArray[Any]:
    """Return the running minimum or maximum (`np.minimum`, `np.maximum`) of integers, begun again at each group.

    One pass where group and value fit into one integer, so that a later group always goes beyond an earlier one; else
    the look-back is doubled with each pass.
    """
    lengths = group_lengths(starts, len(values))
    if len(lengths) == 0:
        return values.copy()
    least, width = int(values.min()), int(values.max()) - int(values.min()) + 1
    if width * len(starts) < ROOM:
        step = width if operation is np.maximum else -width
        shift = np.repeat(np.arange(len(starts)) * step - least, lengths)
        return np.asarray(operation.accumulate(values + shift) - shift)
    result = values.copy()
    rank = np.arange(len(values)) - np.repeat(starts, lengths)
    step, longest = 1, int(lengths.max())
    while step < longest:
        reachable = np.flatnonzero(rank >= step)
        result[reachable] = operation(result[reachable], result[reachable - step])
        step *= 2
    return result


def sorted_within(values: Integers, starts: Integers) -> Integers:
    """Return integers sorted within each group."""
    lengths = group_lengths(starts, len(values))
    if len(lengths) == 0:
        return values
    least, width = int(values.min()), int(values.max()) - int(values.min()) + 1
    if width * len(starts) < ROOM:
        shift = np.repeat(np.arange(len(starts)) * width - least, lengths)
        return np.asarray(np.sort(values + shift) - shift)
    return np.asarray(values[np.lexsort((values, np.repeat(np.arange(len(starts)), lengths)))])


class Spans(NamedTuple):
    """Disjoint intervals sorted by (group, start); start < end."""

    group: Integers
    start: Integers
    end: Integers


def union(group: Integers, start: Integers, end: Integers) -> Spans:
    """Return the union of intervals by group; intervals that touch are joined, empty ones dropped.

    Args:
        group: Group of each interval, any order.
        start: Begin of each, an integer.
        end: End of each, in the same unit.

    >>> union(np.array([0, 0, 1]), np.array([0, 5, 0]), np.array([5, 9, 2])).end.tolist()
    [9, 2]
    """
    kept = end > start
    if not bool(kept.all()):
        group, start, end = group[kept], start[kept], end[kept]
    if len(group) == 0:
        return Spans(group, start, end)
    group, start, end = _chained(group, start, end)
    same = group[1:] == group[:-1]
    if not bool(np.all((group[1:] > group[:-1]) | (same & (start[1:] >= start[:-1])))):
        order = np.lexsort((start, group))
        group, start, end = group[order], start[order], end[order]
        same = group[1:] == group[:-1]
    furthest = end
    if bool(np.any(same & (end[1:] < end[:-1]))):
        furthest = running(np.maximum, end, group_starts(group))
    begins = np.concatenate(([True], ~same | (start[1:] > furthest[:-1])))
    first = np.flatnonzero(begins)
    last = group_lasts(first, len(group))
    return Spans(group[first], start[first], furthest[last])


def _chained(group: Integers, start: Integers, end: Integers) -> tuple[Integers, Integers, Integers]:
    """Return the intervals with each one that begins where the one before it ended joined to it."""
    first = np.flatnonzero(np.concatenate(([True], (group[1:] != group[:-1]) | (start[1:] != end[:-1]))))
    return group[first], start[first], end[group_lasts(first, len(group))]


def latest(
    table_group: Integers, table_time: Integers, group: Integers, time: Integers, *, strictly: bool = False
) -> Integers:
    """Return, for each query, the last row of its group at or before its time (before it, if `strictly`); -1 if none.

    Args:
        table_group: Of a table sorted by (group, time).
        table_time: Likewise.
        group: Of the queries, in any order.
        time: Likewise.
        strictly: Whether a row at the very time doesn't count.
    """
    size = len(table_group)
    if size == 0 or len(group) == 0:
        return np.full(len(group), -1, np.int64)
    least = min(int(table_time.min()), int(time.min()))
    width = max(int(table_time.max()), int(time.max())) - least + 1
    if (max(int(table_group[-1]), int(group.max())) + 1) * width < ROOM:
        side: Literal["left", "right"] = "left" if strictly else "right"
        result = np.searchsorted(table_group * width + (table_time - least), group * width + (time - least), side) - 1
    else:
        result = _latest_by_sorting(table_group, table_time, group, time, strictly=strictly)
    return np.where((result >= 0) & (table_group[np.maximum(result, 0)] == group), result, -1)


def _latest_by_sorting(
    table_group: Integers, table_time: Integers, group: Integers, time: Integers, *, strictly: bool
) -> Integers:
    """Return the number of rows of the table that come no later than each query, less one."""
    size = len(table_group)
    is_query = np.concatenate((np.zeros(size, np.int8), np.ones(len(group), np.int8)))
    tie = 1 - is_query if strictly else is_query
    order = np.lexsort((tie, np.concatenate((table_time, time)), np.concatenate((table_group, group))))
    seen = np.cumsum(order < size) - 1
    found = np.empty(len(order), np.int64)
    found[order] = seen
    return found[size:]


def length_before(spans: Spans, group: Integers, time: Integers) -> Integers:
    """Return how much of each query's group of spans lies before its time."""
    if len(spans.group) == 0:
        return np.zeros(len(group), np.int64)
    done = cumulative(spans.end - spans.start, group_starts(spans.group))
    row = latest(spans.group, spans.start, group, time)
    at = np.maximum(row, 0)
    inside = np.minimum(time, spans.end[at]) - spans.end[at]
    return np.where(row >= 0, done[at] + inside, 0)


def total_length(spans: Spans, groups: int) -> Integers:
    """Return the length of the spans of each group 0 … groups−1."""
    result = np.zeros(groups, np.int64)
    np.add.at(result, spans.group, spans.end - spans.start)
    return result


def clip(spans: Spans, lower: int, upper: Integers) -> Spans:
    """Return the spans cut to [lower, upper], with one `upper` for each span."""
    start, end = np.maximum(spans.start, lower), np.minimum(spans.end, upper)
    kept = end > start
    return Spans(spans.group[kept], start[kept], end[kept])


def crowded(spans: Spans) -> Spans:
    """Return where at least two spans of a group lie over each other; input may overlap, sorted or not."""
    group, start, end = _meeting(spans)
    moment = np.concatenate((start, end))
    change = np.repeat(np.array([1, -1]), len(start))
    group = np.concatenate((group, group))
    order = np.lexsort((moment, group))
    moment, group = moment[order], group[order]
    depth = np.cumsum(change[order])
    several = np.flatnonzero(depth[:-1] >= 2) if len(depth) else np.zeros(0, np.int64)
    return union(group[several], moment[several], moment[several + 1])


def _meeting(spans: Spans) -> Spans:
    """Return the spans, sorted, without those that lie over no other one of their group."""
    group, start, end = spans
    if bool(np.any((group[1:] < group[:-1]) | ((group[1:] == group[:-1]) & (start[1:] < start[:-1])))):
        order = np.lexsort((start, group))
        group, start, end = group[order], start[order], end[order]
    furthest = running(np.maximum, end, group_starts(group))
    apart = np.ones(len(group) + 1, bool)
    apart[1:-1] = (group[1:] != group[:-1]) | (start[1:] >= furthest[:-1])
    kept = ~(apart[:-1] & apart[1:])
    return Spans(group[kept], start[kept], end[kept])


def first_overlap(spans: Spans, group: Integers, start: Integers, end: Integers) -> tuple[Integers, Integers]:
    """Return the bounds of the first piece of each interval that lies within its group of spans.

    Args:
        spans: Disjoint and sorted.
        group: Group of each interval, which must meet a span of it.
        start: Begin of each interval.
        end: End of each interval.
    """
    row = latest(spans.group, spans.start, group, start)
    ended = (row < 0) | (spans.end[np.maximum(row, 0)] <= start)
    before = np.searchsorted(spans.group, group)
    row = np.where(ended, np.where(row < 0, before, row + 1), row)
    return np.maximum(start, spans.start[row]), np.minimum(end, spans.end[row])


def pairs(left: Integers, right: Integers) -> tuple[Integers, Integers]:
    """Return all pairs of rows with equal values: rows of `left`, rows of `right`, sorted by `left`'s row.

    Args:
        left: Any order.
        right: Any order; pairs of one left row come in the order of `right`.
    """
    order = np.argsort(right, kind="stable")
    sorted_right = right[order]
    lower = np.searchsorted(sorted_right, left, "left")
    counts = np.searchsorted(sorted_right, left, "right") - lower
    left_rows = np.repeat(np.arange(len(left)), counts)
    rank = np.arange(len(left_rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return left_rows, order[np.repeat(lower, counts) + rank]


NS = 1_000_000_000
MS_IN_NS = 1_000_000


def nanoseconds(seconds: Floats | float) -> Integers:
    """Return seconds as integer nanoseconds: decimals up to nine places become exact, so float noise can't decide."""
    product = np.asarray(np.asarray(seconds, np.float64) * NS)
    return np.rint(product, out=product).astype(np.int64)


TOLERANCE_NS = 1_000
"""A limit counts as passed only by more than 10⁻⁶ s (SPEC 3.3)."""


def exceeds_ns(value: Integers, limit_ns: Integers | int) -> NDArray[np.bool_]:
    """Return where a length in ns passes its limit by more than the tolerance."""
    return np.asarray(value - limit_ns > TOLERANCE_NS)
