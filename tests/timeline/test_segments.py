"""Grouped primitives against plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from plain_reading import join_spans, length, until

from online_guard.timeline.segments import (
    Spans,
    clip,
    crowded,
    cumulative,
    exceeds_ns,
    first_overlap,
    group_lasts,
    group_lengths,
    group_starts,
    latest,
    length_before,
    nanoseconds,
    pairs,
    running,
    sorted_within,
    total_length,
    union,
)

GROUPS = 3
FAR = 2**59
"""So far apart that group and value don't fit into one integer: the other way through the primitives."""
small = st.integers(-6, 6)
scales = st.sampled_from([1, FAR])
groups = st.integers(0, GROUPS - 1)
intervals = st.lists(st.tuples(groups, small, small), max_size=14)
grouped = st.lists(st.tuples(groups, small), max_size=14)


def columns(rows: list[tuple[int, ...]], width: int) -> list[np.ndarray]:
    return [np.array([row[n] for row in rows], np.int64) for n in range(width)]


def of_group(rows: list[tuple[int, int, int]], group: int) -> list[tuple[int, int]]:
    return [(start, end) for number, start, end in rows if number == group]


def as_lists(spans: Spans) -> list[list[tuple[int, int]]]:
    return [
        [(int(start), int(end)) for number, start, end in zip(*spans, strict=True) if number == group]
        for group in range(GROUPS)
    ]


@given(st.lists(groups, max_size=12))
def test_groups_are_runs_of_equal_values(numbers: list[int]) -> None:
    column = np.array(sorted(numbers), np.int64)
    starts = group_starts(column)
    sizes = [sorted(numbers).count(group) for group in dict.fromkeys(sorted(numbers))]
    assert starts.tolist() == [sum(sizes[:n]) for n in range(len(sizes))]
    assert group_lengths(starts, len(column)).tolist() == sizes
    assert group_lasts(starts, len(column)).tolist() == [sum(sizes[: n + 1]) - 1 for n in range(len(sizes))]


