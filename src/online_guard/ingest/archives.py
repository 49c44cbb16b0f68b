"""What a platform posts as one body → files in a private folder, or a refusal before anything is unpacked.

Names, kinds, sizes and first bytes of all entries are looked at before the first is unpacked (`zip_entries`), and sizes
are counted again while it is.
"""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

import numpy as np

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.zip_entries import (
    FAULTS,
    MOST_RATIO,
    SMALL_BYTES,
    broken,
    entry_refused,
    files_in,
    opened,
    refuse_nested,
    refused,
)

MOST_BYTES = 512 * 1024 * 1024
"""Of a body (an import holds a year of a large platform in Parquet)."""
MOST_TEXT_BYTES = 2 * 1024**3
"""Of a file of JSON lines, whose events may have to be sorted in memory."""
MOST_DOCUMENT_BYTES = 512 * 1024 * 1024
"""Of any other text: a JSON document is decoded in one piece."""
MOST_LINE_BYTES = 64 * 1024
"""Of a line of a bundle: many lines are decoded at once. A row of BUNDLE has at most some 5 000 bytes of ids."""
_BLOCK = 1024 * 1024


def is_zip(path: Path) -> bool:
    """Return whether a body claims to be a zip."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def inspect(path: Path) -> None:
    """Refuse a body that can't be taken, from its directory and its first bytes alone.

    Raises:
        GuardError: It is empty, or a zip that is broken, a bomb, encrypted, nested, or names a place outside.
    """
    if not path.stat().st_size:
        raise refused(ErrorKind.INVALID, "empty", "空文件 / an empty body")
    if is_zip(path):
        with opened(path) as packed:
            entries = files_in(packed, path.stat().st_size)
            for entry in entries:
                refuse_nested(entry.filename, _head(packed, entry))


def _head(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with packed.open(entry) as file:
            return file.read(8)
    except FAULTS as error:
        raise broken(error, entry.filename) from error


def unpack(path: Path, folder: Path) -> list[Path]:
    """Return the files of a body, unpacked into a new folder that only its owner can enter.

    A plain file stays where it is; a gzip is unpacked, a zip without its one top folder.

    Raises:
        GuardError: As `inspect`, or a file is larger than it or this service says, or the disk is too small.
    """
    folder.mkdir(mode=0o700)
    if is_zip(path):
        with opened(path) as packed:
            return list(_unpacked(packed, path, folder))
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return [path]
    target = folder / "log"
    try:
        with gzip.open(path, "rb") as source:
            most = min(MOST_DOCUMENT_BYTES, max(path.stat().st_size * MOST_RATIO, SMALL_BYTES))
            _copy(cast("IO[bytes]", source), target, most, path.name)
    except FAULTS as error:
        raise broken(error) from error
    return [target]


def _unpacked(packed: zipfile.ZipFile, path: Path, folder: Path) -> Iterator[Path]:
    entries = files_in(packed, path.stat().st_size)
    check_room(folder, sum(entry.file_size for entry in entries))
    tops = {PurePosixPath(entry.filename).parts[0] for entry in entries}
    is_wrapped = len(tops) == 1 and all(len(PurePosixPath(entry.filename).parts) > 1 for entry in entries)
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts[is_wrapped:]
        if len(parts) > 1:
            raise entry_refused("subfolder", entry.filename, "数据包没有子文件夹 / a bundle has no folders inside")
        target = folder / parts[0]
        try:
            with packed.open(entry) as source:
                _copy(source, target, entry.file_size, entry.filename)
        except FAULTS as error:
            raise broken(error, entry.filename) from error
        _check_text(target)
        yield target


def check_room(folder: Path, needed: int) -> None:
    """Refuse what would leave too little of a disk.

    Raises:
        GuardError: So many bytes, and a body's besides, don't fit.
    """
    if shutil.disk_usage(folder).free < needed + MOST_BYTES:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "import.no_room",
            "磁盘空间不足 / the disk has no room for it",
            remedy="稍后重试 / try again later.",
        )


def _copy(source: IO[bytes], target: Path, most: int, name: str) -> None:
    written = 0
    with target.open("xb") as file:
        while block := source.read(_BLOCK):
            if not written:
                refuse_nested(name, block[:8])
            written += len(block)
            if written > most:
                raise entry_refused("too_large", name, "解压后超出声明或上限 / larger than declared, or than allowed")
            file.write(block)


def _check_text(path: Path) -> None:
    """Refuse a text that would not fit into memory: a long document, or long lines, of which many are decoded at once.

    A damaged Parquet file is its reader's to refuse.
    """
    size = path.stat().st_size
    most = MOST_TEXT_BYTES if path.suffix == ".ndjson" else MOST_DOCUMENT_BYTES
    if path.suffix != ".parquet" and size > most:
        words = f"解压后超过 {most >> 20} MiB / more than {most >> 20} MiB unpacked"
        raise entry_refused("too_large", path.name, words, ErrorKind.TOO_LARGE)
    if path.suffix == ".ndjson":
        _refuse_long_lines(path)


def _refuse_long_lines(path: Path) -> None:
    offset, line, last = 0, 1, -1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + offset
            offset += len(block)
            lengths = np.diff(np.concatenate(([last], ends, [offset])))
            if lengths.max() > MOST_LINE_BYTES + 1:
                where = f"{path.name}:{line + int(lengths.argmax())}"
                words = f"一行超过 {MOST_LINE_BYTES:,} 字节 / a line of more than {MOST_LINE_BYTES:,} bytes"
                raise entry_refused("long_line", where, words, ErrorKind.TOO_LARGE)
            line += len(ends)
            last = int(ends[-1]) if len(ends) else last
