"""Plans of an assessment window: from a service's data, or from a bundle without a service."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from online_guard.cli.common import (
    FOUND_SOMETHING,
    AsJson,
    DataDir,
    PolicyName,
    Settings,
    app,
    opened,
    print_json,
    progress_bar,
)

if TYPE_CHECKING:
    from online_guard.assessment.planning import Progress
    from online_guard.assessment.venues import Venues

WINDOW_FORM = r"\d{4}-(0[1-9]|1[0-2])"
Window = Annotated[str, typer.Argument(help="考核批次,如 2021-08 / Assessment window, such as 2021-08.")]


@app.command()
def schedule(
    window: Window,
    data_dir: DataDir = None,
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="不用服务:由数据包编排 / Without a service: plan from a bundle.")
    ] = None,
    policy: PolicyName = "huangchuan-2021",
    settings: Settings = None,
    venues: Annotated[
        Path | None, typer.Option("--venues", help="考点文件,TOML 或 JSON,见 docs/venues.toml / File of venues.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="写入名单与打印件 / Folder for the roster and its papers.")
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="编排后即发布 / Publish what was planned.")] = False,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="相同种子同结果 / Same seed, same plan.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """编排一个批次的考点、场次与座位 / Plan sites, slots and seats of an assessment window.

    无法编排(或数据包有拒收的行)时退出状态为 1 / Exit status 1 when no plan exists, or rows of the bundle were refused.
    """
    check_window(window)
    if bundle is None:
        _from_service(window, data_dir, venues, out, publish, seed, as_json)
        return
    if venues is None or out is None or data_dir is not None or publish:
        raise typer.BadParameter("--bundle 须同时有 --venues 与 --out / --bundle goes with --venues and --out alone")
    _from_bundle(window, bundle, policy, settings, venues, out, seed, as_json)


def check_window(window: str) -> None:
    """Refuse what isn't a month."""
    import re

    if not re.fullmatch(WINDOW_FORM, window):
        raise typer.BadParameter("批次应如 2021-08 / a window is such as 2021-08")


def _from_service(
    window: str, data_dir: Path | None, file: Path | None, out: Path | None, publish: bool, seed: int, as_json: bool
) -> None:
    from online_guard.assessment.venues import Venues
    from online_guard.ingest.venues_file import read_venues
    from online_guard.service.assessing import roster_drafts, rosters, venues
    from online_guard.service.house import clock_ms

    stated = None if file is None else read_venues(file)  # before anything is opened or written
    if out is not None and not publish:
        raise typer.BadParameter("--out 须与 --publish 同用 / --out goes with --publish")
    with opened(data_dir) as house:
        who = f"cli {getpass.getuser()}"
        if stated is not None:
            venues.state(house, stated, who, clock_ms())
        with _planning() as tell:
            told = roster_drafts.plan_here(house, roster_drafts.Wish(window, seed, who, clock_ms()), tell)
        if publish and told["plan"] is not None:
            told["published"] = rosters.publish(house, window, told["plan_id"], who, clock_ms())[1]
        if not as_json:
            _show(told, Venues.model_validate(venues.stated(house)["venues"]))
        files = [] if out is None or "published" not in told else _write_published(house, window, out)
    if as_json:
        print_json(told | {"files": files})
    raise typer.Exit(0 if told["plan"] is not None else FOUND_SOMETHING)


def _write_published(house: Any, window: str, out: Path) -> list[str]:
    from online_guard.cli.roster_tables import write_papers
    from online_guard.service.assessing.roster_files import papers_of

    return write_papers(papers_of(house, window, None), out)


def _from_bundle(
    window: str,
    bundle: str,
    policy: str,
    settings: list[str] | None,
    file: Path,
    out: Path,
    seed: int,
    as_json: bool,
) -> None:
    import time

    from online_guard.assessment.roster import Plan, published
    from online_guard.cli.bundle_roster import judged, papers_of, planned
    from online_guard.cli.roster_tables import write_papers
    from online_guard.ingest.venues_file import read_venues
    from online_guard.policy import load_policy

    law, venues = load_policy(policy, settings or ()), read_venues(file)
    with progress_bar("核验 / judging") as progress:
        found = judged(bundle, law, window, progress)
    with _planning() as tell:
        made = planned(found, venues, window, law, seed, tell)
    told: dict[str, Any] = {"window": window, "state": "blocked", "plan": None, "blocked": None}
    told |= {"candidates": len(found.candidates), "refused_rows": found.refused_rows}
    told["plan" if isinstance(made, Plan) else "blocked"] = made.model_dump(mode="json")
    if not as_json:
        _show(told, venues)
    if isinstance(made, Plan):
        now_ms = time.time_ns() // 1_000_000
        roster = published(None, made, found.candidates, venues, law, f"cli {getpass.getuser()}", now_ms)
        told |= {"state": "planned", "files": write_papers(papers_of(found, roster, venues, law), out)}
    if as_json:
        print_json(told)
    raise typer.Exit(FOUND_SOMETHING if told["plan"] is None or found.refused_rows else 0)


def _show(told: dict[str, Any], venues: Venues) -> None:
    """Print a plan by day, site and room; or what blocks, and what would free it."""
    from online_guard.assessment.planning import Blocked
    from online_guard.assessment.roster import Plan
    from online_guard.cli.roster_tables import print_blocked, print_changes, print_plan

    console = Console(highlight=False)
    if told["plan"] is not None:
        plan = Plan.model_validate(told["plan"])
        print_plan(console, plan, venues)
        console.print(f"考生 candidates: {told['candidates']}  目标 objective: {plan.objective:g} ≥ {plan.bound:g}")
    elif told["blocked"] is not None:
        print_blocked(console, Blocked.model_validate(told["blocked"]))
    else:
        console.print(f"[red]编排失败 failed[/] {told['problem']['code']} {told['problem']['detail']}", soft_wrap=True)
    for class_id in told.get("pending", ()):
        console.print(f"班次待核验,未编入 not in it, waits for its verification: {class_id}", style="yellow")
    for who, codes in told.get("unconfirmed", {}).items():
        console.print(f"待确认 to be confirmed: {who} {', '.join(codes)}", style="yellow")
    if told.get("refused_rows"):
        console.print(f"数据包拒收的行 rows of the bundle that were refused: {told['refused_rows']}", style="yellow")
    if told.get("difference", {}).get("version") is not None:
        print_changes(console, told["difference"]["version"], told["difference"]["changes"])
    if "published" in told:
        version = told["published"]
        console.print(f"[green]已发布 published[/]: {version['window']} 第 {version['version']} 版", soft_wrap=True)


@contextmanager
def _planning() -> Iterator[Callable[[Progress], None]]:
    """Yield what shows on a terminal how far a planning is."""
    console = Console(stderr=True)
    with console.status("编排 planning …") as status:

        def tell(progress: Progress) -> None:
            best = "–" if progress.objective is None else f"{progress.objective:g}"
            status.update(f"编排 planning … 目标 objective {best} ≥ {progress.bound:g}")

        yield tell
