"""Commands; maps errors to exit status: 0 done, 1 something wrong was found, 2 bad use or input."""

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
from rich.table import Table

from online_guard import __version__
from online_guard.errors import GuardError

if TYPE_CHECKING:
    from online_guard.policy import Policy

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
def rules(
    rule: Annotated[str, typer.Argument(help="规则编号,如 OG301 / Id of a rule, such as OG301.")] = "",
    policy_name: PolicyName = "huangchuan-2021",
    as_json: AsJson = False,
) -> None:
    """列出规则目录,或一条规则的说明 / List the catalogue of rules, or show one rule's page."""
    from online_guard.policy import load_policy
    from online_guard.rules.catalogue import RULES

    policy = load_policy(policy_name)
    if rule:
        _show_rule(rule, policy, as_json=as_json)
        return
    rows = [
        (rule.id, rule.name, rule.zh, str(rule.subject), str(policy.effects[rule.id]), policy.clauses[rule.id])
        for rule in RULES
    ]
    names = ("id", "name", "zh", "subject", "effect", "clause")
    if as_json:
        _print_json([dict(zip(names, row, strict=True)) for row in sorted(rows)])
        return
    table = Table("规则 rule", "名称 name", "中文", "对象 subject", "效力 effect", "条款 clause")
    for row in sorted(rows):
        table.add_row(*row)
    Console().print(table)


def _show_rule(rule_id: str, policy: Policy, *, as_json: bool) -> None:
    from rich.markdown import Markdown

    from online_guard.rules import manual
    from online_guard.rules.catalogue import rule_of

    rule = rule_of(rule_id)
    if as_json:
        _print_json(manual.as_json(rule, policy))
    else:
        Console().print(Markdown(manual.as_markdown(rule, policy)))


@app.command()
def revalidate(
    out: Annotated[str, typer.Option("--out", help="结果:文件夹或网址 / Where results go: a folder, or a URL.")],
    bundle: Annotated[
        str | None, typer.Argument(help="数据包:文件夹或网址 / The bundle: a folder, or a URL such as s3://….")
    ] = None,
    from_store: FromStore = False,
    data_dir: DataDir = None,
    policy: PolicyName = "huangchuan-2021",
    settings: Settings = None,
    engine: Annotated[
        str, typer.Option("--engine", help="在何处计算 / Where the work is done: threads | dask | dask://host:port.")
    ] = "threads",
    workers: Workers = None,
    block_rows: Annotated[
        int, typer.Option("--block-rows", min=1, help="每块约多少事件 / About how many events a block has.")
    ] = 1_000_000,
    against: Against = None,
    as_json: AsJson = False,
) -> None:
    """重新核验一个数据包;中断后再运行即从已完成的块继续 / Judge a bundle again; a run after an interrupted one goes on.

    有拒收的行,或 --against 有改变时退出状态为 1 / Exit status 1 when rows were refused, or --against finds a change.
    """
    from online_guard.batch import revalidate as run
    from online_guard.batch import write
    from online_guard.compare import compare, read_results
    from online_guard.compare import write as write_comparison
    from online_guard.policy import load_policy

    law = load_policy(policy, settings or ())
    before = read_results(against) if against else None  # before anything is judged, or written in its place
    with _bundle(bundle, from_store, data_dir) as folder, _progress("核验 / judging") as progress:
        result = run(folder, law, engine=engine, workers=workers, progress=progress, block_rows=block_rows, out=out)
    write(result, out)
    if result.reused:
        typer.echo(f"沿用上次已完成的块 / finished blocks used from the run before: {result.reused}", err=True)
    summary, changed = result.summary(), False
    if not as_json:
        _print_summary(summary, out)
    if before is not None:
        comparison = compare(before, read_results(Path(out)))
        write_comparison(comparison, Path(out) / "comparison")
        summary["comparison"], changed = comparison.summary, comparison.changed
        if not as_json:
            _print_comparison(comparison.summary, Path(out) / "comparison")
    if as_json:
        _print_json(summary)
    raise typer.Exit(FOUND_SOMETHING if result.refused or changed else 0)


