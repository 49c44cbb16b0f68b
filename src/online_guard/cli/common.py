"""The application, options that several commands have, and how results are shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from online_guard.service.house import House
    from online_guard.settings import Settings as MachineSettings

app = typer.Typer(
    name="online-guard",
    help="互联网+职业技能培训学时核验 / Proves which class hours of online vocational training were really studied.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
policy_app = typer.Typer(no_args_is_help=True, help="政策包 / Policy packs.")
app.add_typer(policy_app, name="policy")

PolicyName = Annotated[
    str, typer.Option("--policy", "-p", help="政策包名称或 TOML 文件 / Name of a shipped pack, or a TOML file.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="试用另一数值,TOML 语法:KEY=VALUE / Try another value, TOML syntax."),
]
DataDir = Annotated[Path | None, typer.Option(help="数据文件夹 / Data folder.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="线程或进程数,默认每核一个 / Threads or processes, one for each core by default."
    ),
]
FromStore = Annotated[
    bool, typer.Option("--from-store", help="核验服务数据库中已结束的会话 / Judge the service's own closed sessions.")
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against", help="与此前的结果比较,写入 OUT/comparison / Compare with earlier results, into OUT/comparison."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取的 JSON / JSON for machines.")]

FOUND_SOMETHING = 1
BAD_INPUT = 2


def print_json(value: Any) -> None:
    """Write a value as JSON to standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n")


def machine_settings(data_dir: Path | None) -> MachineSettings:
    """Return the settings of this machine, with another data folder when one is given."""
    from online_guard.settings import Settings as MachineSettings

    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    return MachineSettings(**given)


@contextmanager
def opened(data_dir: Path | None) -> Iterator[House]:
    """Yield the house of a data folder."""
    from online_guard.service.house import open_house

    house = open_house(machine_settings(data_dir))
    try:
        yield house
    finally:
        house.engine.dispose()


@contextmanager
def progress_bar(label: str) -> Iterator[Any]:
    """Yield a callback (done, total) that draws a bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
