"""Reads an import and makes it visible at one stroke; killed at any moment, it begins anew and leaves nothing doubled.

The long part (unpacking, reading, checking, packing) writes only into a private folder; one transaction at the end
keeps it all, together with the state `done`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
from pyarrow import ArrowException
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Events
from online_guard.ingest import archives, intake
from online_guard.ingest.bundle import EVENTS_NDJSON, EVENTS_PARQUET, Bundle, open_bundle
from online_guard.ingest.course import read_course
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.rows import LikenessRow
from online_guard.ingest.tables import CLASSES, TABLES, read_lines
from online_guard.service import import_learners
from online_guard.service.house import House, clock_ms
from online_guard.service.import_admission import admit
from online_guard.service.import_border import OTHER_PLATFORM, Border
from online_guard.service.import_events import write_ready
from online_guard.service.import_merging import foreign_likenesses, is_strange
from online_guard.service.import_prepared import FACTS, Prepared
from online_guard.service.import_report import ACCEPTED, DUPLICATE, Report
from online_guard.store import import_rows, queries
from online_guard.store.evidence_loader import load_events
from online_guard.store.import_rows import DONE, FAILED, READING, RECEIVED
from online_guard.store.import_tables import ImportRecord
from online_guard.store.tables import SessionRecord
from online_guard.store.unit_of_work import reading, writing

BODY = "body"
COURSES = ("course.toml", "course.json")
"""Beside logs in a zip: what their names mean (docs/adapters.md)."""
TRIES = 3
"""Something an import names may come into being while it is read; then it is read again."""


def folder_of(house: House, import_id: str) -> Path:
    """Return the private folder of an import."""
    return house.settings.data_dir / "imports" / import_id


def import_once(house: House, import_id: str) -> None:
    """Read a received import and make it visible, or make it `failed` with the reason; one that is done stays so.

    Raises:
        GuardError: It can't be read now, and should be tried again: no room, or the body lies on another machine.
    """
    with writing(house.engine) as database:
        if not import_rows.move(database, import_id, (RECEIVED, READING), state=READING, read=0):
            return
        record = database.get_one(ImportRecord, import_id)
    folder = folder_of(house, import_id)
    for tries in range(1, TRIES + 1):
        try:
            _read_and_admit(house, record, folder)
            break
        except IntegrityError:
            if tries == TRIES:
                raise
        except GuardError as error:
            if error.kind is ErrorKind.UNAVAILABLE:
                raise
            _fail(house, import_id, error)
            break
    shutil.rmtree(folder, ignore_errors=True)
    house.work.set()


def _fail(house: House, import_id: str, error: GuardError) -> None:
    problem = {"code": error.code, "detail": " ".join((error.message, error.remedy)).strip(), "where": error.where}
    with writing(house.engine) as database:
        import_rows.move(
            database, import_id, (READING,), state=FAILED, finished_ms=clock_ms(), problem=json.dumps(problem)
        )


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside an import's; what a killed reading left is removed."""
    if not (folder / BODY).exists():
        raise GuardError(
            ErrorKind.UNAVAILABLE, "import.no_body", "文件不在本机 / the body isn't on this machine", where=folder.name
        )
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
    with TemporaryDirectory(dir=folder) as name:
        yield Path(name)


def _read_and_admit(house: House, record: ImportRecord, folder: Path) -> None:
    with _workshop(folder) as work:
        report = Report()
        path = _bundle_folder(house, record, archives.unpack(folder / BODY, work / "unpacked"), work, report)
        prepared = _prepare(house, record, path, work / "ready", report)
        with writing(house.engine) as database:
            if not import_rows.move(database, record.import_id, (READING,), state=DONE, finished_ms=clock_ms()):
                return
            touched = admit(house, database, prepared)
            counts = json.dumps(report.counts())
            import_rows.move(database, record.import_id, (DONE,), counts=counts, problem=None)
            import_rows.put_pages(database, record.import_id, report.pages())
            queries.enqueue(database, sorted(touched), clock_ms())


