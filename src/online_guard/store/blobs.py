"""Sealed pictures, one file each, under a name without meaning and under the key of the person in them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.person_keys import erased
from online_guard.store.vault import PersonKey, Vault

PURPOSE = "picture"
SHA256_HEX = 64
PART = ".part"


class BlobFile(NamedTuple):
    """A file of the folder: its name, its size in bytes, and when it was last written, in s since the epoch."""

    name: str
    size: int
    written_s: float


class Blobs:
    """A folder of sealed pictures.

    Args:
        folder: Made when needed, for its owner only.
        vault: Seals them.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault

    def name(self, learner_id: str, sha256: str) -> str:
        """Return the name of a person's picture: who has the picture, but not the key, can't tell that it is here."""
        return self._vault.blind_index(f"picture/{learner_id}/{sha256}")

    def put(self, sha256: str, content: bytes, person: PersonKey) -> None:
        """Keep a picture, on disk before this returns; the same one again changes nothing.

        Args:
            sha256: Of what was sent.
            content: What was sent.
            person: Who is in it.
        """
        name = self.name(person.learner_id, sha256)
        path = self._path(name)
        if self._is_kept(path, name, person):
            path.touch()  # what was just put is no leftover
            return
        for folder in (self._folder, path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        part = path.with_name(f"{name}.{os.getpid()}.{os.urandom(4).hex()}{PART}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._vault.seal(content, PURPOSE, person, name))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _is_kept(self, path: Path, name: str, person: PersonKey) -> bool:
        """Return whether a picture is there and opens; one under the key of an earlier life of its person doesn't."""
        try:
            self._vault.open(path.read_bytes(), PURPOSE, person, name)
        except (FileNotFoundError, InvalidTag):
            return False
        return True

    def get(self, sha256: str, learner_id: str, person: PersonKey | None) -> bytes:
        """Return a picture as it was sent.

        Args:
            sha256: Of what was sent.
            learner_id: Who is in it.
            person: Their data key; None for someone who was erased, or has pictures of the first format only.

        Raises:
            GuardError: It was erased with its person, or has expired.
        """
        name = self.name(learner_id, sha256)
        for path, row in ((self._path(name), name), (self._path(sha256), "")):
            try:
                return self._vault.open(path.read_bytes(), PURPOSE, person, row)
            except FileNotFoundError:
                continue
            except InvalidTag as error:
                raise erased() from error
        raise gone()

    def adopt(self, sha256: str, person: PersonKey) -> bool:
        """Seal a picture of the first format for its person; return whether there was one. It stays for others."""
        old = self._path(sha256)
        if not old.exists():
            return False
        self.put(sha256, self._vault.open(old.read_bytes(), PURPOSE), person)
        return True

    def is_there(self, name: str) -> bool:
        """Return whether there is a file of a name, or of the first format under a hash."""
        return self._path(name).exists()

    def delete(self, names: Collection[str], written_before_s: float = float("inf")) -> int:
        """Delete files, but those put (again) since a moment in s since the epoch; return how many there were."""
        deleted = 0
        for path in map(self._path, names):
            try:
                if path.stat().st_mtime < written_before_s:
                    path.unlink()
                    deleted += 1
            except FileNotFoundError:
                continue
        return deleted

    def files(self) -> Iterator[BlobFile]:
        """Yield all files, those of an interrupted writing too."""
        for path in self._folder.glob("??/*"):
            try:
                known = path.stat()
            except FileNotFoundError:
                continue
            yield BlobFile(path.name, known.st_size, known.st_mtime)

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def gone() -> GuardError:
    """Return the refusal to show a picture that isn't kept any more."""
    return GuardError(
        ErrorKind.NOT_FOUND, "media.gone", "影像已过保存期限或已删除 / the picture has expired or was deleted"
    )
