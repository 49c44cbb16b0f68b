"""Evidence of a session or a class in one file: anyone with the log's public key can verify it without the service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.identity import event_values
from online_guard.service.house import House
from online_guard.service.operating import evidence_log
from online_guard.store import log_proofs, merkle, queries, sealed_log
from online_guard.store.evidence_loader import load_events
from online_guard.store.log_tables import LogEntryRecord
from online_guard.store.logged_batches import SESSION_FIELDS
from online_guard.store.logged_rows import about_class, about_enrolment, about_session, session_key
from online_guard.store.tables import EnrolmentRecord, SessionRecord
from online_guard.store.unit_of_work import reading

FORMAT = "online-guard evidence 1"


def export_session(house: House, key: str, out: Path, known_heads: Sequence[Mapping[str, Any]] = ()) -> int:
    """Write the evidence of a session; return how many entries of the log it holds.

    Args:
        house: The service.
        key: `platform_id/session_id`.
        out: File to write, one JSON a line.
        known_heads: Heads told earlier, to which the new head's consistency is to be proven.

    Raises:
        GuardError: Unknown session, or a head that isn't of this log.
    """
    evidence_log.sequence(house, at_once=True)
    platform_id, _, session_id = key.partition("/")
    with reading(house.engine) as database:
        session = queries.find_session(database, session_id, platform_id)
        return _write(database, out, [session], [about_session(key)], known_heads)


def export_class(house: House, class_id: str, out: Path, known_heads: Sequence[Mapping[str, Any]] = ()) -> int:
    """Write the evidence of a class, its enrolments and sessions; the rest as `export_session`."""
    evidence_log.sequence(house, at_once=True)
    with reading(house.engine) as database:
        queries.class_record(database, class_id)
        sessions = log_proofs.sessions_of_class(database, class_id)
        members = [row.enrolment_id for row in queries.of_class(database, EnrolmentRecord, class_id)]
        subjects = [about_session(session_key(row)) for row in sessions]
        subjects += [about_class(class_id), *map(about_enrolment, members)]
        return _write(database, out, sessions, subjects, known_heads)


def _write(
    database: Session,
    out: Path,
    sessions: Sequence[SessionRecord],
    subjects: Sequence[str],
    known_heads: Sequence[Mapping[str, Any]],
) -> int:
    head = log_proofs.current_head(database)
    rows = log_proofs.entries_about(database, subjects, head["size"])
    part = out.with_name(f"{out.name}.part")
    with part.open("w", encoding="utf-8") as file:
        lines = chain(
            [_first_line(database, head, known_heads)],
            (_session_line(database, session) for session in sessions),
            _entry_lines(database, rows, head["size"]),
        )
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    part.replace(out)
    return len(rows)


def _first_line(database: Session, head: Mapping[str, Any], known_heads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = []
    for earlier in known_heads:
        size = json.loads(earlier["body"])["size"]
        if size > head["size"]:
            raise GuardError(
                ErrorKind.CONFLICT,
                "log.rolled_back",
                f"已知日志头有 {size} 条,现存 {head['size']} 条 / the known head has {size} entries, the log fewer",
                remedy="日志可能被回滚,请运行 verify-log / the log may be rolled back: run verify-log.",
            )
        path = log_proofs.consistency(database, size, head["size"])["consistency_path"]
        known.append({"size": size, "consistency_path": path})
    told = {name: head[name] for name in ("body", "signature")}
    return {"format": FORMAT, "head": told, "known": known}


def _session_line(database: Session, session: SessionRecord) -> dict[str, Any]:
    events = load_events(database, {session.row_id: 0})
    values = [event_values(events, row) for row in range(len(events))]
    return {"session": {name: getattr(session, name) for name in SESSION_FIELDS}, "events": values}


def _entry_lines(database: Session, rows: Sequence[LogEntryRecord], size: int) -> Iterator[dict[str, Any]]:
    node = merkle.nodes(sealed_log.tiles(database))
    for row in rows:
        yield {
            "leaf_index": row.position,
            "leaf": row.leaf,
            "audit_path": [step.hex() for step in merkle.inclusion(row.position or 0, size, node)],
            "subject": row.subject,
            "salt": row.salt.hex(),
            "payload": row.payload,
        }
