"""Simulated classes, judged once for all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from online_guard.demo.run import judged
from online_guard.judge import Judgement
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.simulate.course import Plan, simulate, write_rows

Judge = Callable[[list[Plan], int], Judgement]


@pytest.fixture
def judge_plans(tmp_path: Path) -> Judge:
    """Return a function that simulates a class, reads its bundle and judges it."""

    def judge_class(plans: list[Plan], seed: int) -> Judgement:
        folder = tmp_path / f"bundle-{seed}"
        write_rows(simulate(plans, seed), folder)
        return judged(folder, load_policy(DEFAULT_POLICY))[1]

    return judge_class
