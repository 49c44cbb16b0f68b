"""What the evidence log says of a batch of events: which ones, and a digest of their columns.

The digest is made of columns, not of JSON, because it is made for each batch that comes in: some 15 µs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events
from online_guard.store.evidence_loader import EVENT_COLUMNS, event_columns
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
    ("seq", "<i4"),
    ("type", "i1"),
    ("at_ms", "<i8"),
    ("received_ms", "<i8"),
    ("position_s", "<f8"),
    ("from_s", "<f8"),
    ("playing", "?"),
    ("rate", "<f4"),
)


def entries(
    session: SessionRecord, first: Sequence[Mapping[str, Any]], later: Sequence[Mapping[str, Any]]
) -> list[Entry]:
    """Return the log's entries of a batch, out of its new events as rows: those first of their `seq`, and others."""

    def columns(rows: Sequence[Mapping[str, Any]]) -> Events:
        return event_columns([(0, *(row[name] for name in EVENT_COLUMNS)) for row in rows])

    counted = columns(sorted(first, key=itemgetter("seq")))
    entry = batch_entry(session, counted, [columns([row]) for row in later])
    return [] if entry is None else [entry]


def batch_entry(session: SessionRecord, events: Events, aside: Sequence[Events] = ()) -> Entry | None:
    """Return the log's entry of a batch; None for one that brought nothing new.

    Args:
        session: The session, as it is stored.
        events: New events that are the first of their `seq`, in its order.
        aside: New events under a used `seq`, one in each: those kept aside, and one that takes the place of another.
    """
    if not len(events) and not aside:
        return None
    payload: dict[str, Any] = {}
    if len(events):
        payload |= {"seqs": spans(events.seq), "sha256": events_digest(session, events)}
    if aside:
        payload["aside"] = [events_digest(session, one) for one in aside]
    return Entry("events", about_session(session_key(session)), payload)


def events_digest(session: SessionRecord, events: Events) -> str:
    """Return the SHA-256 of a session's opening and columns of its events; absent `from_s` are NaN, names lines."""
    facts = canonical({name: getattr(session, name) for name in SESSION_FIELDS})
    found = hashlib.sha256(f"online-guard events 1\n{facts}\n{len(events)}\n".encode())
    for name, kind in COLUMNS:
        found.update(np.asarray(getattr(events, name), kind).tobytes())
    popups = np.append(events.popup_names, "")[events.popup] if len(events.popup_names) else [""] * len(events)
    names = [*events.player_names[events.player], *popups]
    found.update("\n".join(names).encode())
    return found.hexdigest()


def spans(numbers: NDArray[np.int32]) -> str:
    """Return ascending numbers as `0-11,15`."""
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    runs = np.split(np.asarray(numbers), breaks) if len(breaks) else [numbers]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def numbers_of(text: str) -> NDArray[np.int64]:
    """Return the numbers of `spans`."""
    runs = [run.partition("-") for run in text.split(",")]
    return np.concatenate([np.arange(int(first), int(last or first) + 1) for first, _, last in runs])
