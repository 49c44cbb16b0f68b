"""The key file: several versions of the master key, one of them current, and the key of the blind index."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.folders import sync_folder

KEY_BYTES = 32
FORMAT = "online-guard keys 1"
MOST_VERSIONS = 65_535
"""A sealed value names its version in two bytes."""


@dataclass(frozen=True)
class KeyRing:
    """What a key file holds.

    Attributes:
        keys: Master keys by version, from 1.
        current: Version under which new values are sealed.
        index: Key of the blind index. Rotation leaves it alone: an index is a learner's id in ledgers, verdicts and
            log entries that are signed already, and must be the same for a person who enrols again years later.
        unbound: Whether values of the first format, which name neither version nor row, still open.
    """

    keys: Mapping[int, bytes]
    current: int
    index: bytes
    unbound: bool

    @classmethod
    def of(cls, master_key: bytes) -> KeyRing:
        """Return the ring of a key file of the first format: one master key and nothing else."""
        return cls({1: master_key}, 1, derived(master_key, b"index"), unbound=True)

    @classmethod
    def new(cls) -> KeyRing:
        """Return a ring of fresh keys."""
        return cls({1: secrets.token_bytes(KEY_BYTES)}, 1, secrets.token_bytes(KEY_BYTES), unbound=False)

    def rotated(self) -> KeyRing:
        """Return the ring with one version more, which is current."""
        version = max(self.keys) + 1
        if version > MOST_VERSIONS:
            raise GuardError(ErrorKind.INVALID, "vault.too_many_versions", "主密钥版本用尽 / no version is left")
        return replace(self, keys={**self.keys, version: secrets.token_bytes(KEY_BYTES)}, current=version)

    def retired(self) -> KeyRing:
        """Return the ring with its current version only; whatever another one sealed can't be opened any more."""
        return replace(self, keys={self.current: self.keys[self.current]}, unbound=False)

    def to_bytes(self) -> bytes:
        """Return the content of the key file."""
        content = {
            "format": FORMAT,
            "current": self.current,
            "unbound": self.unbound,
            "index": base64.b64encode(self.index).decode(),
            "keys": {str(version): base64.b64encode(key).decode() for version, key in self.keys.items()},
        }
        return json.dumps(content, indent=1).encode() + b"\n"


def derived(master_key: bytes, purpose: bytes) -> bytes:
    """Return a key for one purpose (HKDF, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"online-guard " + purpose).derive(master_key)


def read_ring(key_file: Path) -> KeyRing:
    """Return the ring of a key file.

    Raises:
        GuardError: The file isn't a key.
    """
    content = key_file.read_bytes()
    if len(content) == KEY_BYTES:
        return KeyRing.of(content)
    try:
        stated = json.loads(content)
        keys = {int(version): base64.b64decode(key, validate=True) for version, key in stated["keys"].items()}
        ring = KeyRing(keys, stated["current"], base64.b64decode(stated["index"], validate=True), stated["unbound"])
        sound = stated["format"] == FORMAT and ring.current in keys and isinstance(ring.unbound, bool)
        sound = sound and all(0 < version <= MOST_VERSIONS for version in keys)
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound or any(len(key) != KEY_BYTES for key in (*ring.keys.values(), ring.index)):
        raise GuardError(
            ErrorKind.INVALID,
            "vault.bad_key",
            "主密钥文件有误 / this isn't a key file",
            where=str(key_file),
            remedy="从备份恢复;没有它已封存的数据无法打开 / restore it: sealed data can't be opened without it.",
        )
    return ring


def make_ring(key_file: Path) -> None:
    """Make a key file of fresh keys, readable by its owner only, unless there is one."""
    key_file.parent.mkdir(parents=True, exist_ok=True)
    if key_file.exists():
        return
    part = key_file.with_name(f"{key_file.name}.{secrets.token_hex(8)}.part")
    _write(part, KeyRing.new)
    try:
        os.link(part, key_file)  # whole or not at all, and never in the place of another process's keys
    except FileExistsError:
        return
    finally:
        part.unlink()
    sync_folder(key_file.parent)


def change_ring(key_file: Path, change: Callable[[KeyRing], KeyRing]) -> KeyRing:
    """Put a changed ring into a key file, whole or not at all, and return it.

    Raises:
        GuardError: Somebody else is changing it.
    """
    part = key_file.with_name(key_file.name + ".part")
    try:
        ring = _write(part, lambda: change(read_ring(key_file)))
    except FileExistsError as error:
        raise GuardError(
            ErrorKind.CONFLICT,
            "vault.busy",
            "另一进程正在更换密钥 / another process is changing the keys",
            where=str(part),
            remedy="若无其他进程,请删除该文件后重试 / if there is none, delete this file and try again.",
        ) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(key_file)
    sync_folder(key_file.parent)
    return ring


def _write(part: Path, make: Callable[[], KeyRing]) -> KeyRing:
    """Write a ring that is made once the file is there, which keeps others from it."""
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        ring = make()
        file.write(ring.to_bytes())
        file.flush()
        os.fsync(file.fileno())
    return ring
