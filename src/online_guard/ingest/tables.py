"""The small tables of a bundle: read line by line, each bad row reported, keys and parents checked, then evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Evidence, assemble
from online_guard.ingest import rows as row_types
from online_guard.ingest.locations import Location, content_of
from online_guard.ingest.refusals import Refusal, RefusedRow, explain, repeated
from online_guard.ingest.row_reading import Row, decode_row, read_chunks, unreadable
from online_guard.ingest.session_tables import Fault, read_session_tables

CLASSES = "classes.json"
TABLES: dict[str, type[msgspec.Struct]] = {
    "enrolments.ndjson": row_types.EnrolmentRow,
    "sessions.ndjson": row_types.SessionRow,
    "snapshots.ndjson": row_types.SnapshotRow,
    "likenesses.ndjson": row_types.LikenessRow,
    "liveness.ndjson": row_types.CheckRow,
    "directives.ndjson": row_types.DirectiveRow,
    "offline_hours.ndjson": row_types.PracticeRow,
    "assessments.ndjson": row_types.ProjectRow,
    "satisfaction.ndjson": row_types.SurveyRow,
    "applications.ndjson": row_types.ApplicationRow,
    "decisions.ndjson": row_types.DecisionRow,
}
"""The files of one object a line, events apart."""

_KEYS: dict[str, Callable[[Any], Any]] = {
    CLASSES: attrgetter("class_id"),
    "enrolments.ndjson": attrgetter("enrolment_id"),
    "offline_hours.ndjson": attrgetter("enrolment_id", "on"),
    "assessments.ndjson": attrgetter("learner_id", "class_id"),
    "applications.ndjson": attrgetter("class_id", "window"),
}


Border = Callable[[str, Sequence[Any]], Sequence[Any]]
"""Takes the file's name and its good rows; gives for each the row that is to be kept, or its `Refusal`."""


def read_tables(folder: Location, refused: list[RefusedRow], border: Border | None = None) -> Evidence:
    """Return the evidence of a bundle's small tables, without events; add each bad row to `refused`.

    Args:
        folder: Of the bundle.
        refused: Gets the bad rows.
        border: What else rows must fulfil, those of sessions and of facts about them apart.

    Raises:
        GuardError: there is no classes.json, it isn't an array, or a file can't be read.
    """

    def read(file: str, fault: Fault | None = None) -> list[Any]:
        """Return the rows of a table that are kept, as evidence."""
        numbered = _past(border, file, read_lines(folder / file, TABLES[file], refused), refused)
        rows: list[Any] = keep_rows(file, numbered, fault, refused)
        return [row.typed() for row in rows]

    numbered = _past(border, CLASSES, _read_classes(folder / CLASSES, refused), refused)
    classes = [row.typed() for row in keep_rows(CLASSES, numbered, class_fault, refused)]
    enrolments = read("enrolments.ndjson", _parent("class_id", classes))
    return assemble(
        classes=classes,
        enrolments=enrolments,
        practice=read("offline_hours.ndjson", _parent("enrolment_id", enrolments)),
        projects=read("assessments.ndjson"),
        surveys=read("satisfaction.ndjson"),
        applications=read("applications.ndjson", _parent("class_id", classes)),
        decisions=read("decisions.ndjson"),
        **read_session_tables(folder, classes, enrolments, refused),
    )


def _past(
    border: Border | None, file: str, numbered: Iterable[tuple[int, Any]], refused: list[RefusedRow]
) -> Iterable[tuple[int, Any]]:
    """Return what a border lets through; add the other rows to `refused`."""
    if border is None:
        return numbered
    pairs = list(numbered)
    answers = border(file, [row for _, row in pairs])
    kept = []
    for (line, _), answer in zip(pairs, answers, strict=True):
        if isinstance(answer, Refusal):
            refused.append(answer.of(file, line))
        else:
            kept.append((line, answer))
    return kept


def read_lines(path: Location, row_type: type[Row], refused: list[RefusedRow]) -> Iterator[tuple[int, Row]]:
    """Yield (line, row) of each line of a file that is a row of the type; add the others to `refused`.

    Raises:
        GuardError: the file can't be read.
    """
    for chunk in read_chunks(path, row_type, refused):
        yield from zip(chunk.lines, chunk.rows, strict=True)


