"""From plain data and a template of this folder to a PDF: the same bytes for the same input, on every machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from online_guard.assessment.documents import compile_pdf
from online_guard.assessment.documents.glyphs import FONT, printable
from online_guard.assessment.documents.papers import Made, Papers
from online_guard.assessment.documents.words import published, published_text, window_zh
from online_guard.errors import ErrorKind, GuardError

COMMAND = (sys.executable, "-P", compile_pdf.__file__)
"""With -P, so that no module of this folder (`statistics`) stands before one of Python's."""


def typeset(papers: Papers, template: str, data: Mapping[str, Any]) -> Made:
    """Return the PDF of a template, for which `data` holds texts and numbers ready to be set.

    Args:
        papers: Whose window, version and time of publication stand on every page.
        template: Name of a `.typ` file here, without the ending.
        data: What the template reads as `data`.

    Raises:
        GuardError: The process ended without a PDF: it was killed for want of memory, or a template is wrong.
    """
    shown, missing = printable({**data, "paper": _paper(papers)})
    asked = {
        "root": str(Path(compile_pdf.__file__).parent),
        "template": template,
        "font_path": str(FONT.parent),
        "data": json.dumps({**shown, "missing": bool(missing)}, ensure_ascii=False),
        "timestamp": int(published(papers.roster).timestamp()),
    }
    ended = subprocess.run(COMMAND, input=json.dumps(asked).encode(), capture_output=True, check=False)  # noqa: S603 - our own
    if ended.returncode != 0:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "papers.not_made",
            f"文件未能生成,可能内存不足 / the file couldn't be made, perhaps for want of memory: {template}, "
            f"{ended.returncode}: {_last_line(ended.stderr)}",
            remedy="请稍后重试,或换内存更大的机器 / try again later, or where there is more memory.",
        )
    return Made(ended.stdout, missing)


def _last_line(errors: bytes) -> str:
    """Return the error's own line; those above it may show a candidate's name."""
    return errors.decode(errors="replace").strip().rpartition("\n")[2]


def _paper(papers: Papers) -> dict[str, Any]:
    roster = papers.roster
    return {
        "window": roster.window,
        "window_zh": window_zh(roster.window),
        "version": roster.version,
        "published": published_text(roster),
        "policy": papers.policy_title,
    }
