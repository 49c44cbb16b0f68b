"""Ways to change a database behind the service's back, and an evidence file: each call makes another one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from online_guard.store import merkle, sealed_log
from online_guard.store.log_tables import LogStateRecord, LogTileRecord

WATCHED: dict[str, tuple[str, ...]] = {
    "log_entry": ("kind", "subject", "leaf", "payload", "salt", "leaf_hash", "position"),
    "log_tile": ("hashes", "number"),
    "log_head": ("body", "signature", "size", "number"),
    "log_state": ("size",),
    "event_chunk": ("columns", "count", "session_row"),
    "event_conflict": ("content", "session_row"),
    "session": ("opened_at_ms", "opened_received_ms", "device_id", "lesson_no"),
    "snapshot": ("at_ms", "received_ms", "asked", "good", "sha256", "phash", "distance", "report", "snapshot_id"),
    "liveness_check": ("at_ms", "outcome", "distance", "clip_sha256", "report", "issued_ms", "check_id"),
    "finding": ("rule", "effect", "subject_id", "start_ms", "evidence", "policy_version", "policy_sha256"),
    "result": ("kind", "owner", "body", "policy_id", "policy_sha256"),
    "claim": ("claim_id", "received_ms", "body", "answer"),
    "application": ("window", "applied_on", "assessment_on", "papers", "task_row"),
    "survey": ("surveyed_on", "score", "asked"),
}
"""Columns that the log vouches for, by table."""
LOG = ("log_entry", "log_tile", "log_head")
ROWS = (
    "event_chunk",
    "event_conflict",
    "snapshot",
    "liveness_check",
    "finding",
    "result",
    "claim",
    "application",
    "survey",
)
Changed = str | None
"""What was changed, None when the change would have changed nothing."""


def some_row(database: Session, rng: Random, table: str) -> Row[Any]:
    """Return a row, its rowid first, as `place`."""
    rows = database.execute(text(f"SELECT rowid AS place, * FROM {table} ORDER BY rowid")).all()
    return rng.choice(rows)


def put(database: Session, table: str, rowid: int, column: str, value: Any) -> None:
    """Change one value."""
    database.execute(
        text(f'UPDATE {table} SET "{column}" = :value WHERE rowid = :rowid'), {"value": value, "rowid": rowid}
    )


def flipped(value: Any, rng: Random) -> Any:
    """Return a value with one bit changed; None where that is no value."""
    if value is None:
        return None
    if isinstance(value, int):
        return value ^ (1 << rng.randrange(max(1, value.bit_length())))
    if isinstance(value, float):
        return value + 2.0 ** -rng.randrange(1, 12)
    content = bytearray(value.encode() if isinstance(value, str) else value)
    if not content:
        return None
    bit = rng.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8
    try:
        return content.decode() if isinstance(value, str) else bytes(content)
    except UnicodeDecodeError:
        return None


def bit(database: Session, rng: Random) -> Changed:
    """Change one bit of a value."""
    table = rng.choice(list(WATCHED))
    column = rng.choice(WATCHED[table])
    row = some_row(database, rng, table)
    value = flipped(row._mapping[column], rng)
    if value is None or "\0" in str(value):
        return None
    put(database, table, row[0], column, value)
    return f"{table}.{column} {row[0]}"


def field(database: Session, rng: Random) -> Changed:
    """Put another row's value, or nothing, in the place of a value."""
    table = rng.choice(list(WATCHED))
    column = rng.choice(WATCHED[table])
    row, other = some_row(database, rng, table), some_row(database, rng, table)
    old, new = row._mapping[column], rng.choice((other._mapping[column], None))
    if old == new:
        new = (
            (1 - old if old in (0, 1) else old + 1)
            if isinstance(old, int | float)
            else f"{old}0"
            if isinstance(old, str)
            else None
        )
    if new == old or (new is None and old is None):
        return None
    put(database, table, row[0], column, new)
    return f"{table}.{column} {row[0]}"


