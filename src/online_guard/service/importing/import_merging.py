"""What an import says of sessions that are kept already: it adds to what another import brought, and changes nothing.

A session that was received live takes an import's events only as it would take a late batch: within 24 h of its close,
dated within 24 h of the import, and stamped with the moment at which the import was received.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.evidence import Events
from online_guard.ingest.identity import take
from online_guard.ingest.live import DAY_MS
from online_guard.ingest.merging import merge
from online_guard.ingest.rows import LikenessRow, SessionRow
from online_guard.service.importing.import_events import ReadySession
from online_guard.service.importing.import_prepared import FACTS, IMPORT, FactRow, Prepared, aside_row
from online_guard.service.importing.import_report import ACCEPTED, CONFLICT, DUPLICATE, Report
from online_guard.store import event_chunks, import_rows, sealed_log
from online_guard.store.evidence_loader import load_events
from online_guard.store.logged_batches import batch_entries, counted, opening_of
from online_guard.store.tables import Base, ConflictRecord, SessionRecord
from online_guard.terms import EventType

KEPT = "与已保存的不同,以已保存的为准 / differs from what is kept, which stays"
TOO_LATE = "该会话为实时接收,且关闭已超过 24 小时 / received live, and closed more than 24 h ago"
FAR_AWAY = "会话为实时接收,事件时间与服务时钟相差超过 24 小时 / received live; over 24 h from the service's clock"
VOUCHED = "该会话为实时接收,只采信服务自己的记录 / received live: the service vouches for it, not the platform"
OTHER_SESSION = "该会话标识已用于另一会话 / the id stands for another session"


def is_strange(record: SessionRecord, row: SessionRow) -> bool:
    """Return whether a stored session is another one than a row with its id means."""
    return (record.enrolment_id, record.lesson_no) != (row.enrolment_id, row.lesson_no)


def note_session(report: Report, record: SessionRecord, row: SessionRow) -> None:
    """Note what a row says of a session that is kept."""
    key = f"{row.platform_id}/{row.session_id}"
    if is_strange(record, row):
        report.refuse_some("sessions", key, OTHER_SESSION, 1)
        return
    # address and browser don't count: an export leaves them out, and an erased person has none
    names = ("opened_at_ms", "opened_received_ms", "device_id")
    same = all(getattr(record, name) == getattr(row, name) for name in names)
    report.known("sessions", DUPLICATE if same else CONFLICT, key, "" if same else KEPT)


def add_events(database: Session, prepared: Prepared, ready: ReadySession) -> bool:
    """Add the events of a session that is kept; return whether there were any."""
    record, sent = prepared.known_sessions[ready.place], ready.events()
    key, report = f"{record.platform_id}/{record.session_id}", prepared.report
    if ready.place in prepared.strange:
        report.refuse_some("events", key, OTHER_SESSION, len(sent))
        return False
    stored = load_events(database, {record.row_id: 0})
    if record.provenance != IMPORT:
        sent = _as_live(record, stored, sent, prepared.record.created_ms, key, report)
    merged = merge(stored, sent)
    event_chunks.put(database, record.row_id, merged.new)
    rows = [aside_row(record.row_id, *content) for content in merged.aside]
    import_rows.put(database, ConflictRecord, rows)
    logged = batch_entries(opening_of(record), counted(merged.new), rows_of(merged.aside))
    sealed_log.append_all(database, logged)
    report.count("events", ACCEPTED, len(merged.new))
    if merged.duplicates:
        report.known("events", DUPLICATE, key, number=merged.duplicates)
    if rows:
        report.known("events", CONFLICT, key, "同一 seq 内容不同 / other content under one `seq`", len(rows))
    return bool(len(merged.new) or rows)


def rows_of(aside: Sequence[tuple[dict[str, Any], int]]) -> list[dict[str, Any]]:
    """Return events kept aside as rows of a chunk."""
    return [
        values | {"type": EventType(values["type"]).code, "received_ms": received_ms} for values, received_ms in aside
    ]


def _as_live(record: SessionRecord, stored: Events, sent: Events, received_ms: int, key: str, report: Report) -> Events:
    """Return the events that a session received live may still take, stamped with the import's moment."""
    stamped = replace(sent, received_ms=np.full(len(sent), received_ms, np.int64))
    closed_ms = record.closed_received_ms
    late = closed_ms is not None and received_ms - closed_ms > DAY_MS
    near = np.abs(sent.at_ms - received_ms) <= DAY_MS if not late else np.zeros(len(sent), np.bool_)
    refused = take(stamped, ~near)
    merged = merge(stored, refused)
    if merged.duplicates:
        report.known("events", DUPLICATE, key, number=merged.duplicates)
    if number := len(merged.new) + len(merged.aside):
        report.refuse_some("events", key, TOO_LATE if late else FAR_AWAY, number)
    return take(stamped, near)