@given(grouped)
def test_cumulative_begins_again_at_each_group(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    group, values = columns(rows, 2)
    expected = [sum(v for g, v in rows[: n + 1] if g == rows[n][0]) for n in range(len(rows))]
    assert cumulative(values, group_starts(group)).tolist() == expected


@pytest.mark.parametrize(("operation", "plain"), [(np.minimum, min), (np.maximum, max)])
@given(rows=grouped, scale=scales)
@example(rows=[(0, 5), (0, -6), (0, 6), (0, 1), (0, 0), (1, -5), (1, -6), (1, 3)], scale=FAR)
def test_running_extreme_begins_again_at_each_group(
    operation: np.ufunc, plain: Callable[[list[int]], int], rows: list[tuple[int, int]], scale: int
) -> None:
    rows = [(group, value * scale) for group, value in sorted(rows, key=lambda row: row[0])]
    group, values = columns(rows, 2)
    expected = [plain([v for g, v in rows[: n + 1] if g == rows[n][0]]) for n in range(len(rows))]
    given_values = values.copy()
    assert running(operation, values, group_starts(group)).tolist() == expected
    assert values.tolist() == given_values.tolist()


@given(rows=grouped, scale=scales)
def test_values_are_sorted_within_their_group(rows: list[tuple[int, int]], scale: int) -> None:
    rows = [(group, value * scale) for group, value in sorted(rows, key=lambda row: row[0])]
    group, values = columns(rows, 2)
    assert sorted_within(values, group_starts(group)).tolist() == [value for _, value in sorted(rows)]


@given(intervals, scales)
@example([(0, 0, 3), (0, 3, 5), (1, 3, 2)], 1)
@example([(0, 0, 6), (0, 1, 2), (0, 4, 5), (1, 0, 1)], FAR)
def test_union_joins_what_touches_and_drops_what_is_empty(rows: list[tuple[int, int, int]], scale: int) -> None:
    rows = [(group, start * scale, end * scale) for group, start, end in rows]
    assert as_lists(union(*columns(rows, 3))) == [join_spans(of_group(rows, group)) for group in range(GROUPS)]


@given(intervals, st.lists(st.tuples(groups, small), max_size=8), scales)
def test_length_before_a_moment(rows: list[tuple[int, int, int]], queries: list[tuple[int, int]], scale: int) -> None:
    rows = [(group, start * scale, end * scale) for group, start, end in rows]
    queries = [(group, time * scale) for group, time in queries]
    group, time = columns(queries, 2)
    expected = [until(of_group(rows, number), moment) for number, moment in queries]
    assert length_before(union(*columns(rows, 3)), group, time).tolist() == expected


@given(intervals)
def test_total_length_of_every_group(rows: list[tuple[int, int, int]]) -> None:
    expected = [length(of_group(rows, group)) for group in range(GROUPS)]
    assert total_length(union(*columns(rows, 3)), GROUPS).tolist() == expected


@given(intervals, st.lists(small, min_size=GROUPS, max_size=GROUPS))
def test_clip_cuts_at_both_ends(rows: list[tuple[int, int, int]], uppers: list[int]) -> None:
    joined = union(*columns(rows, 3))
    cut = clip(joined, 0, np.array(uppers)[joined.group])
    expected = [
        [
            (max(0, start), min(upper, end))
            for start, end in join_spans(of_group(rows, group))
            if max(0, start) < min(upper, end)
        ]
        for group, upper in enumerate(uppers)
    ]
    assert as_lists(cut) == expected


@given(intervals)
@example([(0, 0, 2), (0, 2, 4), (1, 2, 3)])
def test_crowded_is_where_two_spans_lie_over_each_other(rows: list[tuple[int, int, int]]) -> None:
    rows = [row for row in rows if row[1] < row[2]]
    found = as_lists(crowded(Spans(*columns(rows, 3))))
    for group in range(GROUPS):
        own = of_group(rows, group)
        covered = {unit for start, end in found[group] for unit in range(start, end)}
        assert covered == {unit for unit in range(-6, 6) if sum(start <= unit < end for start, end in own) >= 2}
        assert found[group] == join_spans(found[group])


@given(intervals, intervals, scales)
@example([(0, 2, 3), (0, 5, 6)], [(0, 0, 6), (0, 3, 6), (0, 2, 6)], 1)
def test_first_overlap_with_the_spans_of_the_group(
    rows: list[tuple[int, int, int]], asked: list[tuple[int, int, int]], scale: int
) -> None:
    rows, asked = ([(group, a * scale, b * scale) for group, a, b in table] for table in (rows, asked))
    expected = {}
    for number, (group, start, end) in enumerate(asked):
        pieces = [(max(a, start), min(b, end)) for a, b in join_spans(of_group(rows, group))]
        pieces = [piece for piece in pieces if piece[0] < piece[1]]
        if pieces:
            expected[number] = pieces[0]
    meeting = [asked[number] for number in expected]
    begin, stop = first_overlap(union(*columns(rows, 3)), *columns(meeting, 3))
    assert list(zip(begin.tolist(), stop.tolist(), strict=True)) == list(expected.values())


@pytest.mark.parametrize("strictly", [False, True])
@given(table=grouped, queries=grouped, scale=scales)
@example(table=[(0, 1), (0, 1), (1, 1)], queries=[(0, 1), (1, 0), (2, 5)], scale=1)
@example(table=[(0, -6), (0, 1), (1, 6)], queries=[(0, 1), (1, 0), (2, 5)], scale=FAR)
def test_latest_row_of_the_group_at_or_before(
    strictly: bool, table: list[tuple[int, int]], queries: list[tuple[int, int]], scale: int
) -> None:
    table = sorted((group, time * scale) for group, time in table)
    queries = [(group, time * scale) for group, time in queries]
    found = latest(*columns(table, 2), *columns(queries, 2), strictly=strictly)
    expected = [
        max((n for n, (g, t) in enumerate(table) if g == group and (t < time if strictly else t <= time)), default=-1)
        for group, time in queries
    ]
    assert found.tolist() == expected


@given(st.lists(groups, max_size=8), st.lists(groups, max_size=8))
def test_pairs_of_equal_values_in_order(left: list[int], right: list[int]) -> None:
    rows = pairs(np.array(left, np.int64), np.array(right, np.int64))
    expected = [(i, j) for i, a in enumerate(left) for j, b in enumerate(right) if a == b]
    assert list(zip(*(column.tolist() for column in rows), strict=True)) == expected


def test_nanoseconds_make_decimals_exact() -> None:
    assert nanoseconds(np.array([0.1 + 0.2, 2400.0, 1e-9])).tolist() == [300_000_000, 2_400_000_000_000, 1]


@pytest.mark.parametrize(("beyond_ns", "passed"), [(-1, False), (0, False), (1_000, False), (1_001, True)])
def test_a_limit_counts_as_passed_only_by_more_than_a_microsecond(beyond_ns: int, passed: bool) -> None:
    assert exceeds_ns(np.array([5_000_000_000 + beyond_ns]), 5_000_000_000).tolist() == [passed]
