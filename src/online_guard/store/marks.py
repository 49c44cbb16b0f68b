"""The rollback alarm: a number that grows with the database is remembered beside the key, outside of every backup.

A database whose number is less than the remembered one is an older one: what was acknowledged since is not in it.
The number is committed first and remembered afterwards, so a crash between the two raises no alarm. Whoever can write
the file beside the key can silence the alarm; the signed heads of the evidence log, given to others, can't be undone.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Engine, inspect
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.operation_tables import ONLY_ROW, MarkRecord, RollbackRecord
from online_guard.store.unit_of_work import reading, writing

LEAP = 1_000_000
"""After an accepted rollback the number goes on so far above the remembered one: other machines may remember more."""


@dataclass(frozen=True)
class Mark:
    """How far a database has come: its own name, its number and when it grew last, the number remembered for it."""

    database_id: str
    mark: int
    marked_ms: int
    remembered: int

    @property
    def is_older(self) -> bool:
        """Return whether the database is an older one than was seen before."""
        return self.mark < self.remembered


def look(engine: Engine, memory: Path) -> Mark:
    """Return how far the database has come, and what is remembered; a new one has come to 0.

    Args:
        engine: Of the database.
        memory: File beside the key.
    """
    remembered = _remembered(memory)  # read first: it may only lag behind the database
    with reading(engine) as database:
        is_known = inspect(database.connection()).has_table(MarkRecord.__tablename__)
        row = database.get(MarkRecord, ONLY_ROW) if is_known else None
    if row is None:
        return Mark("", 0, 0, 0)
    return Mark(row.database_id, row.mark, row.marked_ms, remembered.get(row.database_id, 0))


def refuse_older(engine: Engine, memory: Path) -> None:
    """Refuse a database that is older than the one seen last.

    Raises:
        GuardError: `database.rolled_back`.
    """
    mark = look(engine, memory)
    if mark.is_older:
        raise GuardError(
            ErrorKind.CONFLICT,
            "database.rolled_back",
            f"回滚警报:数据库比上次见到的旧(标记 {mark.mark},曾见 {mark.remembered}),其后已确认的数据不在其中 / "
            f"rollback alarm: this database is older than the one seen last (mark {mark.mark}, seen "
            f"{mark.remembered}); what was acknowledged since isn't in it",
            where=str(memory),
            remedy="请启用最新的数据库;确需使用此库时运行 online-guard acknowledge-rollback / "
            "start the newest one; to go on with this one, run that command.",
        )


def advance(engine: Engine, memory: Path, now_ms: int) -> int:
    """Let the number grow by one, committed and then remembered; return it."""
    with writing(engine) as database:
        row = _row(database)
        row.mark, row.marked_ms = row.mark + 1, now_ms
        database_id, mark = row.database_id, row.mark
    remember(memory, database_id, mark)
    return mark


def acknowledge(engine: Engine, memory: Path, reason: str, now_ms: int) -> Mark:
    """Record that an older database shall be used all the same, and let its number leap over the remembered one.

    Raises:
        GuardError: `database.not_rolled_back`: there is nothing to accept.
    """
    found = look(engine, memory)
    if not found.is_older:
        raise GuardError(
            ErrorKind.CONFLICT,
            "database.not_rolled_back",
            "数据库没有回滚,无需确认 / the database isn't older than the one seen last: nothing to accept",
            where=str(memory),
        )
    with writing(engine) as database:
        row = _row(database)
        row.mark, row.marked_ms = found.remembered + LEAP, now_ms
        told = {"found_mark": found.mark, "remembered_mark": found.remembered}
        database.add(RollbackRecord(acknowledged_ms=now_ms, reason=reason, **told))
    remember(memory, found.database_id, found.remembered + LEAP)
    return found


def remember(memory: Path, database_id: str, mark: int) -> None:
    """Keep a number on disk beside the key; a greater one that another process has kept stays."""
    with _locked(memory):
        known = _remembered(memory)
        known[database_id] = max(mark, known.get(database_id, 0))
        part = memory.with_suffix(".part")
        with part.open("wb") as file:
            file.write(msgspec.json.encode(known))
            file.flush()
            os.fsync(file.fileno())
        part.replace(memory)


def _row(database: Session) -> MarkRecord:
    row = database.get(MarkRecord, ONLY_ROW)
    if row is None:
        row = MarkRecord(row_id=ONLY_ROW, database_id=secrets.token_hex(16), mark=0, marked_ms=0)
        database.add(row)
    return row


def _remembered(memory: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(memory.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise GuardError(
            ErrorKind.INVALID,
            "database.bad_memory",
            "回滚警报的记录已损坏 / the memory of the rollback alarm is broken",
            where=str(memory),
            remedy="请从备份恢复该文件 / restore this file from a backup.",
        ) from error


@contextmanager
def _locked(memory: Path) -> Iterator[None]:
    memory.parent.mkdir(parents=True, exist_ok=True)
    with memory.with_suffix(".lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
