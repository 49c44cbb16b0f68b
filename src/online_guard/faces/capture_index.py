"""Which earlier captures may be the same picture? Found among ten million perceptual hashes in a few milliseconds.

Hashes are searched exactly: every capture whose hash, or whose mirror image's hash, differs in at most 12 of 64 bits is
found. Face vectors are compared for the latest captures only: a vector finds what a hash misses only when a picture was
cut at one corner (16 % of such cuts), 10 million vectors would take 5 GB, and a learner's own earlier captures are at
hand in the store anyway.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .identity import FaceVector

MOST_BITS = 12
"""SPEC: candidates differ in at most 12 bits."""
LEAST_COSINE = 0.995
"""SPEC: or the cosine of their face vectors is at least this."""
LATEST_VECTORS = 20_000
"""Captures whose vectors are kept, 10 MB; compared one by one in about a millisecond."""

_PARTS = 4
_PART_BITS = 16
_REACH = (3, 2, 2, 2)
"""Bits by which a 16-bit part is searched: of hashes at most 12 bits apart, either the first parts differ in at most 3,
or one of the others in at most 2; else they were 4 + 3 + 3 + 3 = 13 bits apart."""

_ODD_COLUMNS = np.uint64(0x5555555555555555)
"""Mirroring a picture turns the sign of every second column of its cosine transform, and with it that bit."""


@dataclass(frozen=True)
class _Sorted:
    """Hashes that don't change any more, in the order of each of their four parts.

    Attributes:
        hashes: Per part, all hashes in the order of that part.
        rows: Per part, of each hash there, how many captures were added before it.
        starts: Per part and value of the part, where its hashes begin; one more at the end.
        count: Number of hashes.
    """

    hashes: tuple[NDArray[np.uint64], ...]
    rows: tuple[NDArray[np.uint32], ...]
    starts: tuple[NDArray[np.uint32], ...]
    count: int


class CaptureIndex:
    """Captures by perceptual hash and face vector; one thread adds, any number look up meanwhile.

    Memory: 73 bytes a capture (0.73 GB for ten million), with room to grow, and 10 MB for vectors.
    """

    def __init__(self) -> None:
        self._adding = threading.Lock()
        self._keys = np.empty(1024, np.int64)
        self._hashes = np.empty(1024, np.uint64)
        self._count = 0
        self._sorted = _sorted(self._hashes[:0])
        self._vectors = np.zeros((LATEST_VECTORS, 128), np.float32)
        self._vector_rows = np.full(LATEST_VECTORS, -1, np.int64)
        self._vector_count = 0

    def __len__(self) -> int:
        """Return the number of captures added."""
        return self._count

    @property
    def size_bytes(self) -> int:
        """Return the memory that the columns take."""
        known = self._sorted
        ordered = sum(column.nbytes for column in known.hashes)
        ordered += sum(column.nbytes for column in known.rows + known.starts)
        return ordered + self._keys.nbytes + self._hashes.nbytes + self._vectors.nbytes + self._vector_rows.nbytes

    def add(self, key: int, phash: str, vector: FaceVector | None = None) -> None:
        """Add one capture.

        Args:
            key: What `candidates` returns for it, below 2⁶³.
            phash: 16 hex digits.
            vector: Of its face, if it has exactly one.
        """
        self.add_many(np.array([key], np.int64), np.array([int(phash, 16)], np.uint64))
        if vector is not None:
            with self._adding:
                place = self._vector_count % LATEST_VECTORS
                self._vector_rows[place] = -1
                self._vectors[place] = vector / np.linalg.norm(vector)
                self._vector_rows[place] = self._count - 1
                self._vector_count += 1

    def add_many(self, keys: NDArray[np.int64], hashes: NDArray[np.uint64]) -> None:
        """Add captures without vectors, such as all of a store when a service starts.

        Every so often (when one in 64 is new) all are sorted anew: 0.4 s of one core per million.
        """
        with self._adding:
            total = self._count + len(keys)
            if total > len(self._keys):
                self._keys = np.resize(self._keys, total + total // 2)
                self._hashes = np.resize(self._hashes, total + total // 2)
            self._keys[self._count : total] = keys
            self._hashes[self._count : total] = hashes
            self._count = total
            if total - self._sorted.count > max(65_536, total // 64):
                self._sorted = _sorted(self._hashes[:total])

    def forget(self, key: int) -> None:
        """Drop the vector of a capture; its hash stays, and whoever asks for candidates leaves its key out."""
        with self._adding:
            rows = np.flatnonzero(self._keys[: self._count] == key)
            places = np.flatnonzero(np.isin(self._vector_rows, rows))
            self._vector_rows[places] = -1
            self._vectors[places] = 0

    def candidates(self, phash: str, vector: FaceVector | None = None) -> list[int]:
        """Return the keys of captures that may show the same picture, or the same mirrored, in the order of adding."""
        found, count, hashes, keys = self._sorted, self._count, self._hashes, self._keys
        straight = np.uint64(int(phash, 16))
        rows = [self._near(vector)] if vector is not None else []
        for wanted in (straight, straight ^ _ODD_COLUMNS):
            rows.append(_within_reach(found, wanted))
            newest = hashes[found.count : count]
            rows.append(np.flatnonzero(np.bitwise_count(newest ^ wanted) <= MOST_BITS) + found.count)
        return [int(key) for key in keys[np.unique(np.concatenate(rows)).astype(np.intp)]]

    def _near(self, vector: FaceVector) -> NDArray[np.int64]:
        """Return the rows of the latest captures whose vector is close enough."""
        filled = min(self._vector_count, LATEST_VECTORS)
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        rows = self._vector_rows[:filled][self._vectors[:filled] @ unit >= LEAST_COSINE - 1e-6]
        return rows[rows >= 0]


def _sorted(hashes: NDArray[np.uint64]) -> _Sorted:
    """Return the hashes in the order of each part."""
    ordered, rows, starts = [], [], []
    for part in range(_PARTS):
        values = ((hashes >> np.uint64(_PART_BITS * part)) & np.uint64(0xFFFF)).astype(np.uint16)
        order = np.argsort(values, kind="stable").astype(np.uint32)
        counts = np.bincount(values, minlength=1 << _PART_BITS)
        ordered.append(hashes[order])
        rows.append(order)
        starts.append(np.concatenate(([0], np.cumsum(counts))).astype(np.uint32))
    return _Sorted(tuple(ordered), tuple(rows), tuple(starts), len(hashes))


@cache
def _flips(most: int) -> NDArray[np.uint32]:
    """Return all 16-bit numbers with at most so many bits set."""
    return np.array(
        [sum(1 << bit for bit in bits) for size in range(most + 1) for bits in combinations(range(_PART_BITS), size)],
        np.uint32,
    )


def _within_reach(known: _Sorted, wanted: np.uint64) -> NDArray[np.int64]:
    """Return the rows of all sorted hashes at most 12 bits away; a row may come more than once.

    Source: M. Norouzi, A. Punjani and D. Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing" (2014).
    """
    found = [np.empty(0, np.int64)]
    for part, reach in enumerate(_REACH):
        value = (int(wanted) >> (_PART_BITS * part)) & 0xFFFF
        buckets = _flips(reach) ^ np.uint32(value)
        first = known.starts[part][buckets].astype(np.int64)
        length = known.starts[part][buckets + 1].astype(np.int64) - first
        places = np.repeat(first - (np.cumsum(length) - length), length) + np.arange(int(length.sum()))
        near = np.bitwise_count(known.hashes[part][places] ^ wanted) <= MOST_BITS
        found.append(known.rows[part][places[near]].astype(np.int64))
    return np.concatenate(found)
