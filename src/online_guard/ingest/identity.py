"""Which of several events under one number counts (SPEC 3.2), for whole columns at once."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_guard.evidence import Events, Flags, Integers
from online_guard.terms import EVENT_TYPES

_NOT_ROWS = ("conflicts", "player_names", "popup_names")
COLUMNS = tuple(field.name for field in fields(Events) if field.name not in _NOT_ROWS)
"""The fields of `Events` with one entry for each event."""


def settle(events: Events) -> tuple[Events, int]:
    """Return the events that count, sorted by (session, seq), and how many deliveries were mere repetitions.

    Of equal events the one received first stays; of different ones under one seq the one received first counts (at
    the same moment: whose `event_json` sorts first) and each other one adds an entry to `conflicts`. The order of the
    rows has no influence.

    Args:
        events: valid rows in any order; `conflicts` known before stay.
    """
    if len(events) < 2:
        return compact_names(events), 0
    key = events.session << 31
    key += events.seq
    if _increasing(key):
        return compact_names(events), 0
    order = np.lexsort((events.received_ms, key))
    key = key[order]
    again = key[1:] == key[:-1]
    if not again.any():
        return compact_names(take(events, order)), 0
    return _merge(take(events, order), again)


def event_json(events: Events, row: int) -> str:
    """Return the JSON of an event with sorted keys, by which events received at one moment are ordered.

    `platform_id` and `session_id` are left out: they are equal wherever two events are compared.
    """
    return json.dumps(event_values(events, row), sort_keys=True)


def event_values(events: Events, row: int) -> dict[str, Any]:
    """Return an event's fields as plain values under BUNDLE's names, ids of the session apart, absent ones left out.

    `rate` is the shortest decimal of its float32, so that every source gives the same number.
    """
    values: dict[str, Any] = {
        "seq": int(events.seq[row]),
        "type": str(EVENT_TYPES[events.type[row]]),
        "at_ms": int(events.at_ms[row]),
        "received_ms": int(events.received_ms[row]),
        "position_s": float(events.position_s[row]) + 0.0,
        "playing": bool(events.playing[row]),
        "rate": float(str(events.rate[row])),
        "player": events.player_names[events.player[row]],
    }
    if not np.isnan(events.from_s[row]):
        values["from_s"] = float(events.from_s[row]) + 0.0
    if events.popup[row] >= 0:
        values["popup"] = events.popup_names[events.popup[row]]
    return values


def take(events: Events, rows: Integers | Flags | slice) -> Events:
    """Return the events of the rows named; names and conflicts stay as they are."""
    return replace(events, **{name: getattr(events, name)[rows] for name in COLUMNS})


def compact_names(events: Events) -> Events:
    """Return the same events with only the names they use, in order of first use."""
    player, player_names = _used(events.player, events.player_names)
    popup, popup_names = _used(events.popup, events.popup_names)
    return replace(events, player=player, player_names=player_names, popup=popup, popup_names=popup_names)


def _increasing(key: Integers) -> bool:
    return bool((key[1:] > key[:-1]).all())


def _merge(events: Events, again: Flags) -> tuple[Events, int]:
    """Return the events that count and the number of repetitions; rows are sorted by (key, received_ms)."""
    same = again.copy()
    for name in COLUMNS:
        if name != "received_ms":
            column = getattr(events, name)
            same &= equal(column[1:], column[:-1])
    first = np.concatenate(([True], ~again))
    group = np.cumsum(first) - 1
    disputed = np.zeros(group[-1] + 1, np.bool_)
    disputed[group[1:][again & ~same]] = True
    keep = first & ~disputed[group]
    winners, contents = decide(events, np.flatnonzero(disputed[group]))
    keep[winners] = True
    lost = contents[~np.isin(contents, winners)]
    settled = take(events, keep)
    conflicts = np.sort(np.concatenate((events.conflicts, events.session[lost])))
    repetitions = len(events) - len(settled) - len(lost)
    return compact_names(replace(settled, conflicts=conflicts)), repetitions


def equal(left: NDArray[Any], right: NDArray[Any]) -> Flags:
    """Return where two columns say the same; NaN is the same as NaN."""
    equal: Flags = left == right
    return equal | (np.isnan(left) & np.isnan(right)) if left.dtype.kind == "f" else equal


def decide(events: Events, rows: Integers) -> tuple[Integers, Integers]:
    """Return, for the rows of disputed numbers, the rows that count, and the earliest row of each distinct content."""
    if not len(rows):
        return rows, rows
    disputed = take(events, rows)
    contents = [getattr(disputed, name) for name in COLUMNS if name not in ("session", "seq", "received_ms")]
    key = (disputed.session << 31) + disputed.seq
    order = np.lexsort((disputed.received_ms, *contents, key))
    same = key[order][1:] == key[order][:-1]
    for column in contents:
        same &= equal(column[order][1:], column[order][:-1])
    distinct = order[np.concatenate(([True], ~same))]
    by_arrival = distinct[np.lexsort((disputed.received_ms[distinct], key[distinct]))]
    starts = np.flatnonzero(np.concatenate(([True], np.diff(key[by_arrival]) != 0)))
    winners = [
        _first(disputed, by_arrival[start:stop])
        for start, stop in zip(starts, np.append(starts[1:], len(by_arrival)), strict=True)
    ]
    return rows[np.array(winners)], rows[distinct]


def _first(events: Events, rivals: Integers) -> int:
    """Return the row that counts among different events of one number, which are sorted by received_ms."""
    received = events.received_ms[rivals]
    earliest = rivals[received == received[0]]
    return int(earliest[0] if len(earliest) == 1 else min(earliest, key=lambda row: event_json(events, row)))


def _used(codes: NDArray[np.int32], names: NDArray[np.object_]) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    if len(codes):
        # names come in order of first use exactly when the greatest number so far grows by one at a time, to the last
        greatest = np.maximum.accumulate(codes)
        if greatest[0] <= 0 and greatest[-1] == len(names) - 1 and bool((greatest[1:] - greatest[:-1] <= 1).all()):
            return codes, names
    present = np.flatnonzero(codes >= 0)
    first = np.full(len(names), len(codes))
    first[codes[present][::-1]] = present[::-1]  # of several entries under one index the last one written stays
    order = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(codes))]
    renamed = np.full(len(names) + 1, -1, np.int32)
    renamed[order] = np.arange(len(order), dtype=np.int32)
    return renamed[codes], names[order]
