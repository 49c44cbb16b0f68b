"""Rows that come in parts, in any order and again, leave what all of them would have left at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online_guard.evidence import Events
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import event_values, settle
from online_guard.ingest.merging import Merged, merge
from online_guard.store.event_chunks import Chunk, chunk_of, opened
from online_guard.terms import EventType

Row = dict[str, Any]
ROWS = st.lists(
    st.builds(
        lambda seq, place, received_ms, player: {
            "seq": seq, "type": EventType.HEARTBEAT.code, "at_ms": 1_000, "received_ms": received_ms,
            "position_s": float(place), "from_s": None, "playing": True, "rate": 1.0, "player": player, "popup": None,
        },
        st.integers(0, 4), st.integers(0, 1), st.integers(0, 2), st.sampled_from(["a", "b"]),
    ),
    max_size=14,
)  # fmt: skip


def events(rows: list[Row]) -> Events:
    """Return rows of one session as columns."""
    return opened([Chunk(0, 1, chunk_of([row])) for row in rows])


def kept_aside(merged: Merged) -> Events:
    """Return what was kept aside as rows again."""
    rows = [{"from_s": None, "popup": None} | content | {"received_ms": moment} for content, moment in merged.aside]
    return events([row | {"type": EventType(row["type"]).code} for row in rows])


@given(ROWS, st.lists(st.integers(0, 13), max_size=3), st.randoms(use_true_random=False))
def test_parts_leave_what_the_whole_leaves(rows: list[Row], cuts: list[int], random: Any) -> None:
    expected, _ = settle(events(rows))
    random.shuffle(rows)
    stored, sent, repeated = Events(), 0, 0
    edges = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    for first, stop in [*pairwise(edges), (0, len(rows))]:  # and in the end everything once more
        part = events(rows[first:stop])
        merged = merge(stored, part)
        assert len(merged.new) + len(merged.aside) + merged.duplicates == len(part)
        assert not np.isin(merged.new.seq, stored.seq).any()
        assert (np.diff(merged.new.seq) > 0).all()
        stored = join([stored, merged.new, kept_aside(merged)])
        sent, repeated = sent + len(part), repeated + merged.duplicates
    found, _ = settle(stored)
    # of equal contents the one kept first stays, though a later part may say that it was received earlier
    assert [_but_moment(found, row) for row in range(len(found))] == [
        _but_moment(expected, row) for row in range(len(expected))
    ] or _moments_decide(rows)
    assert len(found.conflicts) == len(expected.conflicts)
    assert sent - repeated == len(stored)


def _but_moment(rows: Events, row: int) -> Row:
    values = event_values(rows, row)
    values.pop("received_ms")
    return values


def _moments_decide(rows: list[Row]) -> bool:
    """Return whether some content came twice, at two moments, beside another of its number."""
    moments: dict[tuple[Any, ...], set[int]] = {}
    for row in rows:
        key = tuple(value for name, value in row.items() if name != "received_ms")
        moments.setdefault(key, set()).add(row["received_ms"])
    return any(len(found) > 1 for found in moments.values())


def test_a_content_under_a_used_number_is_kept_aside_once() -> None:
    first = {"seq": 0, "type": 0, "at_ms": 1, "received_ms": 5, "position_s": 0.0, "from_s": None, "playing": True,
             "rate": 1.0, "player": "a", "popup": None}  # fmt: skip
    other = first | {"position_s": 1.0, "received_ms": 4}
    merged = merge(events([first]), events([other, other | {"received_ms": 3}, first]))
    assert (len(merged.new), len(merged.aside), merged.duplicates) == (0, 1, 2)
    assert merged.aside[0][1] == 3, "when it was received first"
