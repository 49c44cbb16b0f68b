"""Signs with their meaning, in rows."""

from __future__ import annotations

from collections.abc import Iterable

from online_guard.pictures import svg
from online_guard.pictures.canvas import wide

LEFT_PX, SIGN_PX, APART_PX, ROW_PX = 8.0, 28.0, 18.0, 18.0


def legend(items: Iterable[tuple[str, str]], top: float, width: float) -> tuple[list[str], float]:
    """Return the rows that explain signs, and where they end.

    Args:
        items: Each sign, up to 22 px wide around the middle of a line, and its words.
        top: Where the first row begins.
        width: Of the picture.
    """
    parts: list[str] = []
    x, y = LEFT_PX, top + 12
    for sign, words in items:
        taken = SIGN_PX + wide(words)
        if x > LEFT_PX and x + taken > width:
            x, y = LEFT_PX, y + ROW_PX
        place = f"translate({svg.number(x)} {svg.number(y)})"
        parts.append(svg.element("g", sign + svg.text(SIGN_PX, 4, "meaning", words), transform=place))
        x += taken + APART_PX
    return parts, y + 12
