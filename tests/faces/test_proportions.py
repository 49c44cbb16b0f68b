"""Intervals of shares, against published values."""

import pytest

from online_guard.faces.proportions import Proportion


# R. G. Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    interval = Proportion(hits, of).interval
    assert interval == pytest.approx((low, high), abs=5e-5)
    mirrored = Proportion(of - hits, of).interval
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_without_a_case_there_is_no_share() -> None:
    assert (Proportion(0, 0).share, Proportion(0, 0).interval) == (None, None)
    assert Proportion(3, 4).share == 0.75
    assert Proportion(4, 4).interval == pytest.approx((0.5101, 1.0), abs=1e-4)
