"""Sealed pictures, one file each, named by the SHA-256 of what was sent."""

from __future__ import annotations

import os
from pathlib import Path

from online_guard.store.vault import Vault

PURPOSE = "picture"


class Blobs:
    """A folder of sealed pictures.

    Args:
        folder: Made when needed.
        vault: Seals them.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault

    def put(self, sha256: str, content: bytes) -> None:
        """Keep a picture, on disk before this returns; the same one again changes nothing."""
        path = self._path(sha256)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
        with part.open("wb") as file:
            file.write(self._vault.seal(content, PURPOSE))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def get(self, sha256: str) -> bytes:
        """Return a picture as it was sent."""
        return self._vault.open(self._path(sha256).read_bytes(), PURPOSE)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256
