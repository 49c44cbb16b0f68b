"""Commands; maps errors to exit status: 0 done, 1 something wrong was found, 2 bad use or input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from online_guard import __version__
from online_guard.errors import GuardError

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
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取的 JSON / JSON for machines.")]

FOUND_SOMETHING = 1
BAD_INPUT = 2


def main() -> None:
    """Run the command line; an error is one clear message and exit status 2."""
    try:
        app()
    except GuardError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"[bold red]错误 / error[/] {error.code}", soft_wrap=True)
        console.print(str(error), soft_wrap=True, markup=False)
        for fault in error.faults[1:]:
            console.print(f"  {fault.where}: {fault.reason}", soft_wrap=True, markup=False)
        sys.exit(BAD_INPUT)


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n")


@app.command()
def version() -> None:
    """显示版本 / Show the version."""
    typer.echo(__version__)


@policy_app.command("show")
def policy_show(
    name: Annotated[str, typer.Argument(help="名称或文件 / Name or file.")] = "huangchuan-2021",
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """列出一个政策包的每个数值及其条款 / Show every value of a policy pack with its clause."""
    from online_guard.policy import describe, load_policy

    policy = load_policy(name, settings or ())
    lines = describe(policy)
    if as_json:
        head = {"id": policy.id, "version": policy.version, "sha256": policy.sha256}
        _print_json({**head, "values": [msgspec.to_builtins(line) for line in lines]})
        return
    table = Table(title=f"{policy.title} ({policy.id} {policy.version})\nSHA-256 {policy.sha256}")
    for heading in ("键 key", "值 value", "单位 unit", "条款 clause", "原文或理由 text"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(line.key, line.value_text, line.unit, line.clause, line.text)
    Console().print(table)


@policy_app.command("check")
def policy_check(
    name: Annotated[str, typer.Argument(help="名称或文件 / Name or file.")],
    settings: Settings = None,
) -> None:
    """检查一个政策包 / Check a policy pack: unknown, missing or impossible values are refused."""
    from online_guard.policy import load_policy

    policy = load_policy(name, settings or ())
    typer.echo(f"正确 / correct: {policy.id} {policy.version} {policy.sha256}")


@app.command()
def rules(as_json: AsJson = False) -> None:
    """列出规则目录 / List the catalogue of rules, and those that aren't there yet."""
    from online_guard.policy import load_policy
    from online_guard.rules.catalogue import NOT_YET, NOT_YET_REASON, RULES

    policy = load_policy("huangchuan-2021")
    rows = [
        (rule.id, rule.name, rule.zh, str(rule.subject), str(policy.effects[rule.id]), policy.clauses[rule.id])
        for rule in RULES
    ] + [(rule, "", NOT_YET_REASON, "", str(policy.effects[rule]), policy.clauses[rule]) for rule in NOT_YET]
    names = ("id", "name", "zh", "subject", "effect", "clause")
    if as_json:
        _print_json([dict(zip(names, row, strict=True)) for row in sorted(rows)])
        return
    table = Table("规则 rule", "名称 name", "中文", "对象 subject", "效力 effect", "条款 clause")
    for row in sorted(rows):
        table.add_row(*row)
    Console().print(table)


