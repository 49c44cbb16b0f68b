"""The directory of a zip: what it names is a few plain files of one folder, or it is refused.

A zip is believed only where two readers can't differ: the directory at its very end, no comment, no zip64.
"""

from __future__ import annotations

import re
import stat
import unicodedata
import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from online_guard.errors import ErrorKind, GuardError

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
_END, _END_BYTES = b"PK\x05\x06", 22
_LOCATOR64, _LOCATOR64_BYTES = b"PK\x06\x07", 20
_NESTED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""First bytes of archives and packed files."""
_DRIVE = re.compile(r"^[A-Za-z]:")
FAULTS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError)


def opened(path: Path) -> zipfile.ZipFile:
    """Return a zip whose directory is small enough to be read.

    Raises:
        GuardError: It is broken, or has too many entries.
    """
    with path.open("rb") as file:
        _check_end(file, path.stat().st_size)
    return _directory(path)


def opened_bytes(content: bytes) -> zipfile.ZipFile:
    """Return a zip in memory; the rest as `opened`."""
    _check_end(BytesIO(content), len(content))
    return _directory(BytesIO(content))


def _directory(source: Path | BytesIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except FAULTS as error:
        raise broken(error) from error


def _check_end(file: BinaryIO, size: int) -> None:
    """Refuse a directory that is too large to be read, before it is."""
    file.seek(max(0, size - _END_BYTES - _LOCATOR64_BYTES))
    tail = file.read()
    end = tail[-_END_BYTES:]
    if not end.startswith(_END) or end[-2:] != b"\0\0":
        raise broken("末尾不是 zip 目录,或带注释 / the directory isn't at the very end, or has a comment")
    entries, directory = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if tail[:-_END_BYTES].startswith(_LOCATOR64) or entries == 0xFFFF:
        raise refused(ErrorKind.INVALID, "zip64", "不接受 zip64 / zip64 isn't accepted")
    if entries > MOST_ENTRIES or directory > MOST_DIRECTORY_BYTES:
        raise refused(
            ErrorKind.TOO_LARGE,
            "too_many_entries",
            f"压缩包超过 {MOST_ENTRIES} 个文件 / the zip has more than {MOST_ENTRIES} entries ({entries})",
        )


def files_in(packed: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """Return the files of a zip; directories are left out.

    Raises:
        GuardError: An entry isn't a plain file of this folder, comes twice, or is too large for what it was packed to.
    """
    if len(packed.infolist()) > MOST_ENTRIES:
        raise refused(ErrorKind.TOO_LARGE, "too_many_entries", "压缩包文件过多 / too many entries")
    seen: set[str] = set()
    for entry in packed.infolist():
        _check_place(entry)
        name = unicodedata.normalize("NFC", entry.filename).casefold().rstrip("/")
        if name in seen:
            raise entry_refused("duplicate_name", entry.orig_filename, "文件名重复 / the name comes twice")
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
        raise entry_refused("leaves_folder", name, "路径越出文件夹或含非法字符 / the name leaves its folder")


def _check_kind(entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise entry_refused("link", entry.filename, "不是普通文件(链接或设备) / a link or device, no plain file")
    if entry.flag_bits & 0x41:
        raise entry_refused("encrypted", entry.filename, "文件已加密 / the entry is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise entry_refused("method", entry.filename, "只接受 stored 与 deflate / only stored and deflated entries")


def _check_sizes(files: list[zipfile.ZipInfo], size: int) -> None:
    total, packed = sum(entry.file_size for entry in files), sum(entry.compress_size for entry in files)
    if packed > size:
        raise refused(ErrorKind.INVALID, "overlapping", "压缩包内文件相互重叠 / entries lie over each other")
    for entry in files:
        if entry.file_size > SMALL_BYTES and entry.file_size > MOST_RATIO * entry.compress_size:
            words = f"解压超过 {MOST_RATIO} 倍 / it unpacks to more than {MOST_RATIO} times its size"
            raise entry_refused("ratio", entry.filename, words, ErrorKind.TOO_LARGE)
    if total > MOST_UNPACKED_BYTES:
        words = f"解压后超过 {MOST_UNPACKED_BYTES >> 30} GiB / it unpacks to more than {MOST_UNPACKED_BYTES >> 30} GiB"
        raise refused(ErrorKind.TOO_LARGE, "too_large", words)


def refuse_nested(name: str, head: bytes) -> None:
    """Refuse a file that is packed itself."""
    if head.startswith(_NESTED):
        raise entry_refused("nested", name, "压缩包内又有压缩文件 / a packed file inside a packed file")


def broken(error: Exception | str, where: str = "") -> GuardError:
    """Return the error for an archive that can't be read."""
    if isinstance(error, GuardError):
        return error
    return GuardError(
        ErrorKind.MALFORMED,
        "import.broken_archive",
        f"压缩文件损坏 / the archive is broken: {error}",
        where=where,
        remedy="请重新打包后再发 / pack it again.",
    )


def entry_refused(code: str, name: str, words: str, kind: ErrorKind = ErrorKind.INVALID) -> GuardError:
    """Return the error for one entry."""
    return refused(kind, code, f"{words}: {name!r:.200}", name)


def refused(kind: ErrorKind, code: str, words: str, where: str = "") -> GuardError:
    """Return the error for a body that isn't taken."""
    remedy = "未作任何导入 / nothing was imported."
    return GuardError(kind, f"import.{code}", words, where=where, remedy=remedy)
