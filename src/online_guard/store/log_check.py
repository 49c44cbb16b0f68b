"""Derives the evidence log anew: the tree from its entries, the heads from the tree, and what the entries stand for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from online_guard.errors import Fault
from online_guard.store import merkle
from online_guard.store.log_key import is_signed, key_id
from online_guard.store.log_tables import LogEntryRecord, LogHeadRecord, LogStateRecord, LogTileRecord
from online_guard.store.sealed_log import canonical, digest_of, opaque

AT_ONCE = 2_000


@dataclass
class Derived:
    """What the entries give: the tree's size, and its roots at the sizes asked for."""

    size: int = 0
    roots: dict[int, str] = field(default_factory=dict)


def check_log(database: Session, public: bytes, known_heads: Iterable[Mapping[str, Any]] = ()) -> Iterator[Fault]:
    """Yield what is wrong with the log by itself: entries, tiles, heads, and heads that were kept elsewhere.

    Args:
        database: Open for reading.
        public: Key that signed the heads.
        known_heads: Heads as they were told earlier: `body` and `signature`.
    """
    heads = list(database.scalars(select(LogHeadRecord).order_by(LogHeadRecord.number)))
    known = [head for head in known_heads if is_signed(head["body"], head["signature"], public)]
    derived = Derived()
    sizes = sorted({head.size for head in heads} | {json.loads(head["body"])["size"] for head in known})
    yield from _entries(database, derived, sizes)
    yield from _heads(heads, derived, public)
    state = database.scalars(select(LogStateRecord)).one()
    if not state.size == (heads[-1].size if heads else 0) == derived.size:
        yield Fault(
            "log_head",
            f"最新日志头应覆盖全部 {derived.size} 条 / the newest head must cover all {derived.size} entries",
        )
    for number, head in enumerate(known_heads):
        yield from _known(number, head, derived, public)


def _entries(database: Session, derived: Derived, sizes: list[int]) -> Iterator[Fault]:
    """Yield what is wrong with entries and tiles; note the roots at some sizes on the way."""
    secret = database.scalars(select(LogStateRecord.secret)).one()
    tree = _Tree(database)
    waiting = [size for size in sizes if size > 0]
    if 0 in sizes:
        derived.roots[0] = merkle.EMPTY_ROOT.hex()
    query = select(LogEntryRecord).where(LogEntryRecord.position.is_not(None)).order_by(LogEntryRecord.position)
    for row in database.scalars(query.execution_options(yield_per=AT_ONCE)):
        if row.position != derived.size:
            yield Fault(_place(row), f"应为第 {derived.size} 位 / must have the place {derived.size}")
        for reason in entry_faults(row, secret):
            yield Fault(_place(row), reason)
        derived.size += 1
        tree.add(merkle.leaf_hash(row.leaf.encode()))
        while waiting and waiting[0] == derived.size:
            derived.roots[waiting.pop(0)] = tree.root().hex()
        database.expunge(row)
    yield from tree.faults()


def _place(row: LogEntryRecord) -> str:
    return f"log_entry {row.entry_id} (position {row.position})"


def entry_faults(row: LogEntryRecord, secret: bytes) -> Iterator[str]:
    """Yield what is wrong with an entry by itself."""
    try:
        leaf = json.loads(row.leaf)
        is_canonical = canonical(leaf) == row.leaf
    except (ValueError, RecursionError):
        leaf, is_canonical = None, False
    if not isinstance(leaf, dict) or not is_canonical:
        yield "叶子不是规范 JSON / the leaf isn't canonical JSON"
        return
    if leaf.get("kind") != row.kind or leaf.get("subject") != opaque(secret, row.subject):
        yield "类别或对象与叶子不符 / kind or subject isn't the leaf's"
    if row.position is not None and row.leaf_hash != merkle.leaf_hash(row.leaf.encode()):
        yield "叶子的散列不符 / not the leaf's hash"
    if leaf.get("digest") != digest_of(row.salt, row.subject, row.payload):
        yield "内容与叶子的摘要不符 / the payload doesn't give the leaf's digest"


