"""What a platform posts as one body → files in a private folder, or a refusal before anything is unpacked.

A zip is believed only where two readers can't differ: the directory at its very end, no comment, no zip64. Names,
kinds, sizes and first bytes of all entries are looked at before the first is unpacked, and sizes are counted again
while it is.
"""

from __future__ import annotations

import gzip
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

import numpy as np

from online_guard.errors import ErrorKind, GuardError

MOST_BYTES = 512 * 1024 * 1024
"""Of a body (an import holds a year of a large platform in Parquet)."""
MOST_ENTRIES = 64
"""A bundle has 14 files; zip programs add a few of their own."""
MOST_DIRECTORY_BYTES = 256 * 1024
"""Of a zip's central directory: 64 names, each as long as a name may be."""
MOST_UNPACKED_BYTES = 8 * 1024**3
"""Of all files together: 512 MiB of JSON lines, packed sixteenfold."""
MOST_RATIO = 200
"""Of unpacked to packed size; JSON lines of events reach 40, deflate alone 1 032."""
SMALL_BYTES = 1024 * 1024
"""Below this a ratio says nothing: a short file of equal rows packs well."""
MOST_TEXT_BYTES = 2 * 1024**3
"""Of a file of JSON lines, whose events may have to be sorted in memory."""
MOST_DOCUMENT_BYTES = 512 * 1024 * 1024
"""Of any other text: a JSON document is decoded in one piece."""
MOST_LINE_BYTES = 64 * 1024
"""Of a line of a bundle: many lines are decoded at once. A row of BUNDLE has at most some 5 000 bytes of ids."""
_BLOCK = 1024 * 1024
_END, _END_BYTES = b"PK\x05\x06", 22
_LOCATOR64, _LOCATOR64_BYTES = b"PK\x06\x07", 20
_NESTED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""First bytes of archives and packed files."""
_DRIVE = re.compile(r"^[A-Za-z]:")
_FAULTS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError)


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
        raise _refused(ErrorKind.INVALID, "empty", "空文件 / an empty body")
    if is_zip(path):
        with _opened(path) as packed:
            entries = _entries(packed, path.stat().st_size)
            for entry in entries:
                _refuse_nested(entry.filename, _head(packed, entry))


def _head(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with packed.open(entry) as file:
            return file.read(8)
    except _FAULTS as error:
        raise _broken(error, entry.filename) from error


def unpack(path: Path, folder: Path) -> list[Path]:
    """Return the files of a body, unpacked into a new folder that only its owner can enter.

    A plain file stays where it is; a gzip is unpacked, a zip without its one top folder.

    Raises:
        GuardError: As `inspect`, or a file is larger than it or this service says, or the disk is too small.
    """
    folder.mkdir(mode=0o700)
    if is_zip(path):
        with _opened(path) as packed:
            return list(_unpacked(packed, path, folder))
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return [path]
    target = folder / "log"
    try:
        with gzip.open(path, "rb") as source:
            most = min(MOST_DOCUMENT_BYTES, max(path.stat().st_size * MOST_RATIO, SMALL_BYTES))
            _copy(cast("IO[bytes]", source), target, most, path.name)
    except _FAULTS as error:
        raise _broken(error) from error
    return [target]


def _opened(path: Path) -> zipfile.ZipFile:
    with path.open("rb") as file:
        _check_end(file, path.stat().st_size)
    try:
        return zipfile.ZipFile(path)
    except _FAULTS as error:
        raise _broken(error) from error


def _check_end(file: BinaryIO, size: int) -> None:
    """Refuse a directory that is too large to be read, before it is."""
    file.seek(max(0, size - _END_BYTES - _LOCATOR64_BYTES))
    tail = file.read()
    end = tail[-_END_BYTES:]
    if not end.startswith(_END) or end[-2:] != b"\0\0":
        raise _broken("末尾不是 zip 目录,或带注释 / the directory isn't at the very end, or has a comment")
    entries, directory = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if tail[:-_END_BYTES].startswith(_LOCATOR64) or entries == 0xFFFF:
        raise _refused(ErrorKind.INVALID, "zip64", "不接受 zip64 / zip64 isn't accepted")
    if entries > MOST_ENTRIES or directory > MOST_DIRECTORY_BYTES:
        raise _refused(
            ErrorKind.TOO_LARGE,
            "too_many_entries",
            f"压缩包超过 {MOST_ENTRIES} 个文件 / the zip has more than {MOST_ENTRIES} entries ({entries})",
        )


def _entries(packed: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """Return the files of a zip; directories are left out.

    Raises:
        GuardError: An entry isn't a plain file of this folder, comes twice, or is too large for what it was packed to.
    """
    if len(packed.infolist()) > MOST_ENTRIES:
        raise _refused(ErrorKind.TOO_LARGE, "too_many_entries", "压缩包文件过多 / too many entries")
    seen: set[str] = set()
    for entry in packed.infolist():
        _check_place(entry)
        name = unicodedata.normalize("NFC", entry.filename).casefold().rstrip("/")
        if name in seen:
            raise _entry_refused("duplicate_name", entry.orig_filename, "文件名重复 / the name comes twice")
        seen.add(name)
        _check_kind(entry)
    files = [entry for entry in packed.infolist() if not entry.is_dir()]
    _check_sizes(files, size)
    return files


def _check_place(entry: zipfile.ZipInfo) -> None:
    """Refuse a name that another system, or another reader, could take for a place outside the folder."""
    name = entry.orig_filename
    parts = PurePosixPath(name).parts
    if (
        "\\" in name
        or name.startswith("/")
        or _DRIVE.match(name)
        or ".." in parts
        or not parts
        or len(name) > 512
        or not name.isprintable()
        or entry.filename != name
    ):
        raise _entry_refused("leaves_folder", name, "路径越出文件夹或含非法字符 / the name leaves its folder")


def _check_kind(entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _entry_refused("link", entry.filename, "不是普通文件(链接或设备) / a link or device, no plain file")
    if entry.flag_bits & 0x41:
        raise _entry_refused("encrypted", entry.filename, "文件已加密 / the entry is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _entry_refused("method", entry.filename, "只接受 stored 与 deflate / only stored and deflated entries")


def _check_sizes(files: list[zipfile.ZipInfo], size: int) -> None:
    total, packed = sum(entry.file_size for entry in files), sum(entry.compress_size for entry in files)
    if packed > size:
        raise _refused(ErrorKind.INVALID, "overlapping", "压缩包内文件相互重叠 / entries lie over each other")
    for entry in files:
        if entry.file_size > SMALL_BYTES and entry.file_size > MOST_RATIO * entry.compress_size:
            words = f"解压超过 {MOST_RATIO} 倍 / it unpacks to more than {MOST_RATIO} times its size"
            raise _entry_refused("ratio", entry.filename, words, ErrorKind.TOO_LARGE)
    if total > MOST_UNPACKED_BYTES:
        words = f"解压后超过 {MOST_UNPACKED_BYTES >> 30} GiB / it unpacks to more than {MOST_UNPACKED_BYTES >> 30} GiB"
        raise _refused(ErrorKind.TOO_LARGE, "too_large", words)


def _unpacked(packed: zipfile.ZipFile, path: Path, folder: Path) -> Iterator[Path]:
    entries = _entries(packed, path.stat().st_size)
    _check_room(folder, sum(entry.file_size for entry in entries))
    tops = {PurePosixPath(entry.filename).parts[0] for entry in entries}
    is_wrapped = len(tops) == 1 and all(len(PurePosixPath(entry.filename).parts) > 1 for entry in entries)
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts[is_wrapped:]
        if len(parts) > 1:
            raise _entry_refused("subfolder", entry.filename, "数据包没有子文件夹 / a bundle has no folders inside")
        target = folder / parts[0]
        try:
            with packed.open(entry) as source:
                _copy(source, target, entry.file_size, entry.filename)
        except _FAULTS as error:
            raise _broken(error, entry.filename) from error
        _check_text(target)
        yield target


def _check_room(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed + MOST_BYTES:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "import.no_room",
            "磁盘空间不足,暂不能解压 / the disk has no room to unpack it",
            remedy="稍后重试 / try again later.",
        )


def _copy(source: IO[bytes], target: Path, most: int, name: str) -> None:
    written = 0
    with target.open("xb") as file:
        while block := source.read(_BLOCK):
            if not written:
                _refuse_nested(name, block[:8])
            written += len(block)
            if written > most:
                raise _entry_refused("too_large", name, "解压后超出声明或上限 / larger than declared, or than allowed")
            file.write(block)


def _check_text(path: Path) -> None:
    """Refuse a text that would not fit into memory: a long document, or long lines, of which many are decoded at once.

    A damaged Parquet file is its reader's to refuse.
    """
    size = path.stat().st_size
    most = MOST_TEXT_BYTES if path.suffix == ".ndjson" else MOST_DOCUMENT_BYTES
    if path.suffix != ".parquet" and size > most:
        words = f"解压后超过 {most >> 20} MiB / more than {most >> 20} MiB unpacked"
        raise _entry_refused("too_large", path.name, words, ErrorKind.TOO_LARGE)
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
                raise _entry_refused("long_line", where, words, ErrorKind.TOO_LARGE)
            line += len(ends)
            last = int(ends[-1]) if len(ends) else last


def _refuse_nested(name: str, head: bytes) -> None:
    if head.startswith(_NESTED):
        raise _entry_refused("nested", name, "压缩包内又有压缩文件 / a packed file inside a packed file")


def _broken(error: Exception | str, where: str = "") -> GuardError:
    if isinstance(error, GuardError):
        return error
    return GuardError(
        ErrorKind.MALFORMED,
        "import.broken_archive",
        f"压缩文件损坏 / the archive is broken: {error}",
        where=where,
        remedy="请重新打包后再发 / pack it again.",
    )


def _entry_refused(code: str, name: str, words: str, kind: ErrorKind = ErrorKind.INVALID) -> GuardError:
    return _refused(kind, code, f"{words}: {name!r:.200}", name)


def _refused(kind: ErrorKind, code: str, words: str, where: str = "") -> GuardError:
    remedy = "未作任何导入 / nothing was imported."
    return GuardError(kind, f"import.{code}", words, where=where, remedy=remedy)
