"""`push`: the logs of past sessions to a service, in parts that survive a broken line, and what became of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from online_guard.cli.common import BAD_INPUT, FOUND_SOMETHING, AsJson, app, print_json, progress_bar
from online_guard.errors import ErrorKind, GuardError

SECRET = "ONLINE_GUARD_KEY_SECRET"  # noqa: S105 - the name of the variable, not a secret
SHOWN_REFUSALS = 20


@app.command()
def push(
    source: Annotated[
        Path,
        typer.Argument(help="数据包文件夹,或 zip、xAPI、Caliper、Open edX 文件 / A bundle's folder, a zip, or a log."),
    ],
    server: Annotated[str, typer.Option("--server", help="服务地址 / URL of the service.")],
    key_id: Annotated[str, typer.Option("--key-id", help="密钥编号 / Id of the platform's key.")],
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help=f"密钥文件;否则取环境变量 {SECRET} / Else {SECRET} has it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """发送过往学习记录并等待结果 / Send past sessions and wait; 1: rows were refused, 2: nothing was imported."""
    from online_guard.cli.upload import packed, signed_client, upload, wait_for

    with packed(source) as body, signed_client(server, key_id, _secret(secret_file)) as client:
        with progress_bar("上传 / uploading") as progress:
            import_id = upload(client, body, progress)
        with progress_bar("读取 / reading") as progress:
            told = wait_for(client, import_id, progress)
    print_json(told) if as_json else _show(told)
    if told["state"] != "done":
        raise typer.Exit(BAD_INPUT)
    wrong = any(row["refused"] or row["conflict"] for row in told["counts"].values())
    raise typer.Exit(FOUND_SOMETHING if wrong else 0)


def _secret(path: Path | None) -> str:
    """Return the secret of the key; it is never an argument, which other users of a machine could see.

    Raises:
        GuardError: There is none.
    """
    try:
        secret = os.environ.get(SECRET, "") if path is None else path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_secret(f"{error}", str(path)) from error
    if not secret:
        raise _no_secret("没有密钥 / there is no secret", SECRET)
    return secret


def _no_secret(why: str, where: str) -> GuardError:
    remedy = f"请设环境变量 {SECRET} 或用 --secret-file / set {SECRET}, or use --secret-file."
    return GuardError(ErrorKind.INVALID, "push.no_secret", why, where=where, remedy=remedy)


def _show(told: Mapping[str, Any]) -> None:
    console = Console(file=sys.stdout, highlight=False)
    console.print(f"{told['import_id']}  {told['state']}", markup=False)
    if told["problem"]:
        problem = told["problem"]
        console.print(f"{problem['code']} {problem['where']} {problem['detail']}", markup=False, soft_wrap=True)
        return
    names = ("sent", "accepted", "duplicate", "conflict", "refused")
    table = Table("表 table", *names)
    for name, row in told["counts"].items():
        table.add_row(name, *(f"{row[kind]:,}" for kind in names))
    console.print(table)
    refused = told["refused_rows"]
    for row in refused[:SHOWN_REFUSALS]:
        console.print(f"{row['file']}:{row['line']} {row['field']} {row['reason']}", markup=False, soft_wrap=True)
    if len(refused) > SHOWN_REFUSALS:
        console.print(f"…… 其余见 --json / the others: --json ({len(refused) - SHOWN_REFUSALS:,})", markup=False)
