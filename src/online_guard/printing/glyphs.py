"""What the font of printed papers can't show is printed by its code point, and told: never as a silent box."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pylopdf_fonts_zh_cn
from fontTools.ttLib import TTFont

FONT = pylopdf_fonts_zh_cn.sans_path()
"""Noto Sans SC (SIL OFL 1.1), the same on every machine."""


def printable(value: Any) -> tuple[Any, tuple[str, ...]]:
    """Return plain data (as of JSON) whose texts the font can show, and the characters it lacks, sorted.

    Each of these becomes 〓 with its code point, such as `〓(U+20BB7)`, so that a person can be told apart and the
    character written by hand. Line ends and variation selectors need no glyph.
    """
    missing: set[str] = set()

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            lacks = set(value) - _characters()
            missing.update(lacks)
            return value.translate({ord(one): f"〓(U+{ord(one):04X})" for one in lacks}) if lacks else value
        if isinstance(value, dict):
            return {key: shown(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [shown(item) for item in value]
        return value

    shown_value = shown(value)
    return shown_value, tuple(sorted(missing))


@lru_cache(maxsize=1)
def _characters() -> frozenset[str]:
    """Return every character that needs no replacing."""
    with TTFont(FONT, lazy=True) as font:
        known = {chr(point) for point in font.getBestCmap()}
    selectors = {chr(point) for points in (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)) for point in points}
    return frozenset(known | selectors | {"\n"})
