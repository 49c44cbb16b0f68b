"""events.ndjson: chunks, blank and bad lines, keys given twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from online_guard.ingest import events_ndjson


def lines(folder: Any) -> list[bytes]:
    return [json.dumps(row).encode() for row in folder.tables["events.ndjson"]]


def test_lines_are_numbered_past_blank_and_bad_ones(folder: Any) -> None:
    one, two, three = lines(folder)
    folder.put(
        "events.ndjson", b"\n".join([b"", one, b"{", two.replace(b"true", b"1"), b" ", three[:-1], three]) + b"\r\n\r\n"
    )
    assert [(row.line, row.field) for row in folder.refused()] == [(3, ""), (4, "playing"), (6, "")]
    assert folder.events().seq.tolist() == [0, 2]


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_the_size_of_chunks_has_no_influence(folder: Any, same_table: Any, monkeypatch: Any, chunk: int) -> None:
    rows = folder.tables["events.ndjson"]
    rows += [rows[0] | {"seq": seq, "player": f"p{seq % 2}", "session_id": f"S{seq % 3}"} for seq in range(3, 20)]
    whole, refused = folder.events(), folder.refused()
    assert {row.reason for row in refused} == {"未知的学习会话 / unknown session 'P/S0'"}
    monkeypatch.setattr(events_ndjson, "CHUNK_LINES", chunk)
    assert same_table(folder.events(), whole)
    assert folder.refused() == refused


def test_a_key_given_twice_is_refused_and_escapes_are_not(folder: Any) -> None:
    one, two, three = lines(folder)
    folder.put(
        "events.ndjson",
        b"\n".join(
            [
                one[:-1] + b', "position_s": 9}',
                two.replace(b'"p1"', b'"a\\"b"'),
                three.replace(b'"seq"', b'"\\u0073eq"'),
            ]
        ),
    )
    assert [(row.line, row.field) for row in folder.refused()] == [(1, "position_s")]
    assert folder.events().player_names.tolist() == ['a"b', "p1"]


def test_null_counts_as_absent(folder: Any) -> None:
    folder.tables["events.ndjson"][0] |= {"from_s": None, "popup": None}
    folder.tables["events.ndjson"][1] |= {"rate": None}
    assert [(row.line, row.field) for row in folder.refused()] == [(2, "rate")]
    assert folder.events().seq.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'"seq": 1', b'"seq": 1.0', "seq"),
        (b'"seq": 1', b'"seq": 99999999999999999999', "seq"),
        (b'"rate": 1.1', b'"rate": 1e39', "rate"),
        (b'"rate": 1.1', b'"rate": 1e999', "rate"),
        (b'"rate": 1.1', b'"rate": Infinity', "rate"),
        (b'"position_s": 1.0', b'"position_s": NaN', "position_s"),
        (b'"at_ms": 1625101201000', b'"at_ms": "2021-07-01T09:00:01+08:00"', "at_ms"),
        (b'"rate": 1.1', b'"rate": 1.1, "volume": 1', "volume"),
    ],
)
def test_types_are_strict(folder: Any, old: bytes, new: bytes, field: str) -> None:
    one, two, three = lines(folder)
    assert two.count(old) == 1
    folder.put("events.ndjson", b"\n".join([one, two.replace(old, new), three]))
    assert [(row.line, row.field) for row in folder.refused()] == [(2, field)]
    assert folder.events().seq.tolist() == [0, 2]
