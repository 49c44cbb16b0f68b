"""Pictures, clips and thresholds: what the service sees in them, at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, PolicyName, app, print_json, progress_bar
from online_guard.cli.face_tables import print_judgement, print_pictures
from online_guard.errors import ErrorKind, GuardError

if TYPE_CHECKING:
    from online_guard.faces.clips import Clip
    from online_guard.faces.likeness import Capture
    from online_guard.faces.liveness import LivenessReport
    from online_guard.faces.pipeline import SnapshotReport
    from online_guard.faces.presented_attack import Check
    from online_guard.terms import Action

faces_app = typer.Typer(no_args_is_help=True, help="人脸:照片、活体、阈值 / Faces: pictures, liveness, thresholds.")
app.add_typer(faces_app, name="faces")

PlotFile = Annotated[Path | None, typer.Option("--plot", help="图表写入 PNG 文件 / Write the plot as PNG.")]


@faces_app.command("inspect")
def inspect_pictures(
    reference: Annotated[Path, typer.Argument(help="参考照片 / Enrolled photo.")],
    images: Annotated[list[Path], typer.Argument(help="要查看的照片 / Pictures to look at.")],
    as_json: AsJson = False,
) -> None:
    """查看照片:是否合格、是否本人、是否同一张 / Look at pictures; exit status 1 when one isn't good."""
    from online_guard.faces.pipeline import inspect

    enrolled, check = _enrolled(reference), operator_check()
    contents = [(path, _read(path)) for path in images]
    seen = []
    with progress_bar("查看 / looking") as progress:
        for number, (path, content) in enumerate(contents):
            seen.append(_picture_line(path, inspect(content, enrolled, passive=True, check=check)))
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
        "distance": _rounded(report.distance, 6),
        "sha256": report.sha256,
        "phash": report.phash,
        "likeness": likeness
        and {
            "phash_distance": likeness.phash_distance,
            "cosine": _rounded(likeness.cosine, 6),
            "residual": _rounded(likeness.residual, 6),
        },
        "presented_attack": {
            "score": _rounded(attack.score, 6) if attack else None,
            "decision": str(attack.decision) if attack else "not_evaluable",
        },
    }


def operator_check() -> Check | None:
    """Return the operator's own passive check that the service would use, if one is set."""
    from online_guard.faces.operator_model import load_operator_model
    from online_guard.settings import Settings

    manifest = Settings().presented_attack_manifest
    return None if manifest is None else load_operator_model(manifest)


def _enrolled(path: Path) -> Capture:
    """Return the capture of a reference photo with exactly one face; tell on standard error what else is wrong."""
    from online_guard.faces.pipeline import enrol_reference, inspect

    content = _read(path)
    seen = inspect(content)
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
    said = _judgement_line(report)
    if as_json:
        print_json(said)
    else:
        print_judgement(said)
    raise typer.Exit(0 if report.outcome is Outcome.PASSED else FOUND_SOMETHING)


def _judgement_line(report: LivenessReport) -> dict[str, Any]:
    """Return what SPEC 8 gives of a judged clip."""
    return {
        "outcome": str(report.outcome),
        "reasons": report.reasons,
        "fps": _rounded(report.fps, 3),
        "distance": _rounded(report.distance, 6),
        "actions": [
            {
                "action": str(one.action),
                "found": one.found,
                "start_s": _rounded(one.start_s, 3),
                "end_s": _rounded(one.end_s, 3),
            }
            for one in report.actions
        ],
        "events": [{"action": str(one.action), "at_s": _rounded(one.at_s, 3)} for one in report.events],
    }


def _rounded(value: float | None, digits: int) -> float | None:
    """Return a number with the digits that SPEC 8 gives: 3 for seconds, 6 for shares and distances."""
    return None if value is None else round(value, digits)


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
