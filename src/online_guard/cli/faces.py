"""Pictures, clips and thresholds: what the service sees in them, at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, PolicyName, app, print_json, progress_bar
from online_guard.cli.face_tables import print_calibration, print_judgement, print_metrics, print_pictures
from online_guard.errors import ErrorKind, GuardError

if TYPE_CHECKING:
    from online_guard.faces.clips import Clip
    from online_guard.faces.likeness import Capture
    from online_guard.faces.pipeline import SnapshotReport
    from online_guard.faces.proportions import Proportion
    from online_guard.terms import Action

faces_app = typer.Typer(no_args_is_help=True, help="人脸:照片、活体、阈值 / Faces: pictures, liveness, thresholds.")
app.add_typer(faces_app, name="faces")

PlotFile = Annotated[Path | None, typer.Option("--plot", help="图表写入 PNG 文件 / Write the plot as PNG.")]
Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="文件夹 / Folder.")]


@faces_app.command("inspect")
def inspect_pictures(
    reference: Annotated[Path, typer.Argument(help="参考照片 / Enrolled photo.")],
    images: Annotated[list[Path], typer.Argument(help="要查看的照片 / Pictures to look at.")],
    as_json: AsJson = False,
) -> None:
    """查看照片:是否合格、是否本人、是否同一张 / Look at pictures; exit status 1 when one isn't good."""
    from online_guard.faces.pipeline import inspect

    enrolled = _enrolled(reference)
    contents = [(path, _read(path)) for path in images]
    seen = []
    with progress_bar("查看 / looking") as progress:
        for number, (path, content) in enumerate(contents):
            seen.append(_picture_line(path, inspect(content, enrolled)))
            progress(number + 1, len(contents))
    if as_json:
        print_json(seen)
    else:
        print_pictures(seen)
    raise typer.Exit(0 if all(line["good"] for line in seen) else FOUND_SOMETHING)


def _picture_line(path: Path, report: SnapshotReport) -> dict[str, Any]:
    """Return what SPEC 8 gives of one picture."""
    likeness, attack = report.likeness, report.presented_attack
    return {
        "file": str(path),
        "good": report.good,
        "reasons": report.reasons,
        "faces": report.faces,
        "distance": report.distance,
        "sha256": report.sha256,
        "phash": report.phash,
        "likeness": likeness and {name: getattr(likeness, name) for name in ("phash_distance", "cosine", "residual")},
        "presented_attack": {
            "score": attack.score if attack else None,
            "decision": str(attack.decision) if attack else "not_evaluable",
        },
    }


def _enrolled(path: Path) -> Capture:
    """Return the capture of a reference photo with exactly one face; tell on standard error what else is wrong."""
    from online_guard.faces.pipeline import enrol_reference, inspect

    content = _read(path)
    seen = inspect(content, passive=False)
    if seen.capture is None or seen.vector is None:
        try:
            enrol_reference(content)
        except GuardError as refusal:
            refusal.where = refusal.where or str(path)
            raise
    if seen.reasons:
        typer.echo(f"{path}: 参考照片 / reference photo: {', '.join(seen.reasons)}", err=True)
    assert seen.capture is not None
    return seen.capture


@faces_app.command("judge")
def judge_one_clip(
    clip: Annotated[Path, typer.Argument(help="视频,或含 times.json 的画面文件夹 / Clip, or folder with times.json.")],
    actions: Annotated[str, typer.Option("--actions", help="要求的动作,逗号分隔 / Actions asked for: blink,nod,…")],
    reference: Annotated[Path | None, typer.Option("--reference", help="参考照片 / Enrolled photo.")] = None,
    strip_file: Annotated[
        Path | None, typer.Option("--strip", help="关键画面写入 JPEG / Telling frames as JPEG.")
    ] = None,
    plot_file: PlotFile = None,
    policy: PolicyName = "huangchuan-2021",
    as_json: AsJson = False,
) -> None:
    """判定一段活体视频 / Judge a liveness clip; exit status 1 unless it passes."""
    from online_guard.faces.liveness import judge_clip
    from online_guard.faces.liveness_pictures import plot, strip
    from online_guard.policy import load_policy
    from online_guard.terms import Outcome

    asked, law = _actions(actions), load_policy(policy)
    enrolled = None if reference is None else _enrolled(reference).vector
    frames = _clip(clip)
    report = judge_clip(frames, asked, enrolled, law.liveness.match_distance)
    if strip_file:
        strip_file.write_bytes(strip(frames, report))
    if plot_file:
        plot_file.write_bytes(plot(report))
    said = {
        "outcome": str(report.outcome),
        "reasons": report.reasons,
        "fps": report.fps,
        "distance": report.distance,
        "actions": [
            {"action": str(one.action), "found": one.found, "start_s": one.start_s, "end_s": one.end_s}
            for one in report.actions
        ],
        "events": [{"action": str(one.action), "at_s": one.at_s} for one in report.events],
    }
    if as_json:
        print_json(said)
    else:
        print_judgement(said)
    raise typer.Exit(0 if report.outcome is Outcome.PASSED else FOUND_SOMETHING)


