"""SQLite on a disk that forgets what was not synced: the power can be cut at any moment, and what is left looked at.

The disk is a file layer (VFS) of apsw; SQLAlchemy talks to apsw's SQLite through the few calls of DB-API that it needs.
So the store's own code runs on it: its engine, its pragmas, its one writing connection and its transactions.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

SECTOR = 512
VFS_NAME = "forgetful"


@dataclass
class FileOnDisk:
    """A file: what is safe, and the writes since the last sync, each an offset and bytes, or a new length."""

    safe: bytearray = field(default_factory=bytearray)
    unsafe: list[tuple[int, bytes | None]] = field(default_factory=list)

    def apply(self, writes: Sequence[tuple[int, bytes | None]]) -> bytearray:
        """Return the content after some writes."""
        content = bytearray(self.safe)
        for offset, data in writes:
            if data is None:
                del content[offset:]
                continue
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
        return content


class Disk:
    """All files written through it; programs see every write, a power cut only what was synced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, FileOnDisk] = {}
        self._syncs: Counter[str] = Counter()
        self.layer = _Layer(self)

    def opened(self, name: str) -> None:
        """Take a file as it is on disk."""
        path = Path(name)
        with self._lock:
            if name not in self._files:
                self._files[name] = FileOnDisk(bytearray(path.read_bytes()) if path.exists() else bytearray())

    def written(self, name: str, offset: int, data: bytes | None) -> None:
        """Note a write that isn't safe yet; without data the file is cut at the offset."""
        with self._lock:
            self._files[name].unsafe.append((offset, data))

    def synced(self, name: str) -> None:
        """Make what was written to a file safe."""
        with self._lock:
            file = self._files[name]
            file.safe, file.unsafe = file.apply(file.unsafe), []
            self._syncs[name] += 1

    def syncs_of(self, ending: str) -> int:
        """Return how often files with an ending of their name were synced."""
        return sum(count for name, count in self._syncs.items() if name.endswith(ending))

    def deleted(self, name: str) -> None:
        """Forget a file."""
        with self._lock:
            self._files.pop(name, None)

    def cut_power(self, folder: Path, random: Random) -> None:
        """Write what a power cut at this moment would leave into a folder.

        Of what wasn't synced, each sector may or may not have come through: disks write in any order. Every third cut
        leaves nothing of it, every third some of the first writes.
        """
        kept = random.choice(("nothing", "first", "any"))
        folder.mkdir()
        with self._lock:
            for name, file in self._files.items():
                (folder / Path(name).name).write_bytes(file.apply(list(_came_through(file.unsafe, kept, random))))


def _came_through(
    unsafe: Sequence[tuple[int, bytes | None]], kept: str, random: Random
) -> Iterator[tuple[int, bytes | None]]:
    if kept == "nothing":
        return
    if kept == "first":
        yield from unsafe[: random.randint(0, len(unsafe))]
        return
    for offset, data in unsafe:
        if data is None:
            if random.random() < 0.5:
                yield offset, None
            continue
        for start in range(0, len(data), SECTOR):
            if random.random() < 0.5:
                yield offset + start, data[start : start + SECTOR]


class _Layer(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        super().__init__(VFS_NAME, "")
        self._disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> _OpenFile:
        return _OpenFile(self._disk, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        super().xDelete(name, sync_folder)
        self._disk.deleted(name)


class _OpenFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name if name is None or isinstance(name, str) else name.filename()
        if self._name is not None:
            disk.opened(self._name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        if self._name is not None:
            self._disk.written(self._name, offset, bytes(data))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        if self._name is not None:
            self._disk.written(self._name, size, None)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        if self._name is not None:
            self._disk.synced(self._name)


# What SQLAlchemy's SQLite dialect asks of a DB-API module.

apilevel, threadsafety, paramstyle = "2.0", 1, "qmark"
sqlite_version = apsw.sqlite_lib_version()
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))
Binary = bytes


class Error(Exception): ...


class InterfaceError(Error): ...


class DatabaseError(Error): ...


class OperationalError(DatabaseError): ...


class IntegrityError(DatabaseError): ...


class ProgrammingError(DatabaseError): ...


class InternalError(DatabaseError): ...


class DataError(DatabaseError): ...


class NotSupportedError(DatabaseError): ...


def connect(database: str, **_: Any) -> Connection:
    """Return a connection to a file on the disk."""
    return Connection(apsw.Connection(database, vfs=VFS_NAME))


class Connection:
    """A connection as DB-API has it."""

    isolation_level: str | None = None

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    def cursor(self) -> Cursor:
        return Cursor(self.connection)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        cursor = self.cursor()
        cursor.execute(statement, parameters)
        return cursor

    def create_function(self, *_: Any, **__: Any) -> None:
        """Do without: the store uses no functions of its own."""

    def commit(self) -> None:
        if self.connection.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close(True)


class Cursor:
    """A cursor that has read all its rows."""

    arraysize = 1

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._run(lambda cursor: cursor.execute(statement, tuple(parameters)))

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        self._run(lambda cursor: cursor.executemany(statement, map(tuple, parameters)))

    def _run(self, how: Any) -> None:
        cursor = self.connection.cursor()
        self.description = None

        def described(running: apsw.Cursor, _statement: str, _bindings: Any) -> bool:
            columns = running.get_description()
            self.description = tuple((name, kind, *[None] * 5) for name, kind in columns) or None
            return True

        cursor.exec_trace = described
        before = self.connection.total_changes()
        try:
            self._rows = list(how(cursor))
        except apsw.ConstraintError as error:
            raise IntegrityError(str(error)) from error
        except apsw.Error as error:
            raise OperationalError(str(error)) from error
        self.rowcount = self.connection.total_changes() - before
        self.lastrowid = self.connection.last_insert_rowid()

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._rows = []
