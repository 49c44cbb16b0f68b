"""Checks of events: every refusal, in both file formats, with the good events kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from online_guard.evidence import Events
from online_guard.ingest.bundle_writer import EVENT_SCHEMA
from online_guard.ingest.event_columns import SessionIndex, join, session_rows
from online_guard.terms import EventType

END_S = 2400 + 60
REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"session_id": "S9"}, "session_id", "unknown session 'P/S9'"),
    ({"platform_id": "P/S1", "session_id": "x"}, "session_id", "unknown session"),
    ({"seq": -1}, "seq", "must be 0 to 2147483647"),
    ({"seq": 2**31}, "seq", "must be 0 to 2147483647"),
    ({"type": "jump"}, "type", "unknown type 'jump'"),
    ({"at_ms": -1}, "at_ms", "outside the years 1970 to 9999"),
    ({"at_ms": 253_402_300_800_000}, "at_ms", "outside the years 1970 to 9999"),
    ({"received_ms": 253_402_300_800_000}, "received_ms", "outside the years 1970 to 9999"),
    ({"position_s": -0.001}, "position_s", "negative `position_s`"),
    ({"position_s": END_S + 0.001}, "position_s", "more than 60 s past the lesson's end"),
    ({"position_s": float("nan")}, "position_s", "NaN or Infinity"),
    ({"position_s": float("inf")}, "position_s", "NaN or Infinity"),
    ({"position_s": float("-inf")}, "position_s", "NaN or Infinity"),
    ({"from_s": -1.0}, "from_s", "negative `from_s`"),
    ({"from_s": END_S + 1.0}, "from_s", "more than 60 s past the lesson's end"),
    ({"from_s": float("nan")}, "from_s", "NaN or Infinity"),
    ({"from_s": float("inf")}, "from_s", "NaN or Infinity"),
    ({"rate": float("-inf")}, "rate", "finite number"),
    ({"rate": float("nan")}, "rate", "NaN or Infinity"),
    ({"player": ""}, "player", "1 to 128 characters"),
    ({"player": "a/b"}, "player", "no `/`"),
    ({"player": "x" * 129}, "player", "1 to 128 characters"),
    ({"player": "a\n"}, "player", "no control characters"),
    ({"popup": "a\x7f"}, "popup", "no control characters"),
    ({"type": "popup_shown"}, "popup", "pop-up event without `popup`"),
    ({"type": "popup_answered"}, "popup", "pop-up event without `popup`"),
    ({"type": "popup_expired"}, "popup", "pop-up event without `popup`"),
]


@pytest.mark.parametrize("parquet", [False, True], ids=["ndjson", "parquet"])
@pytest.mark.parametrize(("change", "field", "reason"), REFUSALS)
def test_a_bad_event_is_refused_and_the_others_are_kept(
    folder: Any, parquet: bool, change: dict[str, Any], field: str, reason: str
) -> None:
    rows = folder.tables["events.ndjson"]
    rows.insert(1, rows[1] | change)
    if parquet:
        folder.parquet(rows, EVENT_SCHEMA.set(EVENT_SCHEMA.get_field_index("seq"), pa.field("seq", pa.int64())))
    [refused] = folder.refused()
    assert (refused.file, refused.line, refused.field) == (f"events.{'parquet' if parquet else 'ndjson'}", 2, field)
    assert reason in refused.reason
    events = folder.events()
    assert events.seq.tolist() == [0, 1, 2], "a refused event occupies no number"
    assert len(events.conflicts) == 0


ALLOWED: list[dict[str, Any]] = [
    {"position_s": END_S},
    {"position_s": END_S + 1e-7},
    {"position_s": 5},
    {"from_s": END_S, "type": "seek"},
    {"from_s": 0.0, "type": "play"},
    {"rate": 0.0},
    {"seq": 2**31 - 1},
    {"at_ms": 0},
    {"at_ms": 253_402_300_799_999},
    {"player": "播放器 1"},
    {"player": "x" * 128},
    {"popup": "a\u2028b"},
    {"type": "popup_shown", "popup": "u"},
]


@pytest.mark.parametrize("change", ALLOWED)
def test_values_at_the_limit_are_kept(folder: Any, change: dict[str, Any]) -> None:
    folder.tables["events.ndjson"][2] |= change
    assert folder.refused() == []
    events = folder.events()
    assert len(events) == 3
    for name in change.keys() - {"type", "player", "popup"}:
        assert getattr(events, name)[2] == change[name]


def test_of_several_faults_one_is_reported(folder: Any) -> None:
    folder.tables["events.ndjson"][2] |= {"session_id": "S9", "seq": -1, "player": ""}
    assert [row.field for row in folder.refused()] == ["session_id"]


def test_the_limit_is_that_of_the_sessions_own_lesson(folder: Any) -> None:
    folder.tables["sessions.ndjson"][1]["lesson_no"] = 2
    row = folder.tables["events.ndjson"][0] | {"position_s": 1300.0}
    folder.tables["events.ndjson"] = [row, row | {"session_id": "S2"}]
    assert [refused.line for refused in folder.refused()] == [2]


def test_columns_have_their_types(folder: Any) -> None:
    folder.tables["events.ndjson"][1] |= {"type": "seek", "from_s": 2, "popup": "u"}
    events = folder.events()
    assert {name: column.dtype for name, column in vars(events).items()} == {
        name: column.dtype for name, column in vars(Events()).items()
    }
    assert events.type.tolist() == [EventType.PLAY.code, EventType.SEEK.code, EventType.PAUSE.code]
    assert events.from_s[1] == 2.0
    assert np.isnan(events.from_s[[0, 2]]).all()
    assert events.popup.tolist() == [-1, 0, -1]
    assert events.rate[0] == np.float32(1.1)


def test_sessions_get_the_row_of_the_whole_bundle() -> None:
    index = SessionIndex({"P/S1": 4}, np.array([np.inf]))
    rows, unknown = session_rows(["P/S2", "P/S1", "Q/S1"], index)
    assert (rows.tolist(), unknown) == ([-1, 4, -2], ["P/S2", "Q/S1"])


def test_joining_pieces_keeps_each_name_once() -> None:
    one = Events(player=np.array([0, 1], np.int32), player_names=np.array(["a", "b"], object))
    two = Events(player=np.array([1, 0], np.int32), player_names=np.array(["c", "b"], object))
    whole = join([one, two])
    assert (whole.player.tolist(), whole.player_names.tolist()) == ([0, 1, 1, 2], ["a", "b", "c"])
    assert len(join([])) == 0


def test_minus_zero_is_zero(folder: Any) -> None:
    folder.tables["events.ndjson"][0] |= {"position_s": -0.0, "from_s": -0.0, "rate": -0.0}
    events = folder.events()
    assert not np.signbit([events.position_s[0], events.from_s[0], events.rate[0]]).any()
