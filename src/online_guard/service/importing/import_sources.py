"""What was posted → the folder of a bundle: the one that was sent, or one made of the logs that were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
from pyarrow import ArrowException

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest import intake
from online_guard.ingest.bundle import EVENTS_NDJSON, EVENTS_PARQUET
from online_guard.ingest.course import read_course
from online_guard.ingest.derived_course import derived_class_id
from online_guard.ingest.intake import Intake
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.rows import ClassRow
from online_guard.ingest.tables import CLASSES, TABLES
from online_guard.service.house import House
from online_guard.service.importing.import_report import ACCEPTED, DUPLICATE, Report
from online_guard.store.import_tables import ImportRecord
from online_guard.store.tables import ClassRecord
from online_guard.store.unit_of_work import reading

BODY = "body"
"""Name of the file that was posted."""
COURSES = ("course.toml", "course.json")
"""Beside logs in a zip: what their names mean (docs/adapters.md)."""
MOST_ROWS = 100_000_000
MOST_GROUP_ROWS, MOST_GROUP_BYTES = 4_000_000, 1024**3
"""Of a Parquet file, and of each of its row groups: a group is read whole (BUNDLE: about a million rows)."""


@dataclass(frozen=True)
class Source:
    """A bundle that is ready to be read.

    Attributes:
        path: Its folder.
        growing: Id of the class that was derived from logs; None for a bundle.
        grown_from: That class as it was kept before; None when it wasn't.
    """

    path: Path
    growing: str | None = None
    grown_from: str | None = None


def bundle_of(house: House, record: ImportRecord, files: list[Path], work: Path, report: Report) -> Source:
    """Return the bundle of the files that were unpacked.

    Args:
        house: The service.
        record: The import.
        files: All in one folder.
        work: Empty folder for what is made of logs.
        report: Gets what became of the records of logs.

    Raises:
        GuardError: They are neither a bundle nor logs, or can't be read.
    """
    if {path.name for path in files} & {CLASSES, EVENTS_NDJSON, EVENTS_PARQUET, *TABLES}:
        _refuse_monstrous(files[0].parent / EVENTS_PARQUET)
        return Source(files[0].parent)
    courses = [path for path in files if path.name in COURSES]
    logs = [path for path in files if path not in courses]
    if not logs or len(courses) > 1:
        raise GuardError(
            ErrorKind.INVALID,
            "import.no_logs",
            "压缩包中既无数据包也无日志 / neither a bundle nor logs in it",
            remedy="数据包须含 classes.json / a bundle has classes.json.",
        )
    growing = None if courses else derived_class_id(record.platform_id)
    grown_from = None if growing is None else _kept(house, growing, record.platform_id)
    taken = intake.take_in(
        logs,
        house.policy,
        course=read_course(courses[0]) if courses else None,
        pseudonyms=Pseudonyms(house.vault.blind_index(f"names in logs of {record.platform_id}").encode()),
        platform_id=record.platform_id,
        derived=None if grown_from is None else msgspec.json.decode(grown_from, type=ClassRow),
    )
    _note(taken, report)
    intake.write(taken, work / "bundle")
    return Source(work / "bundle", growing, grown_from)


def _kept(house: House, class_id: str, platform_id: str) -> str | None:
    with reading(house.engine) as database:
        record = database.get(ClassRecord, class_id)
        return record.body if record is not None and record.platform_id == platform_id else None


def _note(taken: Intake, report: Report) -> None:
    for log in taken.inputs:
        report.count("records", ACCEPTED, log.kept)
        report.count("records", DUPLICATE, log.duplicates)
        report.count("records", "not_playback", log.not_playback.total())
    report.refuse((replace(row, file=_log_name(row.file)) for row in taken.refused), "records")


def _log_name(path: str) -> str:
    name = Path(path).name
    return "log" if name == BODY else name


def _refuse_monstrous(path: Path) -> None:
    """Refuse a Parquet file that says of itself that it won't fit into memory; one that can't be read is its reader's.

    A few bytes of it may stand for thousands of millions of rows.
    """
    try:
        metadata = pq.read_metadata(path)
    except (ArrowException, OSError):
        return
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    large = any(group.num_rows > MOST_GROUP_ROWS or group.total_byte_size > MOST_GROUP_BYTES for group in groups)
    if metadata.num_rows > MOST_ROWS or large:
        raise GuardError(
            ErrorKind.TOO_LARGE,
            "import.too_many_events",
            f"事件过多:每个行组至多 {MOST_GROUP_ROWS:,} 行 1 GiB,共 {MOST_ROWS:,} 行 / too many events for one file",
            where=path.name,
            remedy="请写成约一百万行的行组,或分次导入 / write row groups of about a million rows, or several imports.",
        )
