"""Lines decoded at once and tables checked as columns give what each row looked at by itself gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from online_guard.evidence import assemble
from online_guard.ingest import row_reading
from online_guard.ingest.refusals import PATTERNS, Refusal, RefusedRow
from online_guard.ingest.row_reading import decode_row, read_chunks
from online_guard.ingest.rows import ARE_LIKE
from online_guard.ingest.tables import TABLES

from .conftest import GOOD

SESSION_TABLES = {
    "sessions.ndjson": ("platform_id", "session_id"),
    "snapshots.ndjson": ("platform_id", "session_id", "snapshot_id"),
    "liveness.ndjson": ("platform_id", "session_id", "check_id"),
    "directives.ndjson": ("platform_id", "session_id", "directive_id"),
    "likenesses.ndjson": ("platform_id", "session_id", "snapshot_id", "other_kind", "other_id"),
}
ODD: list[Any] = [
    *(None, True, 0, -1, 1, 2, 64, 65, 2**63, 1.0, 1.5, -0.0, 1e300, [], {}),
    *(
        "",
        "x/y",
        "乙",
        "a" * 128,
        "a" * 129,
        "\x00",
        "\x7f",
        "\u200b",
        " ",
        "P/S1/n1",
        "P/S2/n1",
        "reference",
        "snapshot",
    ),
    *("f" * 16, "F" * 16, "１" * 16, "f" * 64, "passed", "popup"),
]
SPOILED: list[Callable[[str], str]] = [
    lambda line: line[:-1] + "," + line[1:],  # each key twice
    lambda line: line + line,
    lambda line: line + " " + line + "\n",
    lambda line: "",
    lambda line: " \t",
    lambda line: line + "\r",
    lambda line: " " + line,
    lambda line: "\ufeff" + line,
    lambda line: line[:-1],
    lambda line: line.replace("{", "{\n", 1),
    lambda line: line.replace("platform", "pl\\u0061tform"),
    lambda line: line.replace(":", " : \t"),
    lambda line: line[:-1] + ',"distance":null}',
    lambda line: line[:-1] + ',"unknown":1}',
    lambda line: line.replace(":0.3", ":NaN").replace("0}", "1e999}"),
    lambda line: line.replace(":1625", ":01625"),
    lambda line: f"[{line}]",
]


@st.composite
def some_lines(draw: st.DrawFn, file: str) -> str:
    """Draw a file of rows near the good ones of the conftest."""
    lines = []
    for _ in range(draw(st.integers(0, 7))):
        row = dict(draw(st.sampled_from(GOOD[file])))
        for name in draw(st.lists(st.sampled_from([name for name in row if name.endswith("_id")]), max_size=2)):
            row[name] = draw(st.sampled_from(["P", "Q", "S1", "S2", "n1", "n2", "c1", "c2", "E1", "S1-a"]))
        if draw(st.integers(0, 4)) == 0:
            row[draw(st.sampled_from(sorted(row)))] = draw(st.sampled_from(ODD))
        line = json.dumps(row, ensure_ascii=draw(st.booleans()), separators=(",", ":"))
        lines.append(draw(st.sampled_from(SPOILED))(line) if draw(st.integers(0, 4)) == 0 else line)
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))


def row_by_row(file: str, text: bytes, refused: list[RefusedRow]) -> Iterator[tuple[int, Any]]:
    """Yield the good rows of a file, each decoded strictly and alone."""
    decoder = msgspec.json.Decoder(TABLES[file])
    for number, line in enumerate(text.split(b"\n"), 1):
        if line.strip():
            row = decode_row(decoder, line)
            if isinstance(row, Refusal):
                refused.append(row.of(file, number))
            else:
                yield number, row


def fault(file: str, row: Any, kept: dict[str, list[Any]]) -> str | None:
    """Return the field for which a row that could be decoded is refused, by SPEC and BUNDLE."""
    owner = {"E1": ("P", (1, 2)), "E2": ("Q", (1, 2))}
    if file == "sessions.ndjson":
        if row.enrolment_id not in owner:
            return "enrolment_id"
        platform_id, lessons = owner[row.enrolment_id]
        return "platform_id" if row.platform_id != platform_id else None if row.lesson_no in lessons else "lesson_no"
    if file != "likenesses.ndjson":
        known = {(session.platform_id, session.session_id) for session in kept["sessions.ndjson"]}
        return None if (row.platform_id, row.session_id) in known else "session_id"
    captures = {f"{s.platform_id}/{s.session_id}/{s.snapshot_id}" for s in kept["snapshots.ndjson"]}
    captures |= {f"{c.platform_id}/{c.session_id}/{c.check_id}" for c in kept["liveness.ndjson"]}
    own, parts = f"{row.platform_id}/{row.session_id}/{row.snapshot_id}", row.other_id.split("/")
    if own not in captures:
        return "snapshot_id"
    named = all(0 < len(part) <= 128 and not {"\x00", "\x7f"} & set(part) for part in parts)
    fits = named and len(parts) == (1 if row.other_kind == "reference" else 3)
    return None if fits and (row.other_kind == "reference" or row.other_id != own) else "other_id"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.integers(1, 4))
def test_tables_in_columns_are_those_of_rows_looked_at_one_by_one(
    new_folder: Callable[[], Any], same_table: Callable[..., bool], data: st.DataObject, size: int
) -> None:
    folder = new_folder()
    refused: list[RefusedRow] = []
    kept: dict[str, list[Any]] = {}
    for file, key in SESSION_TABLES.items():
        text = data.draw(some_lines(file), file).encode()
        folder.put(file, text)
        kept[file], seen = [], set()
        for line, row in row_by_row(file, text, refused):
            name = tuple(getattr(row, part) for part in key)
            field = fault(file, row, kept)
            if field is None and name not in seen:
                seen.add(name)
                kept[file].append(row)
            else:
                refused.append(RefusedRow(file, line, "", field or ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_reading, "_CHUNK_LINES", size)
        bundle = folder.open()
    said = {row for row in bundle.refused if row.file in SESSION_TABLES}
    assert {(row.file, row.line, row.field) for row in said} == {(row.file, row.line, row.field) for row in refused}
    assert {row for row in refused if row.reason} <= said, "what a line lacks is said in the same words"
    expected = assemble(
        classes=bundle.evidence.classes,
        enrolments=bundle.evidence.enrolments,
        sessions=kept["sessions.ndjson"],
        snapshots=kept["snapshots.ndjson"],
        checks=kept["liveness.ndjson"],
        directives=kept["directives.ndjson"],
        likenesses=kept["likenesses.ndjson"],
    )
    for name in ("sessions", "snapshots", "checks", "directives", "likenesses"):
        assert same_table(getattr(bundle.evidence, name), getattr(expected, name)), name


@pytest.mark.parametrize("blank", ["", " ", "\r"])
def test_two_rows_on_a_line_are_refused_even_beside_a_blank_line(folder: Any, blank: str) -> None:
    row = json.dumps(folder.tables["offline_hours.ndjson"][0])
    other = row.replace("07-05", "07-06")
    folder.put("offline_hours.ndjson", f"{row}{other}\n{blank}\n{row}\n".encode())
    bundle = folder.open()
    assert [(refused.file, refused.line) for refused in bundle.refused] == [("offline_hours.ndjson", 1)]
    assert [practice.on.day for practice in bundle.evidence.practice] == [5]


def test_good_rows_are_decoded_at_once(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_reading, "decode_row", None)  # would be called for each line otherwise
    for file, row_type in TABLES.items():
        if file != "enrolments.ndjson":  # leaves have keys of their own
            rows = [json.dumps(row, ensure_ascii=False) for row in folder.tables[file] if None not in row.values()]
            folder.put(file, "\n".join(rows).encode())
            [*chunks] = read_chunks(folder.path / file, row_type, [])
            assert [len(chunk.rows) for chunk in chunks] == ([len(rows)] if rows else []), file


@pytest.mark.parametrize("pattern", PATTERNS)
@given(texts=st.lists(st.one_of(st.text(max_size=3), st.sampled_from([odd for odd in ODD if isinstance(odd, str)]))))
def test_texts_that_are_said_to_match_together_do_so_one_by_one(pattern: str, texts: list[str]) -> None:
    if ARE_LIKE[pattern](texts):
        assert all(re.search(pattern, text) for text in texts)
