"""From plain data and a template of this folder to a PDF: the same bytes for the same input, on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

from online_guard.assessment.documents.glyphs import FONT, printable
from online_guard.assessment.documents.papers import Made, Papers
from online_guard.assessment.documents.words import published, published_text, window_zh

TEMPLATES = Path(__file__).parent


def typeset(papers: Papers, template: str, data: Mapping[str, Any]) -> Made:
    """Return the PDF of a template, for which `data` holds texts and numbers ready to be set.

    Args:
        papers: Whose window, version and time of publication stand on every page.
        template: Name of a `.typ` file here, without the ending.
        data: What the template reads as `data`.
    """
    shown, missing = printable({**data, "paper": _paper(papers)})
    shown["missing"] = [f"〓(U+{ord(one):04X})" for one in missing]
    body = typst.compile(
        TEMPLATES / f"{template}.typ",
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(shown, ensure_ascii=False)},
        pdf_tags=False,
        timestamp=int(published(papers.roster).timestamp()),
    )
    return Made(body, missing)


def _paper(papers: Papers) -> dict[str, Any]:
    roster = papers.roster
    return {
        "window": roster.window,
        "window_zh": window_zh(roster.window),
        "version": roster.version,
        "published": published_text(roster),
        "policy": papers.policy.title,
    }


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONT.parent])
