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
)
"""What a batch vouches for of its session: it can't change once events came."""
Rows = Sequence[Mapping[str, Any]]
"""Events by the names of columns; `type` is a code, absent values are left out."""


class Opening(NamedTuple):
    """A session as the log speaks of it: its name, and the facts that stand before each digest of its events."""

    subject: str
    facts: bytes


def opening_of(session: SessionRecord) -> Opening:
    """Return what each entry of a session's batches has in common."""
    facts = canonical({name: getattr(session, name) for name in SESSION_FIELDS})
    return Opening(about_session(session_key(session)), f"online-guard events 1\n{facts}\n".encode())


def chunk_entry(opening: Opening, seqs: Sequence[int], plain: bytes) -> Entry:
    """Return the log's entry of a batch of new events in ascending order, out of its plain chunk."""
    return Entry("events", opening.subject, {"seqs": spans(seqs), "sha256": _digest(opening, plain)})


def entries(session: SessionRecord, first: Rows, later: Rows) -> list[Entry]:
    """Return the log's entries of a batch: one, or none for a batch that brought nothing new.

    Args:
        session: The session, as it is stored.
        first: New events that are the first of their `seq`.
        later: New events under a used `seq`: those kept aside, and those that take the place of another.
    """
    payload: dict[str, Any] = {}
    opening = opening_of(session)
    if first:
        ordered = sorted(first, key=itemgetter("seq"))
        digest = _digest(opening, event_chunks.chunk_of(ordered))
        payload |= {"seqs": spans([row["seq"] for row in ordered]), "sha256": digest}
    if later:
        payload["aside"] = [_digest(opening, event_chunks.chunk_of([row])) for row in later]
    return [Entry("events", opening.subject, payload)] if payload else []


def columns_entry(session: SessionRecord, events: Events) -> Entry:
    """Return the log's entry of events as columns that came at once, sorted by `seq`, each the first of its number."""
    digest = events_digest(session, events, np.arange(len(events)))
    return Entry("events", about_session(session_key(session)), {"seqs": spans(events.seq.tolist()), "sha256": digest})


def events_digest(session: SessionRecord, events: Events, rows: NDArray[np.int64]) -> str:
    """Return the digest of some rows of events as columns."""
    players, player = _numbered(events.player[rows])
    popups, popup = _numbered(events.popup[rows])
    columns = {name: getattr(events, name)[rows] for name, _, _ in event_chunks.COLUMNS}
    columns |= {"player": player, "popup": popup}
    names = msgspec.json.encode((events.player_names[players].tolist(), events.popup_names[popups].tolist()))
    packed = b"".join(np.asarray(columns[name], dtype).tobytes() for name, _, dtype in event_chunks.COLUMNS)
    return _digest(opening_of(session), event_chunks.PLAIN + struct.pack("<I", len(names)) + names + packed)


def _numbered(codes: NDArray[np.int32]) -> tuple[list[int], list[int]]:
    """Return the codes in the order of their first use, but for -1, and each one's place among them."""
    order = [code for code in dict.fromkeys(codes.tolist()) if code >= 0]
    place = {code: number for number, code in enumerate(order)} | {-1: -1}
    return order, [place[code] for code in codes.tolist()]


def _digest(opening: Opening, plain: bytes) -> str:
    return hashlib.sha256(opening.facts + plain[len(event_chunks.PLAIN) :]).hexdigest()


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
