"""An XLSX file → its sheets' cells, under limits.

The file is a zip of XML that anybody can send. Its entries are unpacked here, counted and checked, and only what was
seen here is given on to the reader of cells, in a zip of our own: two readers can't differ about it. A single cell at
the last row and column would make that reader ask for 512 GiB and end the process, so positions are read first.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from online_guard.ingest import zip_entries
from online_guard.ingest.cell_positions import CellPositions, broken, parse, too_large
from online_guard.ingest.refusals import Refusal

MOST_SHEETS = 16
MOST_UNPACKED_BYTES = 64 * 1024**2
"""Of all entries of a file: 10 000 rows of 20 columns have some 10 MiB of XML."""
_FIRST_BYTES = (b"<", b"\xef\xbb\xbf<")
Cell = Any
"""Text, a number, a flag, a date or a time; empty text where there is nothing."""
Parts = Mapping[str, bytes]


@dataclass(frozen=True)
class Sheet:
    """A sheet's cells by row and column, both from 0; `faulty`: cells that hold something, but no value."""

    name: str
    rows: list[list[Cell]]
    faulty: Mapping[tuple[int, int], Refusal] = field(default_factory=dict)


def read_workbook(content: bytes) -> list[Sheet]:
    """Return the sheets of an XLSX file that hold anything, hidden ones too.

    Raises:
        GuardError: It is no XLSX, broken, too large, or packs more than it may.
    """
    parts, faulty_of = _unpacked(content)
    try:
        workbook = CalamineWorkbook.from_filelike(_packed_again(parts))
        names = workbook.sheet_names
        if len(names) > MOST_SHEETS:
            raise too_large(f"超过 {MOST_SHEETS} 个工作表 / more than {MOST_SHEETS} sheets")
        cells = [workbook.get_sheet_by_index(place).to_python(skip_empty_area=False) for place in range(len(names))]
    except CalamineError as error:
        raise broken(str(error)) from error
    except BaseException as error:
        # a panic of the reader, which is written in Rust, is no Exception; a date beyond all calendars makes one
        if type(error).__name__ != "PanicException":
            raise
        raise broken("有日期或数字超出范围 / a date or a number is out of range") from error
    part_of = _parts_of_sheets(parts)
    sheets = [
        Sheet(name, rows, faulty_of.get(part_of.get(name, ""), {})) for name, rows in zip(names, cells, strict=True)
    ]
    return [sheet for sheet in sheets if sheet.rows or sheet.faulty]


def _unpacked(content: bytes) -> tuple[dict[str, bytes], dict[str, Mapping[tuple[int, int], Refusal]]]:
    """Return the XML parts of a file, and the faulty cells of each; pictures and other parts are left out."""
    parts: dict[str, bytes] = {}
    faulty: dict[str, Mapping[tuple[int, int], Refusal]] = {}
    left = MOST_UNPACKED_BYTES
    with zip_entries.opened_bytes(content) as packed:
        for entry in zip_entries.files_in(packed, len(content)):
            left -= entry.file_size  # no more is unpacked of an entry than it says
            if left < 0:
                raise too_large(f"解压后超过 {MOST_UNPACKED_BYTES >> 20} MiB / it unpacks to more than that")
            try:
                xml = packed.read(entry)
            except zip_entries.FAULTS as error:
                raise zip_entries.broken(error, entry.filename) from error
            if not xml.lstrip().startswith(_FIRST_BYTES):
                continue
            try:
                faulty[entry.filename] = CellPositions(xml).faulty
            except expat.ExpatError:
                continue
            parts[entry.filename] = xml
    return parts, faulty


def _packed_again(parts: Parts) -> BytesIO:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, xml in parts.items():
            packed.writestr(name, xml)
    file.seek(0)
    return file


def _parts_of_sheets(parts: Parts) -> dict[str, str]:
    """Return the name of each sheet's part."""
    targets: dict[str, str] = {}
    for attributes in _elements(parts.get("xl/_rels/workbook.xml.rels"), "Relationship"):
        target = PurePosixPath("/xl") / attributes.get("Target", "")
        targets[attributes.get("Id", "")] = str(target).lstrip("/")
    found = {}
    for attributes in _elements(parts.get("xl/workbook.xml"), "sheet"):
        relation = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        found[attributes.get("name", "")] = targets.get(relation, "")
    return found


def _elements(xml: bytes | None, wanted: str) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name.rpartition(":")[2] == wanted:
            found.append(attributes)

    if xml is not None:
        parse(xml, start)
    return found
