"""What was acknowledged outlives a power cut, because each commit is synced; without that much would be lost."""

from __future__ import annotations

from pathlib import Path

from power_cuts import cut_power_often


def test_nothing_acknowledged_is_lost_when_the_power_is_cut(tmp_path: Path) -> None:
    outcome = cut_power_often(tmp_path, cuts=12, synchronous="FULL", seed=1)
    assert outcome.acknowledged > 1_000
    assert outcome.checkpoints > 2
    assert (outcome.lost, outcome.cuts_with_loss, outcome.log_faults) == (0, 0, 0)
    assert outcome.log_entries > 100


def test_the_control_that_does_not_sync_each_commit_loses_some(tmp_path: Path) -> None:
    outcome = cut_power_often(tmp_path, cuts=6, synchronous="NORMAL", seed=1)
    assert outcome.lost > 0
