"""Threads, local processes and a scheduler give the same bytes, even when workers are killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from bundle_rows import files_in
from distributed import LocalCluster

from online_guard.batch import revalidate, write
from online_guard.engines import AHEAD, cluster, open_engine
from online_guard.errors import GuardError
from online_guard.policy import Policy

BLOCK_ROWS = 100
"""Fewer events than a session has: each block is one session."""


def test_killed_workers_change_no_byte(
    bundle: Path, expected: dict[str, bytes], policy: Policy, tmp_path: Path
) -> None:
    """Both workers are killed in mid-run, one soon after the other, so that every copy of the small tables is lost."""
    killed: list[int] = []
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as processes:
        first, second = (nanny.pid for nanny in processes.workers.values())

        def kill(done: int, total: int) -> None:
            assert total > 3 * AHEAD * 2, "blocks must be left when a worker ends"
            if done in (1, 3):
                victim = first if done == 1 else second
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)

        engine = processes.scheduler_address.replace("tcp://", "dask://")
        result = revalidate(bundle, policy, engine=engine, block_rows=BLOCK_ROWS, progress=kill)
        now = {nanny.pid for nanny in processes.workers.values()}
    assert len(killed) == 2
    assert not now & set(killed)
    write(result, tmp_path)
    assert files_in(tmp_path) == expected


def test_processes_of_this_machine_give_the_same_bytes(
    ndjson_bundle: Path, expected: dict[str, bytes], policy: Policy, tmp_path: Path
) -> None:
    """Events of JSON lines are sent with each task."""
    seen: list[tuple[int, int]] = []
    result = revalidate(
        ndjson_bundle,
        policy,
        engine="dask",
        workers=1,
        block_rows=600,
        progress=lambda *step: seen.append(step),
    )
    write(result, tmp_path)
    assert files_in(tmp_path) == expected
    total = len(seen)
    assert total > 1
    assert seen == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize(
    ("engine", "workers", "code"),
    [
        ("spark", None, "engine.unknown"),
        ("dask:", None, "engine.unknown"),
        ("dask://", None, "engine.unknown"),
        ("dask://127.0.0.1:1", 2, "engine.workers"),
        ("dask://127.0.0.1:1", None, "engine.lost"),
        ("dask://tcp://127.0.0.1:1", None, "engine.lost"),
        ("dask://nowhere://x", None, "engine.lost"),
    ],
)
def test_an_engine_that_cannot_work_is_refused(
    engine: str, workers: int | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    with pytest.raises(GuardError) as caught, open_engine(engine, _double, 2, workers):
        pytest.fail("opened")
    assert caught.value.code == code


def test_without_dask_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "online_guard.engines.cluster", None)
    with pytest.raises(GuardError) as caught, open_engine("dask", _double, 2):
        pytest.fail("opened")
    assert caught.value.code == "engine.no_dask"
    assert "online-guard[dask]" in caught.value.remedy


def test_a_worker_with_other_code_is_refused() -> None:
    assert cluster._checked(_double, cluster.code_version(), 2, 5) == 10
    with pytest.raises(GuardError, match="other code"):
        cluster._checked(_double, "0.0.9 abc", 2, 5)


def test_results_come_in_order_whatever_ends_first() -> None:
    gate = threading.Event()

    def work(shared: Any, task: int) -> int:
        if task == 0:
            gate.wait(10)
        else:
            gate.set()
        return task

    with open_engine("threads", work, None, 2) as run:
        assert list(run(range(50))) == list(range(50))


def test_an_error_calls_off_what_was_not_begun() -> None:
    begun: list[int] = []

    def work(shared: Any, task: int) -> None:
        begun.append(task)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_engine("threads", work, None, 1) as run:
        list(run(range(100)))
    assert len(begun) <= AHEAD + 1


def _double(shared: int, task: int) -> int:
    return shared * task
