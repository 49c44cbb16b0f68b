"""Seals personal data at rest (AES-256-GCM) and makes keyed blind indexes for look-up (HMAC-SHA-256).

A sealed value is a header (mark and key version), a nonce, and the ciphertext. Header, purpose, row and person go into
the tag: a value that was moved to another row, column or person doesn't open. Version 0 stands for a person's own data
key, which the master key wraps: who destroys it makes everything sealed for the person unreadable, wherever copies lie.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from online_guard.store.key_ring import KEY_BYTES, KeyRing, derived, make_ring, read_ring

NONCE_BYTES = 12
MARK = b"OGs2"
HEADER = struct.Struct(">4sH")
PERSON = 0
WRAPPED = "person key"
"""Purpose of a person's data key."""
REFRESH_S = 1.0
"""A running process seals under a new master key at most this long after the rotation."""

Keys = tuple[KeyRing, dict[int, AESGCM]]
"""A ring, and what seals and opens under each version."""


@dataclass(frozen=True)
class PersonKey:
    """The data key of a person; never kept longer than a transaction takes."""

    learner_id: str
    secret: bytes = field(repr=False)


class Vault:
    """Seals and opens with the keys of a ring.

    Args:
        ring: The keys.
        key_file: Where another process may have put newer ones, if anywhere.
    """

    def __init__(self, ring: KeyRing, key_file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._key_file = key_file
        self._looked_s = time.monotonic()
        self._keys = _ready(ring)

    @property
    def version(self) -> int:
        """Return the version of the master key under which new values are sealed."""
        return self._look()[0].current

    def refresh(self) -> int:
        """Take over at once what another process put into the key file; return the current version."""
        return self._look(now=True)[0].current

    def header(self, person: bool) -> bytes:
        """Return how a value begins that is sealed as new ones are."""
        return HEADER.pack(MARK, PERSON if person else self.version)

    def seal(self, plain: bytes, purpose: str, person: PersonKey | None = None, row: str = "") -> bytes:
        """Return header, nonce and ciphertext; only `open` with the same purpose, person and row gives the bytes back.

        Args:
            plain: What is sealed.
            purpose: What it is, such as `name`.
            person: Whose data key seals it; the master key where nobody's.
            row: What it stands in, such as an enrolment's id.
        """
        ring, ciphers = self._look()
        header = HEADER.pack(MARK, ring.current if person is None else PERSON)
        cipher = ciphers[ring.current] if person is None else AESGCM(person.secret)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return header + nonce + cipher.encrypt(nonce, plain, _bound(header, purpose, person, row))

    def open(self, sealed: bytes, purpose: str, person: PersonKey | None = None, row: str = "") -> bytes:
        """Return what was sealed for this purpose, person and row; of the first format, for this purpose.

        Raises:
            cryptography.exceptions.InvalidTag: It was altered or moved, or its key is gone.
        """
        try:
            return self._open(sealed, purpose, person, row)
        except InvalidTag:
            ring, ciphers = self._keys
            if not ring.unbound or len(sealed) <= NONCE_BYTES:
                raise
        return ciphers[1].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())

    def _open(self, sealed: bytes, purpose: str, person: PersonKey | None, row: str) -> bytes:
        header, rest = sealed[: HEADER.size], sealed[HEADER.size :]
        version = HEADER.unpack(header)[1] if len(header) == HEADER.size and header.startswith(MARK) else None
        if version is None or len(rest) <= NONCE_BYTES or (version == PERSON and person is None):
            raise InvalidTag
        if version == PERSON and person is not None:
            cipher, owner = AESGCM(person.secret), person
        else:
            cipher, owner = self._cipher(version), None
        return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound(header, purpose, owner, row))

    def _cipher(self, version: int) -> AESGCM:
        _, ciphers = self._keys
        if version not in ciphers:
            _, ciphers = self._look(now=True)
        if version not in ciphers:
            raise InvalidTag
        return ciphers[version]

    def new_person(self, learner_id: str) -> tuple[PersonKey, bytes]:
        """Return a new data key for a person, and the same wrapped by the master key, which is what is stored."""
        key = PersonKey(learner_id, secrets.token_bytes(KEY_BYTES))
        return key, self.seal(key.secret, WRAPPED, row=learner_id)

    def unwrapped(self, learner_id: str, wrapped: bytes) -> PersonKey:
        """Return the data key of a person from what is stored.

        Raises:
            cryptography.exceptions.InvalidTag: It was altered, or is another person's.
        """
        return PersonKey(learner_id, self.open(wrapped, WRAPPED, row=learner_id))

    def blind_index(self, text: str) -> str:
        """Return a keyed fingerprint: equal for equal texts, and of no use without the key."""
        return hmac.new(self._keys[0].index, text.encode(), hashlib.sha256).hexdigest()[:32]

    def _look(self, *, now: bool = False) -> Keys:
        """Return the keys, and those first that another process put into the key file."""
        if self._key_file is not None and (now or time.monotonic() - self._looked_s >= REFRESH_S):
            with self._lock:
                self._looked_s = time.monotonic()
                ring = read_ring(self._key_file)
                if ring != self._keys[0]:
                    self._keys = _ready(ring)
        return self._keys


def _ready(ring: KeyRing) -> Keys:
    return ring, {version: AESGCM(derived(key, b"seal")) for version, key in ring.keys.items()}


def _bound(header: bytes, purpose: str, person: PersonKey | None, row: str) -> bytes:
    return header + json.dumps([purpose, row, None if person is None else person.learner_id]).encode()


def open_vault(key_file: Path) -> Vault:
    """Return the vault of a key file, which is made with mode 0600 when it isn't there.

    Raises:
        GuardError: The file isn't a key.
    """
    make_ring(key_file)
    return Vault(read_ring(key_file), key_file)
