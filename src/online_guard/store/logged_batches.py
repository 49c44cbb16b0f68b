"""What the evidence log says of a batch of events: which ones, and a digest of their columns.

The digest is made of columns, not of JSON, because it is made for each batch that comes in: some 20 µs for 12 events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby
from math import nan
from operator import itemgetter
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events
from online_guard.store.logged_rows import about_session, session_key
from online_guard.store.sealed_log import Entry, canonical
from online_guard.store.tables import SessionRecord

SESSION_FIELDS = (
    "platform_id",
    "session_id",
    "enrolment_id",
    "lesson_no",
    "opened_at_ms",
    "opened_received_ms",
    "device_id",
)
"""What a batch vouches for of its session: it can't change once events came."""
COLUMNS = (
    ("seq", "i", "<i4"),
    ("type", "b", "i1"),
    ("at_ms", "q", "<i8"),
    ("received_ms", "q", "<i8"),
    ("position_s", "d", "<f8"),
    ("from_s", "d", "<f8"),
    ("playing", "?", "?"),
    ("rate", "f", "<f4"),
)
"""Name, sign in `struct` and dtype of each column, in the order of the digest; an absent `from_s` is NaN."""
Rows = Sequence[Mapping[str, Any]]
"""Events by the names of columns; `type` is a code, absent values are None or left out."""


def entries(session: SessionRecord, first: Rows, later: Rows) -> list[Entry]:
    """Return the log's entries of a batch: one, or none for a batch that brought nothing new.

    Args:
        session: The session, as it is stored.
        first: New events that are the first of their `seq`.
        later: New events under a used `seq`: those kept aside, and those that take the place of another.
    """
    payload: dict[str, Any] = {}
    if first:
        ordered = sorted(first, key=itemgetter("seq"))
        payload |= {"seqs": spans([row["seq"] for row in ordered]), "sha256": rows_digest(session, ordered)}
    if later:
        payload["aside"] = [rows_digest(session, [row]) for row in later]
    return [Entry("events", about_session(session_key(session)), payload)] if payload else []


def rows_digest(session: SessionRecord, rows: Rows) -> str:
    """Return the SHA-256 of a session's opening and of columns of its events, sorted by `seq`."""
    columns = {name: [row.get(name) for row in rows] for name, _, _ in COLUMNS}
    columns["from_s"] = [nan if value is None else value for value in columns["from_s"]]
    names = [*(row["player"] for row in rows), *(row.get("popup") or "" for row in rows)]
    return _digest(session, len(rows), _layout(len(rows)).pack(*chain.from_iterable(columns.values())), names)


def events_digest(session: SessionRecord, events: Events, rows: NDArray[np.int64]) -> str:
    """Return the same of some rows of events as columns."""
    columns = b"".join(np.asarray(getattr(events, name)[rows], dtype).tobytes() for name, _, dtype in COLUMNS)
    popups = np.append(events.popup_names, "")[events.popup[rows]]  # -1 stands for the last one
    return _digest(session, len(rows), columns, [*events.player_names[events.player[rows]], *popups])


def columns_entry(session: SessionRecord, events: Events) -> Entry:
    """Return the log's entry of events as columns that came at once, sorted by `seq`, each the first of its number."""
    rows = np.arange(len(events))
    payload = {"seqs": spans(events.seq.tolist()), "sha256": events_digest(session, events, rows)}
    return Entry("events", about_session(session_key(session)), payload)


def _digest(session: SessionRecord, count: int, columns: bytes, names: Sequence[str]) -> str:
    facts = canonical({name: getattr(session, name) for name in SESSION_FIELDS})
    text = "\n".join(names)  # names have no control characters
    return hashlib.sha256(f"online-guard events 1\n{facts}\n{count}\n{text}\n".encode() + columns).hexdigest()


@lru_cache(maxsize=1_001)
def _layout(events: int) -> Struct:
    return Struct("<" + "".join(f"{events}{sign}" for _, sign, _ in COLUMNS))


def spans(numbers: Sequence[int]) -> str:
    """Return ascending numbers as `0-11,15`."""
    if numbers[-1] - numbers[0] == len(numbers) - 1 and len(numbers) > 1:
        return f"{numbers[0]}-{numbers[-1]}"
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda one: one[1] - one[0])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def numbers_of(text: str) -> NDArray[np.int64]:
    """Return the numbers of `spans`."""
    runs = [run.partition("-") for run in text.split(",")]
    return np.concatenate([np.arange(int(first), int(last or first) + 1) for first, _, last in runs])
