"""Names of people and sessions in foreign logs → pseudonyms: the log's own never enter a bundle."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path

from online_guard.errors import ErrorKind, GuardError

_NO_KEY = b"online-guard: no key was given"
LEAST_KEY_BYTES = 16


@dataclass(frozen=True)
class Pseudonyms:
    """HMAC-SHA-256 under a key; without one of its own the key is public, and whoever guesses a name can confirm it."""

    key: bytes = _NO_KEY

    def __post_init__(self) -> None:
        if len(self.key) < LEAST_KEY_BYTES:
            raise GuardError(
                ErrorKind.INVALID,
                "ingest.short_key",
                f"假名密钥须至少 {LEAST_KEY_BYTES} 字节 / a key for pseudonyms has at least {LEAST_KEY_BYTES} bytes",
                remedy="例如 for example: openssl rand -hex 32 > pseudonyms.key",
            )

    @property
    def keyed(self) -> bool:
        """Return whether the operator gave a key."""
        return self.key != _NO_KEY

    def of(self, kind: str, *names: str) -> str:
        """Return `kind-` and 32 hex digits; equal names give equal pseudonyms, whatever file they come from."""
        text = "\0".join((kind, *names)).encode("utf-8", "surrogatepass")
        return f"{kind}-{hmac.digest(self.key, text, 'sha256').hex()[:32]}"


def read_key(path: Path) -> Pseudonyms:
    """Return pseudonyms under the key in a file; white space around it doesn't count.

    Raises:
        GuardError: the file can't be read, or its key is too short.
    """
    try:
        return Pseudonyms(path.read_bytes().strip())
    except OSError as error:
        raise GuardError(
            ErrorKind.INVALID,
            "ingest.no_key",
            f"无法读取密钥 / the key can't be read: {error.strerror}",
            where=str(path),
        ) from error