def new_facts(
    database: Session, prepared: Prepared, file: str, rows: Sequence[tuple[int, FactRow]]
) -> tuple[list[dict[str, Any]], set[int]]:
    """Return the rows about kept sessions that are new, ready to be kept, and the places of their sessions."""
    table, records, names, values_of = FACTS[file]
    session_rows = {prepared.rows[place] for place, _ in rows}
    stored = {
        (record.session_row, *(getattr(record, name) for name in names)): record  # type: ignore[attr-defined]
        for record in import_rows.stored(database, records, [records.session_row], session_rows)  # type: ignore[attr-defined]
    }
    new, grown = [], set()
    for place, row in rows:
        values = values_of(row) | {"session_row": prepared.rows[place]}
        key = (prepared.rows[place], *(values[name] for name in names))
        told = "/".join((row.platform_id, row.session_id, *map(str, key[1:])))
        if place in prepared.strange:
            prepared.report.refuse_some(table, told, OTHER_SESSION, 1)
        elif key in stored:
            same = _says_the_same(stored[key], row)
            prepared.report.known(table, DUPLICATE if same else CONFLICT, told, "" if same else KEPT)
        elif prepared.known_sessions[place].provenance != IMPORT:
            prepared.report.refuse_some(table, told, VOUCHED, 1)
        else:
            new.append(values)
            grown.add(place)
    prepared.report.count(table, ACCEPTED, len(new))
    return new, grown


def _says_the_same(record: Base, row: FactRow) -> bool:
    names = (name for name in row.__struct_fields__ if name not in ("platform_id", "session_id"))
    return all(getattr(record, name) == getattr(row, name) for name in names)


def find_others(
    database: Session, prepared: Prepared, places: Mapping[str, int], rows: Sequence[dict[str, Any]]
) -> None:
    """Set the session that each likeness row names beside its own, where it is one of this platform's."""
    named = {row["other_id"].split("/")[1] for row in rows if row["other_kind"] == "snapshot"}
    outside = import_rows.session_rows(database, prepared.platform_id, named - set(places))
    known = outside | {name: prepared.rows[places[name]] for name in named & set(places)}
    for row in rows:
        is_snapshot = row["other_kind"] == "snapshot"
        row["other_row"] = known.get(row["other_id"].split("/")[1]) if is_snapshot else None


def find_named(database: Session, prepared: Prepared) -> None:
    """Set the session of earlier likeness rows that name one which came only now."""
    places = {f"{row.platform_id}/{row.session_id}": place for place, row in enumerate(prepared.sessions)}
    for record in import_rows.likenesses_without_session(database, prepared.platform_id):
        place = places.get(record.other_id.rpartition("/")[0])
        if place is not None:
            record.other_row = prepared.rows[place]
    database.flush()


def foreign_likenesses(database: Session, rows: Sequence[LikenessRow], platform_id: str) -> set[str]:
    """Return the `other_id`s that are another platform's captures or enrolments: a platform can't speak of those."""
    references = {row.other_id for row in rows if row.other_kind == "reference"}
    owners = import_rows.platforms_of_enrolments(database, references)
    captures = {row.other_id for row in rows if row.other_kind == "snapshot"}
    captures = {name for name in captures if name.split("/")[0] != platform_id}
    known = import_rows.sessions_among(database, captures)
    return {name for name, owner in owners.items() if owner != platform_id} | {
        name for name in captures if name.rpartition("/")[0] in known
    }
