"""The few SVG elements that pictures are made of, as text; whatever comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def number(value: float) -> str:
    """Return a coordinate with at most two decimals.

    >>> number(12.0), number(0.125)
    ('12', '0.12')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(tag: str, content: str = "", **attributes: object) -> str:
    """Return an element; `class_` gives `class`, `_` in names becomes `-`, None is left out, numbers are rounded."""
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{said}>{content}</{tag}>" if content else f"<{tag}{said}/>"


def title(words: str) -> str:
    """Return a title element, shown by browsers where the pointer rests; nothing for no words."""
    return f"<title>{escape(words)}</title>" if words else ""


def text(x: float, y: float, name: str, words: str, note: str = "") -> str:
    """Return words at a place."""
    return element("text", escape(words) + title(note), class_=name, x=float(x), y=float(y))


def line(x1: float, y1: float, x2: float, y2: float, name: str) -> str:
    """Return a line."""
    return element("line", class_=name, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))


def bar(x: float, y: float, width: float, height: float, name: str, note: str = "") -> str:
    """Return a filled rectangle."""
    return element("rect", title(note), class_=name, x=float(x), y=float(y), width=float(width), height=float(height))


def path(places: str, name: str, note: str = "") -> str:
    """Return a path; nothing for no places."""
    return element("path", title(note), class_=name, d=places) if places else ""


def polyline(points: Sequence[tuple[float, float]]) -> str:
    """Return the places of a line through points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def bars(spans: Iterable[tuple[float, float]], y: float, height: float) -> str:
    """Return the places of bars of one height, each at least half a px wide."""
    return "".join(
        f"M{number(a)} {number(y)}H{number(max(b, a + 0.5))}v{number(height)}H{number(a)}z" for a, b in spans
    )


def picture(
    name: str, width: float, height: float, label: str, told: Sequence[str], parts: Iterable[str], **more: object
) -> str:
    """Return a whole picture.

    Args:
        name: Its class, beside `picture`.
        width: In px of its own coordinates.
        height: Likewise.
        label: What it shows, in a few words.
        told: What can be seen on it, in sentences, for readers who can't see it.
        parts: Its elements.
        more: Further attributes.
    """
    inside = title(label) + (f"<desc>{escape(' '.join(told))}</desc>" if told else "") + "".join(parts)
    frame = f"0 0 {number(width)} {number(height)}"
    return element(
        "svg", inside, class_=f"picture {name}", viewBox=frame, width=float(width), role="img", aria_label=label, **more
    )


def thinned(points: Sequence[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """Return points of which a line strays from the given ones by at most `tolerance` in height (Douglas–Peucker).

    >>> thinned([(0, 0), (1, 0.01), (2, 0), (3, 5)], 0.1)
    [(0, 0), (2, 0), (3, 5)]
    """
    kept = {0, len(points) - 1}
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        (x1, y1), (x2, y2) = points[first], points[last]
        slope = (y2 - y1) / (x2 - x1) if x2 != x1 else 0.0
        off = [
            (abs(y1 + slope * (x - x1) - y), place) for place, (x, y) in enumerate(points[first + 1 : last], first + 1)
        ]
        worst, place = max(off, default=(0.0, first))
        if worst > tolerance:
            kept.add(place)
            waiting += [(first, place), (place, last)]
    return [points[place] for place in sorted(kept)]


def joined(spans: Iterable[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Return spans, sorted, of which those less than `gap` apart are one."""
    result: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if result and start - result[-1][1] < gap:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result
