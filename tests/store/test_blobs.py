"""Sealed pictures on disk, each under its person's key."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from online_guard.errors import GuardError
from online_guard.store.blobs import Blobs
from online_guard.store.key_ring import KEY_BYTES, KeyRing, derived
from online_guard.store.vault import PersonKey, Vault

PICTURE = b"\xff\xd8\xff a picture of a face " * 50
SHA256 = hashlib.sha256(PICTURE).hexdigest()
MASTER = bytes(range(KEY_BYTES))
ONE, OTHER = PersonKey("one", bytes(32)), PersonKey("other", bytes(range(32)))


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "pictures", Vault(KeyRing.of(MASTER)))


def files(tmp_path: Path) -> list[Path]:
    """Return every file below a folder."""
    return sorted(path for path in tmp_path.rglob("*") if path.is_file())


def refusal(blobs: Blobs, learner_id: str, person: PersonKey | None, sha256: str = SHA256) -> str:
    """Return why a picture isn't shown."""
    with pytest.raises(GuardError) as refused:
        blobs.get(sha256, learner_id, person)
    return refused.value.code


def test_a_picture_comes_back_as_it_was_sent(blobs: Blobs) -> None:
    blobs.put(SHA256, PICTURE, ONE)
    assert blobs.get(SHA256, "one", ONE) == PICTURE


def test_on_disk_it_shows_nothing_and_only_its_owner_reads_it(blobs: Blobs, tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        blobs.put(SHA256, PICTURE, ONE)
    finally:
        os.umask(umask)
    (file,) = files(tmp_path)
    assert SHA256[:16] not in str(file)
    assert b"a picture" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in file.parents[:2]} == {0o700}


def test_the_same_picture_again_changes_nothing(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(SHA256, PICTURE, ONE)
    before = files(tmp_path)[0].read_bytes()
    blobs.put(SHA256, PICTURE, ONE)
    assert [file.read_bytes() for file in files(tmp_path)] == [before]


def test_two_persons_with_one_picture_have_a_file_each(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(SHA256, PICTURE, ONE)
    blobs.put(SHA256, PICTURE, OTHER)
    assert len(files(tmp_path)) == 2
    assert blobs.delete([blobs.name("one", SHA256)]) == 1
    assert refusal(blobs, "one", ONE) == "media.gone"
    assert blobs.get(SHA256, "other", OTHER) == PICTURE


def test_what_is_put_again_meanwhile_is_not_deleted(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(SHA256, PICTURE, ONE)
    (file,) = files(tmp_path)
    os.utime(file, (1_000_000, 1_000_000))
    began_s = time.time() - 1
    blobs.put(SHA256, PICTURE, ONE)
    assert blobs.delete([file.name], written_before_s=began_s) == 0
    os.utime(file, (1_000_000, 1_000_000))
    assert blobs.delete([file.name], written_before_s=began_s) == 1


def test_a_file_put_in_the_place_of_another_does_not_open(blobs: Blobs, tmp_path: Path) -> None:
    second = hashlib.sha256(b"another").hexdigest()
    blobs.put(SHA256, PICTURE, ONE)
    first = files(tmp_path)[0].read_bytes()
    blobs.put(second, b"another", ONE)
    (place,) = (file for file in files(tmp_path) if file.read_bytes() != first)
    place.write_bytes(first)
    assert refusal(blobs, "one", ONE, second) == "person.erased"


def test_without_its_persons_key_a_picture_is_told_as_erased(blobs: Blobs) -> None:
    blobs.put(SHA256, PICTURE, ONE)
    assert refusal(blobs, "one", None) == "person.erased"
    assert refusal(blobs, "one", PersonKey("one", b"1" * 32)) == "person.erased"


def test_who_was_erased_and_comes_again_can_show_the_same_picture(blobs: Blobs) -> None:
    blobs.put(SHA256, PICTURE, ONE)
    again = PersonKey("one", b"1" * 32)
    blobs.put(SHA256, PICTURE, again)
    assert blobs.get(SHA256, "one", again) == PICTURE


def test_pictures_of_the_first_format_open_and_are_adopted(blobs: Blobs, tmp_path: Path) -> None:
    old = tmp_path / "pictures" / SHA256[:2] / SHA256
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(12) + AESGCM(derived(MASTER, b"seal")).encrypt(bytes(12), PICTURE, b"picture"))
    assert blobs.get(SHA256, "one", None) == blobs.get(SHA256, "one", ONE) == PICTURE
    assert blobs.adopt(SHA256, ONE)
    assert blobs.delete([SHA256]) == 1
    assert blobs.get(SHA256, "one", ONE) == PICTURE
    assert not blobs.adopt(SHA256, ONE)
