"""Error rates of a population's distances and of labelled attacks, at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, PolicyName, print_json, progress_bar
from online_guard.cli.face_tables import print_calibration, print_metrics
from online_guard.cli.faces import PlotFile, faces_app, operator_check

if TYPE_CHECKING:
    from online_guard.faces.calibration import Calibration
    from online_guard.faces.metrics import Judged, Row
    from online_guard.faces.proportions import Proportion

Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="文件夹 / Folder.")]


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
    said = _calibration_lines(result)
    if as_json:
        print_json(said)
    else:
        print_calibration(said)
    raise typer.Exit(FOUND_SOMETHING if result.left_out else 0)


def _calibration_lines(result: Calibration) -> dict[str, Any]:
    return {
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


@faces_app.command("metrics")
def attack_metrics(
    folder: Folder,
    plot_file: PlotFile = None,
    policy: PolicyName = "huangchuan-2021",
    as_json: AsJson = False,
) -> None:
    """活体检测的错误率(ISO/IEC 30107-3)/ Error rates over live/ and attack/<species>/, clips or pictures."""
    from online_guard.faces.metrics import judge_all, rates
    from online_guard.policy import load_policy

    law = load_policy(policy)
    with progress_bar("判定 / judging") as progress:
        judged = judge_all(folder, law.liveness.match_distance, progress, operator_check())
    rows = rates(judged)
    if plot_file:
        from online_guard.faces.error_plots import metrics_plot

        plot_file.write_bytes(metrics_plot(rows))
    said = _metrics_lines(judged, rows)
    if as_json:
        print_json(said)
    else:
        print_metrics(said)


def _metrics_lines(judged: list[Judged], rows: list[Row]) -> dict[str, Any]:
    from online_guard.faces.metrics import LIVE

    attacks = [row for row in rows if row.species != LIVE]
    shares = [row.errors.share or 0.0 for row in attacks]
    return {
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


def _row(row: Row, error: str, silent: str) -> dict[str, Any]:
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