@app.command("compare")
def compare_results(
    old: Annotated[Path, typer.Argument(help="原结果文件夹 / Folder of the old results.")],
    new: Annotated[Path, typer.Argument(help="新结果文件夹 / Folder of the new results.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="写入报告与改变的行 / Folder for the report and the changed rows.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """比较两次核验结果 / What a new policy or rule version changes; exit status 1 when anything changed."""
    from online_guard.compare import compare, read_results, write

    comparison = compare(read_results(old), read_results(new))
    if out is not None:
        write(comparison, out)
    if as_json:
        _print_json(comparison.summary)
    else:
        _print_comparison(comparison.summary, out)
    raise typer.Exit(FOUND_SOMETHING if comparison.changed else 0)


def _print_comparison(summary: dict[str, Any], out: Path | None) -> None:
    from online_guard.compare.report import in_lines

    console = Console(highlight=False)
    for line in in_lines(summary):
        console.print(line, markup=False, soft_wrap=True)
    if out is not None:
        console.print(f"报告 report: {out / 'report.html'}", markup=False, soft_wrap=True)


def _print_summary(summary: dict[str, Any], out: str) -> None:
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
        console.print(f"…… {counts['refused_rows'] - 20} 行见 / more rows in {out}/summary.json", style="yellow")
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


IntakeInputs = Annotated[
    list[Path],
    typer.Argument(help="数据包文件夹,或 xAPI、Caliper、Open edX 日志 / A bundle, or logs of xAPI, Caliper, Open edX."),
]
IntakeOut = Annotated[
    Path | None, typer.Option("--out", help="写出的数据包;不给则只检查 / Bundle to write; only checks without.")
]
CourseFile = Annotated[
    Path | None,
    typer.Option("--course", help="班次、报名与对应关系,TOML 或 JSON / Classes, enrolments and what names mean."),
]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="假名密钥 / Key of the pseudonyms.")]
PlatformName = Annotated[str, typer.Option("--platform", help="推出的班次所属平台 / Platform of a derived class.")]
ReportFile = Annotated[
    Path | None, typer.Option("--report", help="报告写入 Markdown 文件 / Write the report as Markdown.")
]


@app.command()
def ingest(
    inputs: IntakeInputs,
    out: IntakeOut = None,
    course: CourseFile = None,
    key_file: KeyFile = None,
    platform_id: PlatformName = "third-party",
    report: ReportFile = None,
    policy: PolicyName = "huangchuan-2021",
    as_json: AsJson = False,
) -> None:
    """导入数据包或其他系统的日志 / Take in a bundle or foreign logs; exit status 1 when records were refused."""
    from online_guard.ingest import intake, intake_report
    from online_guard.ingest.course import read_course
    from online_guard.ingest.pseudonyms import read_key
    from online_guard.policy import load_policy

    with _progress("读取 / reading") as progress:
        taken = intake.take_in(
            inputs,
            load_policy(policy),
            course=read_course(course) if course else None,
            pseudonyms=read_key(key_file) if key_file else None,
            platform_id=platform_id,
            told=lambda records: progress(records, None),
        )
    text = intake_report.as_markdown(taken)
    if report:
        intake_report.save(text, report)
    if out:
        intake.write(taken, out)
    if as_json:
        _print_json(intake_report.as_values(taken))
    else:
        sys.stdout.write(text)
    raise typer.Exit(FOUND_SOMETHING if taken.refused else 0)


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
    from online_guard.service.export import Selection

    _export(data_dir, out, Selection())
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
    from online_guard.service.export import Selection

    _export(data_dir, out, Selection(closed_only=True, platform_id=platform, month=month))
    typer.echo(f"已归档 / archived: {out}")


def _export(data_dir: Path | None, out: Path, selection: Any) -> None:
    """Write what is stored as a bundle, and say how much that is."""
    from online_guard.service.export import export_bundle
    from online_guard.settings import Settings as MachineSettings

    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    done = export_bundle(MachineSettings(**given), out, selection)
    typer.echo(f"会话 sessions: {done.sessions:,}  未结束而略去 open, left out: {done.left_open:,}", err=True)


@contextmanager
def _bundle(bundle: str | None, from_store: bool, data_dir: Path | None) -> Iterator[str]:
    """Yield the folder of the bundle: the one that is named, or an archive of the service's data for the time being."""
    import tempfile

    if (bundle is None) != from_store or (data_dir and not from_store):
        raise typer.BadParameter(
            "请给出数据包,或 --from-store [--data-dir] / name a bundle, or --from-store [--data-dir]"
        )
    if bundle is not None:
        yield bundle
        return
    from online_guard.service.export import Selection

    with tempfile.TemporaryDirectory(prefix="online-guard-") as folder:
        archived = Path(folder) / "bundle"
        _export(data_dir, archived, Selection(closed_only=True))
        yield str(archived)


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
