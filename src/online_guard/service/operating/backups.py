"""Backup and restore: the database as it is at one moment, the sealed pictures, on request the keys; and a manifest.

Whatever was restored is older than what was there: the rollback alarm keeps the service from starting until a person
has accepted that, and everyone who was erased since is erased again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from online_guard import __version__
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import clock_ms
from online_guard.service.operating import erasures
from online_guard.settings import Settings
from online_guard.store import condition, copies, marks
from online_guard.store.unit_of_work import open_engine

FORMAT = "online-guard backup 1"
MANIFEST, PICTURES, EVENTS, KEYS, ERASURES = "manifest.json", "pictures", "events", "keys", "erasures.ndjson"
NO_PG_DUMP = "未安装 pg_dump,请用 pg_basebackup 等备份 / pg_dump isn't installed: use pg_basebackup or the like"


class File(msgspec.Struct, frozen=True):
    """A file of a backup."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. `mark` is that of its database, `tables` its last migration, `without_database` why not."""

    format: str
    version: str
    created_ms: int
    database_id: str
    mark: int
    tables: str
    without_database: str
    files: list[File]


@dataclass(frozen=True)
class Done:
    """How much was copied, in files and bytes."""

    files: int
    size: int
    without_database: str = ""


def back_up(settings: Settings, target: Path, *, with_keys: bool, with_pictures: bool = True) -> Done:
    """Make a backup; the service may go on meanwhile.

    Pictures are copied after the database, so that every picture that it names is there.

    Args:
        settings: Of the machine.
        target: A folder, or a file that ends in `.tar`; it must not be there.
        with_keys: Whether the key files are copied too. Without them the backup can't be read, by anybody.
        with_pictures: Whether the sealed pictures are copied.

    Raises:
        GuardError: There is such a target, or a copy failed.
    """
    if target.exists():
        raise _refused("target", str(target), "已存在 / it is there already")
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))  # mode 0700
    try:
        manifest = _fill(settings, folder, with_keys=with_keys, with_pictures=with_pictures)
        if target.suffix == ".tar":
            packed = folder.with_suffix(".part")
            with tarfile.open(packed, "w") as archive:
                archive.add(folder, ".")
            packed.chmod(0o600)
            packed.replace(target)
        else:
            folder.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Done(len(manifest.files), sum(file.size for file in manifest.files), manifest.without_database)


def _fill(settings: Settings, folder: Path, *, with_keys: bool, with_pictures: bool) -> Manifest:
    engine = open_engine(settings.database)
    try:
        marks.refuse_older(engine, settings.memory_file)
        mark = marks.look(engine, settings.memory_file)
        copied = copies.copy_database(engine, folder)
        tables = condition.present_tables(engine)
        for _ in range(2):  # the copy may hold a mark that another process has set meanwhile, which is one more
            marks.advance(engine, settings.memory_file, clock_ms())
    finally:
        engine.dispose()
    _copy_folder(settings.events, folder / EVENTS)
    if with_pictures:
        _copy_folder(settings.pictures, folder / PICTURES)
    erased = erasures.list_file(settings)
    if erased.exists():
        _copy_file(erased, folder / ERASURES)
    if with_keys:
        for name, key in _key_files(settings).items():
            if key.exists():
                _copy_file(key, folder / KEYS / name)
    why = "" if copied is not None else NO_PG_DUMP
    files = [_described(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    manifest = Manifest(FORMAT, __version__, clock_ms(), mark.database_id, mark.mark, tables, why, files)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest


def _key_files(settings: Settings) -> dict[str, Path]:
    return {"master.key": settings.key_file, "log.key": settings.signing_key_file}


def _copy_folder(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix != ".part":
            try:
                _copy_file(path, target / path.relative_to(source))
            except FileNotFoundError:
                continue  # it has expired meanwhile, or its person was erased


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as original:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as copy:
            shutil.copyfileobj(original, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())


def _described(path: Path, folder: Path) -> File:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path.relative_to(folder).as_posix(), path.stat().st_size, sha256)


def restore(settings: Settings, source: Path, *, with_keys: bool) -> Done:
    """Put a backup back, after every file of it was compared with the manifest; the database comes last.

    Args:
        settings: Of the machine; there must be no database and no pictures yet.
        source: A folder or `.tar` file that `back_up` made.
        with_keys: Whether its keys are put back too.

    Raises:
        GuardError: It isn't whole, or there is something already in the place of it.
    """
    with _unpacked(source) as folder:
        manifest = _checked(folder)
        database = next((path for name in copies.NAMES if (path := folder / name).exists()), None)
        pictures = settings.pictures
        if pictures.exists() and any(pictures.iterdir()):
            raise _refused("not_empty", str(pictures), "已有图片,请先移走 / there are pictures: move them away first")
        for name, place in _key_files(settings).items() if with_keys else ():
            if (folder / KEYS / name).exists():
                _put_key(folder / KEYS / name, place)
        if (folder / ERASURES).exists():
            _add_lines(folder / ERASURES, erasures.list_file(settings))
        for name, target in ((PICTURES, pictures), (EVENTS, settings.events)):
            _copy_folder(folder / name, target)
        if database is not None:
            marks.remember(settings.memory_file, manifest.database_id, manifest.mark + 2)
            copies.put_back(settings.database, database)
    return Done(len(manifest.files), sum(file.size for file in manifest.files), manifest.without_database)


def _put_key(source: Path, target: Path) -> None:
    if target.exists():
        if target.read_bytes() != source.read_bytes():
            raise _refused("other_key", str(target), "已有另一密钥,请先移走 / there is another key: move it away first")
        return
    _copy_file(source, target)


def _add_lines(source: Path, target: Path) -> None:
    """Add the lines that a list of erasures lacks: nobody who was erased may be forgotten by it."""
    known = target.read_text("utf-8").splitlines() if target.exists() else []
    lacking = [line for line in source.read_text("utf-8").splitlines() if line not in known]
    target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lacking)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=source.parent) as folder:
        try:
            with tarfile.open(source, "r:") as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise _refused("unreadable", str(source), f"不是备份 / not a backup: {type(error).__name__}") from error
        yield Path(folder)


def _checked(folder: Path) -> Manifest:
    """Return the manifest of a backup whose files are exactly those that it names."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise _refused("unreadable", str(folder / MANIFEST), "没有可读的清单 / no readable manifest") from error
    if manifest.format != FORMAT:
        raise _refused("unreadable", str(folder / MANIFEST), f"未知格式 / unknown format: {manifest.format!r:.60}")
    named = {file.path: file for file in manifest.files}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for path in sorted(named.keys() ^ present):
        why = "清单中没有 / not in the manifest" if path in present else "缺失 / missing"
        raise _refused("incomplete", path, f"备份不完整 / the backup isn't whole: {why}")
    for file in manifest.files:
        is_inside = not PurePosixPath(file.path).is_absolute() and ".." not in PurePosixPath(file.path).parts
        if not is_inside or _described(folder / file.path, folder) != file:
            raise _refused("changed", file.path, "与清单的 SHA-256 不符 / it isn't what the manifest says (SHA-256)")
    return manifest


def _refused(code: str, where: str, why: str) -> GuardError:
    return GuardError(ErrorKind.CONFLICT, f"backup.{code}", why, where=where)
