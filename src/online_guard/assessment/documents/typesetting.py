"""From the data of a paper and a template of this folder to a PDF that names window, version and time on every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from online_guard import printing
from online_guard.assessment.documents.papers import Papers
from online_guard.assessment.documents.words import published, published_text, window_zh
from online_guard.printing import Made


def typeset(papers: Papers, template: str, data: Mapping[str, Any]) -> Made:
    """Return the PDF of a template, for which `data` holds texts and numbers ready to be set.

    Args:
        papers: Whose window, version and time of publication stand on every page.
        template: Name of a `.typ` file here, without the ending.
        data: What the template reads as `data`.

    Raises:
        GuardError: The process ended without a PDF: it was killed for want of memory, or a template is wrong.
    """
    timestamp_s = int(published(papers.roster).timestamp())
    return printing.typeset(f"assessment/documents/{template}", {**data, "paper": _paper(papers)}, timestamp_s)


def _paper(papers: Papers) -> dict[str, Any]:
    roster = papers.roster
    return {
        "window": roster.window,
        "window_zh": window_zh(roster.window),
        "version": roster.version,
        "published": published_text(roster),
        "policy": papers.policy_title,
    }
