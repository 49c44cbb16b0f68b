"""Sheets of the offline part: practice of blended classes, results and certificates; the service may run meanwhile."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, DataDir, app, opened, print_json
from online_guard.errors import ErrorKind, GuardError

if TYPE_CHECKING:
    from online_guard.ingest.sheets import Layout
    from online_guard.service.assessing.sheet_report import SheetReport

practice_app = typer.Typer(no_args_is_help=True, help="线下实训 / Practice of blended classes.")
results_app = typer.Typer(no_args_is_help=True, help="考核结果与证书 / Results and certificates.")
app.add_typer(practice_app, name="practice")
app.add_typer(results_app, name="results")

ClassId = Annotated[str, typer.Argument(metavar="CLASS", help="班次 / Class.")]
WindowId = Annotated[str, typer.Argument(metavar="WINDOW", help="批次,如 2021-08 / Such as 2021-08.")]
SheetFile = Annotated[Path, typer.Argument(metavar="FILE", help="XLSX 或 CSV / XLSX or CSV.")]
Template = Annotated[Path, typer.Argument(metavar="OUT.xlsx", help="写到哪里 / Where to.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只检查 / Only tell what would be kept.")]


@practice_app.command("import")
def import_practice(
    class_id: ClassId, file: SheetFile, data_dir: DataDir = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """读入实训签到表 / Take a sign-in sheet: good rows are kept; exit status 1 when one wasn't."""
    from online_guard.ingest.sheet_rows import PRACTICE
    from online_guard.ingest.sheets import read_sheet
    from online_guard.service.assessing import practice

    rows = read_sheet(_content(file), file.name, PRACTICE)
    with opened(data_dir) as house:
        report = practice.record(house, class_id, None, rows, dry_run=dry_run)
    _show({"class_id": class_id}, report, as_json=as_json)


@practice_app.command("list")
def list_practice(class_id: ClassId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """已登记的实训 / What is recorded."""
    from online_guard.service.assessing import practice

    with opened(data_dir) as house:
        told = practice.practice_of(house, class_id, None)
        while told["next_cursor"] is not None:
            page = practice.practice_of(house, class_id, None, told["next_cursor"])
            told["practice"] += page["practice"]
            told["next_cursor"] = page["next_cursor"]
    if as_json:
        print_json(told)
        return
    for row in told["practice"]:
        minutes = "-" if row["video_minutes"] is None else f"{row['video_minutes']:g} min"
        typer.echo(f"{row['enrolment_id']}  {row['on']}  {row['class_hours']:g}  {minutes}  {' '.join(row['remarks'])}")
    typer.echo(f"共 {told['days']} 人次,{told['class_hours']:g} 学时 / {told['days']} rows, class hours in all")


@practice_app.command("template")
def practice_template(out: Template) -> None:
    """写出空白签到表 / Write an empty sign-in sheet."""
    from online_guard.ingest.sheet_rows import PRACTICE

    _write_template(out, PRACTICE)


@results_app.command("import")
def import_results(
    window: WindowId, file: SheetFile, data_dir: DataDir = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """读入考核结果与证书 / Take a sheet of results: good rows are kept; exit status 1 when one wasn't."""
    from online_guard.ingest.sheet_rows import RESULTS
    from online_guard.ingest.sheets import read_sheet
    from online_guard.service.assessing import result_sheets
    from online_guard.service.house import clock_ms

    rows = read_sheet(_content(file), file.name, RESULTS)
    with opened(data_dir) as house:
        who = f"cli {getpass.getuser()}"
        report = result_sheets.record(house, _window(window), rows, recorded_by=who, now_ms=clock_ms(), dry_run=dry_run)
    _show({"window": window}, report, as_json=as_json)


@results_app.command("list")
def list_results(window: WindowId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """结果与附件2人数 / Results that count, and Annex 2's figures."""
    from online_guard.service.assessing import results
    from online_guard.terms import CertificateRoute, bilingual

    with opened(data_dir) as house:
        told = results.listed(house, _window(window), None)
        while told["next_cursor"] is not None:
            page = results.listed(house, window, None, told["next_cursor"])
            told["results"] += page["results"]
            told["next_cursor"] = page["next_cursor"]
    if as_json:
        print_json(told)
        return
    for row in told["results"]:
        came = (
            "缺考 absent"
            if row["absent"]
            else f"{row['assessed_on']}  {'合格 passed' if row['passed'] else '不合格 failed'}"
        )
        typer.echo(f"{row['class_id']}  {row['enrolment_id']}  v{row['version']}  {came}")
    for route, one in told["figures"].items():
        typer.echo(f"{bilingual(CertificateRoute(route))}: 参加 {one['assessed']},取证 {one['certified']}")
    typer.echo(f"取证总人数 certified: {told['certified']}")


@results_app.command("template")
def results_template(out: Template) -> None:
    """写出空白结果表 / Write an empty sheet of results."""
    from online_guard.ingest.sheet_rows import RESULTS

    _write_template(out, RESULTS)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unusable(file, error) from error


def _write_template(out: Path, layout: Layout[Any]) -> None:
    from online_guard.ingest.sheet_template import template

    try:
        out.write_bytes(template(layout))
    except OSError as error:
        raise _unusable(out, error) from error
    typer.echo(f"{layout.title}: {out}")


def _unusable(file: Path, error: OSError) -> GuardError:
    return GuardError(
        ErrorKind.INVALID, "sheet.file", f"文件无法使用 / the file can't be used: {error.strerror}", where=str(file)
    )


def _window(text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise GuardError(
            ErrorKind.INVALID, "window.malformed", "批次应为 YYYY-MM / a window is YYYY-MM", where="WINDOW"
        )
    return text


def _show(about: dict[str, str], report: SheetReport, *, as_json: bool) -> None:
    """Tell what became of the rows, first of those that weren't kept; exit with 1 when there are some."""
    told = about | report.told()
    if as_json:
        print_json(told)
    else:
        for row in told["rows"]:
            where = " ".join(str(part) for part in (row["file"], row["sheet"], f"{row['column']}{row['row']}") if part)
            if row["reason"]:
                typer.echo(f"{where}: {row['status']} {row['reason']}")
            for remark in row["remarks"]:
                typer.echo(f"{where}: {remark['zh']} / {remark['en']}")
        counts = "  ".join(f"{name} {count}" for name, count in told["counts"].items())
        typer.echo(f"{counts}{'  (只检查 dry run)' if report.is_dry_run else ''}")
    if not report.is_clean:
        raise typer.Exit(FOUND_SOMETHING)
