"""Seals personal data at rest (AES-256-GCM) and makes keyed blind indexes for look-up (HMAC-SHA-256)."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from online_guard.errors import ErrorKind, GuardError

KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """Seals and opens with keys derived from one master key.

    Args:
        master_key: 32 secret bytes.
    """

    def __init__(self, master_key: bytes) -> None:
        self._seal = AESGCM(_derived(master_key, b"seal"))
        self._index = _derived(master_key, b"index")

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Return nonce and ciphertext; only `open` with the same purpose gives the bytes back."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return what was sealed for this purpose.

        Raises:
            cryptography.exceptions.InvalidTag: It was altered, or sealed for another purpose.
        """
        return self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())

    def blind_index(self, text: str) -> str:
        """Return a keyed fingerprint: equal for equal texts, and of no use without the key."""
        return hmac.new(self._index, text.encode(), hashlib.sha256).hexdigest()[:32]


def _derived(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"online-guard " + purpose).derive(master_key)


def open_vault(key_file: Path) -> Vault:
    """Return the vault of a key file, which is made with mode 0600 when it isn't there.

    Raises:
        GuardError: The file isn't a key.
    """
    key_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        master_key = key_file.read_bytes()
    else:
        master_key = secrets.token_bytes(KEY_BYTES)
        with os.fdopen(handle, "wb") as file:
            file.write(master_key)
            file.flush()
            os.fsync(file.fileno())
    if len(master_key) != KEY_BYTES:
        raise GuardError(
            ErrorKind.INVALID,
            "vault.bad_key",
            f"主密钥须为 {KEY_BYTES} 字节 / the master key must be {KEY_BYTES} bytes",
            where=str(key_file),
            remedy="从备份恢复;没有它已封存的数据无法打开 / restore it: sealed data can't be opened without it.",
        )
    return Vault(master_key)
