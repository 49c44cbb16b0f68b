"""Bundles from the logs of other systems, and simulated ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from online_guard.cli.common import FOUND_SOMETHING, AsJson, PolicyName, app, print_json, progress_bar

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

    with progress_bar("读取 / reading") as progress:
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
        print_json(intake_report.as_values(taken))
    else:
        sys.stdout.write(text)
    raise typer.Exit(FOUND_SOMETHING if taken.refused else 0)


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
