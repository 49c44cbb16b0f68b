"""The small tables of a bundle: read line by line, each bad row reported, keys and parents checked, then evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Evidence, assemble
from online_guard.ingest import rows as row_types
from online_guard.ingest.locations import Location, content_of, open_file
from online_guard.ingest.refusals import BAD_ID, Refusal, RefusedRow, explain, repeated_key

Row = TypeVar("Row", bound=msgspec.Struct)
Fault = Callable[[Any], Refusal | None]

_CHUNK_LINES = 4_096
_NESTED = ("leave", "lessons")
"""Fields whose values have keys of their own."""
_KEY = re.compile(rb'"(\w+)"\s*:')
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

_KEYS: dict[type[msgspec.Struct], Callable[[Any], Any]] = {
    row_types.ClassRow: attrgetter("class_id"),
    row_types.EnrolmentRow: attrgetter("enrolment_id"),
    row_types.SessionRow: attrgetter("platform_id", "session_id"),
    row_types.SnapshotRow: attrgetter("platform_id", "session_id", "snapshot_id"),
    row_types.LikenessRow: attrgetter("platform_id", "session_id", "snapshot_id", "other_kind", "other_id"),
    row_types.CheckRow: attrgetter("platform_id", "session_id", "check_id"),
    row_types.DirectiveRow: attrgetter("platform_id", "session_id", "directive_id"),
    row_types.PracticeRow: attrgetter("enrolment_id", "on"),
    row_types.ProjectRow: attrgetter("learner_id", "class_id"),
    row_types.ApplicationRow: attrgetter("class_id", "window"),
}


def read_tables(folder: Location, refused: list[RefusedRow]) -> Evidence:
    """Return the evidence of a bundle's small tables, without events; add each bad row to `refused`.

    Raises:
        GuardError: there is no classes.json, it isn't an array, or a file can't be read.
    """

    def read(file: str, fault: Fault | None = None) -> list[Any]:
        """Return the rows of a table that are kept."""
        return keep_rows(file, read_lines(folder / file, TABLES[file], refused), fault, refused)

    classes = keep_rows(CLASSES, _read_classes(folder / CLASSES, refused), class_fault, refused)
    enrolments = read("enrolments.ndjson", _parent("class_id", classes))
    sessions = read("sessions.ndjson", _session_fault(classes, enrolments))
    of_session = _session_parent(sessions)
    snapshots = read("snapshots.ndjson", of_session)
    checks = read("liveness.ndjson", of_session)
    return assemble(
        classes=[row.typed() for row in classes],
        enrolments=[row.typed() for row in enrolments],
        sessions=sessions,
        snapshots=snapshots,
        checks=checks,
        directives=read("directives.ndjson", of_session),
        likenesses=read("likenesses.ndjson", _likeness_fault(snapshots, checks)),
        practice=[row.typed() for row in read("offline_hours.ndjson", _parent("enrolment_id", enrolments))],
        projects=[row.typed() for row in read("assessments.ndjson")],
        surveys=[row.typed() for row in read("satisfaction.ndjson")],
        applications=[row.typed() for row in read("applications.ndjson", _parent("class_id", classes))],
        decisions=[row.typed() for row in read("decisions.ndjson")],
    )


def read_lines(path: Location, row_type: type[Row], refused: list[RefusedRow]) -> Iterator[tuple[int, Row]]:
    """Yield (line, row) of each line of a file that is a row of the type; add the others to `refused`.

    Blank lines are skipped; a file that isn't there has no rows.
    """
    decoder = msgspec.json.Decoder(row_type)
    try:
        with open_file(path) as file:
            line = 1
            while chunk := list(islice(file, _CHUNK_LINES)):
                good = _decode_plain(decoder, row_type, chunk)
                if good is None:
                    yield from _decode_each(decoder, path.name, line, chunk, refused)
                else:
                    yield from enumerate(good, line)
                line += len(chunk)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error) from error


def _decode_plain(decoder: msgspec.json.Decoder[Row], row_type: type[Row], chunk: list[bytes]) -> list[Row] | None:
    """Return the rows of lines that are all good, decoded at once; None when one must be looked at by itself.

    There are as many quotes as the rows' fields and texts need, so no key stands twice in a row: a quote in a text
    would need a backslash.
    """
    text = b"".join(chunk)
    if b"\\" in text:
        return None
    try:
        good = decoder.decode_lines(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if len(good) != len(chunk):
        return None
    quoted = 0
    for field in msgspec.structs.fields(row_type):
        values = [value for value in map(attrgetter(field.name), good) if value is not None]
        if values and field.name in _NESTED:
            return None
        quoted += len(values) * (2 if values and isinstance(values[0], (str, date)) else 1)
    return good if text.count(b'"') == 2 * quoted else None


def _decode_each(
    decoder: msgspec.json.Decoder[Row], file: str, first: int, chunk: list[bytes], refused: list[RefusedRow]
) -> Iterator[tuple[int, Row]]:
    for line, text in enumerate(chunk, first):
        if not text.isspace():
            row = decode_row(decoder, text)
            if isinstance(row, Refusal):
                refused.append(row.of(file, line))
            else:
                yield line, row


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


def keep_rows(
    file: str, numbered: Iterable[tuple[int, Row]], fault: Fault | None, refused: list[RefusedRow]
) -> list[Row]:
    """Return the rows without fault, of those with one key the first; add the others to `refused`."""
    pairs = list(numbered)
    rows = [row for _, row in pairs]
    key_of = _KEYS.get(type(rows[0])) if rows else None
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
                refusal = Refusal(f"主键重复：{name}，只认第一行 / duplicate of {name}; the first row counts")
            seen.add(key)
        if refusal is None:
            kept.append(row)
        else:
            refused.append(refusal.of(file, line))
    return kept


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


def _session_fault(classes: Iterable[row_types.ClassRow], enrolments: Iterable[row_types.EnrolmentRow]) -> Fault:
    by_id = {row.class_id: row for row in classes}
    lessons = {row.class_id: {lesson.lesson_no for lesson in row.lessons} for row in classes}
    class_of = {row.enrolment_id: row.class_id for row in enrolments}

    def fault(row: row_types.SessionRow) -> Refusal | None:
        """Return why a session doesn't fit its enrolment and class."""
        class_id = class_of.get(row.enrolment_id)
        if class_id is None:
            return Refusal(f"未知的报名 / unknown enrolment `{row.enrolment_id}`", "enrolment_id")
        if row.platform_id != by_id[class_id].platform_id:
            return Refusal(
                f"平台与班次 {class_id} 的不同 / another platform than its class's ({class_id})", "platform_id"
            )
        if row.lesson_no not in lessons[class_id]:
            return Refusal(
                f"班次 {class_id} 没有这一课 / class {class_id} has no such lesson: {row.lesson_no}", "lesson_no"
            )
        return None

    return fault