def _bundle_folder(house: House, record: ImportRecord, files: list[Path], work: Path, report: Report) -> Path:
    """Return the folder of a bundle: the one that was sent, or one made of the logs that were."""
    if {path.name for path in files} & {CLASSES, EVENTS_NDJSON, EVENTS_PARQUET, *TABLES}:
        _refuse_monstrous(work / "unpacked" / EVENTS_PARQUET)
        return work / "unpacked"
    courses = [path for path in files if path.name in COURSES]
    logs = [path for path in files if path not in courses]
    if not logs or len(courses) > 1:
        raise GuardError(
            ErrorKind.INVALID,
            "import.no_logs",
            "压缩包中既无数据包也无日志 / neither a bundle nor logs in it",
            remedy="数据包须含 classes.json / a bundle has classes.json.",
        )
    taken = intake.take_in(
        logs,
        house.policy,
        course=read_course(courses[0]) if courses else None,
        pseudonyms=Pseudonyms(house.vault.blind_index(f"names in logs of {record.platform_id}").encode()),
        platform_id=record.platform_id,
    )
    for log in taken.inputs:
        report.count("records", ACCEPTED, log.kept)
        report.count("records", DUPLICATE, log.duplicates)
        report.count("records", "not_playback", log.not_playback.total())
    report.refuse((replace(row, file=_log_name(row.file)) for row in taken.refused), "records")
    intake.write(taken, work / "bundle")
    return work / "bundle"


def _log_name(path: str) -> str:
    name = Path(path).name
    return "log" if name == BODY else name


MOST_ROWS = 100_000_000
MOST_GROUP_ROWS, MOST_GROUP_BYTES = 4_000_000, 1024**3
"""Of a Parquet file, and of each of its row groups: a group is read whole (BUNDLE: about a million rows)."""


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


def _prepare(house: House, record: ImportRecord, path: Path, ready: Path, report: Report) -> Prepared:
    """Read a bundle, and write its events ready to be kept."""
    with reading(house.engine) as database:
        border = Border(database, record.platform_id, _learner_of(house, database, record.platform_id))
        bundle = open_bundle(path, border)
        sessions = sorted(_rows(bundle, "sessions.ndjson"), key=lambda row: (row.platform_id, row.session_id))
        stored = import_rows.sessions_of(database, record.platform_id, [row.session_id for row in sessions])
        facts = {file: list(_rows(bundle, file)) for file in FACTS if file != "likenesses.ndjson"}
        facts["likenesses.ndjson"] = list(_own_likenesses(database, bundle, record.platform_id, report))
    report.refuse(bundle.refused)
    known = {place: stored[row.session_id] for place, row in enumerate(sessions) if row.session_id in stored}
    _tell_total(house, record.import_id, path)
    last = write_ready(
        bundle,
        known,
        lambda place: _stored_events(house, known[place]),
        ready,
        report,
        lambda rows: _tell(house, record.import_id, read=rows),
    )
    strange = frozenset(place for place, row in known.items() if is_strange(row, sessions[place]))
    return Prepared(record, bundle.evidence, border.known, sessions, known, strange, facts, last, ready, report)


def _learner_of(house: House, database: Session, platform_id: str) -> Callable[[str], str]:
    return lambda name: import_learners.learners_of(house, database, platform_id, {name})[name]


def _rows(bundle: Bundle, file: str) -> Iterator[Any]:
    """Yield the good rows of a table about sessions."""
    refused = {row.line for row in bundle.refused if row.file == file}
    return (row for line, row in read_lines(bundle.path / file, TABLES[file], []) if line not in refused)


def _own_likenesses(database: Session, bundle: Bundle, platform_id: str, report: Report) -> Iterator[LikenessRow]:
    """Yield the good likenesses that speak of this platform's captures alone."""
    file = "likenesses.ndjson"
    refused = {row.line for row in bundle.refused if row.file == file}
    rows = [(line, row) for line, row in read_lines(bundle.path / file, LikenessRow, []) if line not in refused]
    foreign = foreign_likenesses(database, [row for _, row in rows], platform_id)
    for line, row in rows:
        if row.other_id in foreign:
            refusal = Refusal(f"所比对的照片{OTHER_PLATFORM} `{row.other_id}`", "other_id")
            report.refuse([refusal.of(file, line)])
        else:
            yield row


def _stored_events(house: House, record: SessionRecord) -> Events:
    with reading(house.engine) as database:
        return load_events(database, {record.row_id: 0})


def _tell_total(house: House, import_id: str, path: Path) -> None:
    try:
        total = pq.read_metadata(path / EVENTS_PARQUET).num_rows
    except (ArrowException, OSError):
        return
    _tell(house, import_id, total=total)


def _tell(house: House, import_id: str, **values: int) -> None:
    """Write down how far a reading is."""
    with writing(house.engine) as database:
        import_rows.move(database, import_id, (READING,), **values)
