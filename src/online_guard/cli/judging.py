"""Judging bundles again, and comparing what came out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from online_guard.cli.common import (
    FOUND_SOMETHING,
    Against,
    AsJson,
    DataDir,
    FromStore,
    PolicyName,
    Settings,
    Workers,
    app,
    print_json,
    progress_bar,
)
from online_guard.cli.service import export_selection


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
    with _bundle(bundle, from_store, data_dir) as folder, progress_bar("核验 / judging") as progress:
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
        print_json(summary)
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
        print_json(comparison.summary)
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
    from online_guard.service.operating.export import Selection

    with tempfile.TemporaryDirectory(prefix="online-guard-") as folder:
        archived = Path(folder) / "bundle"
        export_selection(data_dir, archived, Selection(closed_only=True))
        yield str(archived)
