"""The service, what leaves its store, and the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from online_guard.cli.common import DataDir, app, machine_settings


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听地址 / Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="端口 / Port.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="数据文件夹 / Data folder.")] = None,
) -> None:
    """启动服务 / Start the service."""
    from online_guard.api.app import serve as run
    from online_guard.review.app import create_console
    from online_guard.settings import Settings as MachineSettings
    from online_guard.worker import beside

    given: dict[str, Any] = {"host": host, "port": port, "data_dir": data_dir}
    run(MachineSettings(**{name: value for name, value in given.items() if value is not None}), beside, create_console)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="数据包文件夹 / Folder of the bundle.")],
    data_dir: Annotated[Path | None, typer.Option(help="数据文件夹 / Data folder.")] = None,
) -> None:
    """导出全部数据为数据包 / Export everything as a bundle."""
    from online_guard.service.operating.export import Selection

    export_selection(data_dir, out, Selection())
    typer.echo(f"已导出 / exported: {out}")


@app.command()
def archive(
    out: Annotated[Path, typer.Option("--out", help="数据包文件夹 / Folder of the bundle.")],
    data_dir: DataDir = None,
    platform: Annotated[str | None, typer.Option(help="只归档此平台 / Only this platform.")] = None,
    month: Annotated[
        str | None, typer.Option(help="只归档此月开始的会话,如 2021-06 / Only sessions opened in this month.")
    ] = None,
) -> None:
    """归档已结束的会话为数据包 / Closed sessions as a bundle; those still open are counted and left out."""
    from online_guard.service.operating.export import Selection

    export_selection(data_dir, out, Selection(closed_only=True, platform_id=platform, month=month))
    typer.echo(f"已归档 / archived: {out}")


@app.command()
def prune(
    month: Annotated[str, typer.Option(help="此月开始的会话,如 2021-06 / Sessions opened in this month.")],
    data_dir: DataDir = None,
) -> None:
    """将往月事件移出数据库;核验结论不变 / Move a past month's events out of the database; no verdict changes."""
    from online_guard.service.house import clock_ms, open_house
    from online_guard.service.operating.pruning import prune as run
    from online_guard.store.unit_of_work import close_engine

    house = open_house(machine_settings(data_dir))
    try:
        done = run(house, month, clock_ms())
    finally:
        close_engine(house.engine)
    typer.echo(f"会话 sessions: {done.sessions:,}  移出 moved: {done.size:,} B → {house.settings.events}")
    typer.echo(f"未满 24 小时而保留 left, not settled yet: {done.left:,}", err=True)


def export_selection(data_dir: Path | None, out: Path, selection: Any) -> None:
    """Write what is stored as a bundle, and say how much that is."""
    from online_guard.service.operating.export import export_bundle

    done = export_bundle(machine_settings(data_dir), out, selection)
    typer.echo(f"会话 sessions: {done.sessions:,}  未结束而略去 open, left out: {done.left_open:,}", err=True)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="结果文件夹 / Folder for the results.")] = Path("demo-out"),
    keep: Annotated[bool, typer.Option("--keep", help="保持服务运行 / Leave the service running.")] = False,
    port: Annotated[int | None, typer.Option(help="端口 / Port.")] = None,
) -> None:
    """演示:一个班次从遥测到考核名单 / One class, from telemetry to the assessment's roster."""
    from online_guard.demo.run import run_demo

    raise typer.Exit(run_demo(out, keep=keep, port=port))
