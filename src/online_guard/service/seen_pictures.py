"""Pictures seen before: an index in memory, filled from the store, and what a new picture has in common with them.

The index is no truth of its own: each process reads on from the last row that it knows, and a restarted one reads all.
Faces are compared by one matrix product over all vectors: 10⁵ captures take 51 MB and some 5 ms a search; look-ups of
pictures are `CaptureIndex`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from online_guard.faces.fingerprint import phash_distance
from online_guard.faces.identity import FaceVector
from online_guard.faces.likeness import Capture, likeness
from online_guard.policy import Policy
from online_guard.store.capture_rows import (
    REFERENCE,
    CaptureRow,
    captures_after,
    replaced,
    sealed_picture,
    stronger,
)
from online_guard.store.vault import Vault

PICTURE, VECTOR = "capture", "face vector"
"""Purposes of what is sealed for a capture."""
TOLD_RESIDUALS = 2.0
"""A pair is written down up to so many times `snapshot.same_picture_residual`, so that an auditor sees near misses."""
Likeness = dict[str, Any]


class SeenPictures:
    """All captures that the store holds, ready to be searched; safe to be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._index = CaptureIndex()
        self._rows: dict[int, CaptureRow] = {}
        self._faces = _Faces()
        self._last = 0

    def catch_up(self, database: Session, vault: Vault) -> int:
        """Read the captures kept since, and return the row of the last one."""
        with self._lock:
            for row in captures_after(database, self._last):
                vector = None if row.vector is None else opened_vector(vault, row.vector)
                self._index.add(row.row_id, row.phash, vector)
                self._rows[row.row_id] = row._replace(vector=None)
                if vector is not None:
                    self._faces.add(row.row_id, vector)
                self._last = row.row_id
            return self._last

    def likenesses(
        self,
        database: Session,
        vault: Vault,
        policy: Policy,
        own: CaptureRow,
        picture: Capture,
        after: int = 0,
    ) -> list[Likeness]:
        """Return the likeness rows of a capture to those kept after the row `after` and before it (SPEC 7).

        Two references have none: BUNDLE puts a snapshot or a check beside something else.
        """
        found: dict[tuple[Any, ...], Likeness] = {}
        for other, numbers in (
            *self._same_pictures(database, vault, policy, own, picture, after),
            *self._same_faces(database, policy, own, picture, after),
        ):
            row = _likeness_row(own, other, numbers)
            if row is not None:
                key = (row["session_row"], row["snapshot_id"], row["other_kind"], row["other_id"])
                found[key] = stronger(row, found.get(key, row))
        return list(found.values())

    def _same_pictures(
        self, database: Session, vault: Vault, policy: Policy, own: CaptureRow, picture: Capture, after: int
    ) -> Iterator[tuple[CaptureRow, Likeness]]:
        """Yield what may be the same picture, and of other learners what looks alike, with its residual."""
        with self._lock:
            others = [self._rows[key] for key in self._index.candidates(picture.phash, picture.vector)]
        for other in _earlier(own, others, after):
            sealed = sealed_picture(database, other.row_id)
            if sealed is None:
                continue
            compared = likeness(picture, Capture.from_bytes(vault.open(sealed, PICTURE)))
            numbers = {
                "phash_distance": compared.phash_distance,
                "cosine": compared.cosine,
                "residual": compared.residual,
                "distance": compared.distance,
            }
            near = compared.residual <= TOLD_RESIDUALS * policy.snapshot.same_picture_residual
            like = compared.phash_distance <= policy.snapshot.phash_distance
            if near or (like and other.learner_id != own.learner_id):
                yield other, numbers

    def _same_faces(
        self, database: Session, policy: Policy, own: CaptureRow, picture: Capture, after: int
    ) -> Iterator[tuple[CaptureRow, Likeness]]:
        """Yield, of each enrolment of another learner, the capture with the nearest face, if it is near enough."""
        if picture.vector is None:
            return
        with self._lock:
            close = self._faces.within(picture.vector, policy.liveness.shared_face_distance)
            rows = [(self._rows[row_id], distance, cosine) for row_id, distance, cosine in close]
        gone = replaced(database, [other.row_id for other, _, _ in rows if other.kind == REFERENCE])
        nearest: set[str] = set()
        for other, distance, cosine in rows:
            skipped = other.learner_id == own.learner_id or other.row_id in gone or other.enrolment_id in nearest
            if not skipped and list(_earlier(own, [other], after)):
                nearest.add(other.enrolment_id)
                bits = phash_distance(picture.phash, other.phash)
                yield other, {"phash_distance": bits, "cosine": cosine, "residual": None, "distance": distance}


def _earlier(own: CaptureRow, others: Sequence[CaptureRow], after: int) -> Iterator[CaptureRow]:
    """Yield the captures kept before `own` and after `after` that aren't of the same snapshot or clip."""
    for other in others:
        if after < other.row_id < own.row_id and (other.session_row, other.name) != (own.session_row, own.name):
            yield other


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


class CaptureIndex:
    """Candidates by looking at all: enough for some thousand captures."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, str, FaceVector | None]] = []

    def add(self, key: int, phash: str, vector: FaceVector | None) -> None:
        """Keep a capture."""
        self._kept.append((key, phash, vector))

    def candidates(self, phash: str, vector: FaceVector | None) -> list[int]:
        """Return the captures whose hash lies within 12 bits, or whose vector has a cosine of at least 0.995."""
        return [
            key
            for key, other, face in self._kept
            if phash_distance(phash, other) <= 12 or (face is not None and vector is not None and _near(face, vector))
        ]


def _near(one: FaceVector, other: FaceVector) -> bool:
    return float(one @ other) >= 0.995 * float(np.linalg.norm(one) * np.linalg.norm(other))


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


def opened_vector(vault: Vault, sealed: bytes) -> FaceVector:
    """Return a sealed face vector."""
    return np.frombuffer(vault.open(sealed, VECTOR), np.float64)


def sealed_vector(vault: Vault, vector: FaceVector | None) -> bytes | None:
    """Return a face vector sealed."""
    return None if vector is None else vault.seal(np.asarray(vector, np.float64).tobytes(), VECTOR)
