"""Sealed pictures on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from online_guard.store.blobs import Blobs
from online_guard.store.vault import KEY_BYTES, Vault

PICTURE = b"\xff\xd8\xff a picture of a face " * 50
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "pictures", Vault(bytes(range(KEY_BYTES))))


def files(tmp_path: Path) -> list[Path]:
    """Return every file below a folder."""
    return sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_a_picture_comes_back_as_it_was_sent(blobs: Blobs) -> None:
    blobs.put(SHA256, PICTURE)
    assert blobs.get(SHA256) == PICTURE


def test_on_disk_it_shows_nothing(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(SHA256, PICTURE)
    (file,) = files(tmp_path)
    assert file.name == SHA256
    assert b"a picture" not in file.read_bytes()


def test_the_same_picture_again_changes_nothing(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(SHA256, PICTURE)
    before = files(tmp_path)[0].read_bytes()
    blobs.put(SHA256, PICTURE)
    assert [file.read_bytes() for file in files(tmp_path)] == [before]


def test_a_picture_does_not_open_without_the_key(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(SHA256, PICTURE)
    with pytest.raises(InvalidTag):
        Blobs(tmp_path / "pictures", Vault(bytes(KEY_BYTES))).get(SHA256)
