"""What was read of an import, and the rows that it becomes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from online_guard.evidence import Evidence
from online_guard.ingest.live import content_digest
from online_guard.ingest.rows import CheckRow, DirectiveRow, LikenessRow, SessionRow, SnapshotRow
from online_guard.service.importing.import_report import Report
from online_guard.store.import_tables import ImportRecord
from online_guard.store.tables import Base, CheckRecord, DirectiveRecord, LikenessRecord, SessionRecord, SnapshotRecord
from online_guard.terms import EventType

IMPORT = "import"
"""The provenance of sessions whose clocks are the platform's own word."""


@dataclass(frozen=True)
class Prepared:
    """What was read of an import.

    Attributes:
        record: The import.
        evidence: Its small tables.
        known: By (file, key), what is known of rows of the small tables (`Border.known`).
        sessions: In the order of `evidence.sessions`.
        known_sessions: Those that are stored already, by place.
        strange: Of these the places where the id stands for another session.
        facts: The other tables about sessions, by file.
        last: By place when a session's last event was received, and its timeline.
        ready: File of its events.
        report: What became of the rows so far.
        growing: Id of the class that was derived from logs.
        grown_from: That class as it was kept when this log was read; None when it wasn't.
    """

    record: ImportRecord
    evidence: Evidence
    known: Mapping[tuple[str, str], str]
    sessions: Sequence[SessionRow]
    known_sessions: Mapping[int, SessionRecord]
    strange: frozenset[int]
    facts: Mapping[str, Sequence[Any]]
    last: Mapping[int, tuple[int, str | None]]
    ready: Path
    report: Report
    growing: str | None = None
    grown_from: str | None = None
    rows: dict[int, int] = field(default_factory=dict)

    @property
    def platform_id(self) -> str:
        """Return whose import it is."""
        return self.record.platform_id


def aside_row(session_row: int, content: Mapping[str, Any], received_ms: int) -> dict[str, Any]:
    """Return the row of an event kept aside."""
    stored = {**content, "type": EventType(content["type"]).code, "received_ms": received_ms}
    return {
        "session_row": session_row,
        "seq": content["seq"],
        "digest": content_digest(content),
        "received_ms": received_ms,
        "content": json.dumps(stored, sort_keys=True),
    }


def _snapshot(row: SnapshotRow) -> dict[str, Any]:
    report = {"snapshot_id": row.snapshot_id, "good": row.good, "provenance": IMPORT}
    return _fields(row) | {"report": json.dumps(report)}


def _check(row: CheckRow) -> dict[str, Any]:
    return _fields(row) | {"outcome": str(row.outcome)}


def _directive(row: DirectiveRow) -> dict[str, Any]:
    # a nonce nobody was told: what a platform says that it asked for can't be answered any more
    return _fields(row) | {"nonce": secrets.token_urlsafe(16), "used_ms": row.issued_ms}


def _fields(row: Any) -> dict[str, Any]:
    names = (name for name in row.__struct_fields__ if name not in ("platform_id", "session_id"))
    return {name: getattr(row, name) for name in names}


FACTS: dict[str, tuple[str, type[Base], tuple[str, ...], Callable[[Any], dict[str, Any]]]] = {
    "snapshots.ndjson": ("snapshots", SnapshotRecord, ("snapshot_id",), _snapshot),
    "liveness.ndjson": ("liveness", CheckRecord, ("check_id",), _check),
    "directives.ndjson": ("directives", DirectiveRecord, ("directive_id",), _directive),
    "likenesses.ndjson": ("likenesses", LikenessRecord, ("snapshot_id", "other_kind", "other_id"), _fields),
}
"""By file: name of the table in the report, its records, the fields of its key beside the session, and its values."""
FactRow = SnapshotRow | CheckRow | DirectiveRow | LikenessRow
