"""The tables that grow with the sittings, as columns: sessions, and the facts about them; bad rows are reported.

Parents are looked up for whole columns; only a row that may lack one is looked at by itself, for the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, TypeVar

import numpy as np

from online_guard.evidence import (
    Checks,
    Columns,
    Directives,
    Enrolled,
    Enrolment,
    Flags,
    Integers,
    Likenesses,
    Sessions,
    Snapshots,
    TrainingClass,
    fact_columns,
    row_keys,
    row_order,
    session_columns,
    table_of,
)
from online_guard.ingest import rows as row_types
from online_guard.ingest.locations import Location
from online_guard.ingest.refusals import BAD_ID, Refusal, RefusedRow, repeated
from online_guard.ingest.row_reading import Chunk, read_chunks
from online_guard.ingest.rows import are_ids

Table = TypeVar("Table", Sessions, Snapshots, Checks, Directives, Likenesses)
Fault = Callable[[Any], Refusal | None]
_Suspects = Callable[[Chunk[Any], Columns], Flags]
"""Which rows of a chunk may have a fault."""


def read_session_tables(
    folder: Location,
    classes: Sequence[TrainingClass],
    enrolments: Sequence[Enrolment],
    refused: list[RefusedRow],
) -> dict[str, Any]:
    """Return the tables of a bundle as `evidence.assemble` names them; add each bad row to `refused`.

    Args:
        folder: Of the bundle.
        classes: Those that are kept.
        enrolments: Likewise; each names one of the classes.
        refused: Gets the refused rows, in no order.

    Raises:
        GuardError: a file can't be read.
    """
    sessions = _read_sessions(folder / "sessions.ndjson", classes, enrolments, refused)
    places = {key: place for place, key in enumerate(sessions.key)}

    def facts(file: str, row_type: Any, empty: Table, suspects: _Suspects = _strays, fault: Fault = _stray) -> Table:
        """Return a table of facts about the sessions."""

        def columns_of(chunk: Chunk[Any]) -> Columns:
            """Return the columns of neighbouring rows."""
            return fact_columns(empty, chunk.column, places)

        columns, lines = _read(folder / file, row_type, columns_of, suspects, fault, refused)
        return _unique(file, empty, columns, lines, refused, sessions)

    snapshots = facts("snapshots.ndjson", row_types.SnapshotRow, Snapshots())
    checks = facts("liveness.ndjson", row_types.CheckRow, Checks())
    captures = {*snapshots.key.tolist(), *checks.key.tolist()}
    return {
        "sessions": sessions,
        "snapshots": snapshots,
        "checks": checks,
        "directives": facts("directives.ndjson", row_types.DirectiveRow, Directives()),
        "likenesses": facts(
            "likenesses.ndjson",
            row_types.LikenessRow,
            Likenesses(),
            lambda chunk, columns: _odd_likenesses(chunk, columns, captures),
            lambda row: _likeness_fault(row, captures),
        ),
    }


def _read_sessions(
    path: Location, classes: Sequence[TrainingClass], enrolments: Sequence[Enrolment], refused: list[RefusedRow]
) -> Sessions:
    enrolled = Enrolled.of(classes, enrolments)
    by_id = {row.class_id: row for row in classes}
    class_of = {row.enrolment_id: by_id[row.class_id] for row in enrolments}

    def misfits(chunk: Chunk[Any], columns: Columns) -> Flags:
        """Return which sessions don't fit their enrolment and class."""
        expected = [enrolled.platform_id[row] for row in columns["enrolment"].tolist()]
        elsewhere = np.array([*map(str.__ne__, chunk.column("platform_id"), expected)], np.bool_)
        return elsewhere | (columns["enrolment"] < 0) | np.isnan(columns["duration_s"])

    columns, lines = _read(
        path,
        row_types.SessionRow,
        lambda chunk: session_columns(chunk.column, enrolled),
        misfits,
        lambda row: _session_fault(row, class_of),
        refused,
    )
    return _unique(path.name, Sessions(), columns, lines, refused, Sessions())


