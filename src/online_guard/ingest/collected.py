"""Media statements of many files, collected in columns: a hundred bytes each, whatever the length of their text."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Floats, Integers, civil_day
from online_guard.ingest.derived_course import WatchedVideo
from online_guard.ingest.media import MediaStatement
from online_guard.ingest.pseudonyms import Pseudonyms

_INTEGERS = ("sitting", "kind", "at_us", "received_us", "id_high", "id_low", "file", "line")
_FLOATS = ("position_s", "from_s", "rate", "length_s")


@dataclass(frozen=True)
class Sitting:
    """One actor before one video in what the log calls a session; without such a name, on one civil day."""

    actor: str
    video: str
    session_id: str


@dataclass(frozen=True)
class Columns:
    """Statements, one entry each, in the order of delivery.

    sitting: row in `sittings`, which is sorted by session id. Times in µs, positions in seconds, NaN where absent.
    id_high and id_low: a hash of the statement's id, or of its content where it has none. file: number of the file.
    """

    sitting: Integers
    kind: Integers
    at_us: Integers
    received_us: Integers
    id_high: Integers
    id_low: Integers
    file: Integers
    line: Integers
    position_s: Floats
    from_s: Floats
    rate: Floats
    length_s: Floats

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Columns:
        """Return the statements of the rows named."""
        return Columns(**{name: column[rows] for name, column in vars(self).items()})

    def __len__(self) -> int:
        """Return the number of statements."""
        return len(self.kind)


@dataclass
class Collector:
    """Takes statements one by one.

    unstored: how many statements didn't tell when they were stored. unnamed: how many named no session.
    """

    pseudonyms: Pseudonyms
    unstored: int = 0
    unnamed: int = 0
    _columns: dict[str, array[Any]] = field(
        default_factory=lambda: {name: array("q") for name in _INTEGERS} | {name: array("d") for name in _FLOATS}
    )
    _codes: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._append = [self._columns[name].append for name in (*_INTEGERS, *_FLOATS)]

    def add(self, said: MediaStatement, file: int, line: int) -> None:
        """Take a statement from a line of a file."""
        sitting = said.sitting
        if not sitting:
            self.unnamed += 1
            sitting = f"day {civil_day(np.array([said.at_us // 1000]))[0]}"
        code = self._codes.setdefault((said.actor, said.video, sitting), len(self._codes))
        self.unstored += said.received_us is None
        digest = blake2b(_identity(said, sitting).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        values = (
            code,
            said.kind,
            said.at_us,
            said.at_us if said.received_us is None else said.received_us,
            int.from_bytes(digest[:8], "big", signed=True),
            int.from_bytes(digest[8:], "big", signed=True),
            file,
            line,
            said.position_s,
            said.from_s,
            said.rate,
            said.length_s,
        )
        for append, value in zip(self._append, values, strict=True):
            append(value)

    def finish(self) -> tuple[Columns, list[Sitting]]:
        """Return everything taken, and the sittings."""
        sittings = [
            Sitting(actor, video, self.pseudonyms.of("session", actor, video, sitting))
            for actor, video, sitting in self._codes
        ]
        order = sorted(range(len(sittings)), key=lambda row: sittings[row].session_id)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        columns = {name: np.array(column) for name, column in self._columns.items()}
        columns["sitting"] = rank[columns["sitting"]] if order else columns["sitting"]
        return Columns(**columns), [sittings[row] for row in order]


def watched_videos(said: Columns, sittings: Sequence[Sitting]) -> list[WatchedVideo]:
    """Return what statements tell of each video.

    Its length is the one given most often, of several the greatest (players round it now and then); where none is
    given, the furthest position.
    """
    names = sorted({sitting.video for sitting in sittings})
    number = {name: place for place, name in enumerate(names)}
    video = np.array([number[sitting.video] for sitting in sittings], np.int64)[said.sitting]
    last = np.zeros(len(names), np.int64)
    np.maximum.at(last, video, said.at_us // 1000)
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, video, said.at_us // 1000)
    length = np.zeros(len(names))
    np.fmax.at(length, video, np.fmax(said.position_s, said.from_s))
    told = said.length_s > 0
    pairs, counts = np.unique(np.stack([video[told], said.length_s[told]]), axis=1, return_counts=True)
    for place in np.lexsort((pairs[1], counts)):
        length[int(pairs[0][place])] = pairs[1][place]
    present = np.unique(video).tolist()
    return [WatchedVideo(names[row], int(first[row]), int(last[row]), float(length[row])) for row in present]


def _identity(said: MediaStatement, sitting: str) -> str:
    """Return what two deliveries of one statement share: its id, or all it says where it has none."""
    if said.statement_id:
        return f"id {said.statement_id}"
    parts = (said.actor, said.video, sitting, said.kind, said.at_us, said.position_s, said.from_s, said.rate)
    return "content " + "\0".join(map(str, parts))
