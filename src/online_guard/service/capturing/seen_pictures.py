"""Pictures seen before: an index in memory, filled from the store, and what a new picture has in common with them.

The index is no truth of its own: each process reads on from the last row that it knows, and a restarted one reads all.
Faces are compared by one matrix product over all vectors: 10⁵ captures take 51 MB and some 5 ms a search; look-ups of
pictures are `CaptureIndex`'s.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.faces.capture_index import CaptureIndex
from online_guard.faces.fingerprint import phash_distance
from online_guard.faces.identity import FaceVector
from online_guard.faces.likeness import Capture, likeness
from online_guard.policy import Policy
from online_guard.store.capture_rows import (
    AT_ONCE,
    REFERENCE,
    CaptureRow,
    bound_to,
    captures_after,
    forgotten_since,
    replaced,
    sealed_picture,
    stronger,
)
from online_guard.store.person_keys import PersonKeys
from online_guard.store.sealed_columns import PICTURE, VECTOR
from online_guard.store.vault import PersonKey, Vault

TOLD_RESIDUALS = 2.0
"""A pair is written down up to so many times `snapshot.same_picture_residual`, so that an auditor sees near misses."""
OVERLAP_MS = 120_000
"""How much later than it says, by other clocks and slow commits, a capture may turn out to be forgotten."""
Likeness = dict[str, Any]


@dataclass(frozen=True)
class Sought:
    """A capture that is compared with those kept before it, and after the row `after`.

    most: how many candidates are compared at most, None for all.
    """

    row: CaptureRow
    picture: Capture
    after: int = 0
    most: int | None = None

    def earlier(self, others: Iterable[CaptureRow]) -> Iterator[CaptureRow]:
        """Yield those of some captures that it is compared with: none of its own snapshot or clip."""
        own = self.row
        for other in others:
            is_own = (other.session_row, other.name) == (own.session_row, own.name)
            if self.after < other.row_id < own.row_id and not is_own:
                yield other


class SeenPictures:
    """All captures that the store holds, ready to be searched; safe to be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._index = CaptureIndex()
        self._rows: dict[int, CaptureRow] = {}
        self._faces = _Faces()
        self._last = 0
        self._looked_ms = time.time_ns() // 1_000_000

    def catch_up(self, database: Session, vault: Vault) -> int:
        """Read the captures kept since, drop those forgotten since, and return the row of the last one."""
        with self._lock:
            captures = iter(captures_after(database, self._last))
            while rows := list(islice(captures, AT_ONCE)):
                self._add(rows, vault, PersonKeys(database, vault))
                self._last = rows[-1].row_id
            self.drop_forgotten(database)
            return self._last

    def drop_forgotten(self, database: Session) -> None:
        """Drop the captures that were forgotten since, by any process."""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            self._forget(forgotten_since(database, self._looked_ms - OVERLAP_MS))
            self._looked_ms = now_ms

    def _add(self, rows: Sequence[CaptureRow], vault: Vault, keys: PersonKeys) -> None:
        keys.load(row.learner_id for row in rows)
        for row in rows:
            vector = None
            if row.vector is not None:
                vector = opened_vector(vault, row.vector, keys.find(row.learner_id), bound_to(row))
                self._faces.add(row.row_id, vector)
            self._index.add(row.row_id, row.phash, vector)
            self._rows[row.row_id] = row._replace(vector=None)

    def _forget(self, row_ids: Sequence[int]) -> None:
        for row_id in row_ids:
            if self._rows.pop(row_id, None) is not None:
                self._index.forget(row_id)
                self._faces.forget(row_id)

    def likenesses(
        self, database: Session, vault: Vault, policy: Policy, sought: Sought
    ) -> tuple[list[Likeness], bool]:
        """Return the likeness rows of a capture to earlier ones (SPEC 7), and whether all candidates were compared.

        Two references have none: BUNDLE puts a snapshot or a check beside something else.
        """
        others, is_whole = self._candidates(sought)
        found: dict[tuple[Any, ...], Likeness] = {}
        for other, numbers in (
            *_same_pictures(database, vault, policy, sought, others),
            *self._same_faces(database, policy, sought),
        ):
            row = _likeness_row(sought.row, other, numbers)
            if row is not None:
                key = (row["session_row"], row["snapshot_id"], row["other_kind"], row["other_id"])
                found[key] = stronger(row, found.get(key, row))
        return list(found.values()), is_whole

    def _candidates(self, sought: Sought) -> tuple[list[CaptureRow], bool]:
        """Return what may be the same picture, the nearest hashes where few are wanted, and whether these are all."""
        with self._lock:
            keys = self._index.candidates(sought.picture.phash, sought.picture.vector)
            others = list(sought.earlier([self._rows[key] for key in keys if key in self._rows]))
        if sought.most is None or len(others) <= sought.most:
            return others, True
        others.sort(key=lambda other: phash_distance(sought.picture.phash, other.phash))
        return others[: sought.most], False

    def _same_faces(self, database: Session, policy: Policy, sought: Sought) -> Iterator[tuple[CaptureRow, Likeness]]:
        """Yield, of each enrolment of another learner, the capture with the nearest face, if it is near enough."""
        own, picture = sought.row, sought.picture
        if picture.vector is None:
            return
        with self._lock:
            close = self._faces.within(picture.vector, policy.liveness.shared_face_distance)
            rows = [(self._rows[row_id], distance, cosine) for row_id, distance, cosine in close]
        gone = replaced(database, [other.row_id for other, _, _ in rows if other.kind == REFERENCE])
        nearest: set[str] = set()
        for other, distance, cosine in rows:
            skipped = other.learner_id == own.learner_id or other.row_id in gone or other.enrolment_id in nearest
            if not skipped and list(sought.earlier([other])):
                nearest.add(other.enrolment_id)
                bits = phash_distance(picture.phash, other.phash)
                yield other, {"phash_distance": bits, "cosine": cosine, "residual": None, "distance": distance}


