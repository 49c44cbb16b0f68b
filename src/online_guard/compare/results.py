"""A folder that `revalidate` wrote → checked columns, from its Parquet files and `summary.json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from online_guard.compare.rows import ranks
from online_guard.errors import ErrorKind, GuardError
from online_guard.result_columns import SCHEMAS

KEYS = {
    "findings": ("rule", "subject", "subject_id"),
    "sessions": ("session_id",),
    "ledger": ("enrolment_id", "lesson_no"),
    "eligibility": ("class_id", "window", "enrolment_id"),
}
"""What identifies a row of each table."""
_REMEDY = "请重新运行 revalidate / run revalidate again."


@dataclass(frozen=True)
class Results:
    """The four tables of a re-validation, columns as in `result_columns.SCHEMAS`, and its summary."""

    summary: dict[str, Any]
    findings: pa.Table
    sessions: pa.Table
    ledger: pa.Table
    eligibility: pa.Table


def read_results(folder: Path) -> Results:
    """Return the results in a folder.

    Raises:
        GuardError: A file is missing or damaged, has other columns, or holds a row twice; or the files are of
            different runs.
    """
    summary = _summary(folder / "summary.json")
    results = Results(summary, **{name: _table(folder / f"{name}.parquet", name) for name in SCHEMAS})
    counts = summary["counts"]
    told = {
        "sessions": (counts.get("sessions"), len(results.sessions)),
        "findings": (sum(counts.get("findings", {}).values()), len(results.findings)),
        "eligibility": (counts.get("eligible"), results.eligibility["eligible"].to_numpy().sum()),
    }
    for name, (said, found) in told.items():
        if said != found:
            raise GuardError(
                ErrorKind.INVALID,
                "results.mixed",
                f"与 summary.json 不符：{said} / {found} / not what summary.json says: {said}, found {found}",
                where=str(folder / f"{name}.parquet"),
                remedy=_REMEDY,
            )
    return results


def _summary(path: Path) -> dict[str, Any]:
    _must_exist(path)
    try:
        summary = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if all(isinstance(summary["policy"][name], str) for name in ("id", "version", "sha256")) and isinstance(
            summary["counts"]["findings"], dict
        ):
            return summary
    except (msgspec.MsgspecError, OSError, KeyError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    raise _damaged(path, "policy, counts")


def _table(path: Path, name: str) -> pa.Table:
    """Return one table, checked; text columns may have been written as dictionaries."""
    _must_exist(path)
    schema = SCHEMAS[name]
    try:
        table = pq.read_table(path, columns=schema.names)
        missing = [column for column in schema.names if column not in table.column_names]
        if missing:
            raise _damaged(path, f"缺少列 / no column {', '.join(missing)}")
        table = table.select(schema.names).cast(schema).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error
    codes = ranks([table[key] for key in KEYS[name]])
    order = np.argsort(codes, kind="stable")
    twice = np.flatnonzero(np.diff(codes[order]) == 0)
    if len(twice):
        row = int(order[twice[0] + 1])
        key = ", ".join(str(table[column][row].as_py()) for column in KEYS[name])
        raise _damaged(path, f"行 {row} 重复 / row {row} repeats {key}")
    return table


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "results.not_found",
            "没有这个文件 / there is no such file",
            where=str(path),
            remedy="请给出 revalidate --out 写成的文件夹 / name a folder that revalidate --out wrote.",
        )


def _damaged(path: Path, reason: str) -> GuardError:
    return GuardError(
        ErrorKind.MALFORMED,
        "results.damaged",
        f"文件无法使用：{reason} / the file can't be used: {reason}",
        where=str(path),
        remedy=_REMEDY,
    )
