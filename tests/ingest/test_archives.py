"""Bodies of imports: what is unpacked, and what is refused before it is."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from online_guard.errors import GuardError
from online_guard.ingest import archives, zip_entries

Write = Callable[[zipfile.ZipFile], None]


def packed(tmp_path: Path, write: Write, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "body"
    with zipfile.ZipFile(path, "w", method) as archive:
        write(archive)
    return path


def refused(path: Path, tmp_path: Path, *, early: bool = True) -> str:
    """Return the code with which a body is refused; it is so before anything is unpacked, when `early`."""
    with pytest.raises(GuardError) as refusal:
        archives.inspect(path) if early else archives.unpack(path, tmp_path / "out")
    assert " / " in refusal.value.message
    return refusal.value.code.removeprefix("import.")


def entry(name: str, mode: int = stat.S_IFREG | 0o600) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def put(name: str, content: bytes = b"x") -> Write:
    return lambda archive: archive.writestr(entry(name), content)


@pytest.mark.parametrize("top", ["", "2021-06/"])
def test_a_bundle_is_unpacked_with_or_without_its_folder(top: str, tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: [archive.writestr(f"{top}{n}", n) for n in ("classes.json", "a.ndjson")])  # type: ignore[func-returns-value]
    archives.inspect(path)
    files = archives.unpack(path, tmp_path / "out")
    assert {file.name: file.read_text() for file in files} == {"classes.json": "classes.json", "a.ndjson": "a.ndjson"}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_plain_log_stays_where_it_is_and_a_gzip_is_unpacked(tmp_path: Path) -> None:
    plain = tmp_path / "body"
    plain.write_bytes(b"{}\n")
    assert archives.unpack(plain, tmp_path / "one") == [plain]
    plain.write_bytes(gzip.compress(b"{}\n"))
    (log,) = archives.unpack(plain, tmp_path / "two")
    assert log.read_bytes() == b"{}\n"


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "a/../../evil", "/etc/passwd", "C:evil", "c:/evil", "a\\b", "..", "a/..", "nul\0l", "new\nline",
        "//server/share", "x" * 600,
    ],
)  # fmt: skip
def test_a_name_that_leaves_its_folder(name: str, tmp_path: Path) -> None:
    path = packed(tmp_path, put("classes.json"))
    body = bytearray(packed(tmp_path, put("N" * len(name.encode()))).read_bytes())
    path.write_bytes(bytes(body).replace(b"N" * len(name.encode()), name.encode()))
    assert refused(path, tmp_path) in ("leaves_folder", "broken_archive")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices(kind: int, tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr(entry("classes.json", kind | 0o777), b"/etc/passwd"))
    assert refused(path, tmp_path) == "link"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", ["classes.json", "CLASSES.json"])
def test_duplicate_names(again: str, tmp_path: Path) -> None:
    path = packed(tmp_path, lambda a: [a.writestr("classes.json", b"1"), a.writestr(again, b"2")])  # type: ignore[func-returns-value]
    assert refused(path, tmp_path) == "duplicate_name"


def test_the_same_name_in_two_normal_forms(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda a: [a.writestr("e\u0301.log", b"1"), a.writestr("\u00e9.log", b"2")])  # type: ignore[func-returns-value]
    assert refused(path, tmp_path) == "duplicate_name"


def test_encrypted_entries(tmp_path: Path) -> None:
    path = packed(tmp_path, put("classes.json"))
    body = bytearray(path.read_bytes())
    body[body.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(body)
    assert refused(path, tmp_path) == "encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods(method: int, tmp_path: Path) -> None:
    assert refused(packed(tmp_path, lambda archive: archive.writestr("a.log", b"x"), method), tmp_path) == "method"


@pytest.mark.parametrize("number", [zip_entries.MOST_ENTRIES, zip_entries.MOST_ENTRIES + 1])
def test_the_number_of_entries(number: int, tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: [archive.writestr(f"{n}.log", b"x") for n in range(number)])  # type: ignore[func-returns-value]
    if number <= zip_entries.MOST_ENTRIES:
        archives.inspect(path)
    else:
        assert refused(path, tmp_path) == "too_many_entries"


def test_a_directory_that_says_less_than_it_holds(tmp_path: Path) -> None:
    many = zip_entries.MOST_ENTRIES + 1
    path = packed(tmp_path, lambda archive: [archive.writestr(f"{n}.log", b"x") for n in range(many)])  # type: ignore[func-returns-value]
    body = bytearray(path.read_bytes())
    body[-14:-10] = struct.pack("<HH", 1, 1)
    path.write_bytes(body)
    assert refused(path, tmp_path) == "too_many_entries"


def test_a_bomb_by_ratio_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("events.ndjson", b"\n" * (64 << 20)))
    assert path.stat().st_size < 200_000
    assert refused(path, tmp_path) == "ratio"


def test_a_bomb_that_lies_about_its_size_stops_where_it_said(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda archive: archive.writestr("events.ndjson", b"{}\n" * 100_000))
    body = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = body.rindex(signature) + offset
        body[place : place + 4] = struct.pack("<I", 10)
    path.write_bytes(body)
    assert refused(path, tmp_path, early=False) in ("broken_archive", "too_large")
    assert sum(file.stat().st_size for file in (tmp_path / "out").iterdir()) <= 10


def test_entries_that_lie_over_each_other(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4_000
    path = packed(tmp_path, lambda a: [a.writestr(f"{n}.log", content) for n in range(3)], zipfile.ZIP_STORED)  # type: ignore[func-returns-value]
    body = path.read_bytes()
    directory = body.index(b"PK\x01\x02")
    first = body[: body.index(b"PK\x03\x04", 4)]
    names = body[directory:-22]
    overlapped = bytearray(names)
    place = 0
    while (place := overlapped.find(b"PK\x01\x02", place)) >= 0:  # every entry points at the first one's bytes
        overlapped[place + 42 : place + 46] = struct.pack("<I", 0)
        place += 4
    end = bytearray(body[-22:])
    end[16:20] = struct.pack("<I", len(first))
    path.write_bytes(first + bytes(overlapped) + bytes(end))
    assert refused(path, tmp_path) in ("overlapping", "broken_archive")


@pytest.mark.parametrize(
    "inner", [b"PK\x03\x04rest", gzip.compress(b"x", mtime=0), b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd.."]
)
def test_a_packed_file_inside(inner: bytes, tmp_path: Path) -> None:
    assert refused(packed(tmp_path, put("more.log", inner)), tmp_path) == "nested"
    (tmp_path / "body").write_bytes(gzip.compress(inner))
    assert refused(tmp_path / "body", tmp_path, early=False) == "nested"


def test_folders_inside_a_bundle(tmp_path: Path) -> None:
    path = packed(tmp_path, lambda a: [a.writestr("classes.json", b"[]"), a.writestr("more/a.log", b"x")])  # type: ignore[func-returns-value]
    assert refused(path, tmp_path, early=False) == "subfolder"


def test_a_gzip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(gzip.compress(b"\n" * (64 << 20)))
    assert refused(path, tmp_path, early=False) == "too_large"
    assert (tmp_path / "out" / "log").stat().st_size <= max(zip_entries.SMALL_BYTES, 200 * path.stat().st_size)


@pytest.mark.parametrize("extra", [0, 1])
def test_the_longest_line(extra: int, tmp_path: Path) -> None:
    text = b"{}\n" * 400_000 + b"x" * (archives.MOST_LINE_BYTES + extra) + b"\n{}\n"
    path = packed(tmp_path, put("events.ndjson", text), zipfile.ZIP_STORED)
    if not extra:
        assert archives.unpack(path, tmp_path / "out")
        return
    with pytest.raises(GuardError) as refusal:
        archives.unpack(path, tmp_path / "out")
    assert (refusal.value.code, refusal.value.where) == ("import.long_line", "events.ndjson:400001")


@pytest.mark.parametrize("cut", [1, 10, 30, 60])
def test_a_zip_cut_off_or_with_a_tail(cut: int, tmp_path: Path) -> None:
    path = packed(tmp_path, put("classes.json", b"[" + b"1," * 500 + b"1]"))
    body = path.read_bytes()
    path.write_bytes(body[:-cut])
    assert refused(path, tmp_path) == "broken_archive"
    path.write_bytes(body + b"x" * cut)
    assert refused(path, tmp_path) == "broken_archive"


def test_zip64_and_an_empty_body(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.log", b"x")
    body = content.getvalue()
    path = tmp_path / "body"
    path.write_bytes(body[:-22] + b"PK\x06\x07" + bytes(16) + body[-22:])
    assert refused(path, tmp_path) == "zip64"
    path.write_bytes(b"")
    assert refused(path, tmp_path) == "empty"


def test_damaged_content_is_told_as_such(tmp_path: Path) -> None:
    path = packed(tmp_path, put("classes.json", b"[1, 2, 3]"), zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"[1, 2, 3]", b"[1, 2, 4]"))
    assert refused(path, tmp_path, early=False) == "broken_archive"
