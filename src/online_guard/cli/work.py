"""The worker: what it does, and the jobs that wait for a person."""

from __future__ import annotations

import signal
from typing import Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, DataDir, app, opened


@app.command()
def worker(
    data_dir: DataDir = None,
    list_jobs: Annotated[bool, typer.Option("--list", help="列出任务;有搁置的则退出码为 1 / List the jobs.")] = False,
    replay: Annotated[int | None, typer.Option(help="重试此搁置任务 / Try this parked job again.")] = None,
    until_idle: Annotated[bool, typer.Option(help="无任务时结束 / End when nothing waits.")] = False,
) -> None:
    """执行核验任务,可在多台机器上同时运行 / Do the jobs; several, on any host with the same database and key."""
    with opened(data_dir) as house:
        if replay is not None:
            try_again(house, replay)
        elif list_jobs:
            raise typer.Exit(FOUND_SOMETHING if tell_jobs(house) else 0)
        else:
            do_jobs(house, until_idle)


def do_jobs(house: Any, until_idle: bool) -> None:
    """Do jobs until a signal asks to stop; the job at hand is finished first."""
    import cv2

    from online_guard.worker import Worker, work_once

    cv2.setNumThreads(1)
    if house.engine.dialect.name == "sqlite":
        told = "SQLite 只应有一个写入进程:请勿与服务同时运行 / one process writes to SQLite: not beside the service"
        typer.echo(told, err=True)
    if until_idle:
        while work_once(house):
            pass
        return
    working = Worker(house)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: working.stop())
    typer.echo("开始执行任务 / doing jobs", err=True)
    working.run()


def try_again(house: Any, job_id: int) -> None:
    """Let a parked job be done again."""
    from online_guard.service.house import clock_ms
    from online_guard.service.operating.work import replay_job

    replay_job(house, job_id, clock_ms())
    typer.echo(f"已重新排队 / waits again: {job_id}")


def tell_jobs(house: Any) -> bool:
    """Print all jobs; return whether one is parked."""
    from rich.console import Console
    from rich.table import Table

    from online_guard.service.operating.work import list_jobs

    rows = list_jobs(house)
    words = {"parked": "搁置 parked", "held": "执行中 held", "waiting": "等待 waiting"}
    table = Table("编号 id", "任务 duty", "对象 key", "状态 state", "执行者 by", "次数 attempts", "上次错误 last error")
    for row in rows:
        told = (row["job_id"], row["duty"], row["key"], words[row["state"]], row["held_by"], row["attempts"])
        table.add_row(*("" if value is None else str(value) for value in (*told, row["last_error"])))
    Console(highlight=False).print(table)
    return any(row["state"] == "parked" for row in rows)