def _same_pictures(
    database: Session, vault: Vault, policy: Policy, sought: Sought, others: Sequence[CaptureRow]
) -> Iterator[tuple[CaptureRow, Likeness]]:
    """Yield what is or nearly is the same picture, and of other learners what looks alike, with its residual."""
    keys = PersonKeys(database, vault)
    keys.load(other.learner_id for other in others)
    for other in others:
        sealed = sealed_picture(database, other.row_id)
        if sealed is None:
            continue
        content = vault.open(sealed, PICTURE, keys.find(other.learner_id), bound_to(other))
        compared = likeness(sought.picture, Capture.from_bytes(content))
        near = compared.residual <= TOLD_RESIDUALS * policy.snapshot.same_picture_residual
        like = compared.phash_distance <= policy.snapshot.phash_distance
        if near or (like and other.learner_id != sought.row.learner_id):
            yield other, asdict(compared)


def _likeness_row(own: CaptureRow, other: CaptureRow, numbers: Likeness) -> Likeness | None:
    """Return the row of BUNDLE: a reference stands on its right side, whichever was kept first."""
    if own.kind == REFERENCE:
        own, other = other, own
    if own.kind == REFERENCE:
        return None
    return {
        "session_row": own.session_row,
        "snapshot_id": own.capture_id,
        "other_kind": REFERENCE if other.kind == REFERENCE else "snapshot",
        "other_id": other.name,
        "other_row": other.session_row,
        **numbers,
    }


class _Faces:
    """Face vectors in one growing array, float32."""

    def __init__(self) -> None:
        self._vectors = np.zeros((256, 128), np.float32)
        self._keys = np.zeros(256, np.int64)
        self._size = 0

    def add(self, key: int, vector: FaceVector) -> None:
        """Keep a vector."""
        if self._size == len(self._keys):
            self._vectors = np.concatenate((self._vectors, np.zeros_like(self._vectors)))
            self._keys = np.concatenate((self._keys, np.zeros_like(self._keys)))
        self._vectors[self._size], self._keys[self._size] = vector, key
        self._size += 1

    def forget(self, key: int) -> None:
        """Drop a vector; the last one takes its place."""
        for place in np.flatnonzero(self._keys[: self._size] == key):
            self._size -= 1
            self._vectors[place], self._keys[place] = self._vectors[self._size], self._keys[self._size]
            self._vectors[self._size] = 0

    def within(self, vector: FaceVector, distance: float) -> list[tuple[int, float, float]]:
        """Return key, distance and cosine of the vectors within a distance, the nearest first."""
        kept = self._vectors[: self._size]
        squared = (kept * kept).sum(axis=1) - 2 * kept @ vector.astype(np.float32) + float(vector @ vector)
        rows = np.flatnonzero(squared <= (distance + 1e-3) ** 2)
        exact = np.linalg.norm(kept[rows].astype(np.float64) - vector, axis=1)
        lengths = np.linalg.norm(kept[rows].astype(np.float64), axis=1) * np.linalg.norm(vector)
        cosine = kept[rows].astype(np.float64) @ vector / lengths
        order = [place for place in np.argsort(exact, kind="stable") if exact[place] <= distance]
        return [(int(self._keys[rows[place]]), float(exact[place]), float(cosine[place])) for place in order]


def opened_vector(vault: Vault, sealed: bytes, person: PersonKey | None, row: str) -> FaceVector:
    """Return a sealed face vector of a person, bound to a row."""
    return np.frombuffer(vault.open(sealed, VECTOR, person, row), np.float64)


def sealed_vector(vault: Vault, vector: FaceVector | None, person: PersonKey, row: str) -> bytes | None:
    """Return a face vector sealed for its person, bound to a row."""
    return None if vector is None else vault.seal(np.asarray(vector, np.float64).tobytes(), VECTOR, person, row)