def delete(database: Session, rng: Random) -> Changed:
    """Delete a row."""
    table = rng.choice(LOG + ROWS)
    row = some_row(database, rng, table)
    database.execute(text(f"DELETE FROM {table} WHERE rowid = {row[0]}"))
    return f"{table} {row[0]}"


KEYS = {
    "snapshot": "snapshot_id", "liveness_check": "check_id", "claim": "claim_id", "event_conflict": "digest",
    "application": "window", "survey": "institution",
}  # fmt: skip


def insert(database: Session, rng: Random) -> Changed:
    """Add a row like one that is there, under a key of its own."""
    table = rng.choice(LOG + ROWS)
    row = dict(some_row(database, rng, table)._mapping)
    del row["place"]
    key = KEYS.get(table, "")
    if table == "log_entry":
        return insert_entry(database, rng, row)
    if table == "event_chunk":
        # the same events again, but in a chunk that another number begins
        row["first_seq"] += rng.randrange(1, 1000)
    elif table in KEYS:
        row[key] = f"{rng.getrandbits(64):x}"
    elif table == "log_tile":
        row["number"] += rng.randrange(1, 99)
    elif table == "log_head":
        row["number"] += rng.randrange(1, 99)
        if database.execute(text(f"SELECT 1 FROM log_head WHERE number = {row['number']}")).first():
            return None
    else:
        row.pop("row_id")
    if table in ("event_conflict", "survey"):
        row.pop("row_id")
    if table == "result":
        row["body"] = row["body"].replace("0", "1")
    names = ", ".join(f'"{name}"' for name in row)
    database.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)
    return f"{table} {key}"


def insert_entry(database: Session, rng: Random, row: dict[str, Any]) -> Changed:
    """Squeeze an entry into the tree, all others move to the right; tiles are made anew."""
    row.pop("entry_id")
    size = database.execute(text("SELECT count(*) FROM log_entry")).scalar() or 0
    place = rng.randrange(size + 1)
    database.execute(text(f"UPDATE log_entry SET position = -position - 1 WHERE position >= {place}"))
    database.execute(text("UPDATE log_entry SET position = -position WHERE position < 0"))
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    database.execute(text(f"INSERT INTO log_entry ({names}) VALUES ({values})"), row | {"position": place})
    if rng.random() < 0.5:
        plant(database)
    return f"log_entry at {place}"


def plant(database: Session) -> None:
    """Make tiles and state fit the entries, as somebody would who knows how the log is built."""
    leaves = database.execute(text("SELECT entry_id, leaf FROM log_entry WHERE position IS NOT NULL ORDER BY position"))
    hashes = []
    for entry_id, leaf in leaves.all():
        hashes.append(merkle.leaf_hash(leaf.encode()))
        put(database, "log_entry", entry_id, "leaf_hash", hashes[-1])
    database.execute(text("DELETE FROM log_tile"))
    tiles: dict[tuple[int, int], bytes] = {}
    for level, number, tile in merkle.grown(0, hashes, lambda *at: tiles[at]):
        tiles[level, number] = tile
        database.add(LogTileRecord(level=level, number=number, hashes=tile))
    database.get_one(LogStateRecord, 1).size = len(hashes)
    database.flush()


def reorder(database: Session, rng: Random) -> Changed:
    """Let two entries, or the contents of two rows, change places."""
    kind = rng.randrange(3)
    table, column = (("log_entry", "position"), ("result", "body"), ("event_chunk", "columns"))[kind]
    one, other = some_row(database, rng, table), some_row(database, rng, table)
    values = one._mapping[column], other._mapping[column]
    if values[0] == values[1]:
        return None
    if table == "log_entry":
        put(database, table, one[0], column, None)
    put(database, table, other[0], column, values[0])
    put(database, table, one[0], column, values[1])
    if table == "log_entry" and rng.random() < 0.5:
        plant(database)
    return f"{table} {one[0]} <> {other[0]}"


