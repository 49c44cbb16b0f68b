"""A live batch: what is refused, what repeats, what conflicts, what counts; the order of delivery has no influence."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.live import (
    DAY_MS,
    MOST_EVENTS,
    EventResult,
    Status,
    StoredEvent,
    content_digest,
    moment_ms,
    read_event,
    settle_batch,
    split_batch,
)

NOW_MS = 1_625_101_200_000
DURATION_S = 2400.0


def event(**changes: Any) -> dict[str, Any]:
    """Return a good event."""
    return {
        "seq": 0, "type": "heartbeat", "at_ms": NOW_MS, "position_s": 10.0, "playing": True, "rate": 1.0,
        "player": "tab-1",
    } | changes  # fmt: skip


def raw(**changes: Any) -> bytes:
    """Return a good event as JSON."""
    return json.dumps(event(**changes)).encode()


def read(**changes: Any) -> dict[str, Any]:
    """Return an event as it is kept."""
    return read_event(raw(**changes), DURATION_S, NOW_MS)


def settle(raws: list[bytes], stored: dict[int, StoredEvent] | None = None, now_ms: int = NOW_MS) -> list[EventResult]:
    """Return what becomes of a batch."""
    return settle_batch(raws, stored or {}, duration_s=DURATION_S, now_ms=now_ms)


def test_a_batch_is_split_into_its_events() -> None:
    assert [json.loads(one) for one in split_batch(b'{"events": [{"seq": 1}, 2, "three"]}')] == [{"seq": 1}, 2, "three"]


def test_numbers_that_json_does_not_know_spoil_their_event_only() -> None:
    events = split_batch(b'{"events": [{"position_s": NaN}, {"rate": Infinity}, {"seq": 3}]}')
    assert len(events) == 3
    assert json.loads(events[2]) == {"seq": 3}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ErrorKind.MALFORMED),
        (b'{"events": [', ErrorKind.MALFORMED),
        (b"\xff", ErrorKind.MALFORMED),
        (b'{"events": [' + b"[" * 100_000, ErrorKind.MALFORMED),
        (b"[]", ErrorKind.INVALID),
        (b"{}", ErrorKind.INVALID),
        (b'{"events": {}}', ErrorKind.INVALID),
        (b'{"events": []}', ErrorKind.INVALID),
        (b'{"events": [1], "more": NaN}', ErrorKind.INVALID),
        (json.dumps({"events": [1] * (MOST_EVENTS + 1)}).encode(), ErrorKind.INVALID),
    ],
    ids=["empty", "cut off", "no utf-8", "deep", "array", "no key", "no list", "none", "another key", "1001"],
)
def test_what_is_no_batch_is_refused_whole(body: bytes, kind: ErrorKind) -> None:
    with pytest.raises(GuardError) as refusal:
        split_batch(body)
    assert (refusal.value.kind, refusal.value.code) == (kind, "events.bad_batch")


def test_a_batch_may_have_a_thousand_events() -> None:
    assert len(split_batch(json.dumps({"events": [1] * MOST_EVENTS}).encode())) == MOST_EVENTS


def test_an_event_is_kept_in_plain_values() -> None:
    assert read(type="seek", from_s=3, position_s=7, rate=1) == event(type="seek", from_s=3.0, position_s=7.0)
    assert read(from_s=None, popup=None) == event()


def test_a_rate_is_kept_as_the_shortest_decimal_of_its_float32() -> None:
    assert read(rate=1.1)["rate"] == 1.1
    assert read(rate=1.10000000001)["rate"] == 1.1
    assert read(rate=1.1)["rate"] == read(rate=1.1 + 1e-9)["rate"]


def test_minus_zero_is_zero() -> None:
    kept = read(type="seek", position_s=-0.0, from_s=-0.0, rate=-0.0)
    assert json.dumps(kept).count("-0.0") == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"type": "dance"}, "dance"),
        ({"seq": -1}, "seq"),
        ({"seq": 1.5}, "seq"),
        ({"seq": True}, "seq"),
        ({"position_s": -0.001}, "position_s"),
        ({"from_s": -0.001}, "from_s"),
        ({"position_s": float("nan")}, "NaN"),
        ({"from_s": float("-inf")}, "Infinity"),
        ({"rate": 4e38}, "rate"),
        ({"rate": -1e300}, "rate"),
        ({"playing": "yes"}, "playing"),
        ({"player": "a\n"}, "control"),
        ({"player": "x" * 129}, "128"),
        ({"popup": ""}, "popup"),
        ({"type": "popup_answered"}, "popup"),
        ({"colour": 1}, "colour"),
        ({"at_ms": "2021-07-01T09:00:00"}, "offset"),
        ({"at_ms": "soon"}, "time"),
        ({"at_ms": 1.5}, "at_ms"),
        ({"at_ms": None}, "at_ms"),
    ],
)
def test_a_bad_event_is_refused_with_a_reason(change: dict[str, Any], word: str) -> None:
    (result,) = settle([raw(**change)])
    assert result.status is Status.REFUSED
    assert word in result.reason
    assert "/" in result.reason
    assert json.loads(result.raw) == json.loads(raw(**change)) or "NaN" in result.raw


def test_a_missing_field_and_one_given_twice_are_refused() -> None:
    without = {name: value for name, value in event().items() if name != "player"}
    twice = raw()[:-1] + b', "seq": 1}'
    results = settle([json.dumps(without).encode(), twice])
    assert [result.status for result in results] == [Status.REFUSED] * 2
    assert "player" in results[0].reason
    assert "seq" in results[1].reason


@pytest.mark.parametrize("name", ["position_s", "from_s"])
def test_a_minute_past_the_end_is_the_last_place(name: str) -> None:
    assert read(**{name: DURATION_S + 60})[name] == DURATION_S + 60
    with pytest.raises(ValueError, match=name):
        read(**{name: DURATION_S + 60.001})


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_day_from_the_services_clock_is_the_last_moment(sign: int) -> None:
    assert read(at_ms=NOW_MS + sign * DAY_MS)["at_ms"] == NOW_MS + sign * DAY_MS
    with pytest.raises(ValueError, match="24 h"):
        read(at_ms=NOW_MS + sign * (DAY_MS + 1))


def test_a_moment_may_be_written_with_its_offset() -> None:
    assert moment_ms("2021-07-01T09:00:00.250+08:00") == NOW_MS + 250
    assert moment_ms("2021-07-01T01:00:00Z") == NOW_MS
    assert read(at_ms="2021-07-01T09:00:00+08:00") == event()


def test_refused_events_keep_their_number_and_take_none() -> None:
    results = settle([raw(seq=5, type="dance"), b"7", b"{}", raw(seq=5)])
    assert [result.seq for result in results] == [5, None, None, 5]
    assert [result.index for result in results] == [0, 1, 2, 3]
    assert results[3].status is Status.ACCEPTED


def test_the_same_event_again_changes_nothing_and_another_is_a_conflict() -> None:
    stored = {0: StoredEvent(read(), NOW_MS - 1000)}
    same, other = settle([raw(), raw(position_s=5.0)], stored)
    assert (same.status, other.status) == (Status.DUPLICATE, Status.CONFLICT)


def test_the_one_received_first_counts_however_it_sorts() -> None:
    stored = {0: StoredEvent(read(position_s=9.0), NOW_MS - 1)}
    (result,) = settle([raw(position_s=5.0)], stored)
    assert result.status is Status.CONFLICT


def test_of_those_received_at_one_moment_the_one_that_sorts_first_counts() -> None:
    stored = {0: StoredEvent(read(position_s=9.0), NOW_MS)}
    (result,) = settle([raw(position_s=5.0)], stored)
    assert result.status is Status.ACCEPTED
    assert result.displaced == stored[0]


Batches = list[list[bytes]]
contents = st.builds(raw, seq=st.integers(0, 3), position_s=st.sampled_from([1.0, 2.0, 10.0]))
refusable = st.sampled_from([b"1", raw(type="dance"), raw(position_s=-1.0)])


def deliver(batches: Batches) -> tuple[dict[int, StoredEvent], set[tuple[int, str]], Counter[Status]]:
    """Return what counts, the contents kept aside and the number of answers after batches at one moment."""
    stored: dict[int, StoredEvent] = {}
    aside: set[tuple[int, str]] = set()
    answers: Counter[Status] = Counter()
    for batch in batches:
        for result in settle(batch, stored):
            answers[result.status] += 1
            if result.status is Status.CONFLICT and result.content is not None:
                aside.add((result.content["seq"], content_digest(result.content)))
            if result.status is Status.ACCEPTED and result.content is not None:
                if result.displaced is not None:
                    aside.add((result.content["seq"], content_digest(result.displaced.content)))
                stored[result.content["seq"]] = StoredEvent(result.content, NOW_MS)
    return stored, aside, answers


@given(st.data(), st.lists(contents | refusable, min_size=1, max_size=12))
def test_order_repetition_and_cutting_of_batches_do_not_matter(data: st.DataObject, sent: list[bytes]) -> None:
    stored, aside, answers = deliver([sent])
    assert sum(answers.values()) == len(sent)
    again = data.draw(st.permutations(sent + data.draw(st.lists(st.sampled_from(sent), max_size=5))))
    cut = data.draw(st.integers(0, len(again)))
    batches = [batch for batch in (again[:cut], again[cut:]) if batch]
    stored_again, aside_again, answers_again = deliver(batches)
    assert (stored_again, aside_again) == (stored, aside)
    assert sum(answers_again.values()) == len(again)
    assert {seq for seq, _ in aside} <= set(stored)
    assert all((seq, content_digest(one.content)) not in aside for seq, one in stored.items())