@faces_app.command("calibrate")
def calibrate_distances(
    folder: Folder,
    plot_file: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """用本地人群的照片校准距离阈值 / Error rates of distances, from files person__anything or a folder each."""
    from online_guard.faces.calibration import calibrate, read_gallery

    with progress_bar("照片 / pictures") as progress:
        result = calibrate(read_gallery(folder, progress))
    if plot_file:
        from online_guard.faces.error_plots import det_plot

        plot_file.write_bytes(det_plot(result))
    said = {
        "people": result.people,
        "pictures": result.pictures,
        "genuine_pairs": len(result.genuine),
        "impostor_pairs": len(result.impostor),
        "thresholds": [
            {"distance": rate.distance, **_rate("fnmr", rate.fnmr), **_rate("fmr", rate.fmr)} for rate in result.rates
        ],
        "proposal": {
            "match_distance": result.proposal.match_distance,
            "reject_distance": result.proposal.reject_distance,
            "why": result.proposal.why,
        },
        "left_out": [{"file": one.file, "reason": one.reason} for one in result.left_out],
    }
    if as_json:
        print_json(said)
    else:
        print_calibration(said)
    raise typer.Exit(FOUND_SOMETHING if result.left_out else 0)


@faces_app.command("metrics")
def attack_metrics(
    folder: Folder,
    plot_file: PlotFile = None,
    policy: PolicyName = "huangchuan-2021",
    as_json: AsJson = False,
) -> None:
    """活体检测的错误率(ISO/IEC 30107-3)/ Error rates over live/ and attack/<species>/, clips or pictures."""
    from online_guard.faces.metrics import LIVE, judge_all, rates
    from online_guard.policy import load_policy

    law = load_policy(policy)
    with progress_bar("判定 / judging") as progress:
        judged = judge_all(folder, law.liveness.match_distance, progress)
    rows = rates(judged)
    if plot_file:
        from online_guard.faces.error_plots import metrics_plot

        plot_file.write_bytes(metrics_plot(rows))
    attacks = [row for row in rows if row.species != LIVE]
    shares = [row.errors.share or 0.0 for row in attacks]
    said = {
        "live": [_row(row, "bpcer", "bpnrr") for row in rows if row.species == LIVE],
        "attacks": [_row(row, "apcer", "apnrr") for row in attacks],
        "max_apcer": max(shares, default=None),
        **_rate("bpcer", _pooled([row.errors for row in rows if row.species == LIVE])),
        **_rate("bpnrr", _pooled([row.silent for row in rows if row.species == LIVE])),
        "files": [
            {
                "file": one.presentation.name,
                "species": one.presentation.species,
                "answer": str(one.answer),
                "reasons": one.reasons,
                "asked": [str(action) for action in one.asked],
            }
            for one in judged
        ],
    }
    if as_json:
        print_json(said)
    else:
        print_metrics(said)


def _row(row: Any, error: str, silent: str) -> dict[str, Any]:
    return {
        "species": row.species,
        "kind": str(row.kind),
        "presentations": row.silent.of,
        "errors": row.errors.hits,
        "non_responses": row.silent.hits,
        **_rate(error, row.errors),
        **_rate(silent, row.silent),
    }


def _pooled(rates: list[Proportion]) -> Proportion:
    from online_guard.faces.proportions import Proportion as Pooled

    return Pooled(sum(rate.hits for rate in rates), sum(rate.of for rate in rates))


def _rate(name: str, rate: Proportion) -> dict[str, Any]:
    return {name: rate.share, f"{name}_interval": rate.interval}


def _actions(text: str) -> tuple[Action, ...]:
    from online_guard.terms import Action

    try:
        return tuple(Action(name.strip()) for name in text.split(","))
    except ValueError as fault:
        known = ", ".join(Action)
        raise typer.BadParameter(f"未知动作 / unknown action in {text!r}; 可用 / known: {known}") from fault


def _clip(path: Path) -> Clip:
    from online_guard.faces.clips import read_clip, read_frames

    return read_frames(path) if path.is_dir() else read_clip(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "image.unreadable_file",
            f"无法读取 / can't be read ({fault.strerror})",
            where=str(path),
        ) from fault
