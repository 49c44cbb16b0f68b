"""OG803 sorts only the sessions that may be regular: none that is may be left out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online_guard.rules.checks.og803_mechanical_telemetry import LIMIT_MS, _may_be_regular, _quartile_range_x4

near = st.lists(st.integers(4_995, 5_005), min_size=1, max_size=60)
far = st.lists(st.sampled_from([4_998, 4_999, 5_000, 5_001, 5_002, 0, 90_000]), min_size=1, max_size=12)


@given(st.lists(st.one_of(near, far), min_size=1, max_size=4))
def test_no_regular_group_is_left_out(groups: list[list[int]]) -> None:
    lengths = np.array([len(group) for group in groups])
    starts = np.cumsum(lengths) - lengths
    values = np.concatenate([np.array(group) for group in groups])
    regular = _quartile_range_x4(np.repeat(np.arange(len(groups)), lengths), values) < 4 * LIMIT_MS
    assert (_may_be_regular(values, starts, lengths) | ~regular).all()


def test_groups_that_spread_are_told_apart_without_sorting() -> None:
    values = np.concatenate((np.tile([4_900, 5_000, 5_100], 20), np.full(60, 5_000)))
    assert _may_be_regular(values, np.array([0, 60]), np.array([60, 60])).tolist() == [False, True]


def test_of_no_groups_none_may_be() -> None:
    nothing = np.zeros(0, np.int64)
    assert _may_be_regular(nothing, nothing, nothing).tolist() == []
