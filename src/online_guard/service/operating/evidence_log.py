"""The evidence log as callers see it, and as it is verified."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import Fault, GuardError
from online_guard.service.house import House, clock_ms
from online_guard.store import log_check, log_proofs, row_check, sealed_log
from online_guard.store.log_key import LogKey, open_log_key, told_key
from online_guard.store.unit_of_work import reading, writing

log = logging.getLogger(__name__)
_told: set[str] = set()


def log_key(house: House) -> LogKey:
    """Return the key that signs this house's log.

    Raises:
        GuardError: Its file isn't a key.
    """
    return open_log_key(house.settings.signing_key_file)


def sequence(house: House, *, at_once: bool = False) -> int:
    """Give waiting entries their places in the tree and sign its head; return how many there were.

    Args:
        house: The service.
        at_once: Also when the last head is younger than five seconds.

    Raises:
        GuardError: The log is signed by another machine's key.
    """
    key, placed, some = log_key(house), 0, 1
    with reading(house.engine) as database:
        if not sealed_log.is_due(database, clock_ms(), at_once=at_once):
            return 0
    while some:
        with writing(house.engine) as database:
            some = sealed_log.sequence(database, key, clock_ms(), at_once=at_once or placed > 0)
        placed += some
    return placed


def keep_up(house: House) -> None:
    """Do what `sequence` does, now and then; a machine without the log's key leaves it to others, and says so once."""
    try:
        sequence(house)
    except GuardError as error:
        if error.code not in _told:
            _told.add(error.code)
            log.warning("%s", error)


def head(house: House) -> dict[str, Any]:
    """Return the newest signed head; a log that has none yet gets one, of no entries or more.

    Raises:
        GuardError: There is none, and its key isn't a key.
    """
    _sign_first(house)
    with reading(house.engine) as database:
        return log_proofs.current_head(database)


def _sign_first(house: House) -> None:
    with reading(house.engine) as database:
        known = sealed_log.newest_head(database)
    if known is None:
        sequence(house)


def public_key(house: House) -> dict[str, str]:
    """Return the public half of the key that signs the log.

    Raises:
        GuardError: This machine has another key than the one that signed the log so far.
    """
    key = log_key(house)
    with reading(house.engine) as database:
        sealed_log.refuse_other_key(sealed_log.newest_head(database), key)
    return told_key(key.public)


def heads(house: House, start: int, limit: int) -> dict[str, Any]:
    """Return a page of the signed heads, from a number on; `next` is the cursor of the next page, None at the end."""
    with reading(house.engine) as database:
        found = log_proofs.kept_heads(database, start, limit)
    return {"heads": found, "next": found[-1]["number"] + 1 if len(found) == limit else None}


def standing(house: House, before: int | None, limit: int) -> dict[str, Any]:
    """Return how many entries are in the tree (`size`) and how many wait, and the newest `heads` before a number."""
    _sign_first(house)
    with reading(house.engine) as database:
        size, waiting = log_proofs.counts(database)
        newest = sealed_log.newest_head(database)
        end = before or (newest.number + 1 if newest is not None else 1)
        found = log_proofs.kept_heads(database, max(0, end - limit), min(limit, end))
    return {"size": size, "waiting": waiting, "heads": [one for one in found[::-1] if one["number"] < end]}


def entries(house: House, start: int, limit: int) -> dict[str, Any]:
    """Return a page of the entries in the tree; `next` is the cursor of the page after it, None at the end."""
    with reading(house.engine) as database:
        found = log_proofs.page(database, start, limit)
    return {"entries": found, "next": found[-1]["leaf_index"] + 1 if len(found) == limit else None}


def inclusion(house: House, entry_id: int | None, leaf_hash: str | None, tree_size: int | None) -> dict[str, Any]:
    """Return the proof that an entry is in the log.

    Raises:
        GuardError: No such entry or tree, or the entry has no place in it yet.
    """
    _sign_first(house)
    with reading(house.engine) as database:
        return log_proofs.inclusion(database, log_proofs.find_entry(database, entry_id, leaf_hash), tree_size)


def consistency(house: House, first: int, tree_size: int | None) -> dict[str, Any]:
    """Return the proof that an earlier tree is the beginning of a later one.

    Raises:
        GuardError: No such trees.
    """
    _sign_first(house)
    with reading(house.engine) as database:
        return log_proofs.consistency(database, first, tree_size)


@dataclass(frozen=True)
class Verified:
    """What `verify` found: how many entries have a place in the tree, how many wait for one, and what is wrong."""

    size: int
    waiting: int
    faults: tuple[Fault, ...]


def verify(house: House, public: bytes | None = None, known_heads: Iterable[Mapping[str, Any]] = ()) -> Verified:
    """Derive the whole log anew, and compare what is stored with what was logged.

    Args:
        house: The service.
        public: Key that must have signed the heads; by default this machine's.
        known_heads: Heads that were told earlier and kept elsewhere.
    """
    if public is None:
        public = log_key(house).public
    with reading(house.engine) as database:
        return verify_within(database, public, known_heads)


def verify_within(database: Session, public: bytes, known_heads: Iterable[Mapping[str, Any]] = ()) -> Verified:
    """Return what `verify` does, of what a transaction sees."""
    faults = [*log_check.check_log(database, public, list(known_heads))]
    faults += row_check.check_rows(database)
    return Verified(*log_proofs.counts(database), tuple(faults))
