"""Dead letters: what was refused, put right by an operator; the service may run meanwhile."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from online_guard.cli.common import AsJson, DataDir, app, opened, print_json

letters_app = typer.Typer(no_args_is_help=True, help="被拒收的事件 / Refused events.")
app.add_typer(letters_app, name="dead-letters")

LetterId = Annotated[str, typer.Argument(help="编号 / Id.")]


@letters_app.command("list")
def list_letters(
    platform: Annotated[str | None, typer.Option("--platform", help="平台 / Platform.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="学习会话 / Session.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="原因中的文字 / Some words of the reason.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="waiting, replayed")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出 / List them, oldest first."""
    from online_guard.service.receiving import dead_letters
    from online_guard.store.letter_rows import Which

    found: list[dict[str, Any]] = []
    with opened(data_dir) as house:
        after: int | None = 0
        while after is not None:
            page = dead_letters.letters(house, Which(platform, session, None, state), reason, after, dead_letters.MOST)
            found += page["dead_letters"]
            after = None if page["next_cursor"] is None else int(page["next_cursor"])
    if as_json:
        print_json(found)
        return
    for row in found:
        where = f"{row['platform_id']}/{row['session_id']}"
        typer.echo(f"{row['letter_id']:>8}  {row['state']:8}  {row['kind']:8}  {where}  {row['reason']}")
    typer.echo(f"共 {len(found)} 封 / {len(found)} in all")


@letters_app.command("show")
def show(letter_id: LetterId, data_dir: DataDir = None) -> None:
    """内容与经过 / What one says, and what was done about it."""
    from online_guard.service.receiving import dead_letters

    with opened(data_dir) as house:
        print_json(dead_letters.letter(house, letter_id, None))


@letters_app.command("repair")
def repair(
    letter_id: LetterId,
    file: Annotated[Path | None, typer.Argument(help="修正后的事件 (JSON),默认标准输入 / Event, or stdin.")] = None,
    data_dir: DataDir = None,
) -> None:
    """换上修正后的事件 / Put a corrected event in its place."""
    from online_guard.service.house import clock_ms
    from online_guard.service.receiving import dead_letters

    content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    with opened(data_dir) as house:
        print_json(dead_letters.repair(house, letter_id, content, _me(), clock_ms()))


@letters_app.command("replay")
def replay(letter_ids: Annotated[list[str], typer.Argument(help="编号 / Ids.")], data_dir: DataDir = None) -> None:
    """补收 / Take events anew; exit status 1 when one was refused again."""
    from online_guard.service.house import clock_ms
    from online_guard.service.receiving import dead_letters

    with opened(data_dir) as house:
        told = [dead_letters.replay(house, letter_id, _me(), clock_ms()) for letter_id in letter_ids]
    print_json(told)
    if any(row["state"] != dead_letters.REPLAYED for row in told):
        raise typer.Exit(1)


def _me() -> str:
    return f"cli {getpass.getuser()}"
