"""The workers of a Dask cluster: processes of this machine, or those of a scheduler that runs already."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from online_guard.code_version import code_version
from online_guard.errors import ErrorKind, GuardError

CONNECT_S = 15
FIRST_WORKER_S = 60
Submit = Callable[[Any], Any]
"""From a task to the future of its result."""


@contextmanager
def open_cluster(
    address: str | None, processes: int, work: Callable[[Any, Any], Any], shared: Any
) -> Iterator[tuple[Submit, int]]:
    """Yield what hands out a task, and how many tasks are worked on at a time.

    Args:
        address: Of a scheduler; None starts processes on this machine.
        processes: How many of them, then.
        work: What is done with `shared` and each task.
        shared: Sent once; workers pass it on to each other.

    Raises:
        GuardError: The cluster can't be reached or has no worker, or was lost.
    """
    with ExitStack() as stack:
        # all that is submitted stays with the scheduler, so that no worker's end loses it; scattered data would be lost
        stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}))
        try:
            client = stack.enter_context(_client(stack, address, processes))
            client.wait_for_workers(1, timeout=FIRST_WORKER_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise _lost(address, error) from error
        try:
            kept = client.submit(pickle.loads, pickle.dumps(shared), pure=False)
            submit = partial(client.submit, _checked, work, code_version(), kept, pure=False)
            yield submit, sum(client.nthreads().values())
        except (KilledWorker, FutureCancelledError, CommClosedError) as error:
            raise _lost(address, error) from error


def _client(stack: ExitStack, address: str | None, processes: int) -> Any:
    if address is not None:
        return Client(address, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    # its port runs whatever is sent there: TLS with a key of its own keeps out other users of this machine
    cluster = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=processes, threads_per_worker=1, security=True, dashboard_address="127.0.0.1:0"
    )
    return Client(stack.enter_context(cluster))  # type: ignore[no-untyped-call]


def _checked(work: Callable[[Any, Any], Any], version: str, shared: Any, task: Any) -> Any:
    """Return what the work gives, on a worker that has the same code as whoever asks."""
    if version != code_version():
        raise GuardError(
            ErrorKind.CONFLICT,
            "engine.other_code",
            "工作进程的 online-guard 代码不同 / a worker has other code of online-guard",
            where="--engine",
            remedy="在每台机器安装同一版本 / install the same version on every machine",
        )
    return work(shared, task)


def _lost(address: str | None, error: Exception) -> GuardError:
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "engine.lost",
        f"Dask 集群无法连接或已中断（{error}）/ the Dask cluster can't be reached or was lost ({error})",
        where=address or "dask",
        remedy="检查调度器和工作进程的内存，再运行一次：已完成的块会沿用 / check the scheduler and the memory of its "
        "workers, then run again: finished blocks are used",
    )
