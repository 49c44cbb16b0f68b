"""Which event counts: worked examples, and the law that the order of rows has no influence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online_guard.evidence import Events
from online_guard.ingest.identity import compact_names, event_json, settle
from online_guard.terms import EventType

Delivery = dict[str, Any]

deliveries = st.lists(
    st.fixed_dictionaries(
        {
            "session": st.integers(0, 2),
            "seq": st.integers(0, 2),
            "at_ms": st.integers(1, 2),
            "received_ms": st.integers(5, 7),
            "position_s": st.sampled_from([0.0, 9.5, 10.0]),
            "from_s": st.sampled_from([None, 2.0]),
            "playing": st.booleans(),
            "rate": st.sampled_from([1.0, 1.1]),
            "player": st.sampled_from(["a", "b"]),
            "popup": st.sampled_from([None, "u"]),
        }
    ),
    max_size=12,
)


def event(seq: int = 0, **changes: Any) -> Delivery:
    good = {"session": 0, "at_ms": 1, "received_ms": 5, "position_s": 0.0, "from_s": None, "playing": True}
    return good | {"seq": seq, "rate": 1.1, "player": "a", "popup": None} | changes


def columns(rows: list[Delivery]) -> Events:
    """Return the events, with names in the order of the rows."""
    players = list(dict.fromkeys(row["player"] for row in rows))
    popups = list(dict.fromkeys(row["popup"] for row in rows if row["popup"]))
    return Events(
        session=np.array([row["session"] for row in rows], np.int64),
        seq=np.array([row["seq"] for row in rows], np.int32),
        type=np.full(len(rows), EventType.HEARTBEAT.code, np.int8),
        at_ms=np.array([row["at_ms"] for row in rows], np.int64),
        received_ms=np.array([row["received_ms"] for row in rows], np.int64),
        position_s=np.array([row["position_s"] for row in rows], np.float64),
        from_s=np.array([row["from_s"] for row in rows], np.float64),
        playing=np.array([row["playing"] for row in rows], np.bool_),
        rate=np.array([row["rate"] for row in rows], np.float32),
        player=np.array([players.index(row["player"]) for row in rows], np.int32),
        popup=np.array([popups.index(row["popup"]) if row["popup"] else -1 for row in rows], np.int32),
        player_names=np.array(players, object),
        popup_names=np.array(popups, object),
    )


def expected(rows: list[Delivery]) -> tuple[dict[tuple[int, int], Delivery], list[int], int]:
    """Return what SPEC 3.2 says, one number at a time: events that count, sessions of conflicts, repetitions."""
    counted, conflicts, repetitions = {}, [], 0
    for key in {(row["session"], row["seq"]) for row in rows}:
        contents: dict[str, Delivery] = {}
        for row in [row for row in rows if (row["session"], row["seq"]) == key]:
            content = json.dumps({name: value for name, value in row.items() if name != "received_ms"}, sort_keys=True)
            repetitions += content in contents
            contents[content] = min(contents.get(content, row), row, key=lambda row: row["received_ms"])
        text = {name: json.dumps(_present(row), sort_keys=True) for name, row in contents.items()}
        first = min(contents, key=lambda name: (contents[name]["received_ms"], text[name]))
        counted[key] = contents[first]
        conflicts += [key[0]] * (len(contents) - 1)
    return counted, sorted(conflicts), repetitions


def _present(row: Delivery) -> Delivery:
    names = {name: value for name, value in row.items() if value is not None and name != "session"}
    return names | {"type": "heartbeat", "platform_id": "P", "session_id": "S"}


def as_rows(events: Events) -> list[Delivery]:
    return [json.loads(event_json(events, row)) | {"session": int(events.session[row])} for row in range(len(events))]


@given(deliveries)
def test_settling_does_what_the_specification_says(rows: list[Delivery]) -> None:
    events, repetitions = settle(columns(rows))
    counted, conflicts, repeated = expected(rows)
    assert list(zip(events.session.tolist(), events.seq.tolist(), strict=True)) == sorted(counted)
    assert as_rows(events) == [
        {name: value for name, value in counted[key].items() if value is not None} | {"type": "heartbeat"}
        for key in sorted(counted)
    ]
    assert events.conflicts.tolist() == conflicts
    assert repetitions == repeated


@given(deliveries, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_the_result(same_table: Callable[..., bool], rows: Any, rng: Any) -> None:
    once, _ = settle(columns(rows))
    again = rows + [row | {"received_ms": row["received_ms"] + rng.randint(0, 3)} for row in rows if rng.random() < 0.5]
    rng.shuffle(again)
    assert same_table(settle(columns(again))[0], once)


def test_events_in_order_stay_the_very_same_arrays() -> None:
    events = columns([event(0), event(1), event(0, session=1)])
    assert settle(events)[0].position_s is events.position_s


def test_the_one_received_first_counts_and_others_are_kept_aside() -> None:
    rows = [event(position_s=1.0, received_ms=7), event(position_s=2.0, received_ms=6), event(1)]
    events, repetitions = settle(columns(rows))
    assert (events.position_s.tolist(), events.conflicts.tolist(), repetitions) == ([2.0, 0.0], [0], 0)


def test_a_conflicting_event_delivered_twice_is_one_conflict_and_one_repetition() -> None:
    rows = [event(received_ms=5), event(position_s=2.0, received_ms=6), event(position_s=2.0, received_ms=9)]
    events, repetitions = settle(columns(rows))
    assert (len(events), events.conflicts.tolist(), repetitions) == (1, [0], 1)


def test_at_one_moment_the_json_decides_as_text() -> None:
    events, _ = settle(columns([event(position_s=9.5), event(position_s=10.0)]))
    assert events.position_s.tolist() == [10.0], "as text 10.0 sorts before 9.5"
    events, _ = settle(columns([event(popup=None), event(popup="u")]))
    assert events.popup.tolist() == [0], "popup sorts before position_s"


def test_the_json_prints_the_rate_of_float32_shortly() -> None:
    text = event_json(columns([event(popup="弹", from_s=2.0)]), 0)
    assert '"rate": 1.1,' in text
    assert '"popup": "\\u5f39"' in text
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_minus_zero_prints_as_zero() -> None:
    assert '"position_s": 0.0' in event_json(columns([event(position_s=-0.0)]), 0)


def test_conflicts_known_before_stay() -> None:
    before = columns([event(session=1), event(session=1, position_s=1.0)])
    events, _ = settle(Events(**(vars(before) | {"conflicts": np.array([0, 2])})))
    assert events.conflicts.tolist() == [0, 1, 2]


def test_only_names_in_use_stay_in_order_of_first_use() -> None:
    rows = [event(0, player="b"), event(1, player="a", popup="u2"), event(2, player="b", popup="u1")]
    wide = columns([event(9, player="z"), event(8, player="a", popup="u0"), *rows])
    kept = {name: column[2:] for name, column in vars(wide).items() if len(column) == 5}
    events = compact_names(Events(**(vars(wide) | kept)))
    assert (events.player_names.tolist(), events.player.tolist()) == (["b", "a"], [0, 1, 0])
    assert (events.popup_names.tolist(), events.popup.tolist()) == (["u2", "u1"], [-1, 0, 1])
    nothing = compact_names(
        Events(**{name: column[:0] for name, column in kept.items()}, player_names=wide.player_names)
    )
    assert (len(nothing), nothing.player_names.tolist()) == (0, [])


def test_sessions_and_numbers_at_their_limits_stay_apart() -> None:
    rows = [event(2**31 - 1, session=2**31), event(0, session=2**31 + 1), event(2**31 - 1, session=2**31)]
    events, repetitions = settle(columns(rows))
    assert (events.session.tolist(), events.seq.tolist()) == ([2**31, 2**31 + 1], [2**31 - 1, 0])
    assert repetitions == 1
