"""The evidence log: entries are added in the caller's transaction, and get their places in a Merkle tree later.

A leaf is public and names nobody: its subject is a keyed hash, its digest salted, so that what isn't known can't be
guessed from it. Whoever is erased later leaves every proof valid.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Table, bindparam, delete, select, update
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import merkle
from online_guard.store.log_key import LogKey
from online_guard.store.log_tables import LogEntryRecord, LogHeadRecord, LogStateRecord, LogTileRecord
from online_guard.store.many import Many

KINDS = (
    "events", "snapshot", "liveness", "verdict", "decision", "claim", "application", "confirmation", "survey", "roster",
    "result", "erasure", "expiry",
)  # fmt: skip
SALT_BYTES = 16
AT_ONCE = 5_000
"""Entries that get their places in one transaction, some 50 ms of it."""
HEAD_EVERY_MS = 5_000
"""Heads are signed no more often, lest a busy day keep 86 400 of them."""
ENTRIES = cast("Table", LogEntryRecord.__table__)
_NEW = Many(ENTRIES.insert(), ("kind", "subject", "leaf", "payload", "salt"))
_canonical = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_secrets: WeakKeyDictionary[Engine, bytes] = WeakKeyDictionary()


class Entry(NamedTuple):
    """What happened to a subject: `kind` is one of `KINDS`, `payload` JSON values without a person's data."""

    kind: str
    subject: str
    payload: Mapping[str, Any]


def canonical(value: Any) -> str:
    """Return a value as JSON with sorted keys and no spaces.

    Raises:
        ValueError: It holds a number that JSON doesn't know.
    """
    return _canonical(value)


def append(database: Session, kind: str, subject: str, payload: Mapping[str, Any]) -> None:
    """Add an entry to the log, in the caller's transaction.

    Args:
        database: Open for writing.
        kind: One of `KINDS`.
        subject: What it is about, as the house calls it; outside it is seen as a keyed hash.
        payload: JSON values. Only its salted digest is seen outside.
    """
    append_all(database, [Entry(kind, subject, payload)])


def append_all(database: Session, entries: Sequence[Entry]) -> None:
    """Add entries to the log, in the caller's transaction and by one statement."""
    if entries:
        secret, time_ms = _secret(database), time.time_ns() // 1_000_000
        drawn = secrets.token_bytes(SALT_BYTES * len(entries))  # at once: each draw lets another thread run
        salts = [drawn[first : first + SALT_BYTES] for first in range(0, len(drawn), SALT_BYTES)]
        rows = [_row(entry, salt, secret, time_ms) for entry, salt in zip(entries, salts, strict=True)]
        _NEW.execute(database.connection(), rows)


def _secret(database: Session) -> bytes:
    """Return the key of subjects' names, read once for each engine."""
    engine = database.connection().engine
    known = _secrets.get(engine)
    if known is None:
        known = database.scalars(select(LogStateRecord.secret)).one()
        _secrets[engine] = known
    return known


def _row(entry: Entry, salt: bytes, secret: bytes, time_ms: int) -> dict[str, Any]:
    assert entry.kind in KINDS
    payload = canonical(entry.payload)
    return {
        "kind": entry.kind,
        "subject": entry.subject,
        "leaf": _leaf(entry, salt, payload, secret, time_ms),
        "payload": payload,
        "salt": salt,
    }


def _leaf(entry: Entry, salt: bytes, payload: str, secret: bytes, time_ms: int) -> str:
    """Return the leaf's data: canonical JSON, written out because batches of events come by the thousand."""
    digest, name = digest_of(salt, entry.subject, payload), opaque(secret, entry.subject)
    return f'{{"digest":"{digest}","kind":"{entry.kind}","subject":"{name}","time_ms":{time_ms},"v":1}}'


def digest_of(salt: bytes, subject: str, payload: str) -> str:
    """Return what a leaf says of its payload (canonical JSON): a digest that is of no use without the salt."""
    return hmac.new(salt, f"{subject}\n{payload}".encode(), "sha256").hexdigest()


def opaque(secret: bytes, subject: str) -> str:
    """Return the name of a subject outside: equal for equal subjects, so that no entry about it can be kept back."""
    return hmac.new(secret, subject.encode(), "sha256").hexdigest()[:32]


