"""Result folders from a few rows, written as `revalidate` writes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from online_guard.batch import write
from online_guard.compare import Comparison, compare, read_results
from online_guard.result_columns import SCHEMAS

Row = dict[str, Any]
DEFAULTS: dict[str, Row] = {
    "findings": {
        "subject": "session", "effect": "reject", "start_ms": None, "end_ms": None, "evidence": {"value": 300.0},
    },
    "sessions": {"verdict": "accepted", "playing_ms": 2_400_000, "watched_s": 2400.0},
    "ledger": {"hours": 1.0, "credited_s": 2400.0, "coverage": 1.0, "refused_by": []},
    "eligibility": {
        "class_id": "c", "window": None, "eligible": True, "failed": [], "unconfirmed": [], "evidence": {},
    },
}  # fmt: skip


def results(folder: Path, version: str = "1", *, rest: Row | None = None, **tables: list[Row]) -> Path:
    """Write a folder of results; rows are filled up with `DEFAULTS`."""
    filled = {name: [DEFAULTS[name] | row for row in tables.get(name, [])] for name in SCHEMAS}
    summary = {
        "policy": {"id": "p", "version": version, "sha256": version * 64},
        "counts": {
            "events": 10,
            "sessions": len(filled["sessions"]),
            "findings": {"any": len(filled["findings"])},
            "eligible": sum(row["eligible"] for row in filled["eligibility"]),
            "refused_rows": 0,
        },
        "not_evaluable": {},
        "unused_decisions": [],
    } | (rest or {})
    judgement = SimpleNamespace(
        **{name: [SimpleNamespace(as_row=lambda row=row: row) for row in rows] for name, rows in filled.items()}
    )
    write(SimpleNamespace(judgement=judgement, summary=lambda: summary), folder)  # type: ignore[arg-type]
    return folder


def compared(old: Path, new: Path) -> Comparison:
    """Return what differs between two folders."""
    return compare(read_results(old), read_results(new))
