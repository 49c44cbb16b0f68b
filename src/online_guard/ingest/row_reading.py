"""Files of one JSON object a line → good rows, a chunk of lines at a time; each bad line is reported with its reason.

Lines are decoded all at once, by types alone; what the texts must look like is then asked of whole columns. Wherever a
line of a chunk may be bad or out of the ordinary, each of its lines is looked at by itself, under every rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.locations import Location, open_file
from online_guard.ingest.refusals import Refusal, RefusedRow, explain, repeated_key
from online_guard.ingest.rows import ARE_LIKE

Row = TypeVar("Row", bound=msgspec.Struct)

_CHUNK_LINES = 4_096
_KEY = re.compile(rb'"(\w+)"\s*:')
_TEXTS = (msgspec.inspect.StrType, msgspec.inspect.EnumType, msgspec.inspect.LiteralType, msgspec.inspect.DateType)


@dataclass(frozen=True)
class Chunk(Generic[Row]):
    """Good rows of neighbouring lines, and the line of each, from 1."""

    lines: Sequence[int]
    rows: list[Row]
    _columns: dict[str, list[Any]] = field(default_factory=dict)

    def column(self, name: str) -> list[Any]:
        """Return a field's value of each row."""
        if name not in self._columns:
            self._columns[name] = [*map(attrgetter(name), self.rows)]
        return self._columns[name]


def read_chunks(path: Location, row_type: type[Row], refused: list[RefusedRow]) -> Iterator[Chunk[Row]]:
    """Yield the lines of a file that are rows of the type, a chunk at a time; add the others to `refused`.

    Blank lines are skipped; a file that isn't there has no rows.

    Raises:
        GuardError: the file can't be read.
    """
    strict, plain = msgspec.json.Decoder(row_type), _PlainRows(row_type)
    try:
        with open_file(path) as file:
            first = 1
            while lines := list(islice(file, _CHUNK_LINES)):
                chunk = plain.read(first, lines)
                yield chunk or _each(strict, path.name, first, lines, refused)
                first += len(lines)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error) from error


class _PlainRows(Generic[Row]):
    """Reads lines that are all good and ordinary, and none other."""

    def __init__(self, row_type: type[Row]) -> None:
        fields = msgspec.inspect.type_info(row_type).fields  # type: ignore[attr-defined]  # of a Struct
        self.patterns = {item.name: item.type.pattern for item in fields if getattr(item.type, "pattern", None)}
        self.quotes = {item.name: 4 if _is_text(item.type) else 2 for item in fields}
        self.nested = [item.name for item in fields if _is_nested(item.type)]
        # patterns take most of the time of decoding; without them it is the same type
        untested = msgspec.defstruct(
            row_type.__name__, [(name, str) for name in self.patterns], bases=(row_type,), kw_only=True, gc=False
        )
        self.decoder: msgspec.json.Decoder[Row] = msgspec.json.Decoder(untested)

    def read(self, first: int, lines: list[bytes]) -> Chunk[Row] | None:
        """Return the rows of lines, None when one must be looked at by itself.

        Each line begins with a brace and there are as many rows, so none is blank and none holds two. There are as many
        quotes as the rows' fields and texts need, so no key stands twice in a row: a quote in a text would need a
        backslash.
        """
        text = b"".join(lines)
        if b"\\" in text or not text.startswith(b"{") or text.count(b"\n{") != len(lines) - 1:
            return None
        try:
            rows = self.decoder.decode_lines(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if len(rows) != len(lines):
            return None
        chunk = Chunk(range(first, first + len(rows)), rows)
        given = {name: len(rows) - chunk.column(name).count(None) for name in self.quotes}
        if any(given[name] for name in self.nested):
            return None
        if text.count(b'"') != sum(given[name] * quotes for name, quotes in self.quotes.items()):
            return None
        fits = all(ARE_LIKE[pattern](chunk.column(name)) for name, pattern in self.patterns.items())
        return chunk if fits else None


def _is_text(kind: msgspec.inspect.Type) -> bool:
    return isinstance(kind, _TEXTS) or (isinstance(kind, msgspec.inspect.UnionType) and any(map(_is_text, kind.types)))


def _is_nested(kind: msgspec.inspect.Type) -> bool:
    """Return whether values of a type may have keys of their own."""
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return any(isinstance(one, msgspec.inspect.ListType) for one in kinds)


def _each(
    decoder: msgspec.json.Decoder[Row], file: str, first: int, lines: list[bytes], refused: list[RefusedRow]
) -> Chunk[Row]:
    """Return the good rows of lines looked at one by one; add the others to `refused`."""
    good: dict[int, Row] = {}
    for line, text in enumerate(lines, first):
        if not text.isspace():
            row = decode_row(decoder, text)
            if isinstance(row, Refusal):
                refused.append(row.of(file, line))
            else:
                good[line] = row
    return Chunk(list(good), list(good.values()))


def decode_row(decoder: msgspec.json.Decoder[Row], text: bytes) -> Row | Refusal:
    """Return the row that a JSON object is, or why it is none."""
    try:
        row = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return explain(error, text)
    keys = _KEY.findall(text)
    # msgspec lets the last of two equal keys win; the exact look is slow and only taken where one is possible
    if len(set(keys)) < len(keys) or b"\\" in text:
        return repeated_key(text) or row
    return row


def unreadable(path: Location, error: Exception) -> GuardError:
    """Return the error for a file that the system can't read or whose bytes aren't what its name says."""
    first = str(error).partition("\n")[0]
    return GuardError(
        ErrorKind.MALFORMED,
        "bundle.unreadable",
        f"无法读取文件（{first}）/ the file can't be read ({first})",
        where=path.name,
        remedy="请检查或重新导出该文件 / check the file or export it again",
    )