def _read(
    path: Location,
    row_type: type[Any],
    columns_of: Callable[[Chunk[Any]], Columns],
    suspects: _Suspects,
    fault: Fault,
    refused: list[RefusedRow],
) -> tuple[Columns, Integers]:
    """Return the columns of the rows of a file without fault, and their lines; add the others to `refused`."""
    pieces = [columns_of(Chunk([], []))]
    lines = [np.zeros(0, np.int64)]
    for chunk in read_chunks(path, row_type, refused):
        columns, numbers = columns_of(chunk), np.array(chunk.lines, np.int64)
        good = np.ones(len(numbers), np.bool_)
        for place in np.flatnonzero(suspects(chunk, columns)).tolist():
            refusal = fault(chunk.rows[place])
            if refusal:
                refused.append(refusal.of(path.name, chunk.lines[place]))
                good[place] = False
        pieces.append({name: column[good] for name, column in columns.items()})
        lines.append(numbers[good])
    joined = {name: np.concatenate([piece.pop(name) for piece in pieces]) for name in list(pieces[0])}
    return joined, np.concatenate(lines)


def _unique(
    file: str, empty: Table, columns: Columns, lines: Integers, refused: list[RefusedRow], sessions: Sessions
) -> Table:
    """Return the table of the first row of each key; add the others to `refused`."""
    keys: list[Any] = row_keys(empty, columns)
    in_order = row_order(keys)
    if in_order is None:
        return table_of(empty, columns, None)
    order: Integers = in_order
    again = np.array([False, *(keys[row] == keys[before] for before, row in pairwise(order.tolist()))])
    names = [(_name(columns, row, sessions), int(lines[row])) for row in order[again].tolist()]
    refused += [repeated(name).of(file, line) for name, line in names]
    return table_of(empty, columns, order[~again])


def _name(columns: Columns, row: int, sessions: Sessions) -> str:
    """Return a row's key in words."""
    if "key" in columns:
        return str(columns["key"][row])
    if "directive_id" in columns:
        return f"{sessions.key[columns['session'][row]]}/{columns['directive_id'][row]}"
    kind = "reference" if columns["other_is_reference"][row] else "snapshot"
    return f"{columns['capture'][row]}/{kind}/{columns['other_id'][row]}"


def _session_fault(row: row_types.SessionRow, class_of: Mapping[str, TrainingClass]) -> Refusal | None:
    """Return why a session doesn't fit its enrolment and class."""
    owner = class_of.get(row.enrolment_id)
    if owner is None:
        return Refusal(f"未知的报名 / unknown enrolment `{row.enrolment_id}`", "enrolment_id")
    class_id = owner.class_id
    if row.platform_id != owner.platform_id:
        return Refusal(f"平台与班次 {class_id} 的不同 / another platform than its class's ({class_id})", "platform_id")
    if row.lesson_no not in {lesson.lesson_no for lesson in owner.lessons}:
        return Refusal(
            f"班次 {class_id} 没有这一课 / class {class_id} has no such lesson: {row.lesson_no}", "lesson_no"
        )
    return None


def _strays(_: Chunk[Any], columns: Columns) -> Flags:
    return np.asarray(columns["session"] < 0)


def _stray(row: Any) -> Refusal | None:
    """Return why a row belongs to no session."""
    return Refusal(f"未知的学习会话 / unknown session `{row.platform_id}/{row.session_id}`", "session_id")


def _odd_likenesses(chunk: Chunk[Any], columns: Columns, captures: set[str]) -> Flags:
    """Return all rows unless each surely compares a known capture with something else that has a name."""
    reference = columns["other_is_reference"]
    others = [name.split("/") for name in columns["other_id"][~reference].tolist()]
    parts = [*columns["other_id"][reference].tolist(), *chain.from_iterable(others)]
    fine = (
        captures.issuperset(columns["capture"].tolist())
        and set(map(len, others)) <= {3}
        and are_ids(parts)
        and not (columns["other_id"] == columns["capture"]).any()
    )
    return np.full(len(reference), not fine)


def _likeness_fault(row: row_types.LikenessRow, captures: set[str]) -> Refusal | None:
    """Return why a likeness compares nothing known, or a capture with itself."""
    capture = f"{row.platform_id}/{row.session_id}/{row.snapshot_id}"
    other = row.other_id.split("/")
    if capture not in captures:
        return Refusal(f"未知的照片或活体比对 / unknown snapshot or check `{capture}`", "snapshot_id")
    if len(other) != (1 if row.other_kind == "reference" else 3) or not all(map(row_types.ID_PATTERN.match, other)):
        return Refusal(f"other_id 须为报名标识或“平台/会话/照片”；{BAD_ID}", "other_id")
    if row.other_kind == "snapshot" and row.other_id == capture:
        return Refusal("与自身比对 / a likeness to its own capture", "other_id")
    return None
