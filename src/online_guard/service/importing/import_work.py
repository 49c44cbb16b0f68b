"""Reads an import and makes it visible at one stroke; killed at any moment, it begins anew and leaves nothing doubled.

The long part (unpacking, reading, checking, packing) writes only into a private folder; one transaction at the end
keeps it all, together with the state `done`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
from pyarrow import ArrowException
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Events
from online_guard.ingest import archives
from online_guard.ingest.bundle import EVENTS_PARQUET, Bundle, open_bundle
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.rows import LikenessRow
from online_guard.ingest.tables import TABLES, read_lines
from online_guard.service.house import House, clock_ms
from online_guard.service.importing import import_learners, import_sources
from online_guard.service.importing.import_admission import admit
from online_guard.service.importing.import_border import OTHER_PLATFORM, Border
from online_guard.service.importing.import_events import write_ready
from online_guard.service.importing.import_merging import foreign_likenesses, is_strange
from online_guard.service.importing.import_prepared import FACTS, Prepared
from online_guard.service.importing.import_report import Report
from online_guard.service.importing.import_sources import BODY, Source
from online_guard.store import import_rows, queries
from online_guard.store.evidence_loader import load_events
from online_guard.store.import_rows import DONE, FAILED, READING, RECEIVED
from online_guard.store.import_tables import ImportRecord
from online_guard.store.unit_of_work import reading, writing

TRIES = 3
"""Something an import names may come into being while it is read; then it is read again."""


def folder_of(house: House, import_id: str) -> Path:
    """Return the private folder of an import."""
    return house.settings.imports / import_id


def import_once(house: House, import_id: str) -> None:
    """Read a received import and make it visible, or make it `failed` with the reason; one that is done stays so.

    Raises:
        GuardError: It can't be read now, and should be tried again: no room, or the body lies on another machine.
    """
    with writing(house.engine) as database:
        if not import_rows.move(database, import_id, (RECEIVED, READING), state=READING, read=0):
            return
        record = database.get_one(ImportRecord, import_id)
    body = _body(folder_of(house, import_id))
    read_from = body.stat().st_ino
    for tries in range(1, TRIES + 1):
        try:
            _read_and_admit(house, record, body)
            break
        except IntegrityError:
            if tries == TRIES:
                raise
        except GuardError as error:
            if error.kind is ErrorKind.UNAVAILABLE:
                raise
            _fail(house, import_id, error)
            break
    if body.exists() and body.stat().st_ino == read_from:  # else one that failed was sent again meanwhile
        shutil.rmtree(body.parent, ignore_errors=True)
    house.work.set()


def _body(folder: Path) -> Path:
    if not (folder / BODY).exists():
        raise GuardError(
            ErrorKind.UNAVAILABLE, "import.no_body", "文件不在本机 / the body isn't on this machine", where=folder.name
        )
    return folder / BODY


def _fail(house: House, import_id: str, error: GuardError) -> None:
    problem = {"code": error.code, "detail": " ".join((error.message, error.remedy)).strip(), "where": error.where}
    with writing(house.engine) as database:
        import_rows.move(
            database, import_id, (READING,), state=FAILED, finished_ms=clock_ms(), problem=json.dumps(problem)
        )


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside an import's; what a killed reading left is removed."""
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
    with TemporaryDirectory(dir=folder) as name:
        yield Path(name)


def _read_and_admit(house: House, record: ImportRecord, body: Path) -> None:
    with _workshop(body.parent) as work:
        report = Report()
        source = import_sources.bundle_of(house, record, archives.unpack(body, work / "unpacked"), work, report)
        prepared = _prepare(house, record, source, work / "ready", report)
        with writing(house.engine) as database:
            if not import_rows.move(database, record.import_id, (READING,), state=DONE, finished_ms=clock_ms()):
                return
            touched = admit(house, database, prepared)
            counts = json.dumps(report.counts())
            import_rows.move(database, record.import_id, (DONE,), counts=counts, problem=None)
            import_rows.put_pages(database, record.import_id, report.pages())
            queries.enqueue(database, sorted(touched), clock_ms())


def _prepare(house: House, record: ImportRecord, source: Source, ready: Path, report: Report) -> Prepared:
    """Read a bundle, and write its events ready to be kept."""
    with reading(house.engine) as database:
        learner_of = _learner_of(house, database, record.platform_id)
        border = Border(database, record.platform_id, learner_of, source.growing)
        bundle = open_bundle(source.path, border)
        sessions = sorted(_rows(bundle, "sessions.ndjson"), key=lambda row: (row.platform_id, row.session_id))
        stored = import_rows.sessions_of(database, record.platform_id, [row.session_id for row in sessions])
        facts = {file: list(_rows(bundle, file)) for file in FACTS if file != "likenesses.ndjson"}
        facts["likenesses.ndjson"] = list(_own_likenesses(database, bundle, record.platform_id, report))
    report.refuse(bundle.refused)
    known = {place: stored[row.session_id] for place, row in enumerate(sessions) if row.session_id in stored}
    _tell_total(house, record.import_id, source.path)
    last = write_ready(
        bundle,
        known,
        lambda places: _stored_events(house, {known[place].row_id: place for place in places}),
        ready,
        report,
        lambda rows: _tell(house, record.import_id, read=rows),
    )
    strange = frozenset(place for place, row in known.items() if is_strange(row, sessions[place]))
    return Prepared(
        record,
        bundle.evidence,
        border.known,
        sessions,
        known,
        strange,
        facts,
        last,
        ready,
        report,
        source.growing,
        source.grown_from,
    )


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


def _stored_events(house: House, place_of: dict[int, int]) -> Events:
    with reading(house.engine) as database:
        return load_events(database, place_of)


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
