"""Which files there are, and how each is made: all at once into a folder, or one on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from online_guard.assessment.documents.papers import Papers
from online_guard.errors import ErrorKind, GuardError


@dataclass(frozen=True)
class Made:
    """A file's bytes, the same for the same papers.

    Args:
        body: The bytes.
        missing: Characters of names and texts that the font lacks, sorted; each is printed as 〓 with its code point.
    """

    body: bytes
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """Files that were written, in the order of `FILES`, then a calendar for each class; and what the font lacks."""

    files: tuple[Path, ...]
    missing: tuple[str, ...]


FILES: Mapping[str, str] = {
    "roster.json": "application/json",
    "roster.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "roster.pdf": "application/pdf",
    "slips.pdf": "application/pdf",
    "annex-2.pdf": "application/pdf",
    "statistics.pdf": "application/pdf",
    "calendar.ics": "text/calendar; charset=utf-8",
}
"""Names of the files, each with its media type."""


def make(papers: Papers, name: str) -> Made:
    """Return one file of `FILES`.

    Raises:
        GuardError: No file has this name.
    """
    maker = _MAKERS.get(name)
    if maker is None:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "documents.unknown",
            f"没有此文件: {name} / there is no such file: {name}",
            remedy=f"可取 one of: {'、'.join(FILES)}",
        )
    return maker(papers)


def class_calendar(papers: Papers, class_id: str) -> Made:
    """Return an enterprise's calendar of one class (text/calendar), in which nobody is named.

    Raises:
        GuardError: No candidate of this or the version before is of the class.
    """
    raise NotImplementedError


def write(papers: Papers, out: Path) -> Written:
    """Write every file into a folder, which is made, `calendars/` with one for each class in it.

    Args:
        papers: What to write.
        out: The folder; files of these names in it are replaced.
    """
    raise NotImplementedError


_MAKERS: Mapping[str, Callable[[Papers], Made]] = {}
