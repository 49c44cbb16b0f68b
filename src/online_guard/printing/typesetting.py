"""From plain data and a template to a PDF: the same bytes for the same input, on every machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from online_guard.errors import ErrorKind, GuardError
from online_guard.printing import compile_pdf
from online_guard.printing.glyphs import FONT, printable

COMMAND = (sys.executable, "-P", compile_pdf.__file__)
"""With -P, so that no module of its folder stands before one of Python's."""
ROOT = Path(__file__).parents[1]
"""What templates may read: they import `/printing/common.typ`."""


@dataclass(frozen=True)
class Made:
    """A file's bytes, the same for the same papers.

    Args:
        body: The bytes.
        missing: Characters of names and texts that the font lacks, sorted; each is printed as 〓 with its code point.
    """

    body: bytes
    missing: tuple[str, ...] = ()


def typeset(template: str, data: Mapping[str, Any], timestamp_s: int) -> Made:
    """Return the PDF of a template, for which `data` holds texts and numbers ready to be set.

    Args:
        template: Path of a `.typ` file in this package, without the ending, such as `printing/notice`.
        data: What the template reads as `data`; `missing` is added: whether the font lacks something of it.
        timestamp_s: When the PDF says it was made, in s since 1970: with it the same data give the same bytes.

    Raises:
        GuardError: The process ended without a PDF: it was killed for want of memory, or a template is wrong.
    """
    shown, missing = printable(dict(data))
    asked = {
        "root": str(ROOT),
        "template": template,
        "font_path": str(FONT.parent),
        "data": json.dumps({**shown, "missing": bool(missing)}, ensure_ascii=False),
        "timestamp": timestamp_s,
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
    """Return the error's own line; those above it may show a person's name."""
    return errors.decode(errors="replace").strip().rpartition("\n")[2]