def tiles(database: Session) -> merkle.Tile:
    """Return a reader of the tree's tiles, each read once."""
    known: dict[tuple[int, int], bytes] = {}

    def tile(level: int, number: int) -> bytes:
        if (level, number) not in known:
            query = select(LogTileRecord.hashes).where(LogTileRecord.level == level, LogTileRecord.number == number)
            known[level, number] = database.scalars(query).one()
        return known[level, number]

    return tile


def newest_head(database: Session) -> LogHeadRecord | None:
    """Return the last head that was signed."""
    return database.scalar(select(LogHeadRecord).order_by(LogHeadRecord.number.desc()).limit(1))


def sequence(database: Session, key: LogKey, now_ms: int, *, at_once: bool = False) -> int:
    """Give waiting entries their places in the tree and sign its new head; return how many there were.

    One process does it at a time: the row of the log's state is locked. Nothing is done while the last head is younger
    than `HEAD_EVERY_MS`, unless `at_once`.

    Raises:
        GuardError: The heads are signed by another key than this machine's.
    """
    state = database.scalars(select(LogStateRecord).with_for_update()).one()
    last = newest_head(database)
    refuse_other_key(last, key)
    if not is_due(database, now_ms, at_once=at_once):
        return 0
    count = _place(database, state)
    if count or last is None:
        _sign(database, state.size, last, key, now_ms)
    return count


def refuse_other_key(head: LogHeadRecord | None, key: LogKey) -> None:
    """Refuse a key that isn't the one which signed a head.

    Raises:
        GuardError: It is another one.
    """
    key_id = key.key_id if head is None else json.loads(head.body)["key_id"]
    if key_id != key.key_id:
        raise GuardError(
            ErrorKind.CONFLICT,
            "log.other_key",
            f"日志由另一密钥签名 / the log is signed by another key: {key_id}",
            remedy="请把 log.key 复制到本机 / copy log.key to this machine.",
        )


def is_due(database: Session, now_ms: int, *, at_once: bool) -> bool:
    """Return whether there is something to sign a head for, and the last one isn't too young."""
    last = newest_head(database)
    if last is None:
        return True
    if not at_once and 0 <= now_ms - json.loads(last.body)["time_ms"] < HEAD_EVERY_MS:
        return False
    waiting = select(LogEntryRecord.entry_id).where(LogEntryRecord.position.is_(None))
    return database.scalar(waiting.limit(1)) is not None


def _place(database: Session, state: LogStateRecord) -> int:
    """Put waiting entries to the right of the tree; return how many."""
    waiting = select(LogEntryRecord.entry_id, LogEntryRecord.leaf).where(LogEntryRecord.position.is_(None))
    rows = database.execute(waiting.order_by(LogEntryRecord.entry_id).limit(AT_ONCE)).all()
    if not rows:
        return 0
    hashes = [merkle.leaf_hash(leaf.encode()) for _, leaf in rows]
    place = update(ENTRIES).where(ENTRIES.c.entry_id == bindparam("entry"))
    database.execute(
        place.values(position=bindparam("place"), leaf_hash=bindparam("hash")),
        [
            {"entry": entry_id, "place": state.size + place, "hash": hashes[place]}
            for place, (entry_id, _) in enumerate(rows)
        ],
    )
    for level, number, row in list(merkle.grown(state.size, hashes, tiles(database))):
        database.execute(delete(LogTileRecord).where(LogTileRecord.level == level, LogTileRecord.number == number))
        database.add(LogTileRecord(level=level, number=number, hashes=row))
    state.size += len(rows)
    database.flush()
    return len(rows)


def _sign(database: Session, size: int, last: LogHeadRecord | None, key: LogKey, now_ms: int) -> None:
    """Keep a signed head, which names the one before by its SHA-256."""
    before_ms = 0 if last is None else json.loads(last.body)["time_ms"]
    body = canonical(
        {
            "key_id": key.key_id,
            "previous": None if last is None else hashlib.sha256(last.body.encode()).hexdigest(),
            "root": merkle.root(size, merkle.nodes(tiles(database))).hex(),
            "size": size,
            "time_ms": max(now_ms, before_ms),  # also when the system's clock was set back
            "v": 1,
        }
    )
    number = 0 if last is None else last.number + 1
    database.add(LogHeadRecord(number=number, size=size, body=body, signature=key.sign(body)))
    database.flush()
