"""A body that comes in parts: begin, go on where the line broke, and have it read once it is whole (tus 1.0 core)."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest import archives
from online_guard.service.house import House, clock_ms
from online_guard.service.importing.import_sources import BODY
from online_guard.service.importing.import_work import folder_of
from online_guard.service.importing.imports import ask, new_record, summary
from online_guard.store import import_rows
from online_guard.store.import_rows import FAILED, UPLOADING
from online_guard.store.import_tables import ImportRecord
from online_guard.store.unit_of_work import reading, writing

MOST_PART_BYTES = 8 * 1024 * 1024
"""Of one part of an upload."""
MOST_UPLOADS = 8
"""Of one platform, unfinished: 4 GiB of disk."""
UPLOAD_MS = 24 * 3_600_000
"""An upload that isn't finished after this makes room for others."""


def begin(house: House, platform_id: str, sha256: str, size: int, now_ms: int) -> dict[str, Any]:
    """Begin to take a body in parts, or go on with it; return its import, `kept_bytes` of which are here already.

    Raises:
        GuardError: Too large, no SHA-256, or too many unfinished uploads.
    """
    if not 0 < size <= archives.MOST_BYTES:
        raise _too_large(size)
    if len(sha256) != hashlib.sha256().digest_size * 2 or not set(sha256) <= set("0123456789abcdef"):
        raise GuardError(
            ErrorKind.INVALID,
            "import.no_sha256",
            "须在 Upload-Metadata 中给出 sha256 / the upload must say its sha256",
            where="Upload-Metadata",
            remedy="sha256 为 64 位小写十六进制的 base64 / base64 of 64 lower-case hex digits.",
        )
    with writing(house.engine) as database:
        record = import_rows.by_content(database, platform_id, sha256)
        if record is not None and record.state != FAILED:
            return summary(record)
        _make_room(house, database, platform_id, now_ms)
        if record is None:
            record = new_record(platform_id, sha256, size, now_ms)
            database.add(record)
        record.state, record.kept_bytes, record.size, record.created_ms = UPLOADING, 0, size, now_ms
        record.problem = record.finished_ms = None
        folder_of(house, record.import_id).mkdir(mode=0o700, parents=True, exist_ok=True)
        database.flush()
        return summary(record)


def _too_large(size: int) -> GuardError:
    return GuardError(
        ErrorKind.TOO_LARGE,
        "body.too_large",
        f"须为 1 字节至 512 MiB,声明为 {size:,} / 1 byte to 512 MiB, not {size:,}",
        where="Upload-Length",
        remedy="请分次导入 / send several imports.",
    )


def _make_room(house: House, database: Session, platform_id: str, now_ms: int) -> None:
    """Give up uploads of yesterday; refuse another one where too many are unfinished."""
    waiting = import_rows.unfinished_uploads(database, platform_id)
    for record in waiting:
        if now_ms - record.created_ms > UPLOAD_MS:
            detail = "上传未在 24 小时内完成 / the upload wasn't finished within 24 h"
            record.state, record.finished_ms = FAILED, now_ms
            record.problem = json.dumps({"code": "import.upload_expired", "detail": detail, "where": ""})
            (folder_of(house, record.import_id) / BODY).unlink(missing_ok=True)
    if sum(record.state == UPLOADING for record in waiting) >= MOST_UPLOADS:
        raise GuardError(
            ErrorKind.CONFLICT,
            "import.too_many_uploads",
            f"已有 {MOST_UPLOADS} 个未完成的上传 / {MOST_UPLOADS} uploads are unfinished",
            remedy="请先完成它们,或 24 小时后再试 / finish them, or try again after 24 h.",
        )


def upload(house: House, import_id: str, platform_id: str | None) -> tuple[int, int]:
    """Return how many bytes of an upload are here, and of how many.

    Raises:
        GuardError: No such import.
    """
    with reading(house.engine) as database:
        record = import_rows.find(database, import_id, platform_id)
        return record.kept_bytes, record.size


def add_part(
    house: House, import_id: str, platform_id: str | None, offset: int, part: BinaryIO, size: int, now_ms: int
) -> int:
    """Take the next part of an upload; return how many bytes are here now. The last part makes it a received import.

    Args:
        house: The service.
        import_id: Of the upload.
        platform_id: Whose it is.
        offset: Where the part begins: where the parts before it end.
        part: Its bytes.
        size: How many.
        now_ms: The service's clock: with the last part the import is received.

    Raises:
        GuardError: No such upload, it is finished, another offset, or the whole isn't what was promised.
    """
    with reading(house.engine) as database:
        record = import_rows.find(database, import_id, platform_id)
    if record.state != UPLOADING or offset != record.kept_bytes or offset + size > record.size:
        raise _wrong_offset(record)
    path = folder_of(house, import_id) / BODY
    _write(path, offset, part)
    end = offset + size
    if end == record.size:
        _check_whole(house, record, path)
    with writing(house.engine) as database:
        record = import_rows.find(database, import_id, platform_id)
        if record.state != UPLOADING or record.kept_bytes != offset:
            raise _wrong_offset(record)
        record.kept_bytes = end
        if end == record.size:
            ask(house, database, record, now_ms)
    return end


def _write(path: Path, offset: int, part: BinaryIO) -> None:
    """Put a part behind what is on disk, on disk before this returns; what a broken one left there is overwritten."""
    with path.open("r+b" if path.exists() else "x+b") as file:
        file.seek(offset)
        file.truncate()
        while block := part.read(1024 * 1024):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _wrong_offset(record: ImportRecord) -> GuardError:
    return GuardError(
        ErrorKind.CONFLICT,
        "import.wrong_offset",
        f"已收到 {record.kept_bytes:,} / {record.size:,} 字节,状态 {record.state} / bytes kept, of how many, state",
        where="Upload-Offset",
        remedy="请以 HEAD 查询后续传 / ask with HEAD, and go on from there.",
    )


def _check_whole(house: House, record: ImportRecord, path: Path) -> None:
    """Refuse an upload that isn't the body that was promised, or can't be an import; it then begins anew."""
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != record.sha256:
                raise GuardError(
                    ErrorKind.INVALID,
                    "import.other_body",
                    "内容与所声明的 sha256 不符 / the body isn't the one whose sha256 was promised",
                    remedy="请重新上传 / upload it again.",
                )
        archives.inspect(path)
    except GuardError as error:
        problem = {"code": error.code, "detail": error.message, "where": error.where}
        with writing(house.engine) as database:
            values = {"state": FAILED, "kept_bytes": 0, "finished_ms": clock_ms(), "problem": json.dumps(problem)}
            import_rows.move(database, record.import_id, (UPLOADING,), **values)
        path.unlink(missing_ok=True)
        raise
