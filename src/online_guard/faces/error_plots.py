"""Plots of error rates as PNG: the trade-off of a calibration, and the rates of presentation attack detection."""

from __future__ import annotations

import io
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .calibration import Calibration
from .metrics import LIVE, Row
from .proportions import Proportion

_ZERO = 3e-5
_TICKS = (_ZERO, 0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.9)
_MARKED = (0.4, 0.5, 0.55, 0.6, 0.7)
_COLOURS = {"errors": "#b3423a", "silent": "#9a9a9a"}


def det_plot(result: Calibration) -> bytes:
    """Return FNMR over FMR on normal deviates, where two normal distributions give a line, beside the distances.

    Source: A. Martin et al., "The DET Curve in Assessment of Detection Task Performance" (1997).
    """
    figure = Figure(figsize=(11, 5), dpi=100, layout="constrained")
    curve, spread = figure.subplots(1, 2)
    _draw_curve(curve, result)
    bins = np.linspace(0, 1.2, 49).tolist()
    for pairs, name, colour in (
        (result.genuine, "genuine pairs", "#2a6f97"),
        (result.impostor, "impostor pairs", "#b3423a"),
    ):
        if len(pairs):
            spread.hist(pairs, bins=bins, density=True, alpha=0.6, color=colour, label=f"{name} ({len(pairs):,})")
    for setting, name in ((result.proposal.match_distance, "match"), (result.proposal.reject_distance, "reject")):
        if setting is not None:
            spread.axvline(setting, color="black", linestyle="--", linewidth=1)
            spread.annotate(f"{name} {setting:.2f}", (setting, 0.97), xycoords=("data", "axes fraction"), rotation=90,
                            va="top", ha="right")  # fmt: skip
    spread.set(xlabel="distance", ylabel="density", title=f"{result.people:,} people, {result.pictures:,} pictures")
    if len(result.genuine) or len(result.impostor):
        spread.legend()
    return _png(figure)


def _draw_curve(axes: Axes, result: Calibration) -> None:
    deviate = NormalDist().inv_cdf
    points = [(rate.fmr.share, rate.fnmr.share, rate.distance) for rate in result.rates]
    known = [(fmr, fnmr, at) for fmr, fnmr, at in points if fmr is not None and fnmr is not None]
    # A rate of zero has no deviate: it is drawn at the edge, labelled 0.
    placed = [(deviate(min(max(fmr, _ZERO), 0.9)), deviate(min(max(fnmr, _ZERO), 0.9)), at) for fmr, fnmr, at in known]
    axes.plot([x for x, _, _ in placed], [y for _, y, _ in placed], marker=".", color="#333333")
    for x, y, at in placed:
        if at in _MARKED and (x, y) not in [(u, v) for u, v, other in placed if other in _MARKED and other < at]:
            axes.annotate(f"{at:.2f}", (x, y), xytext=(5, 5), textcoords="offset points")
    places, names = [deviate(tick) for tick in _TICKS], ["0", *(f"{100 * tick:g}" for tick in _TICKS[1:])]
    axes.set_xticks(places, names)
    axes.set_yticks(places, names)
    axes.set(xlim=(deviate(2e-5), deviate(0.92)), ylim=(deviate(2e-5), deviate(0.92)))
    axes.set(xlabel="FMR % (strangers accepted)", ylabel="FNMR % (learners not matched)", title="DET")
    axes.grid(alpha=0.3)


def metrics_plot(rows: Sequence[Row]) -> bytes:
    """Return error and non-response rates of each species, with 95 % intervals."""
    figure = Figure(figsize=(9, 1.6 + 0.55 * len(rows)), dpi=100, layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        _draw_bar(axes, place - 0.18, row.errors, _COLOURS["errors"])
        _draw_bar(axes, place + 0.18, row.silent, _COLOURS["silent"])
    labels = [f"{row.species} {row.kind}\nn = {row.silent.of}" for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="% (95 % interval)")
    axes.set_title(f"{LIVE}: BPCER, BPNRR; attacks: APCER, APNRR (grey: non-response)")
    axes.grid(axis="x", alpha=0.3)
    return _png(figure)


def _draw_bar(axes: Axes, place: float, rate: Proportion, colour: str) -> None:
    if rate.share is None or rate.interval is None:
        axes.annotate("no answer", (1, place), va="center", color=colour)
        return
    low, high = rate.interval
    around = [[100 * max(0.0, rate.share - low)], [100 * max(0.0, high - rate.share)]]
    axes.barh(place, 100 * rate.share, height=0.32, color=colour, xerr=around, capsize=3)


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
