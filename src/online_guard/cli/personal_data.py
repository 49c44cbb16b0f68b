"""Personal data: turning the master key over, erasing a person, and what has expired."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, DataDir, app, opened, print_json, progress_bar

vault_app = typer.Typer(no_args_is_help=True, help="主密钥 / The master key.")
app.add_typer(vault_app, name="vault")


def _show(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    for name, value in told.items():
        typer.echo(f"{name}: {value}")


@vault_app.command()
def rotate(data_dir: DataDir = None) -> None:
    """增加主密钥版本 / Add a version of the master key; the running service seals under it within a second."""
    from online_guard.service.operating import resealing

    with opened(data_dir) as house:
        version = resealing.rotate(house)
    typer.echo(f"主密钥版本 version: {version}  请运行 then run: online-guard vault reseal")


@vault_app.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """密钥版本与待重新封存的数据 / Versions, and what older ones sealed; exit status 1 when there is some."""
    from online_guard.service.operating import resealing

    with opened(data_dir) as house:
        told = resealing.status(house)
    _show(told, as_json)
    raise typer.Exit(FOUND_SOMETHING if any(told["stale"].values()) else 0)


@vault_app.command()
def reseal(
    data_dir: DataDir = None,
    retire: Annotated[bool, typer.Option("--retire", help="随后删除旧密钥 / Then remove the older keys.")] = False,
    as_json: AsJson = False,
) -> None:
    """用当前密钥重新封存 / Seal anew under the current key; stopped, it goes on; the service may run."""
    from online_guard.service.operating import resealing

    with opened(data_dir) as house, progress_bar("重新封存 sealing") as bar:
        total = sum(resealing.status(house)["stale"].values())
        done = 0

        def told(_what: str, count: int) -> None:
            nonlocal done
            done += count
            bar(done, max(total, done))

        counts: dict[str, Any] = dict(resealing.reseal(house, told))
        if retire:
            counts["versions"] = resealing.retire(house)
    _show(counts, as_json)


@app.command()
def erase(
    reason: Annotated[str, typer.Option("--reason", help="理由与法律依据 / Why, and on what legal basis.")],
    learner: Annotated[str | None, typer.Option("--learner", help="学员标识 / Id of the learner.")] = None,
    by: Annotated[str, typer.Option("--by", help="操作人 / Who orders it.")] = "",
    data_dir: DataDir = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明将删除什么 / Only tell what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """删除一人的个人信息;不给 --learner 则从标准输入读取身份证号 / Erase a person; the number is asked for on stdin."""
    from online_guard.service.operating import erasures

    with opened(data_dir) as house:
        learner_id = learner or erasures.learner_with(house, _asked("身份证号 identity number: "))
        who = by or getpass.getuser()
        told = erasures.erase(house, learner_id, reason=reason, ordered_by=who, dry_run=dry_run)
    _show(told, as_json)


def _asked(prompt: str) -> str:
    """Return a line that isn't shown while it is typed, and stands in no shell's history."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().strip()


@app.command()
def retention(
    data_dir: DataDir = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只统计 / Only count.")] = False,
    as_json: AsJson = False,
) -> None:
    """删除过期影像 / Delete media older than retention.media_days, unless a case holds them."""
    from online_guard.service.operating.retention import expire

    with opened(data_dir) as house:
        told = expire(house, dry_run=dry_run)
    _show(told, as_json)
