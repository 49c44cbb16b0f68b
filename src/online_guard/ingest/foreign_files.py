"""A foreign log: plain or gzip, JSON lines, an array, one object or an envelope → its format and its records."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest import caliper, open_edx, xapi
from online_guard.ingest.media import UNDECODABLE, Format, NotPlayback
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.row_reading import unreadable

FORMATS = (xapi.FORMAT, caliper.FORMAT, open_edx.FORMAT)
_SAMPLE_LINES = 1_000
"""Lines looked at until one tells the format."""
_BOM = b"\xef\xbb\xbf"
_ENVELOPES = ("data", "statements")
"""Keys of an array of records: a Caliper envelope, an answer of a learning record store."""
_FAULTS = (OSError, EOFError, zlib.error)

Record = tuple[int, bytes | NotPlayback | Refusal]
"""Line (in an array: place from 1), and the record's JSON or why there is none."""


@dataclass(frozen=True)
class ForeignLog:
    """A log of a known format. `by_line`: it is read line by line; otherwise it is one JSON document."""

    path: Path
    format: Format
    by_line: bool

    def records(self) -> Iterator[Record]:
        """Yield each record; blank lines and comments too, so that every line is accounted for.

        Raises:
            GuardError: the file can't be read to its end.
        """
        try:
            with _open(self.path) as file:
                if self.by_line:
                    for line, text in enumerate(file, 1):
                        for record in _of_line(text.removeprefix(_BOM) if line == 1 else text):
                            yield line, record
                else:
                    yield from enumerate(_of_document(file.read().removeprefix(_BOM)) or (), 1)
        except _FAULTS as error:
            raise unreadable(self.path, error) from error


def open_log(path: Path) -> ForeignLog:
    """Return a log with its format, found by content.

    Raises:
        GuardError: the file can't be read, or no record of a known format is in it.
    """
    try:
        with _open(path) as file:
            sample = list(islice(file, _SAMPLE_LINES))
        if sample and sample[0].removeprefix(_BOM).lstrip()[:1] != b"[":
            for line in sample:
                if known := _format_of(list(_of_line(line))):
                    return ForeignLog(path, known, by_line=True)
        with _open(path) as file:
            whole = _of_document(file.read().removeprefix(_BOM))
    except _FAULTS as error:
        raise unreadable(path, error) from error
    known = _format_of(whole or [])
    by_line = known is None
    if known is None:
        known = _format_of([record for line in sample for record in _of_line(line)])
    if known is None:
        raise GuardError(
            ErrorKind.UNSUPPORTED,
            "ingest.unknown_format",
            "无法识别:没有 xAPI、Caliper 或 Open edX 的记录 / no record of xAPI, Caliper or Open edX was found",
            where=str(path),
            remedy="支持 NDJSON、JSON 数组或单个 JSON 对象(可为 .gz),以及数据包文件夹 / give JSON lines, a JSON array "
            "or object (also .gz), or the folder of a bundle",
        )
    return ForeignLog(path, known, by_line)


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


def _of_line(text: bytes) -> Iterator[bytes | NotPlayback | Refusal]:
    """Yield the records of a line, without what syslog or the journal wrote before it."""
    text = text.strip()
    if not text:
        yield NotPlayback("空行 blank line")
    elif text.startswith(b"#"):
        yield NotPlayback("注释 comment")
    elif (start := text.find(b"{")) < 0:
        yield Refusal("没有 JSON 对象 / no JSON object in this line")
    else:
        record = text[start:]
        yield from _of_envelope(record) or [record]


def _of_envelope(text: bytes) -> list[bytes] | None:
    """Return the records of an envelope, None when it is none."""
    if b'"sendTime"' not in text and b'"statements"' not in text:
        return None
    try:
        keys = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        for key in _ENVELOPES:
            if key in keys:
                return [bytes(record) for record in msgspec.json.decode(keys[key], type=list[msgspec.Raw])]
    except UNDECODABLE:
        pass
    return None


def _of_document(text: bytes) -> list[bytes] | None:
    """Return the records of a whole JSON document, None when the bytes are none."""
    try:
        if text.lstrip().startswith(b"["):
            return [bytes(record) for record in msgspec.json.decode(text, type=list[msgspec.Raw])]
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except UNDECODABLE:
        return None
    return _of_envelope(text) or [text]


def _format_of(records: list[Any]) -> Format | None:
    """Return the format of the first record that some format recognises."""
    for record in records:
        if isinstance(record, bytes):
            try:
                decoded = msgspec.json.decode(record)
            except UNDECODABLE:
                continue
            for known in FORMATS:
                if isinstance(decoded, dict) and known.recognises(decoded):
                    return known
    return None
