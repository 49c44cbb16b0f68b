"""A run that was interrupted goes on from its finished blocks; what isn't exactly its own is never used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bundle_rows import files_in

from online_guard import batch
from online_guard.batch import BlockResult, revalidate, write
from online_guard.errors import GuardError
from online_guard.finished_blocks import FinishedBlocks
from online_guard.policy import DEFAULT_POLICY, Policy, load_policy

BLOCK_ROWS = 100
"""Fewer events than a session has: each block is one session."""
COMMAND = (sys.executable, "-m", "online_guard.cli", "revalidate")


def kept_in(out: Path) -> list[Path]:
    return sorted((out / ".blocks").glob("*.block"))


def test_a_run_killed_in_the_middle_goes_on(bundle: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*COMMAND, str(bundle), "--out", str(out), "--workers", "1", "--block-rows", str(BLOCK_ROWS)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 30
        while not kept_in(out) and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(first.pid, signal.SIGKILL)
    kept = len(kept_in(out))
    assert kept >= 1
    assert [path.name for path in out.iterdir()] == [".blocks"], "killed before it wrote results"
    second = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert second.returncode == 0, second.stderr
    assert f"finished blocks used from the run before: {kept}" in second.stderr.decode()
    assert files_in(out) == expected


def interrupt(bundle: Path, policy: Policy, out: Path, *, after: int = 5) -> None:
    """Run until some blocks are finished, then stop as Ctrl-C does."""

    def stop(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        revalidate(bundle, policy, out=out, block_rows=BLOCK_ROWS, workers=1, progress=stop)
    assert len(kept_in(out)) == after


def test_finished_blocks_are_not_judged_again(
    bundle: Path, expected: dict[str, bytes], policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(bundle, policy, tmp_path)
    judged: list[object] = []
    work = batch._observe_block
    monkeypatch.setattr(batch, "_observe_block", lambda shared, task: (judged.append(task), work(shared, task))[1])
    steps: list[tuple[int, int]] = []
    result = revalidate(
        bundle, policy, out=tmp_path, block_rows=BLOCK_ROWS, workers=1, progress=lambda *step: steps.append(step)
    )
    total = steps[-1][1]
    assert result.reused == 5
    assert steps == [(done, total) for done in range(6, total + 1)]
    first_look = judged[0][1]  # type: ignore[index]
    assert sum(rows is first_look for _, rows in judged) == total - 5  # type: ignore[misc,has-type]
    write(result, tmp_path)
    assert files_in(tmp_path) == expected


def test_when_every_block_is_finished_nothing_is_judged(
    bundle: Path, expected: dict[str, bytes], policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept holds all that the results need, those of sessions that lie over each other among it."""
    first = revalidate(bundle, policy, out=tmp_path, block_rows=BLOCK_ROWS)
    monkeypatch.setattr(batch, "_observe_block", None)
    again = revalidate(bundle, policy, out=tmp_path, block_rows=BLOCK_ROWS)
    assert first.reused == 0
    assert again.reused == len(kept_in(tmp_path))
    write(again, tmp_path)
    assert files_in(tmp_path) == expected
    assert "reused" not in json.loads(expected["summary.json"])


def test_another_policy_code_block_size_or_content_uses_nothing(
    bundle: Path, policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "bundle", tmp_path / "out"
    folder.mkdir()
    for path in bundle.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    interrupt(folder, policy, out)
    other = load_policy(DEFAULT_POLICY, ["popup.max_gap_s=240"])
    assert revalidate(folder, other, out=out, block_rows=BLOCK_ROWS).reused == 0
    assert revalidate(folder, policy, out=out, block_rows=BLOCK_ROWS + 1).reused == 0
    with monkeypatch.context() as patch:
        patch.setattr(batch, "code_version", lambda: "0.0.9")
        assert revalidate(folder, policy, out=out, block_rows=BLOCK_ROWS).reused == 0
    with (folder / "satisfaction.ndjson").open("ab") as file:
        file.write(b"\n")
    assert revalidate(folder, policy, out=out, block_rows=BLOCK_ROWS).reused == 0
    (folder / "satisfaction.ndjson").unlink()
    for path in bundle.glob("satisfaction.ndjson"):
        (folder / path.name).write_bytes(path.read_bytes())
    assert revalidate(folder, policy, out=out, block_rows=BLOCK_ROWS).reused == 5, "the control: as it was"


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap", "pickle"])
def test_a_damaged_block_is_judged_again(
    damage: str, bundle: Path, expected: dict[str, bytes], policy: Policy, tmp_path: Path
) -> None:
    interrupt(bundle, policy, tmp_path)
    path, other = kept_in(tmp_path)[:2]
    content = path.read_bytes()
    half = len(content) // 2
    bad = {
        "flip": content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :],
        "cut": content[:-1],
        "empty": b"",
        "swap": other.read_bytes(),
        "pickle": b"cos\nsystem\n(S'exit 1'\ntR.",
    }
    path.write_bytes(bad[damage])
    result = revalidate(bundle, policy, out=tmp_path, block_rows=BLOCK_ROWS)
    assert result.reused == 4
    write(result, tmp_path)
    assert files_in(tmp_path) == expected


def test_a_result_of_another_shape_is_not_used(tmp_path: Path) -> None:
    FinishedBlocks(tmp_path, "run", dict).put("1", {"events": 3})
    assert FinishedBlocks(tmp_path, "run", dict).get("1") == {"events": 3}
    assert FinishedBlocks(tmp_path, "run", BlockResult).get("1") is None
    assert FinishedBlocks(tmp_path, "another", dict).get("1") is None


def test_columns_come_back_with_their_types(tmp_path: Path) -> None:
    columns = {
        "whole": np.array([1, -(2**63)]),
        "unsigned": np.array([2**64 - 1], np.uint64),
        "real": np.array([np.nan, 0.1], np.float32),
        "flags": np.array([True, False]),
        "names": np.array(["甲", "b"], object),
        "scalar": np.float64(0.1),
        "list": [1, 0.5, None, "x", np.int64(3)],
        "none": np.zeros(0, np.int64),
    }
    kept = FinishedBlocks(tmp_path, "run", dict)
    kept.put("1", columns)
    back = kept.get("1")
    assert back is not None
    for name, column in columns.items():
        assert type(back[name]) is type(column), name
        if isinstance(column, np.ndarray):
            assert back[name].dtype == column.dtype
            assert np.array_equal(back[name], column, equal_nan=column.dtype.kind == "f")
        else:
            assert back[name] == column


def test_only_blocks_are_removed(bundle: Path, policy: Policy, tmp_path: Path) -> None:
    result = revalidate(bundle, policy, out=tmp_path)
    (tmp_path / ".blocks" / "letter.txt").write_text("mine", "utf-8")
    write(result, tmp_path)
    assert [path.name for path in (tmp_path / ".blocks").iterdir()] == ["letter.txt"]


def test_a_bundle_that_is_none_leaves_nothing_behind(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(GuardError):
        revalidate(tmp_path / "nothing", policy, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
