"""The key that signs the heads of the evidence log: Ed25519, in a file that only its owner may read."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from online_guard.errors import ErrorKind, GuardError

KEY_BYTES = 32
CONTEXT = b"online-guard log head 1\n"
"""Stands before what is signed, so that a signature means a head and nothing else."""


class LogKey:
    """Signs heads.

    Args:
        secret: 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(secret)

    @cached_property
    def public(self) -> bytes:
        """Return the 32 bytes of the public half."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @cached_property
    def key_id(self) -> str:
        """Return the short name of the key."""
        return key_id(self.public)

    def sign(self, body: str) -> str:
        """Return the signature of a head's body, in hexadecimal."""
        return self._private.sign(CONTEXT + body.encode()).hex()


def key_id(public: bytes) -> str:
    """Return the short name of a public key: the beginning of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def is_signed(body: str, signature: str, public: bytes) -> bool:
    """Return whether a signature is this key's for a head's body."""
    try:
        sealed = bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(public).verify(sealed, CONTEXT + body.encode())
    except (InvalidSignature, ValueError):
        return False
    return sealed.hex() == signature  # one head is written in one way


def told_key(public: bytes) -> dict[str, str]:
    """Return a public key as it is told."""
    return {"algorithm": "Ed25519", "key_id": key_id(public), "public_key": b64encode(public).decode()}


def open_log_key(file: Path) -> LogKey:
    """Return the key of a file, which is made with mode 0600 when it isn't there.

    Raises:
        GuardError: The file isn't a key.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.urandom(4).hex()}.part")
    if not file.exists():
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(os.urandom(KEY_BYTES))
            made.flush()
            os.fsync(made.fileno())
        try:
            os.link(part, file)  # whole or not at all, and never over another process's
        except FileExistsError:
            pass
        finally:
            part.unlink()
    secret = file.read_bytes()
    if len(secret) != KEY_BYTES:
        raise GuardError(
            ErrorKind.INVALID,
            "log.bad_key",
            f"存证日志签名密钥须为 {KEY_BYTES} 字节 / the log's key must be {KEY_BYTES} bytes",
            where=str(file),
            remedy="请从备份恢复 / restore it from a backup.",
        )
    return LogKey(secret)
