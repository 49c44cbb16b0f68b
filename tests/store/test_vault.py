"""Sealing under versions of the master key and persons' keys, blind indexes, and the key file."""

from __future__ import annotations

import itertools
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import vault as vaults
from online_guard.store.key_ring import KEY_BYTES, KeyRing, change_ring, derived, read_ring
from online_guard.store.vault import Vault, open_vault

SECRET = "王秀兰 411526197001019004".encode()
FIRST = bytes(range(KEY_BYTES))


@pytest.fixture
def vault() -> Vault:
    return Vault(KeyRing.of(FIRST))


def in_first_format(plain: bytes, purpose: str) -> bytes:
    """Return a value as it was sealed before values named their key."""
    nonce = bytes(12)
    return nonce + AESGCM(derived(FIRST, b"seal")).encrypt(nonce, plain, purpose.encode())


def test_what_is_sealed_comes_back_and_shows_nothing(vault: Vault) -> None:
    sealed = vault.seal(SECRET, "name")
    assert vault.open(sealed, "name") == SECRET
    assert SECRET[:3] not in sealed


def test_the_same_text_is_sealed_differently_each_time(vault: Vault) -> None:
    assert len({vault.seal(SECRET, "name") for _ in range(20)}) == 20


def test_nothing_opens_for_another_purpose_with_another_key_or_altered(vault: Vault) -> None:
    sealed = vault.seal(SECRET, "name")
    stranger = Vault(KeyRing.of(bytes(KEY_BYTES)))
    altered = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))]
    for opener, content, purpose in (
        (vault, sealed, "identity number"),
        (stranger, sealed, "name"),
        (vault, sealed[:-1], "name"),
        (vault, b"", "name"),
        *((vault, one, "name") for one in altered),
    ):
        with pytest.raises(InvalidTag):
            opener.open(content, purpose)


def test_a_value_opens_only_for_its_own_person_row_and_purpose(vault: Vault) -> None:
    (one, wrapped), (other, _) = vault.new_person("one"), vault.new_person("other")
    places = list(itertools.product(("name", "identity number"), (None, one, other), ("E1", "E2", "")))
    for place in places:
        sealed = vault.seal(SECRET, *place)
        opening = [asked for asked in places if opens(vault, sealed, *asked)]
        # what the master key sealed opens with any person at hand: nobody's key is needed for it
        assert {asked[::2] for asked in opening} == {place[::2]}
        assert {asked[1] for asked in opening} == ({None, one, other} if place[1] is None else {place[1]})
    assert vault.unwrapped("one", wrapped) == one
    with pytest.raises(InvalidTag):
        vault.unwrapped("other", wrapped)
    assert one.secret not in wrapped
    assert repr(one.secret) not in repr(one)


def opens(vault: Vault, sealed: bytes, *place: object) -> bool:
    """Return whether a value opens."""
    try:
        return vault.open(sealed, *place) == SECRET  # type: ignore[arg-type]
    except InvalidTag:
        return False


def test_values_of_the_first_format_open_until_they_are_retired(vault: Vault) -> None:
    old = in_first_format(SECRET, "name")
    assert vault.open(old, "name") == SECRET
    assert Vault(KeyRing.of(FIRST).rotated()).open(old, "name", row="E1") == SECRET
    with pytest.raises(InvalidTag):
        vault.open(old, "identity number")
    with pytest.raises(InvalidTag):
        Vault(KeyRing.of(FIRST).retired()).open(old, "name")


def test_a_value_names_its_version_and_older_ones_open_until_retired() -> None:
    ring = KeyRing.of(FIRST)
    rings = [ring := ring.rotated() for _ in range(3)]
    sealed = [Vault(one).seal(SECRET, "name") for one in rings]
    assert [value[:6] for value in sealed] == [b"OGs2" + version.to_bytes(2, "big") for version in (2, 3, 4)]
    assert all(Vault(rings[-1]).open(value, "name") == SECRET for value in sealed)
    with pytest.raises(InvalidTag):
        Vault(rings[-1].retired()).open(sealed[1], "name")
    assert Vault(rings[-1].retired()).open(sealed[2], "name") == SECRET


def test_a_blind_index_is_equal_for_equal_texts_under_one_key_only(vault: Vault) -> None:
    index = vault.blind_index("411526197001019004")
    assert index == vault.blind_index("411526197001019004")
    assert index != vault.blind_index("411526197001019012")
    assert index != Vault(KeyRing.of(bytes(KEY_BYTES))).blind_index("411526197001019004")
    assert "411526" not in index


def test_rotation_leaves_every_learners_id_as_it_was(tmp_path: Path) -> None:
    for file, content in ((tmp_path / "first.key", FIRST), (tmp_path / "new.key", None)):
        if content is not None:
            file.write_bytes(content)
        before = open_vault(file).blind_index("411526197001019004")
        change_ring(file, KeyRing.rotated)
        change_ring(file, KeyRing.retired)
        assert open_vault(file).blind_index("411526197001019004") == before


def test_a_running_vault_takes_over_a_rotated_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "master.key"
    running = open_vault(file)
    old = running.seal(SECRET, "name")
    change_ring(file, KeyRing.rotated)
    newer = open_vault(file).seal(SECRET, "name")
    assert running.open(newer, "name") == SECRET  # at once: it doesn't know the version and looks
    change_ring(file, KeyRing.rotated)
    monkeypatch.setattr(vaults, "REFRESH_S", 0.02)
    time.sleep(0.03)
    assert running.version == 3
    assert running.open(old, "name") == SECRET


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "master.key"
    sealed = open_vault(file).seal(SECRET, "name")
    content = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert open_vault(file).open(sealed, "name") == SECRET
    assert file.read_bytes() == content
    change_ring(file, KeyRing.rotated)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["master.key"]


def test_every_installation_has_keys_of_its_own(tmp_path: Path) -> None:
    rings = []
    for name in ("one.key", "two.key"):
        open_vault(tmp_path / name)
        rings.append(read_ring(tmp_path / name))
    assert rings[0].keys[1] != rings[1].keys[1]
    assert rings[0].index != rings[1].index


def test_two_rotations_at_once_lose_no_key(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    open_vault(file)

    def and_another(ring: KeyRing) -> KeyRing:
        with pytest.raises(GuardError) as refusal:
            change_ring(file, KeyRing.rotated)
        assert refusal.value.code == "vault.busy"
        return ring.rotated()

    assert sorted(change_ring(file, and_another).keys) == [1, 2]
    assert sorted(read_ring(file).keys) == [1, 2]


def test_a_failed_change_leaves_the_keys_alone(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    open_vault(file)
    before = file.read_bytes()
    with pytest.raises(GuardError):
        change_ring(file, lambda ring: replace(ring, keys={65_535: FIRST}).rotated())
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(KEY_BYTES - 1),
        bytes(KEY_BYTES + 1),
        b"[]",
        b"{}",
        KeyRing.of(FIRST).to_bytes().replace(b'"current": 1', b'"current": 2'),
        KeyRing.of(FIRST).to_bytes().replace(b"keys 1", b"keys 2"),
        KeyRing.of(FIRST[:-1]).to_bytes(),
    ],
)
def test_a_file_that_is_no_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(content)
    with pytest.raises(GuardError) as refusal:
        open_vault(file)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.INVALID, "vault.bad_key")
    assert refusal.value.where == str(file)
    assert file.read_bytes() == content
