"""What the evidence log says of a batch of events: which ones, and a digest of them as a chunk keeps them.

The digest is made for each batch that comes in, so it is made of the chunk's bytes as they are: some 10 µs.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events
from online_guard.store import event_chunks
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
    "provenance",
)
"""What a batch vouches for of its session: it can't change once events came."""
Rows = Sequence[Mapping[str, Any]]
"""Events by the names of columns; `type` is a code, absent values are left out."""


class Opening(NamedTuple):
    """A session as the log speaks of it: its name, and the facts that stand before each digest of its events."""

    subject: str
    facts: bytes


def opening_of(session: Any) -> Opening:
    """Return what each entry of a session's batches has in common."""
    facts = canonical({name: getattr(session, name) for name in SESSION_FIELDS})
    return Opening(about_session(session_key(session)), f"online-guard events 1\n{facts}\n".encode())


def chunk_entry(opening: Opening, seqs: Sequence[int], plain: bytes) -> Entry:
    """Return the log's entry of a batch of new events in ascending order, out of its plain chunk."""
    return Entry("events", opening.subject, {"seqs": spans(seqs), "sha256": _digest(opening, _of_plain(plain))})


class Counted(NamedTuple):
    """Events that count, as the log speaks of them before their session is known: their numbers, and their digest."""

    seqs: str
    digest: bytes


def counted(events: Events) -> Counted | None:
    """Return what the log says of events, each the first of its number and sorted by it; None when there are none."""
    if not len(events):
        return None
    return Counted(spans(events.seq.tolist()), _of_columns(events, np.arange(len(events))))


def batch_entries(opening: Opening, first: Counted | None, aside: Rows) -> list[Entry]:
    """Return the log's entries of events that came at once: those that count, and those under a used `seq`."""
    payload: dict[str, Any] = {}
    if first is not None:
        payload |= {"seqs": first.seqs, "sha256": _digest(opening, first.digest)}
    if aside:
        payload["aside"] = [_digest(opening, _of_plain(event_chunks.chunk_of([row]))) for row in aside]
    return [Entry("events", opening.subject, payload)] if payload else []


def entries(session: SessionRecord, first: Rows, later: Rows) -> list[Entry]:
    """Return the log's entries of a batch: one, or none for a batch that brought nothing new.

    Args:
        session: The session, as it is stored.
        first: New events that are the first of their `seq`.
        later: New events under a used `seq`: those kept aside, and those that take the place of another.
    """
    ordered = sorted(first, key=itemgetter("seq"))
    counting = (
        Counted(spans([row["seq"] for row in ordered]), _of_plain(event_chunks.chunk_of(ordered))) if first else None
    )
    return batch_entries(opening_of(session), counting, later)


def events_digest(opening: Opening, events: Events, rows: NDArray[np.int64]) -> str:
    """Return the digest of some rows of a session's events."""
    return _digest(opening, _of_columns(events, rows))


def _of_columns(events: Events, rows: NDArray[np.int64]) -> bytes:
    players, player = _numbered(events.player[rows])
    popups, popup = _numbered(events.popup[rows])
    columns = {name: getattr(events, name)[rows] for name, _, _ in event_chunks.COLUMNS}
    columns |= {"player": player, "popup": popup}
    names = msgspec.json.encode((events.player_names[players].tolist(), events.popup_names[popups].tolist()))
    packed = b"".join(np.asarray(columns[name], dtype).tobytes() for name, _, dtype in event_chunks.COLUMNS)
    return hashlib.sha256(struct.pack("<I", len(names)) + names + packed).digest()


def _of_plain(plain: bytes) -> bytes:
    return hashlib.sha256(plain[len(event_chunks.PLAIN) :]).digest()


def _numbered(codes: NDArray[np.int32]) -> tuple[list[int], list[int]]:
    """Return the codes in the order of their first use, but for -1, and each one's place among them."""
    order = [code for code in dict.fromkeys(codes.tolist()) if code >= 0]
    place = {code: number for number, code in enumerate(order)} | {-1: -1}
    return order, [place[code] for code in codes.tolist()]


def _digest(opening: Opening, chunk: bytes) -> str:
    return hashlib.sha256(opening.facts + chunk).hexdigest()


def spans(numbers: Sequence[int]) -> str:
    """Return ascending numbers as `0-11,15`."""
    if numbers[-1] - numbers[0] == len(numbers) - 1 and len(numbers) > 1:
        return f"{numbers[0]}-{numbers[-1]}"
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda one: one[1] - one[0])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def within(text: str, numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which numbers are among those of `spans`.

    Raises:
        ValueError: The text isn't made by `spans`.
    """
    found = np.zeros(len(numbers), np.bool_)
    for first, _, last in (run.partition("-") for run in text.split(",")):
        found |= (numbers >= int(first)) & (numbers <= int(last or first))
    return found
