"""What anyone may read of the evidence log: heads, entries by page, and proofs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import merkle
from online_guard.store.log_tables import LogEntryRecord, LogHeadRecord
from online_guard.store.sealed_log import newest_head, tiles
from online_guard.store.tables import EnrolmentRecord, SessionRecord

SUBJECTS_AT_ONCE = 500
PLACED = LogEntryRecord.position.is_not(None)


def told_head(head: LogHeadRecord) -> dict[str, Any]:
    """Return a head as it is told: its values, and `body`, the bytes that were signed."""
    return {**json.loads(head.body), "body": head.body, "signature": head.signature}


def current_head(database: Session) -> dict[str, Any]:
    """Return the newest head.

    Raises:
        GuardError: None was signed yet.
    """
    head = newest_head(database)
    if head is None:
        raise GuardError(
            ErrorKind.UNAVAILABLE,
            "log.pending",
            "尚无签名的日志头 / no head was signed yet",
            remedy="请稍后再试 / try again shortly.",
        )
    return told_head(head)


def kept_heads(database: Session, start: int, limit: int) -> list[dict[str, Any]]:
    """Return signed heads from a number on, oldest first."""
    query = select(LogHeadRecord).where(LogHeadRecord.number >= start).order_by(LogHeadRecord.number).limit(limit)
    return [{"number": head.number} | told_head(head) for head in database.scalars(query)]


def told_entry(row: LogEntryRecord) -> dict[str, Any]:
    """Return what is public of an entry."""
    return {
        "entry_id": row.entry_id,
        "leaf_index": row.position,
        "leaf": row.leaf,
        "leaf_hash": None if row.leaf_hash is None else row.leaf_hash.hex(),
    }


def page(database: Session, start: int, limit: int) -> list[dict[str, Any]]:
    """Return entries in the order of the tree, from a place on."""
    query = select(LogEntryRecord).where(PLACED, LogEntryRecord.position >= start)
    return [told_entry(row) for row in database.scalars(query.order_by(LogEntryRecord.position).limit(limit))]


def find_entry(database: Session, entry_id: int | None, leaf_hash: str | None) -> LogEntryRecord:
    """Return an entry by its id, or by its leaf's hash.

    Raises:
        GuardError: There is none, or it has no place in the tree yet.
    """
    which: ColumnElement[bool] = LogEntryRecord.entry_id == entry_id
    if leaf_hash is not None:
        which = LogEntryRecord.leaf_hash == bytes.fromhex(leaf_hash)
    row = database.scalar(select(LogEntryRecord).where(which).limit(1))
    if row is None:
        raise GuardError(ErrorKind.NOT_FOUND, "not_found", "找不到 / not found: 日志条目 log entry")
    if row.position is None:
        raise GuardError(
            ErrorKind.CONFLICT,
            "log.pending",
            "该条目尚未排入日志树 / the entry has no place in the tree yet",
            remedy="请稍后再试 / try again shortly.",
        )
    return row


def inclusion(database: Session, row: LogEntryRecord, tree_size: int | None) -> dict[str, Any]:
    """Return the proof that an entry is in the tree of a size, by default the newest head's.

    Raises:
        GuardError: No such tree, or one without the entry.
    """
    size, position = _size(database, tree_size), row.position or 0
    if position >= size:
        raise _no_tree(f"该条目不在前 {size} 条之内 / not among the first {size} entries")
    node = merkle.nodes(tiles(database))
    path = [step.hex() for step in merkle.inclusion(position, size, node)]
    return told_entry(row) | {"tree_size": size, "root": merkle.root(size, node).hex(), "audit_path": path}


def consistency(database: Session, first: int, tree_size: int | None) -> dict[str, Any]:
    """Return the proof that the tree of `first` entries is the beginning of that of a size.

    Raises:
        GuardError: No such trees.
    """
    size = _size(database, tree_size)
    if first > size:
        raise _no_tree(f"前者不得大于后者 {size} / the first tree can't be larger than the second, {size}", "?first")
    node = merkle.nodes(tiles(database))
    return {
        "first": first,
        "first_root": merkle.root(first, node).hex(),
        "tree_size": size,
        "root": merkle.root(size, node).hex(),
        "consistency_path": [step.hex() for step in (merkle.consistency(first, size, node) if first else ())],
    }


def _size(database: Session, tree_size: int | None) -> int:
    newest = current_head(database)["size"]
    if tree_size is not None and tree_size > newest:
        raise _no_tree(f"日志只有 {newest} 条 / the log has {newest} entries")
    return int(newest if tree_size is None else tree_size)


def _no_tree(message: str, where: str = "?tree_size") -> GuardError:
    return GuardError(ErrorKind.INVALID, "log.no_such_tree", message, where=where)


def newest_entry(database: Session, kind: str, subject: str) -> dict[str, Any] | None:
    """Return what is public of the newest entry about a subject."""
    query = select(LogEntryRecord).where(LogEntryRecord.subject == subject, LogEntryRecord.kind == kind)
    row = database.scalar(query.order_by(LogEntryRecord.entry_id.desc()).limit(1))
    return None if row is None else told_entry(row)


def named_entry(database: Session, kind: str, subject: str, name: str) -> tuple[int, str]:
    """Return the id of the entry about a subject whose payload has a `name`, and its leaf's hash in hexadecimal.

    Both stay as they are when the entry gets its place in the tree.
    """
    query = select(LogEntryRecord).where(LogEntryRecord.subject == subject, LogEntryRecord.kind == kind)
    rows = database.scalars(query.order_by(LogEntryRecord.entry_id))
    row = next(row for row in rows if json.loads(row.payload).get("name") == name)
    return row.entry_id, merkle.leaf_hash(row.leaf.encode()).hex()


def counts(database: Session) -> tuple[int, int]:
    """Return how many entries have a place in the tree, and how many wait for one."""
    query = select(func.count(LogEntryRecord.position), func.count()).select_from(LogEntryRecord)
    placed, every = database.execute(query).one()
    return placed, every - placed


def entries_about(database: Session, subjects: Sequence[str], size: int) -> list[LogEntryRecord]:
    """Return the entries about some subjects among the first `size`, in the order of the tree."""
    found: list[LogEntryRecord] = []
    for first in range(0, len(subjects), SUBJECTS_AT_ONCE):
        some = LogEntryRecord.subject.in_(subjects[first : first + SUBJECTS_AT_ONCE])
        found += database.scalars(select(LogEntryRecord).where(some, PLACED, LogEntryRecord.position < size))
    return sorted(found, key=attrgetter("position"))


def sessions_of_class(database: Session, class_id: str) -> list[SessionRecord]:
    """Return the sessions of a class."""
    query = select(SessionRecord).join(EnrolmentRecord).where(EnrolmentRecord.class_id == class_id)
    return list(database.scalars(query.order_by(SessionRecord.platform_id, SessionRecord.session_id)))
