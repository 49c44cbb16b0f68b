"""Published rosters: shown, written as files, compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from online_guard.cli.common import FOUND_SOMETHING, AsJson, DataDir, app, opened, print_json
from online_guard.cli.schedule import Window, check_window

WORDS = {"added": "应增加 to be added", "removed": "应移除 to be removed", "changed": "情况已变 known otherwise"}


@app.command()
def roster(
    window: Window,
    data_dir: DataDir = None,
    version: Annotated[int | None, typer.Option("--version", min=1, help="默认最新 / The newest by default.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="写入名单与打印件(含姓名) / Folder for its papers, with names.")
    ] = None,
    compare: Annotated[
        tuple[int, int] | None, typer.Option("--compare", help="OLD NEW:两版的差异 / What changed between two.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """查看已发布的名单 / Show a published roster, write its papers, or compare two versions.

    名单已过时,或两版有差异时退出状态为 1 / Exit status 1 when it is outdated, or the versions differ.
    """
    from online_guard.service.assessing import published

    check_window(window)
    old, new = compare or (None, version)
    with opened(data_dir) as house:
        told = published.told(house, window, new, old, None)
        if out is not None:
            told["files"] = _write(house, window, new, out)
    if as_json:
        print_json(told)
    elif compare is not None:
        _show_changes(told, compare[0])
    else:
        _show(told)
    found = told["changes"] if compare is not None else told["outdated"]
    raise typer.Exit(FOUND_SOMETHING if found else 0)


def _write(house: Any, window: str, version: int | None, out: Path) -> list[str]:
    from online_guard.cli.roster_tables import write_papers
    from online_guard.service.assessing.roster_files import papers_of

    return write_papers(papers_of(house, window, version), out)


def _show_changes(told: dict[str, Any], old: int) -> None:
    from online_guard.cli.roster_tables import print_changes

    print_changes(Console(highlight=False), old, told["changes"])


def _show(told: dict[str, Any]) -> None:
    from pydantic import TypeAdapter

    from online_guard.assessment.roster import Plan
    from online_guard.assessment.venues import Site, Slot
    from online_guard.cli.roster_tables import print_sittings

    console = Console(highlight=False)
    sites, slots = TypeAdapter(list[Site]), TypeAdapter(list[Slot])
    plan = Plan.model_validate(told["plan"])
    print_sittings(console, plan, sites.validate_python(told["sites"]), slots.validate_python(told["slots"]), {})
    console.print(
        f"{told['window']} 第 {told['version']} 版 version {told['version']} (最新 newest: {told['newest_version']})  "
        f"考生 candidates: {len(told['candidates'])}  {told['published_by']}  sha256 {told['sha256'][:12]}…",
        soft_wrap=True,
    )
    for what, rows in (told["outdated"] or {}).items():
        for row in rows:
            why = "; ".join(f"{one['zh']} / {one['en']}" for one in row["why"])
            line = f"{WORDS[what]}: {row['enrolment_id']} ({why})"
            console.print(line, style="yellow", markup=False, soft_wrap=True)
