"""Logs after the fact: taking a body, and telling what became of it."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from online_guard.ingest import archives
from online_guard.ingest.live import DAY_MS
from online_guard.service.house import House, clock_ms
from online_guard.service.importing.import_report import KINDS, rows_of
from online_guard.service.importing.import_sources import BODY
from online_guard.service.importing.import_work import folder_of
from online_guard.store import import_rows, jobs
from online_guard.store.folders import sync_folder
from online_guard.store.import_rows import DONE, FAILED, READING, RECEIVED, UPLOADING
from online_guard.store.import_tables import ImportRecord
from online_guard.store.unit_of_work import reading, writing

LISTED = 100
PARKED = {
    "code": "import.parked",
    "detail": "多次读取失败,等待运维人员处理 / reading it failed again and again; an operator has to look",
    "where": "",
}


def new_file(house: House) -> Path:
    """Return a file for a body that is about to come, which only the service can read.

    Raises:
        GuardError: The disk has no room for it.
    """
    folder = house.settings.imports
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    archives.check_room(folder, archives.MOST_BYTES)
    for left in folder.glob("incoming-*.part"):  # of a process that was killed while a body came
        with suppress(FileNotFoundError):  # others come and go meanwhile
            if clock_ms() - left.stat().st_mtime * 1000 > DAY_MS:
                left.unlink()
    path = folder / f"incoming-{secrets.token_hex(8)}.part"
    path.touch(mode=0o600)
    return path


def receive(house: House, platform_id: str, path: Path, sha256: str, now_ms: int) -> dict[str, Any]:
    """Take a whole body; return its import. The same body again is the same import, unless that one failed.

    Args:
        house: The service.
        platform_id: Whose classes and sessions it holds.
        path: The body, a file of `new_file`; it is moved.
        sha256: Of the body.
        now_ms: The service's clock.

    Raises:
        GuardError: It can't be an import; nothing is kept of it.
    """
    archives.inspect(path)
    size = path.stat().st_size
    with writing(house.engine) as database:
        record = import_rows.by_content(database, platform_id, sha256)
        if record is not None and record.state not in (UPLOADING, FAILED):
            return summary(record)
        if record is None:
            record = new_record(platform_id, sha256, size, now_ms)
            database.add(record)
        _take(house, record, path, size)
        database.flush()
        ask(house, database, record, now_ms)
        return summary(record)


def new_record(platform_id: str, sha256: str, size: int, now_ms: int) -> ImportRecord:
    """Return an import of which nothing is here yet."""
    return ImportRecord(
        import_id=f"import-{secrets.token_hex(12)}",
        platform_id=platform_id,
        sha256=sha256,
        size=size,
        kept_bytes=0,
        state=UPLOADING,
        created_ms=now_ms,
        read=0,
    )


def _take(house: House, record: ImportRecord, path: Path, size: int) -> None:
    """Put a body where its import looks for it, on disk before this returns."""
    folder = folder_of(house, record.import_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.replace(folder / BODY)
    sync_folder(folder)
    record.size = record.kept_bytes = size


def ask(house: House, database: Session, record: ImportRecord, now_ms: int) -> None:
    """Have an import read by a worker."""
    record.state, record.problem, record.finished_ms, record.created_ms = RECEIVED, None, None, now_ms
    jobs.ask(database, import_rows.DUTY, record.import_id, clock_ms())
    house.work.set()


def told(
    house: House, import_id: str, platform_id: str | None, kind: str | None = None, number: int = 0
) -> dict[str, Any]:
    """Return state, progress, counts and a page of each list of an import: refused, duplicate and conflicting rows.

    Args:
        house: The service.
        import_id: Of the import.
        platform_id: Whose it is; None where the caller may see all.
        kind: The list of which a further page is wanted; then the others are left out.
        number: Of that page.

    Raises:
        GuardError: No such import.
    """
    with reading(house.engine) as database:
        record = import_rows.find(database, import_id, platform_id)
        answer = summary(record) | {"cursors": {}}
        if record.state == READING and import_rows.is_parked(database, import_id):
            answer["problem"] = PARKED
        for one in KINDS:
            rows, follows = None, False
            if record.state == DONE and kind in (None, one):
                rows, follows = import_rows.page(database, import_id, one, number)
            answer[f"{one}_rows"] = rows_of(rows)
            answer["cursors"][one] = f"{one}.{number + 1}" if follows else None
        return answer


def listed(house: House, platform_id: str | None, before: tuple[int, str] | None) -> dict[str, Any]:
    """Return imports, the newest first, and where the next page begins.

    Args:
        house: The service.
        platform_id: Whose; None for all.
        before: Moment and id of the last one of the page before.
    """
    with reading(house.engine) as database:
        records = import_rows.listed(database, platform_id, before, LISTED + 1)
        shown = records[:LISTED]
        follows = len(records) > LISTED
        cursor = f"{shown[-1].created_ms}.{shown[-1].import_id}" if follows else None
        return {"imports": [summary(record) for record in shown], "next_cursor": cursor}


def summary(record: ImportRecord) -> dict[str, Any]:
    """Return what is told of an import without its rows."""
    return {
        "import_id": record.import_id,
        "platform_id": record.platform_id,
        "state": record.state,
        "sha256": record.sha256,
        "size": record.size,
        "received_bytes": record.kept_bytes,
        "created_ms": record.created_ms,
        "finished_ms": record.finished_ms,
        "progress": {"read": record.read, "total": record.total},
        "counts": json.loads(record.counts) if record.counts else {},
        "problem": json.loads(record.problem) if record.problem else None,
        "provenance": "import",
    }
