"""Compare two folders of results, and write what differs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from online_guard.compare.changes import Changes, find_changes
from online_guard.compare.report import render
from online_guard.compare.results import Results
from online_guard.compare.summary import summarise
from online_guard.errors import ErrorKind, GuardError

TABLES = ("sessions", "lessons", "eligibility", "findings")
LINES_AT_ONCE = 20_000


@dataclass(frozen=True)
class Comparison:
    """What differs between two re-validations; `summary` is the content of `comparison.json`."""

    changes: Changes
    summary: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Return whether anything but the policy differs."""
        return bool(self.summary["changed"])


def compare(old: Results, new: Results) -> Comparison:
    """Return what differs between two re-validations."""
    changes = find_changes(old, new)
    return Comparison(changes, summarise(old, new, changes))


def write(comparison: Comparison, out: Path) -> None:
    """Write the changed rows (Parquet and NDJSON), `comparison.json` and `report.html` into a folder.

    All files are complete before the first one takes its place.

    Raises:
        GuardError: The folder holds results of a re-validation, whose files have the same names; or can't be written.
    """
    if (out / "summary.json").exists():
        raise GuardError(
            ErrorKind.CONFLICT,
            "out.holds_results",
            "此文件夹存有核验结果，不会覆盖 / the folder holds results of a re-validation, which stay",
            where=str(out),
            remedy="请另选 --out / choose another --out.",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".comparison.", dir=out))
        try:
            _write_files(comparison, partial)
            for path in sorted(partial.iterdir()):
                path.replace(out / path.name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise GuardError(
            ErrorKind.INVALID,
            "out.not_writable",
            f"不能写入输出文件夹 / can't write the output folder: {error.strerror}",
            where=str(out),
            remedy="请另选 --out / choose another --out.",
        ) from error


def _write_files(comparison: Comparison, folder: Path) -> None:
    for name in TABLES:
        table = getattr(comparison.changes, name)
        pq.write_table(table, folder / f"{name}.parquet")
        with (folder / f"{name}.ndjson").open("wb") as file:
            file.writelines(_lines(table))
    summary = msgspec.json.format(msgspec.json.encode(comparison.summary), indent=1) + b"\n"
    (folder / "comparison.json").write_bytes(summary)
    (folder / "report.html").write_text(render(comparison.summary), encoding="utf-8")


def _lines(table: pa.Table) -> Iterator[bytes]:
    """Yield the rows as JSON; evidence, which is JSON text already, as it stands."""
    encoder = msgspec.json.Encoder()
    texts = [name for name in table.column_names if name.endswith("_evidence")]
    for batch in table.to_batches(LINES_AT_ONCE):
        for row in batch.to_pylist():
            for name in texts:
                row[name] = None if row[name] is None else msgspec.Raw(row[name].encode())
            yield encoder.encode(row) + b"\n"
