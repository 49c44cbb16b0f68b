"""Law: live batches, whatever their order, settle as the bundle of the same deliveries does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online_guard.evidence import Events
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import settle
from online_guard.ingest.live import Status, StoredEvent, content_digest, read_event, settle_batch
from online_guard.terms import EventType

NOW_MS = 1_623_124_800_000
GOOD: dict[str, Any] = {
    "seq": 0, "type": "play", "at_ms": NOW_MS, "position_s": 0.0, "playing": True, "rate": 1.0, "player": "tab",
}  # fmt: skip


def raw(**changes: Any) -> bytes:
    """Return an event as JSON."""
    return json.dumps(GOOD | changes).encode()


class Store:
    """What the service keeps of one session's events."""

    def __init__(self) -> None:
        self.events: dict[int, StoredEvent] = {}
        self.aside: dict[tuple[int, str], StoredEvent] = {}

    def take(self, raws: list[bytes], now_ms: int) -> list[Status]:
        """Take a batch as the service does."""
        results = settle_batch(raws, self.events, duration_s=100.0, now_ms=now_ms)
        for result in results:
            assert result.content is not None
            if result.status is Status.CONFLICT:
                self._put_aside(StoredEvent(result.content, now_ms))
            elif result.status is Status.ACCEPTED:
                if result.displaced is not None:
                    self._put_aside(result.displaced)
                self.events[result.content["seq"]] = StoredEvent(result.content, now_ms)
        return [result.status for result in results]

    def _put_aside(self, event: StoredEvent) -> None:
        self.aside.setdefault((event.content["seq"], content_digest(event.content)), event)


def columns(events: list[StoredEvent]) -> Events:
    """Return events as columns of one session."""
    return join(
        [
            Events(
                session=np.zeros(1, np.int64),
                seq=np.array([event.content["seq"]], np.int32),
                type=np.array([EventType(event.content["type"]).code], np.int8),
                at_ms=np.array([event.content["at_ms"]]),
                received_ms=np.array([event.received_ms]),
                position_s=np.array([event.content["position_s"]]),
                from_s=np.array([event.content.get("from_s", np.nan)]),
                playing=np.array([event.content["playing"]]),
                rate=np.array([event.content["rate"]], np.float32),
                player=np.zeros(1, np.int32),
                popup=np.full(1, -1, np.int32),
                player_names=np.array([event.content["player"]], object),
            )
            for event in events
        ]
    )


deliveries = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1.0, 2.0])), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


@given(deliveries)
def test_live_batches_settle_as_the_bundle_of_the_same_deliveries(batches: list[list[tuple[int, float]]]) -> None:
    store = Store()
    everything = []
    for number, batch in enumerate(batches):
        now_ms = NOW_MS + number
        raws = [raw(seq=seq, position_s=position) for seq, position in batch]
        store.take(raws, now_ms)
        everything += [StoredEvent(read_event(sent, 100.0, now_ms), now_ms) for sent in raws]
    expected, _ = settle(columns(everything))
    settled, _ = settle(columns([*store.events.values(), *store.aside.values()]))
    assert sorted(store.events) == expected.seq.tolist() == settled.seq.tolist()
    counting = [store.events[seq].content["position_s"] for seq in sorted(store.events)]
    assert counting == expected.position_s.tolist() == settled.position_s.tolist()
    assert len(settled.conflicts) == len(expected.conflicts) == len(store.aside)
