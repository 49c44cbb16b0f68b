"""For those who run the service: look the machine over, back up, restore, accept a rollback."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, DataDir, app, machine_settings, print_json
from online_guard.errors import GuardError

SIGNS = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}


@app.command()
def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """检查本机:设置、权限、数据库、模型、时钟、磁盘 / Look this machine over; exit status 1 when something is wrong."""
    from rich.console import Console
    from rich.markup import escape

    from online_guard.service.operating.doctor import Finding, Level, examine

    try:
        found = list(examine(machine_settings(data_dir)))
    except GuardError as error:
        found = [Finding("settings", Level.BAD, str(error))]
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        console = Console(highlight=False)
        for one in found:
            console.print(f"{SIGNS[one.level]} {one.what:<11} {escape(one.text)}", soft_wrap=True)
    if any(one.level == Level.BAD for one in found):
        raise typer.Exit(FOUND_SOMETHING)


@app.command("acknowledge-rollback")
def acknowledge_rollback(
    reason: Annotated[str, typer.Option(help="为何启用旧库 / Why the older database shall be used.")],
    data_dir: DataDir = None,
) -> None:
    """确认启用较旧的数据库 / Accept that the database is older than the one seen last; the reason is kept in it."""
    from online_guard.service.operating.rollbacks import accept_rollback

    found, erased = accept_rollback(machine_settings(data_dir), reason)
    typer.echo(
        f"已确认:标记 {found.mark},曾见 {found.remembered}。请各平台重传其后的数据 / accepted: mark {found.mark}, seen "
        f"{found.remembered}. Platforms should send again what came since."
    )
    if erased:
        typer.echo(f"再次删除的个人 / persons erased again: {erased}")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="文件夹,或 .tar 文件 / A folder, or a .tar file.")],
    data_dir: DataDir = None,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="包括密钥 / The keys as well.")] = False,
    without_pictures: Annotated[bool, typer.Option("--without-pictures", help="不含图片 / No pictures.")] = False,
) -> None:
    """备份数据库与图片,服务可继续运行 / Back up database and pictures; the service may go on."""
    from online_guard.service.operating.backups import back_up

    done = back_up(machine_settings(data_dir), target, with_keys=with_keys, with_pictures=not without_pictures)
    if with_keys:
        typer.echo(
            "警告:备份含密钥,谁得到它就能读出全部个人数据,请单独加密保管 / warning: it holds the keys; whoever gets it "
            "can read all personal data: encrypt it, and keep it apart",
            err=True,
        )
    typer.echo(f"已备份 / backed up: {target} ({done.files:,} 个文件 files, {done.size:,} B)")
    if done.without_database:
        typer.echo(f"未含数据库 / the database isn't in it: {done.without_database}", err=True)
        raise typer.Exit(FOUND_SOMETHING)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="备份文件夹或 .tar 文件 / The backup.")],
    data_dir: DataDir = None,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="包括其中的密钥 / Its keys as well.")] = False,
) -> None:
    """恢复到空的数据文件夹,之后须确认回滚 / Restore into an empty data folder; accept the rollback afterwards."""
    from online_guard.service.operating.backups import restore as run

    done = run(machine_settings(data_dir), source, with_keys=with_keys)
    typer.echo(f"已恢复 / restored: {done.files:,} 个文件 files, {done.size:,} B")
    typer.echo("启动前须运行 / before the service starts, run: online-guard acknowledge-rollback --reason …")