@app.command()
def revalidate(
    bundle: Annotated[Path, typer.Argument(help="数据包文件夹 / Folder of the bundle.")],
    out: Annotated[Path, typer.Option("--out", help="结果文件夹 / Folder for the results.")],
    policy: PolicyName = "huangchuan-2021",
    settings: Settings = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="线程数,默认每核一个 / Number of threads, one for each core by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """重新核验一个数据包 / Judge a bundle again; exit status 1 when rows were refused."""
    from online_guard.batch import revalidate as run
    from online_guard.batch import write
    from online_guard.policy import load_policy

    law = load_policy(policy, settings or ())
    with _progress("核验 / judging") as progress:
        result = run(bundle, law, workers=workers, progress=progress)
    write(result, out)
    summary = result.summary()
    if as_json:
        _print_json(summary)
    else:
        _print_summary(summary, out)
    raise typer.Exit(FOUND_SOMETHING if result.refused else 0)


def _print_summary(summary: dict[str, Any], out: Path) -> None:
    console, counts = Console(highlight=False), summary["counts"]
    law = summary["policy"]
    console.print(f"政策 policy: {law['id']} {law['version']} {law['sha256'][:12]}…")
    console.print(f"事件 events: {counts['events']:,}  会话 sessions: {counts['sessions']:,}")
    verdicts = "  ".join(f"{name} {number:,}" for name, number in counts["verdicts"].items())
    console.print(f"核验结论 verdicts: {verdicts or '–'}")
    findings = "  ".join(f"{name} {number:,}" for name, number in counts["findings"].items())
    console.print(f"疑点 findings: {findings or '–'}")
    console.print(f"可参加考核 eligible: {counts['eligible']:,}")
    for row in summary["refused_rows"][:20]:
        where = f"{row['file']}:{row['line']}"
        console.print(f"拒收 refused {where}: {row['reason']}", style="yellow", markup=False, soft_wrap=True)
    if counts["refused_rows"] > 20:
        console.print(f"…… {counts['refused_rows'] - 20} 行见 / more rows in {out / 'summary.json'}", style="yellow")
    for rule, reasons in summary["not_evaluable"].items():
        for reason, number in reasons.items():
            console.print(f"无法判断 not evaluable {rule}: {reason} × {number:,}", style="dim")
    console.print(f"结果 results: {out}")


@contextmanager
def _progress(label: str) -> Iterator[Any]:
    """Yield a callback (done, total) that draws a bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听地址,仅限本机 / Address, loopback only.")] = None,
    port: Annotated[int | None, typer.Option(help="端口 / Port.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="数据文件夹 / Data folder.")] = None,
) -> None:
    """启动服务 / Start the service."""
    from online_guard.api.app import serve as run
    from online_guard.settings import Settings as MachineSettings
    from online_guard.worker import Worker

    given: dict[str, Any] = {"host": host, "port": port, "data_dir": data_dir}
    run(MachineSettings(**{name: value for name, value in given.items() if value is not None}), Worker)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="数据包文件夹 / Folder of the bundle.")],
    data_dir: Annotated[Path | None, typer.Option(help="数据文件夹 / Data folder.")] = None,
) -> None:
    """导出全部数据为数据包 / Export everything as a bundle."""
    from online_guard.service.export import export_bundle
    from online_guard.settings import Settings as MachineSettings

    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    export_bundle(MachineSettings(**given), out)
    typer.echo(f"已导出 / exported: {out}")


@app.command()
def simulate(
    out: Annotated[Path | None, typer.Option("--out", help="数据包文件夹 / Folder of the bundle.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="种子:相同则字节相同 / The same seed, the same bytes.")] = 1,
    learners: Annotated[int, typer.Option("--learners", min=0, help="如实学习的人数 / Honest learners.")] = 10,
    cheat: Annotated[
        list[str] | None, typer.Option("--cheat", help="作弊方式:编号或名称,可多次 / Row or name, repeatable.")
    ] = None,
    honest: Annotated[
        list[str] | None, typer.Option("--honest", help="如实学习的方式,可多次 / Honest way, repeatable.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="作弊的参数 / Parameter of a cheat: KEY=NUMBER.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="答案文件,在文件夹之外 / The truth, outside the folder.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="列出全部方式 / List every way.")] = False,
) -> None:
    """生成模拟数据包 / Write a bundle of made-up learners, honest and cheating."""
    from online_guard.simulate import command

    if show:
        table = Table("表号 row", "名称 name", "说明 label", "规则 rules", "参数 parameters")
        for line in command.listing():
            table.add_row(*line)
        Console().print(table)
        return
    if out is None:
        raise typer.BadParameter("--out 文件夹必填 / a folder is needed", param_hint="--out")
    if truth is not None:
        command.check_truth_path(truth, out)
    planted = command.simulate_bundle(out, seed, learners, honest or (), command.chosen(cheat or (), param or ()))
    text = command.truth_text(seed, planted)
    if truth is None:
        sys.stdout.write(text)
    else:
        truth.write_text(text, encoding="utf-8")
        typer.echo(f"已生成 / written: {out}, {truth}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="结果文件夹 / Folder for the results.")] = Path("demo-out"),
    keep: Annotated[bool, typer.Option("--keep", help="保持服务运行 / Leave the service running.")] = False,
    port: Annotated[int | None, typer.Option(help="端口 / Port.")] = None,
) -> None:
    """演示:一个班次从遥测到考核名单 / One class, from telemetry to the assessment's roster."""
    from online_guard.demo.run import run_demo

    raise typer.Exit(run_demo(out, keep=keep, port=port))


if __name__ == "__main__":
    main()