def keep_rows(
    file: str, numbered: Iterable[tuple[int, Row]], fault: Fault | None, refused: list[RefusedRow]
) -> list[Row]:
    """Return the rows without fault, of those with one key the first; add the others to `refused`."""
    pairs = list(numbered)
    rows = [row for _, row in pairs]
    key_of = _KEYS.get(file)
    if (not key_of or len(set(map(key_of, rows))) == len(rows)) and not (fault and any(map(fault, rows))):
        return rows
    kept: list[Row] = []
    seen: set[Any] = set()
    for line, row in pairs:
        refusal = fault(row) if fault else None
        if refusal is None and key_of:
            key = key_of(row)
            if key in seen:
                name = "/".join(map(str, key)) if isinstance(key, tuple) else key
                refusal = repeated(name)
            seen.add(key)
        if refusal is None:
            kept.append(row)
        else:
            refused.append(refusal.of(file, line))
    return kept


def class_fault(row: row_types.ClassRow) -> Refusal | None:
    """Return what is wrong with a class row whose fields are each right, None when nothing is."""
    if row.ends_on < row.starts_on:
        return Refusal("结束日期早于开始日期 / ends_on is before starts_on", "ends_on")
    numbers: set[int] = set()
    for place, lesson in enumerate(row.lessons):
        if lesson.lesson_no in numbers:
            reason = f"课程编号重复：{lesson.lesson_no} / lesson_no {lesson.lesson_no} comes twice"
            return Refusal(reason, f"lessons[{place}].lesson_no")
        numbers.add(lesson.lesson_no)
    return None


def _read_classes(path: Location, refused: list[RefusedRow]) -> Iterator[tuple[int, row_types.ClassRow]]:
    """Yield (place from 1, class) of the array in classes.json; add bad elements to `refused`."""
    try:
        text = content_of(path)
        elements: list[Any] = msgspec.json.decode(text, type=list[msgspec.Raw])
    except OSError as error:
        raise unreadable(path, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not (elements := _split_with_nan(text)):
            raise _not_an_array(path, text, error) from error
    decoder = msgspec.json.Decoder(row_types.ClassRow)
    for place, element in enumerate(elements, 1):
        row = decode_row(decoder, bytes(element))
        if isinstance(row, Refusal):
            refused.append(row.of(path.name, place))
        else:
            yield place, row


def _split_with_nan(text: bytes) -> list[bytes]:
    """Return the elements of an array that only NaN or Infinity keeps from being JSON; else none."""
    try:
        elements = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [json.dumps(element).encode() for element in elements] if isinstance(elements, list) else []


def _not_an_array(path: Location, text: bytes, error: Exception) -> GuardError:
    reason = explain(error, text).reason
    return GuardError(
        ErrorKind.MALFORMED,
        "bundle.classes_not_an_array",
        f"不是完整的班次数组（{reason}）/ not a complete JSON array of classes",
        where=_place(path.name, text, error),
        remedy="文件须为 [ {…}, … ]，UTF-8，无 BOM / the file must be [ {…}, … ], UTF-8 without a BOM",
    )


def _place(name: str, text: bytes, error: Exception) -> str:
    """Return `file:line:column` of a syntax error; a file that is cut off is bad at its end."""
    at = re.search(r"\(byte (\d+)\)", str(error))
    before = text[: int(at[1])] if at else text
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return f"{name}:{line}:{column}"


def _parent(field: str, parents: Iterable[Any]) -> Fault:
    known = {getattr(row, field) for row in parents}
    kind = {"class_id": "班次 / unknown class", "enrolment_id": "报名 / unknown enrolment"}[field]

    def fault(row: Any) -> Refusal | None:
        """Return why a row's parent is unknown."""
        name = getattr(row, field)
        if name not in known:
            return Refusal(f"未知的{kind} `{name}`", field)
        return _leave_fault(row) if isinstance(row, row_types.EnrolmentRow) else None

    return fault


def _leave_fault(row: row_types.EnrolmentRow) -> Refusal | None:
    for place, leave in enumerate(row.leave or ()):
        if leave.to_on < leave.from_on:
            return Refusal("请假结束日期早于开始日期 / to_on is before from_on", f"leave[{place}].to_on")
    return None
