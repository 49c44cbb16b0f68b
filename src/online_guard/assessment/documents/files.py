"""Which files there are, and how each is made: all at once into a folder, or one on demand."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from online_guard.assessment.documents.annex_two import annex_two_pdf
from online_guard.assessment.documents.calendars import class_calendar, office_calendar
from online_guard.assessment.documents.papers import Papers, of_class
from online_guard.assessment.documents.roster_pdf import roster_pdf
from online_guard.assessment.documents.roster_xlsx import roster_xlsx
from online_guard.assessment.documents.slips import slips_pdf
from online_guard.assessment.documents.statistics import statistics_pdf
from online_guard.errors import ErrorKind, GuardError
from online_guard.printing import Made


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


def make(papers: Papers, name: str, class_id: str | None = None) -> Made:
    """Return one file of `FILES`, of everybody or of one class, for its enterprise.

    Raises:
        GuardError: No file has this name, or nobody is of the class.
    """
    maker = _MAKERS.get(name)
    if maker is None:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "documents.unknown",
            f"没有此文件: {name} / there is no such file: {name}",
            remedy=f"可取 one of: {'、'.join(FILES)}",
        )
    if class_id is None:
        return maker(papers)
    return class_calendar(papers, class_id) if maker is office_calendar else maker(of_class(papers, class_id))


def write(papers: Papers, out: Path) -> Written:
    """Write every file of `FILES` into a folder, which is made, and `calendars/` with one for each class.

    All are made before the first is put in its place, so that an error leaves the folder as it was.

    Args:
        papers: What to write.
        out: The folder; files of these names in it are replaced.
    """
    made = {name: make(papers, name) for name in FILES}
    for class_id in sorted({one.class_id for one in papers.roster.candidates}):
        made[f"calendars/{file_name(class_id)}.ics"] = make(papers, "calendar.ics", class_id)
    (out / "calendars").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".papers.", dir=out) as scratch:
        for number, one in enumerate(made.values()):
            (Path(scratch) / str(number)).write_bytes(one.body)
        for number, name in enumerate(made):
            (Path(scratch) / str(number)).replace(out / name)
    missing = {character for one in made.values() for character in one.missing}
    return Written(tuple(out / name for name in made), tuple(sorted(missing)))


def file_name(name: str) -> str:
    """Return a name that every file system takes: unusual characters become _, and a digest keeps such names apart.

    >>> file_name("c-2021-001")
    'c-2021-001'
    >>> file_name("电商 1班")
    '电商_1班-6749b248'
    """
    plain = re.sub(r"[^\w-]", "_", name)[:60]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _roster_json(papers: Papers) -> Made:
    """Return the roster itself; days on which a site is closed are sorted, as a set has no order of its own."""
    content = papers.roster.model_dump(mode="json")
    for site in content["sites"]:
        site["closed_on"] = sorted(site["closed_on"])
    return Made((json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


_MAKERS: Mapping[str, Callable[[Papers], Made]] = {
    "roster.json": _roster_json,
    "roster.xlsx": roster_xlsx,
    "roster.pdf": roster_pdf,
    "slips.pdf": slips_pdf,
    "annex-2.pdf": annex_two_pdf,
    "statistics.pdf": statistics_pdf,
    "calendar.ics": office_calendar,
}
