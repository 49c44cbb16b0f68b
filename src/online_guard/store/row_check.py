"""Whether stored rows still are what the evidence log says: events, captures, verdicts, and what people said."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from online_guard.errors import Fault, GuardError
from online_guard.evidence import Events
from online_guard.store import logged_tables
from online_guard.store.evidence_loader import load_events
from online_guard.store.log_tables import LogEntryRecord
from online_guard.store.logged_batches import events_digest, opening_of, within
from online_guard.store.logged_rows import about_session, row_name, session_key
from online_guard.store.sealed_log import Entry, canonical
from online_guard.store.tables import SessionRecord

SESSIONS_AT_ONCE = 500
"""About 150 000 events of class hours."""
UNREADABLE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error, zlib.error, msgspec.DecodeError,
    GuardError,
)  # fmt: skip
"""What reading a row raises whose bytes were changed, or whose file."""
EMPTY = canonical({})
Name = tuple[str, ...]


def check_rows(database: Session) -> Iterator[Fault]:
    """Yield rows that aren't what was logged, that weren't logged, or that are gone."""
    unreadable: list[Fault] = []
    logged = _logged(database, unreadable)
    for entry in _present(database, unreadable):
        said = logged.pop(row_name(*entry), None)
        where = " ".join(row_name(*entry))
        if said is None:
            yield Fault(where, "未入日志 / isn't in the log")
        elif said != _fingerprint(canonical(entry.payload)):
            yield Fault(where, "与入日志时不同 / isn't what was logged")
    yield from unreadable
    for name, said in logged.items():
        if said != _fingerprint(EMPTY):
            yield Fault(" ".join(name), "已入日志而不存在 / was logged, and is gone")
    yield from _check_events(database)


def _logged(database: Session, unreadable: list[Fault]) -> dict[Name, bytes]:
    """Return what the newest entry of each row says of it, as a fingerprint; add entries that can't be read."""
    columns = LogEntryRecord.entry_id, LogEntryRecord.kind, LogEntryRecord.subject, LogEntryRecord.payload
    query = select(*columns).where(LogEntryRecord.kind.in_(KINDS))
    # those without a place in the tree are the newest
    query = query.order_by(LogEntryRecord.position.is_(None), LogEntryRecord.position, LogEntryRecord.entry_id)
    said: dict[Name, bytes] = {}
    for entry_id, kind, subject, payload in database.execute(query.execution_options(yield_per=2_000)):
        try:
            said[row_name(kind, subject, json.loads(payload))] = _fingerprint(payload)
        except UNREADABLE as error:
            unreadable.append(Fault(f"log_entry {entry_id}", f"无法读取 / can't be read: {type(error).__name__}"))
    return said


KINDS = (
    "snapshot", "liveness", "claim", "verdict", "decision", "application", "confirmation", "survey", "roster", "result",
)  # fmt: skip
"""Kinds whose rows are compared here; events are compared session by session."""


def _fingerprint(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _present(database: Session, unreadable: list[Fault]) -> Iterator[Entry]:
    """Yield what the log would say of each row now; add what can't be read."""
    for row in logged_tables.rows(database):
        try:
            yield from row.entries(*row.of)
        except UNREADABLE as error:
            unreadable.append(Fault(row.name, f"无法读取 / can't be read: {type(error).__name__}"))


def _check_events(database: Session) -> Iterator[Fault]:
    """Yield what is wrong with the events of each session, and entries about sessions that aren't there."""
    known = set()
    ids = database.scalars(select(SessionRecord.row_id).order_by(SessionRecord.row_id)).all()
    for first in range(0, len(ids), SESSIONS_AT_ONCE):
        some = SessionRecord.row_id.in_(ids[first : first + SESSIONS_AT_ONCE])
        sessions = {row.row_id: row for row in database.scalars(select(SessionRecord).where(some))}
        events, broken = _readable(database, sessions)
        for row_id in broken:
            subject = about_session(session_key(sessions.pop(row_id)))
            known.add(subject)
            yield Fault(subject, "事件无法读取 / the events can't be read")
        said = _batches(database, [about_session(session_key(row)) for row in sessions.values()])
        order = np.argsort(events.session, kind="stable")
        bounds = np.searchsorted(events.session[order], [[row_id, row_id + 1] for row_id in sessions])
        for session, (begin, end) in zip(sessions.values(), bounds.reshape(-1, 2).tolist(), strict=True):
            subject = about_session(session_key(session))
            known.add(subject)
            try:
                yield from _check_session(session, events, order[begin:end], map(json.loads, said.get(subject, [])))
            except UNREADABLE as error:
                yield Fault(subject, f"日志条目无法读取 / entries can't be read: {type(error).__name__}")
    query = select(LogEntryRecord.subject).where(LogEntryRecord.kind == "events").distinct()
    for subject in sorted(set(database.scalars(query)) - known):
        yield Fault(subject, "会话已入日志而不存在 / the session was logged, and is gone")


def _readable(database: Session, sessions: Collection[int]) -> tuple[Events, list[int]]:
    """Return the events of sessions, and the sessions whose events can't be read."""
    try:
        return load_events(database, {row_id: row_id for row_id in sessions}), []
    except UNREADABLE:
        broken = []
        for row_id in sessions:
            try:
                load_events(database, {row_id: row_id})
            except UNREADABLE:
                broken.append(row_id)
    return load_events(database, {row_id: row_id for row_id in sessions if row_id not in broken}), broken


def _batches(database: Session, subjects: Sequence[str]) -> dict[str, list[str]]:
    """Return what was logged of the batches of sessions, as JSON."""
    query = select(LogEntryRecord.subject, LogEntryRecord.payload).where(
        LogEntryRecord.subject.in_(subjects), LogEntryRecord.kind == "events"
    )
    said: dict[str, list[str]] = {}
    for subject, payload in database.execute(query):
        said.setdefault(subject, []).append(payload)
    return said


def _check_session(
    session: SessionRecord, events: Events, rows: NDArray[np.int64], said: Iterable[dict[str, Any]]
) -> Iterator[Fault]:
    """Yield the batches of a session that its events don't give, and the events that no batch brought."""
    batches = list(said)
    opening = opening_of(session)
    where = opening.subject
    free = dict.fromkeys(rows.tolist())
    aside = [digest for batch in batches for digest in batch.get("aside", ())]
    if aside:
        by_digest: dict[str, list[int]] = {}
        for row in free:
            by_digest.setdefault(events_digest(opening, events, np.array([row])), []).append(row)
        for digest in aside:
            if not by_digest.get(digest):
                yield Fault(where, f"缺少日志中的事件 / an event that was logged is gone or changed: {digest}")
            else:
                del free[by_digest[digest].pop()]
    for batch in batches:
        if "seqs" in batch:
            left = np.array(list(free), np.int64)
            own = left[within(batch["seqs"], events.seq[left])]
            own = own[np.argsort(events.seq[own], kind="stable")]
            for row in own.tolist():
                del free[row]
            if events_digest(opening, events, own) != batch["sha256"]:
                yield Fault(where, f"事件与入日志时不同 / events aren't what was logged: seq {batch['seqs']}")
    if free:
        numbers = ", ".join(str(events.seq[row]) for row in list(free)[:5])
        yield Fault(where, f"{len(free)} 个事件未入日志 / events that aren't in the log: seq {numbers}")
