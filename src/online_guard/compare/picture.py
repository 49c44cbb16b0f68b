"""Draws a comparison as SVG: how verdicts flow from old to new, and class hours gained and lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from online_guard.terms import LABELS, Verdict

FLOW_PX = 220.0
LEAST_PX = 3.0
"""A flow of one session among thousands must still be seen."""
GAP_PX = 26.0
NODE_PX = 14.0
BAR_PX = 24.0
MOST_CLASSES = 20
NAMES = {**{str(verdict): " ".join(LABELS[verdict]) for verdict in Verdict}, "absent": "没有 absent"}
Flow = Mapping[str, Any]


def draw_flow(flow: Sequence[Flow], width: int = 860) -> str:
    """Return an alluvial picture of verdicts.

    Args:
        flow: Rows with `old`, `new` and `sessions`, at least one, sorted from good to bad.
        width: In px of the picture's own coordinates; below 500 it is drawn for a phone.
    """
    whole = sum(row["sessions"] for row in flow)
    thick = [max(LEAST_PX, FLOW_PX * row["sessions"] / whole) for row in flow]
    margin = 150.0 if width >= 500 else 104.0
    left, right = margin, width - margin - NODE_PX
    starts = [_stack(flow, thick, side) for side in ("old", "new")]
    parts = list(_ribbons(flow, thick, starts, (left + NODE_PX, right)))
    for side, x, label, where in (("old", left, left - 8, "end"), ("new", right, right + NODE_PX + 8, "start")):
        parts += _nodes(flow, thick, starts[side == "new"], side, x, (label, where))
    foot = max(y + size for tops in starts for y, size in zip(tops, thick, strict=True)) + 12
    parts.append(_text(left - 8, 14, "end head", "原结果 old"))
    parts.append(_text(right + NODE_PX + 8, 14, "head", "新结果 new"))
    return _svg(width, foot, "核验结论的变化 / how verdicts flow from the old result to the new one", parts)


def _stack(flow: Sequence[Flow], thick: Sequence[float], side: str) -> list[float]:
    """Return the upper edge of each flow on one side, node by node."""
    tops, y = [0.0] * len(flow), 30.0
    other = "new" if side == "old" else "old"
    order = list(NAMES)
    for name in order:
        own = [place for place, row in enumerate(flow) if row[side] == name]
        for place in sorted(own, key=lambda place: order.index(flow[place][other])):
            tops[place] = y
            y += thick[place]
        y += GAP_PX if own else 0
    return tops


def _ribbons(
    flow: Sequence[Flow], thick: Sequence[float], starts: Sequence[Sequence[float]], edges: tuple[float, float]
) -> Iterator[str]:
    x1, x2 = edges
    middle = (x1 + x2) / 2
    # what stays is drawn first, so that no thin flow of what changed lies under it
    for place in sorted(range(len(flow)), key=lambda place: flow[place]["old"] != flow[place]["new"]):
        row, size = flow[place], thick[place]
        y1, y2 = starts[0][place], starts[1][place]
        name = f"{NAMES[row['old']]} → {NAMES[row['new']]}: {row['sessions']:,}"
        kind = "stays" if row["old"] == row["new"] else f"to-{row['new']}"
        yield (
            f'<path class="ribbon {kind}" d="M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} '
            f"{y2:.1f}v{size:.1f}C{middle:.1f} {y2 + size:.1f} {middle:.1f} {y1 + size:.1f} {x1:.1f} "
            f'{y1 + size:.1f}z"><title>{escape(name)}</title></path>'
        )


def _nodes(
    flow: Sequence[Flow],
    thick: Sequence[float],
    tops: Sequence[float],
    side: str,
    x: float,
    label: tuple[float, str],
) -> Iterator[str]:
    for name, words in NAMES.items():
        own = [place for place, row in enumerate(flow) if row[side] == name]
        if not own:
            continue
        top, bottom = min(tops[place] for place in own), max(tops[place] + thick[place] for place in own)
        number = sum(flow[place]["sessions"] for place in own)
        yield _bar(x, top, NODE_PX, bottom - top, f"node to-{name}", f"{words}: {number:,}")
        place, anchor = label
        middle = (top + bottom) / 2
        yield _text(place, middle - 2, anchor, words)
        yield _text(place, middle + 13, f"{anchor} number", f"{number:,}")


def draw_hours(by_class: Sequence[Mapping[str, Any]], width: int = 860) -> str:
    """Return bars of the class hours that each class lost (to the left) and gained (to the right).

    Args:
        by_class: Rows with `class_id` (None where unknown), `gained` and `lost`, at least one; the greatest are drawn,
            the others summed up below.
        width: As in `draw_flow`.
    """
    rows = sorted(by_class, key=lambda row: (-row["gained"] - row["lost"], row["class_id"] or ""))
    shown = [(row["class_id"] or "班次不明 unknown", row["gained"], row["lost"]) for row in rows[:MOST_CLASSES]]
    left, right = (210.0, width - 70.0) if width >= 500 else (124.0, width - 46.0)
    room = 60.0 if width >= 500 else 44.0
    scale = (right - left - room) / max(1e-9, max(row[1] for row in shown) + max(row[2] for row in shown))
    zero = left + room + scale * max(row[2] for row in shown)
    foot = 8 + BAR_PX * len(shown)
    parts = [part for place, row in enumerate(shown) for part in _class_bar(row, 8 + BAR_PX * place, zero, scale, left)]
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="4" y2="{foot:.1f}"/>')
    others = rows[MOST_CLASSES:]
    if others:  # as text: their sum as a bar would leave no room for the bars of single classes
        gained, lost = (sum(row[name] for row in others) for name in ("gained", "lost"))
        parts.append(_text(4, foot + 15, "number", f"其余 {len(others)} 班 others: −{lost:,g} +{gained:,g}"))
        foot += BAR_PX
    return _svg(width, foot + 6, "各班次学时增减 / class hours gained and lost by class", parts)


def _class_bar(row: tuple[str, float, float], y: float, zero: float, scale: float, left: float) -> Iterator[str]:
    name, gained, lost = row
    most = int(left / 7.5)
    yield _text(4, y + 15, "", name if len(name) <= most else f"{name[: most - 1]}…", name)
    if lost:
        yield _bar(zero - lost * scale, y + 3, lost * scale, BAR_PX - 8, "lost", f"{name}: −{lost:,g}")
        yield _text(zero - lost * scale - 5, y + 15, "end number", f"−{lost:,g}")
    if gained:
        yield _bar(zero, y + 3, gained * scale, BAR_PX - 8, "gained", f"{name}: +{gained:,g}")
        yield _text(zero + gained * scale + 5, y + 15, "number", f"+{gained:,g}")


def _svg(width: int, height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, name: str, words: str, title: str = "") -> str:
    note = f"<title>{escape(title)}</title>" if title else ""
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}">{escape(words)}{note}</text>'


def _bar(x: float, y: float, wide: float, high: float, name: str, title: str) -> str:
    return (
        f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{max(1.0, wide):.1f}" height="{high:.1f}">'
        f"<title>{escape(title)}</title></rect>"
    )
