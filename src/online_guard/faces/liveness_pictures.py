"""What an auditor looks at: a strip of telling frames, and a plot of the signals with the events."""

from __future__ import annotations

import io
from collections.abc import Iterator

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from online_guard.terms import Action

from .clips import Clip
from .decode import RgbPixels
from .liveness import LivenessReport
from .signals import Series, Signals

STRIP_HEIGHT_PX = 240
_CAPTION_PX = 22
_JPEG_QUALITY = 88
_INK = (40, 40, 40)


def strip(clip: Clip, report: LivenessReport) -> bytes:
    """Return the evidence frames side by side as JPEG, each with its time and, at a peak, the action.

    A clip without evidence frames shows its first frame.
    """
    actions = {act.frame: act.action for act in report.actions if act.frame is not None}
    frames = report.evidence_frames or (0,)
    cards = [_card(clip.frames[frame], f"{clip.times_s[frame]:.2f} s", actions.get(frame)) for frame in frames]
    out = io.BytesIO()
    Image.fromarray(np.hstack(cards)).save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def _card(pixels: RgbPixels, time: str, action: Action | None) -> NDArray[np.uint8]:
    """Return one frame, scaled to the strip's height, over its caption."""
    height, width = pixels.shape[:2]
    small_width = max(1, round(width * STRIP_HEIGHT_PX / height))
    small = cv2.resize(pixels, (small_width, STRIP_HEIGHT_PX), interpolation=cv2.INTER_AREA)
    caption = np.full((_CAPTION_PX, small_width, 3), 255, np.uint8)
    text = f"{time} {action or ''}".strip()
    cv2.putText(caption, text, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return np.vstack([small, caption])


def plot(report: LivenessReport) -> bytes:
    """Return the signals over time as PNG, with the found actions shaded and every event marked.

    A report without signals gives an empty plot that names its reasons.
    """
    figure = Figure(figsize=(9, 6.5), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 1, sharex=True)
    if report.signals is not None:
        for panel, (name, lines) in zip(axes, _panels(report.signals), strict=True):
            _draw(panel, name, lines, report)
    axes[0].set_title(", ".join((str(report.outcome), *report.reasons)))
    axes[-1].set_xlabel("s")
    out = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "online-guard"}):
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _panels(signals: Signals) -> Iterator[tuple[str, dict[str, Series]]]:
    yield "eye opening", {"left": signals.eye_left, "right": signals.eye_right}
    yield "mouth gap", {"gap": signals.mouth}
    yield "turn (+ own left)", {"nose to eyes": signals.yaw, "nose to middle": signals.yaw_middle}
    yield "nod (+ down)", {"nose to jaw": signals.pitch}


_PANEL_OF = {Action.BLINK: 0, Action.OPEN_MOUTH: 1, Action.TURN_LEFT: 2, Action.TURN_RIGHT: 2, Action.NOD: 3}


def _draw(panel: Axes, name: str, lines: dict[str, Series], report: LivenessReport) -> None:
    """Draw one panel: its lines, its actions as bands, its events as dashed lines."""
    assert report.signals is not None
    for label, values in lines.items():
        panel.plot(report.signals.times_s, values, label=label, linewidth=1)
    row = list(panel.figure.axes).index(panel)
    for act in report.actions:
        if _PANEL_OF[act.action] == row and act.start_s is not None and act.end_s is not None:
            panel.axvspan(act.start_s, act.end_s, color="tab:green", alpha=0.2)
    for event in report.events:
        if _PANEL_OF[event.action] == row:
            panel.axvline(event.at_s, color="tab:red", linestyle="--", linewidth=0.8)
            panel.annotate(str(event.action), (event.at_s, 1), xycoords=("data", "axes fraction"), fontsize=7, va="top")
    panel.set_ylabel(name)
    panel.legend(loc="upper left", fontsize=7)
    panel.grid(visible=True, alpha=0.3)