def cut(database: Session, heads_too: bool, rng: Random) -> int:
    """Take the last entries away, with tiles and state, and the heads if they are to fit; return how many are left."""
    sizes = [row[0] for row in database.execute(text("SELECT size FROM log_head ORDER BY number")).all()]
    size = rng.choice(sizes[:-1]) if heads_too else rng.randrange(sizes[-1])
    database.execute(text(f"DELETE FROM log_entry WHERE position >= {size}"))
    if heads_too:
        database.execute(text(f"DELETE FROM log_head WHERE size > {size}"))
    plant(database)
    return size


def truncate(database: Session, rng: Random) -> Changed:
    """Take the last entries away, but not the heads, which can't be signed anew."""
    return f"to {cut(database, False, rng)}"


DATABASE: dict[str, Callable[[Session, Random], Changed]] = {
    "bit": bit,
    "field": field,
    "delete": delete,
    "insert": insert,
    "reorder": reorder,
    "truncate": truncate,
}


def old_backup(database: Session, rng: Random) -> None:
    """Go back to the log of an earlier head, whole and rightly signed."""
    cut(database, True, rng)


def split_view(database: Session, rng: Random, key: Any) -> None:
    """Go back, and on in another way, with heads that the log's own key signs."""
    size = cut(database, True, rng)
    for _ in range(rng.randrange(1, 30)):
        sealed_log.append(database, "claim", f"enrolment/{rng.getrandbits(32)}", {"claim_id": str(size)})
    sealed_log.sequence(database, key, 1 << 50, at_once=True)


def mutated_lines(kind: str, lines: Sequence[str], other: Sequence[str], rng: Random) -> list[str] | None:
    """Return an evidence file with one change, None where it changed nothing; `other` is another session's."""
    changed = list(lines)
    at = rng.randrange(1, len(lines))
    match kind:
        case "bit":
            at = rng.randrange(len(lines))
            value = flipped(lines[at], rng)
            changed[at] = lines[at] if value is None else value
        case "field":
            changed[at] = json.dumps(_other_value(json.loads(lines[at]), rng), ensure_ascii=False)
        case "delete":
            del changed[at]
        case "insert":
            changed.insert(at, rng.choice([*lines[1:], *other[1:]]))
        case "reorder":
            changed = _swapped(changed, rng)
        case "truncate":
            changed = list("\n".join(lines)[: -rng.randrange(1, len(lines[-1]))].split("\n"))
    return None if changed == list(lines) or _same(changed, lines) else changed


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    try:
        return sorted(json.dumps(json.loads(line)) for line in one) == sorted(
            json.dumps(json.loads(line)) for line in other
        )
    except ValueError:
        return False


def _other_value(line: dict[str, Any], rng: Random) -> dict[str, Any]:
    name = rng.choice(list(line))
    if name in ("session", "events"):
        inner = line["session"] if name == "session" else rng.choice(line["events"])
        key = rng.choice(list(inner))
        inner[key] = inner[key] + 1 if isinstance(inner[key], int | float) else f"{inner[key]}x"
        return line
    if isinstance(line[name], list):
        line[name] = line[name][:-1]
    else:
        line[name] = line[name] + 1 if isinstance(line[name], int) else f"{line[name]}0"
    return line


def _swapped(lines: list[str], rng: Random) -> list[str]:
    """Give two entries each other's place in the tree."""
    places = [number for number, line in enumerate(lines) if "leaf_index" in line]
    one, other = rng.sample(places, 2)
    first, second = json.loads(lines[one]), json.loads(lines[other])
    name = rng.choice(("leaf_index", "payload", "salt", "subject", "audit_path", "leaf"))
    first[name], second[name] = second[name], first[name]
    lines[one], lines[other] = (json.dumps(row, ensure_ascii=False) for row in (first, second))
    return lines
