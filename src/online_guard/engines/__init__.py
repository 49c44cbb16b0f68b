"""Where blocks are worked on: threads of this process, or the workers of a Dask cluster; the results are the same."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from online_guard.errors import ErrorKind, GuardError

THREADS = "threads"
DASK = "dask"
Work = Callable[[Any, Any], Any]
"""A module's function of what all tasks share and of one task."""
Map = Callable[[Iterable[Any]], Iterator[Any]]
"""From tasks to their results, in the same order."""
AHEAD = 3
"""Tasks handed out for each worker: one at work, others waiting, so that none is idle and few results are held."""


@contextmanager
def open_engine(name: str, work: Work, shared: Any, workers: int | None = None) -> Iterator[Map]:
    """Yield a function that works on tasks, a few ahead of the result that is asked for.

    Args:
        name: `threads`, `dask` (processes on this machine) or `dask://host:port` (a scheduler of Dask).
        work: What is done with each task.
        shared: What all tasks need; sent to each process once.
        workers: Threads or processes, one for each core by default; a scheduler has its own.

    Raises:
        GuardError: No such engine, Dask isn't installed, or its cluster can't be reached or is lost.
    """
    count = workers or os.cpu_count() or 1
    if name == THREADS:
        # NumPy and Arrow let go of the interpreter's lock, and nothing is sent to and fro
        with ThreadPoolExecutor(count) as pool:
            yield partial(_in_order, lambda task: pool.submit(work, shared, task), AHEAD * count)
        return
    address = name.removeprefix(f"{DASK}://")
    if name != DASK and (address == name or not address):
        raise _refusal(
            "engine.unknown",
            f"未知的引擎 / unknown engine: {name}",
            "可选 threads、dask、dask://host:port / it is threads, dask or dask://host:port",
        )
    if name != DASK and workers:
        raise _refusal(
            "engine.workers",
            "调度器已有自己的工作进程 / a scheduler has workers of its own",
            "去掉 --workers / leave out --workers",
        )
    with _dask()(None if name == DASK else address, count, work, shared) as (submit, size):
        yield partial(_in_order, submit, AHEAD * size)


def _in_order(submit: Callable[[Any], Any], ahead: int, tasks: Iterable[Any]) -> Iterator[Any]:
    """Yield the result of each task, with at most `ahead` tasks handed out; the rest is called off at an error."""
    waiting: deque[Any] = deque()
    try:
        for task in tasks:
            waiting.append(submit(task))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _dask() -> Any:
    try:
        from online_guard.engines.cluster import open_cluster  # noqa: PLC0415 - an extra that need not be there
    except ImportError as error:
        raise GuardError(
            ErrorKind.UNSUPPORTED,
            "engine.no_dask",
            f"此引擎需要 Dask / this engine needs Dask ({error})",
            where="--engine",
            remedy="pip install 'online-guard[dask]'",
        ) from error
    return open_cluster


def _refusal(code: str, message: str, remedy: str) -> GuardError:
    return GuardError(ErrorKind.INVALID, code, message, where="--engine", remedy=remedy)