def _session_parent(sessions: Iterable[row_types.SessionRow]) -> Fault:
    known = {(row.platform_id, row.session_id) for row in sessions}

    def fault(row: Any) -> Refusal | None:
        """Return why a row belongs to no session."""
        if (row.platform_id, row.session_id) in known:
            return None
        return Refusal(f"未知的学习会话 / unknown session `{row.platform_id}/{row.session_id}`", "session_id")

    return fault


def _likeness_fault(snapshots: Iterable[row_types.SnapshotRow], checks: Iterable[row_types.CheckRow]) -> Fault:
    known = {(row.platform_id, row.session_id, row.snapshot_id) for row in snapshots}
    known |= {(row.platform_id, row.session_id, row.check_id) for row in checks}

    def fault(row: row_types.LikenessRow) -> Refusal | None:
        """Return why a likeness compares nothing known, or a capture with itself."""
        capture = (row.platform_id, row.session_id, row.snapshot_id)
        other = row.other_id.split("/")
        if capture not in known:
            return Refusal(f"未知的照片或活体比对 / unknown snapshot or check `{'/'.join(capture)}`", "snapshot_id")
        if len(other) != (1 if row.other_kind == "reference" else 3) or not all(map(row_types.ID_PATTERN.match, other)):
            return Refusal(f"other_id 须为报名标识或“平台/会话/照片”；{BAD_ID}", "other_id")
        if row.other_kind == "snapshot" and tuple(other) == capture:
            return Refusal("与自身比对 / a likeness to its own capture", "other_id")
        return None

    return fault
