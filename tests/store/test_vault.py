"""Sealing, blind indexes, and the file of the master key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.vault import KEY_BYTES, Vault, open_vault

SECRET = "王秀兰 411526197001019004".encode()


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(KEY_BYTES)))


def test_what_is_sealed_comes_back_and_shows_nothing(vault: Vault) -> None:
    sealed = vault.seal(SECRET, "name")
    assert vault.open(sealed, "name") == SECRET
    assert SECRET[:3] not in sealed


def test_the_same_text_is_sealed_differently_each_time(vault: Vault) -> None:
    assert len({vault.seal(SECRET, "name") for _ in range(20)}) == 20


def test_nothing_opens_for_another_purpose_with_another_key_or_altered(vault: Vault) -> None:
    sealed = vault.seal(SECRET, "name")
    stranger = Vault(bytes(KEY_BYTES))
    for opener, content, purpose in (
        (vault, sealed, "identity number"),
        (stranger, sealed, "name"),
        (vault, sealed[:-1] + bytes([sealed[-1] ^ 1]), "name"),
        (vault, bytes([sealed[0] ^ 1]) + sealed[1:], "name"),
        (vault, sealed[:-1], "name"),
    ):
        with pytest.raises(InvalidTag):
            opener.open(content, purpose)


def test_a_blind_index_is_equal_for_equal_texts_under_one_key_only(vault: Vault) -> None:
    index = vault.blind_index("411526197001019004")
    assert index == vault.blind_index("411526197001019004")
    assert index != vault.blind_index("411526197001019012")
    assert index != Vault(bytes(KEY_BYTES)).blind_index("411526197001019004")
    assert "411526" not in index


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "master.key"
    sealed = open_vault(file).seal(SECRET, "name")
    key = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) == KEY_BYTES
    assert open_vault(file).open(sealed, "name") == SECRET
    assert file.read_bytes() == key


def test_every_installation_has_a_key_of_its_own(tmp_path: Path) -> None:
    open_vault(tmp_path / "one.key")
    open_vault(tmp_path / "two.key")
    assert (tmp_path / "one.key").read_bytes() != (tmp_path / "two.key").read_bytes()


@pytest.mark.parametrize("content", [b"", bytes(KEY_BYTES - 1), bytes(KEY_BYTES + 1)])
def test_a_file_that_is_no_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(content)
    with pytest.raises(GuardError) as refusal:
        open_vault(file)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.INVALID, "vault.bad_key")
    assert refusal.value.where == str(file)
    assert file.read_bytes() == content
