"""Looks for personal data in clear text in files of any kind, in every way in which it may be written."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WINDOW = 8
"""Bytes by which a needle is sought first; all are compared where these are found."""
HASHED_BITS = 22
"""Of the hash of these bytes: a table of 4 MB says where a needle may begin."""


@dataclass(frozen=True)
class Person:
    """Who must not be found; `vector` is of the face, where there is one."""

    name: str
    number: str
    phone: str
    vector: np.ndarray | None = None

    def needles(self) -> dict[bytes, str]:
        """Return byte strings that tell something of the person, and what they are."""
        found: dict[bytes, str] = {}
        for what, text in (("name", self.name), ("number", self.number), ("phone", self.phone)):
            for coding in ("utf-8", "utf-16-le", "gb18030"):
                for needle in written(text.encode(coding)):
                    found[needle] = f"{what} {text}"
            found[text.encode("unicode_escape")] = f"{what} {text}"
        if self.vector is not None:
            for kind in (np.float64, np.float32):
                for needle in written(self.vector.astype(kind)[:4].tobytes()):
                    found[needle] = f"vector of {self.name}"
            for number in self.vector[:8]:
                found[repr(float(number))[:12].encode()] = f"vector of {self.name}"
        return {needle: what for needle, what in found.items() if len(needle) >= WINDOW}


def written(raw: bytes) -> Iterable[bytes]:
    """Yield bytes as they are, in hex digits, and in base64 wherever they begin."""
    yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)
        yield encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]


def _hashed(windows: np.ndarray) -> np.ndarray:
    return (windows * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - HASHED_BITS)


class Search:
    """A search for many persons in many files."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._needles: dict[bytes, dict[bytes, str]] = {}
        for person in people:
            for needle, what in person.needles().items():
                self._needles.setdefault(needle[:WINDOW], {})[needle] = what
        self._windows = np.sort(np.frombuffer(b"".join(self._needles), np.uint64))
        self._likely = np.zeros(1 << HASHED_BITS, np.bool_)
        self._likely[_hashed(self._windows)] = True

    def in_bytes(self, content: bytes) -> set[str]:
        """Return what is found in some bytes."""
        found = set()
        for offset in range(WINDOW):
            whole = (len(content) - offset) // WINDOW
            windows = np.frombuffer(content, np.uint64, max(whole, 0), offset if whole > 0 else 0)
            for place in np.flatnonzero(self._likely[_hashed(windows)]):
                start = int(place) * WINDOW + offset
                for needle, what in self._needles.get(content[start : start + WINDOW], {}).items():
                    if content.startswith(needle, start):
                        found.add(what)
        return found

    def in_file(self, path: Path) -> set[str]:
        """Return what is found in a file, and in its name."""
        return self.in_bytes(path.read_bytes() + b"\0" + str(path).encode())
