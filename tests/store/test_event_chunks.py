"""Events come back from chunks as they were, whatever way they were put there."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError

from online_guard.evidence import Events
from online_guard.ingest.event_columns import join
from online_guard.ingest.identity import COLUMNS, event_values, take
from online_guard.store import event_chunks
from online_guard.store.chunk_tables import EventChunkRecord
from online_guard.store.event_chunks import Chunk, chunk_of, opened, packed
from online_guard.store.unit_of_work import alembic_config, migrate, open_engine, reading, writing
from online_guard.terms import EVENT_TYPES

AddClass = Callable[..., None]
Row = dict[str, Any]
moments = st.integers(0, 253_402_300_799_999)
seconds = st.floats(0, 1e9, allow_subnormal=False)
rows = st.fixed_dictionaries(
    {
        "type": st.integers(0, len(EVENT_TYPES) - 1),
        "at_ms": moments,
        "received_ms": moments,
        "position_s": seconds,
        "playing": st.booleans(),
        "rate": st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda rate: rate + 0.0),
        "player": st.sampled_from(["tab-1", "标签二", "🎓"]),
    },
    optional={"from_s": seconds, "popup": st.sampled_from(["p1", "弹窗"])},
)


def numbered(values: list[Row]) -> list[Row]:
    """Return rows with numbers in order, with gaps."""
    return [row | {"seq": 3 * place} for place, row in enumerate(values)]


def plain_values(events: Events) -> list[Any]:
    """Return events as plain values, with what stands for their sessions."""
    return [(int(events.session[row]), event_values(events, row)) for row in range(len(events))]


def expected(values: list[Row], session: int) -> list[Any]:
    """Return what rows are as plain values."""
    result = []
    for row in values:
        shortest = {"type": str(EVENT_TYPES[row["type"]]), "rate": float(str(np.float32(row["rate"])))}
        result.append((session, row | shortest))
    return result


@given(st.lists(rows, min_size=1, max_size=40), st.booleans())
def test_what_is_put_into_a_chunk_comes_out_of_it(values: list[Row], is_packed: bool) -> None:
    values = numbered(values)
    events = opened([Chunk(7, len(values), chunk_of(values))])
    if is_packed:
        events = opened([Chunk(7, len(values), packed(events))])
    assert plain_values(events) == expected(values, 7)


@given(st.lists(st.lists(rows, min_size=1, max_size=8), max_size=6))
def test_many_chunks_are_the_events_of_each_with_one_table_of_names(chunks: list[list[Row]]) -> None:
    pieces = [numbered(values) for values in chunks]
    events = opened([Chunk(place, len(values), chunk_of(values)) for place, values in enumerate(pieces)])
    assert plain_values(events) == [one for place, values in enumerate(pieces) for one in expected(values, place)]
    assert len(set(events.player_names)) == len(events.player_names)
    assert {name: getattr(events, name).dtype for name in COLUMNS} == {
        name: getattr(Events(), name).dtype for name in COLUMNS
    }


def test_a_chunk_of_a_class_hour_takes_few_bytes() -> None:
    values = [a_row(seq) for seq in range(240)]
    plain = chunk_of(values)
    assert len(plain) == pytest.approx(240 * event_chunks.EVENT_BYTES, abs=100)
    assert len(packed(opened([Chunk(1, 240, plain)]))) < 240 * 14


def a_row(seq: int, **changes: object) -> Row:
    """Return an event of a player that plays, with a timer and a position that jitter."""
    jitter = (seq * 2_654_435_761) % 97
    values = {
        "seq": seq, "type": 4, "at_ms": 1_623_124_800_000 + 10_000 * seq + jitter,
        "position_s": 10.0 * seq + jitter / 1e3,
        "received_ms": 1_623_124_800_300 + 10_000 * (seq // 12 * 12), "playing": True, "rate": 1.0, "player": "tab-1",
    }  # fmt: skip
    return values | changes


@pytest.fixture
def session(engine: Engine, a_class: AddClass) -> int:
    """Return the row of a session without events."""
    a_class("one", "learner")
    return 1


def test_late_batches_take_their_place_among_the_others(engine: Engine, session: int) -> None:
    with writing(engine) as database:
        for numbers in ((0, 1, 8), (4, 5), (2, 3, 9), (6,)):
            event_chunks.put_rows(database, session, [a_row(seq) for seq in numbers])
    with reading(engine) as database:
        events = event_chunks.of_sessions(database, {session: 5})
        assert events.seq.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
        assert plain_values(events) == expected([a_row(seq) for seq in events.seq.tolist()], 5)
        assert event_chunks.next_seq(database, session) == 10
        assert sorted(event_chunks.between(database, session, 4, 4).seq.tolist()) == [0, 1, 2, 3, 4, 5, 8, 9]
        assert event_chunks.between(database, session, 10, 99).seq.tolist() == []


def test_packing_anew_changes_no_event_and_leaves_one_chunk(engine: Engine, session: int) -> None:
    with writing(engine) as database:
        for first in (0, 20, 10):
            event_chunks.put_rows(database, session, [a_row(seq) for seq in range(first, first + 10)])
    with reading(engine) as database:
        before = event_chunks.of_sessions(database, {session: 0})
    with writing(engine) as database:
        event_chunks.repack(database, session)
    with reading(engine) as database:
        assert plain_values(event_chunks.of_sessions(database, {session: 0})) == plain_values(before)
        [chunk] = database.scalars(select(EventChunkRecord))
    assert (chunk.first_seq, chunk.last_seq, chunk.count) == (0, 29, 30)
    assert chunk.received_ms == before.received_ms.max()


def test_an_event_that_gives_way_is_forgotten_alone(engine: Engine, session: int) -> None:
    with writing(engine) as database:
        event_chunks.put_rows(database, session, [a_row(seq) for seq in range(5)])
        event_chunks.repack(database, session, {2})
        event_chunks.put_rows(database, session, [a_row(2, position_s=0.5)])
    with reading(engine) as database:
        events = event_chunks.of_sessions(database, {session: 0})
    assert events.seq.tolist() == [0, 1, 2, 3, 4]
    assert events.position_s[2] == 0.5


def test_whole_sessions_are_put_in_parts_of_bounded_size(
    engine: Engine, session: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_chunks, "MOST_EVENTS", 7)
    values = [a_row(seq, received_ms=seq, from_s=math.nan) for seq in range(20)]
    events = opened([Chunk(session, 20, chunk_of(values))])
    with writing(engine) as database:
        event_chunks.put(database, session, events)
        event_chunks.put(database, session, take(events, slice(0, 0)))
    with reading(engine) as database:
        assert len(database.scalars(select(EventChunkRecord)).all()) == 3
        assert plain_values(event_chunks.of_sessions(database, {session: session})) == plain_values(join([events]))


def test_no_second_chunk_begins_with_a_number(engine: Engine, session: int) -> None:
    with writing(engine) as database:
        event_chunks.put_rows(database, session, [a_row(0)])
    with pytest.raises(IntegrityError), writing(engine) as database:
        event_chunks.put_rows(database, session, [a_row(0), a_row(1)])


def test_the_migration_carries_events_over_and_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    command.upgrade(alembic_config(url), "20261125_captures_and_challenges")
    rows_before = [
        (row, seq, 4, 1_623_124_800_000 + seq, 1_623_124_800_300, seq / 3, seq / 7 if seq % 2 else None, 1, 1.1,
         f"tab-{seq % 2}", "p" if seq == 2 else None)
        for row in (1, 2) for seq in range(5)
    ]  # fmt: skip
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO training_class VALUES ('one', 'P', '{}')"))
        learner = "INSERT INTO enrolment VALUES ('e', 'one', 'l', x'', x'', NULL, 'required', '[]', NULL, NULL)"
        connection.execute(text(learner))
        for row in (1, 2):
            values = f"({row}, 'P', 's{row}', 'e', 1, 0, 0, 'pc', NULL, NULL, NULL, NULL)"
            connection.execute(text(f"INSERT INTO session VALUES {values}"))
        for event in rows_before:
            connection.exec_driver_sql(f"INSERT INTO event VALUES ({', '.join('?' * len(event))})", event)
    engine.dispose()
    migrate(url)
    engine = open_engine(url)
    with reading(engine) as database:
        events = event_chunks.of_sessions(database, {1: 1, 2: 2})
    engine.dispose()
    assert [row["seq"] for _, row in plain_values(events)] == [0, 1, 2, 3, 4] * 2
    command.downgrade(alembic_config(url), "20261125_captures_and_challenges")
    engine = open_engine(url)
    with reading(engine) as database:
        after = [tuple(row) for row in database.execute(text("SELECT * FROM event ORDER BY session_row, seq"))]
    engine.dispose()
    assert after == rows_before
