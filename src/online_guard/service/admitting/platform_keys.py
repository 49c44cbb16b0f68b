"""Keys of platforms: made, rotated, revoked; and the secrets that signatures are verified with."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House, clock_ms
from online_guard.signatures import Signature
from online_guard.store import account_rows
from online_guard.store.account_tables import PlatformKeyRecord
from online_guard.store.queries import must_find
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.vault import Vault

FRESH_S = 1.0
"""How long a process believes what it read of a key: so soon it learns that it was revoked or rotated."""
KEY = "平台密钥 key"


@dataclass(frozen=True)
class NewSecret:
    """A key's secret, which is shown this once."""

    key_id: str
    platform_id: str
    secret: str


def create_key(house: House, platform_id: str) -> NewSecret:
    """Make a key for a platform."""
    key_id, secret = f"key-{secrets.token_hex(8)}", secrets.token_hex(32)
    with writing(house.engine) as database:
        database.add(
            PlatformKeyRecord(
                key_id=key_id,
                platform_id=platform_id,
                secret=house.vault.seal(secret.encode(), _purpose(key_id)),
                created_ms=clock_ms(),
            )
        )
    return NewSecret(key_id, platform_id, secret)


def rotate_key(house: House, key_id: str, overlap_s: int) -> NewSecret:
    """Give a key a new secret; the one before works on for `overlap_s` seconds.

    Raises:
        GuardError: There is no such key, or it was revoked.
    """
    secret, now_ms = secrets.token_hex(32), clock_ms()
    with writing(house.engine) as database:
        record = must_find(database, PlatformKeyRecord, key_id, KEY)
        if record.revoked_ms is not None:
            raise GuardError(
                ErrorKind.CONFLICT,
                "key.revoked",
                "密钥已撤销 / the key was revoked",
                where=key_id,
                remedy="请新建密钥 / make a new key.",
            )
        record.previous_secret, record.previous_until_ms = record.secret, now_ms + overlap_s * 1000
        record.secret, record.rotated_ms = house.vault.seal(secret.encode(), _purpose(key_id)), now_ms
    return NewSecret(key_id, record.platform_id, secret)


def revoke_key(house: House, key_id: str) -> None:
    """End a key for good; every process refuses it within `FRESH_S`.

    Raises:
        GuardError: There is no such key.
    """
    with writing(house.engine) as database:
        record = must_find(database, PlatformKeyRecord, key_id, KEY)
        record.revoked_ms = record.revoked_ms or clock_ms()
        record.secret, record.previous_secret, record.previous_until_ms = None, None, None


def list_keys(house: House, platform_id: str | None = None) -> list[dict[str, Any]]:
    """Return all keys, or a platform's, without their secrets; times in ms since the epoch."""
    shown = ("key_id", "platform_id", "created_ms", "rotated_ms", "previous_until_ms", "revoked_ms")
    with reading(house.engine) as database:
        records = account_rows.platform_keys(database, platform_id)
        return [{name: getattr(record, name) for name in shown} for record in records]


def _purpose(key_id: str) -> str:
    """Return what a key's secret is sealed for: moved to another key's row it can't be opened."""
    return f"platform key {key_id}"


@dataclass(frozen=True)
class PlatformKey:
    """A key that works: its platform, and its secrets, each until a time in s since the epoch."""

    key_id: str
    platform_id: str
    secrets: tuple[tuple[bytes, float], ...]

    def made(self, signature: Signature, now_s: float) -> bool:
        """Return whether the signature is of this key; the work is the same for every signature."""
        made = [signature.is_made_with(secret) for secret, until_s in self.secrets if now_s < until_s]
        return any(made)


class KeyRing:
    """The keys that this process has seen, each as it was `FRESH_S` ago at most.

    Args:
        engine: Of the database that holds them.
        vault: Opens their secrets.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._known: dict[str, tuple[PlatformKey, float]] = {}

    def fresh(self, key_id: str) -> PlatformKey | None:
        """Return a key that was read a moment ago; None when it is to be read by `read`."""
        key, until_s = self._known.get(key_id, (None, 0.0))
        now_s = time.monotonic()
        if key is None or now_s < until_s:
            return key
        self._known[key_id] = (key, now_s + FRESH_S)  # one request reads it again; the others needn't wait
        return None

    def read(self, key_id: str) -> PlatformKey | None:
        """Return a key as the database holds it; None for one that isn't there, or was revoked."""
        with reading(self._engine) as database:
            record = database.get(PlatformKeyRecord, key_id)
        if record is None or record.secret is None or record.revoked_ms is not None:
            self._known.pop(key_id, None)
            return None
        usable = [(self._vault.open(record.secret, _purpose(key_id)), float("inf"))]
        if record.previous_secret is not None and record.previous_until_ms is not None:
            previous = self._vault.open(record.previous_secret, _purpose(key_id))
            usable.append((previous, record.previous_until_ms / 1000))
        key = PlatformKey(key_id, record.platform_id, tuple(usable))
        self._known[key_id] = (key, time.monotonic() + FRESH_S)
        return key
