"""Events of past months in files beside the database, read back by the same queries: nothing judged changes.

The row of such a chunk stays, and holds in the place of its columns where they lie: a file, a place in it, and their
digest. A file that is missing or altered is an error, never a session without events.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, Pool, select, update
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.chunk_tables import EventChunkRecord
from online_guard.store.folders import sync_folder
from online_guard.store.tables import SessionRecord

COLD = b"\2"
"""First byte of a chunk whose columns lie in a file; `event_chunks` has the others."""
_PLACE = struct.Struct("<QI32s")
_FOLDERS: WeakKeyDictionary[Pool, Path] = WeakKeyDictionary()


class Moved(NamedTuple):
    """A chunk that is to be moved: its row, its columns, and what will stand for them."""

    row_id: int
    columns: bytes
    place: bytes


def keep_in(engine: Engine, folder: Path) -> None:
    """Let the events of past months of a database lie in a folder, the same one for all its hosts."""
    _FOLDERS[engine.pool] = folder


def _folder_of(database: Session | Connection) -> Path | None:
    bind = database if isinstance(database, Connection) else database.get_bind()
    return _FOLDERS.get((bind.engine if isinstance(bind, Connection) else bind).pool)


def fetched(database: Session | Connection, columns: Iterable[bytes]) -> list[bytes]:
    """Return the columns of chunks, those that lie in files from there.

    Raises:
        GuardError: A file isn't there, or isn't what was written.
    """
    found: list[bytes] = []
    files: dict[str, BinaryIO] = {}
    with ExitStack() as opened:
        for stored in columns:
            if stored[:1] != COLD:
                found.append(stored)
                continue
            offset, length, digest = _PLACE.unpack_from(stored, 1)
            name = stored[1 + _PLACE.size :].decode()
            try:
                if name not in files:
                    files[name] = opened.enter_context(((_folder_of(database) or Path()) / name).open("rb"))
                files[name].seek(offset)
                content = files[name].read(length)
            except OSError as error:
                raise _lost(name, "读不到 / can't be read") from error
            if hashlib.sha256(content).digest() != digest:
                raise _lost(name, "内容已变 / was altered")
            found.append(content)
    return found


def _lost(name: str, what: str) -> GuardError:
    return GuardError(
        ErrorKind.UNAVAILABLE,
        "events.cold_file",
        f"已移出数据库的事件文件{what}",
        where=name,
        remedy="请检查 events_dir,或从备份恢复 / check events_dir, or restore it from a backup.",
    )


def sessions_where(database: Session, *conditions: ColumnElement[bool]) -> list[tuple[int, int | None]]:
    """Return row and time of the close (ms, None while open) of some sessions, oldest first."""
    query = select(SessionRecord.row_id, SessionRecord.closed_received_ms).where(*conditions)
    return [(row, closed_ms) for row, closed_ms in database.execute(query.order_by(SessionRecord.row_id))]


def warm_chunks(database: Session, sessions: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return row and columns of the chunks of sessions that lie in the database, in the order of their rows."""
    query = select(EventChunkRecord.row_id, EventChunkRecord.columns).where(EventChunkRecord.session_row.in_(sessions))
    rows = database.execute(query.order_by(EventChunkRecord.row_id))
    return [(row_id, columns) for row_id, columns in rows if columns[:1] != COLD]


def write_file(folder: Path, month: str, chunks: Sequence[tuple[int, bytes]]) -> list[Moved]:
    """Write chunks into one file, on disk before this returns; the same ones again give the same file."""
    content = b"".join(columns for _, columns in chunks)
    name = f"{month}/{hashlib.sha256(content).hexdigest()[:32]}.events"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    for parent in (path.parent, folder):
        sync_folder(parent)
    moved, offset = [], 0
    for row_id, columns in chunks:
        place = _PLACE.pack(offset, len(columns), hashlib.sha256(columns).digest())
        moved.append(Moved(row_id, columns, COLD + place + name.encode()))
        offset += len(columns)
    return moved


def let_go(database: Session, moved: Sequence[Moved]) -> int:
    """Put places of files where the columns were; return how many chunks that were. One changed since is left alone."""
    count = 0
    for chunk in moved:
        change = update(EventChunkRecord).where(
            EventChunkRecord.row_id == chunk.row_id, EventChunkRecord.columns == chunk.columns
        )
        done = database.execute(change.values(columns=chunk.place).returning(EventChunkRecord.row_id))
        count += done.scalar() is not None
    return count