class _Tree:
    """The tree grown anew, of which only the right edge is kept; each tile is compared with the stored one."""

    def __init__(self, database: Session) -> None:
        self._database = database
        self._edge: dict[tuple[int, int], bytes] = {}
        self._new: list[bytes] = []
        self._size = 0
        self._seen = 0
        self._differ: list[tuple[int, int]] = []

    def add(self, leaf: bytes) -> None:
        self._new.append(leaf)
        if len(self._new) >= AT_ONCE:
            self._grow()

    def root(self) -> bytes:
        self._grow()
        return merkle.root(self._size, merkle.nodes(lambda *at: self._edge[at]))

    def _grow(self) -> None:
        whole = merkle.TILE_WIDTH * merkle.HASH_BYTES
        for level, number, row in list(merkle.grown(self._size, self._new, lambda *at: self._edge[at])):
            if len(row) == whole:  # then it isn't at the edge any more: the level above has its root
                self._compare(level, number, row)
                self._edge.pop((level, number), None)
            else:
                self._edge[level, number] = row
        self._size, self._new = self._size + len(self._new), []

    def _compare(self, level: int, number: int, row: bytes) -> None:
        stored = self._database.get(LogTileRecord, (level, number))
        self._seen += 1
        if stored is None or stored.hashes != row:
            self._differ.append((level, number))
        if stored is not None:
            self._database.expunge(stored)

    def faults(self) -> Iterator[Fault]:
        self._grow()
        for (level, number), row in self._edge.items():
            self._compare(level, number, row)
        for level, number in self._differ:
            yield Fault(f"log_tile {level}/{number}", "与条目推得的不符 / isn't what the entries give")
        if self._database.scalar(select(func.count()).select_from(LogTileRecord)) != self._seen:
            yield Fault("log_tile", "多出或缺少 / more or fewer than the entries give")


def _heads(heads: list[LogHeadRecord], derived: Derived, public: bytes) -> Iterator[Fault]:
    """Yield what is wrong with the kept heads: each is signed, names the one before, and has the tree's root."""
    previous, size, time_ms = None, 0, 0
    for number, head in enumerate(heads):
        where = f"log_head {head.number}"
        if head.number != number:
            yield Fault(where, f"应为第 {number} 个 / must be number {number}")
        reason = head_fault(head.body, head.signature, derived.roots, public)
        if reason:
            yield Fault(where, reason)
        told = _read(head.body)
        if told.get("previous") != previous or told.get("size") != head.size:
            yield Fault(where, "与前一日志头不相连,或大小不符 / doesn't follow the head before, or has another size")
        moment_ms = told.get("time_ms")
        if head.size < size or not isinstance(moment_ms, int) or moment_ms < time_ms:
            yield Fault(where, "大小或时间倒退 / its size or time goes back")
        previous, size = hashlib.sha256(head.body.encode()).hexdigest(), head.size
        time_ms = moment_ms if isinstance(moment_ms, int) else time_ms


def head_fault(body: str, signature: str, roots: Mapping[int, str], public: bytes) -> str | None:
    """Return what is wrong with a head, by the roots that the entries give; None when it is right."""
    if not is_signed(body, signature, public):
        return f"不是密钥 {key_id(public)} 的签名 / isn't signed by the key {key_id(public)}"
    told = _read(body)
    size = told.get("size", -1)
    if size not in roots:
        return f"日志头有 {size} 条,现存较少(回滚) / the head has {size} entries, fewer are here: a roll-back"
    if told.get("root") != roots[size]:
        return "树根与条目推得的不符 / the root isn't what the entries give"
    return None


def _known(number: int, head: Mapping[str, Any], derived: Derived, public: bytes) -> Iterator[Fault]:
    reason = head_fault(head["body"], head["signature"], derived.roots, public)
    if reason:
        split = (
            "与此前公布的日志头不一致(回滚或分叉) / not consistent with a head told earlier: roll-back or split view"
        )
        yield Fault(f"known head {number}", f"{split}: {reason}")


def _read(body: str) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
