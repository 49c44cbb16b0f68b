"""Why a row is refused: the words for each complaint, and the field it is about."""

from __future__ import annotations

import msgspec
import pytest

from online_guard.ingest.refusals import Refusal, RefusedRow, explain, repeated_key
from online_guard.ingest.rows import ClassRow, SessionRow, SnapshotRow

SESSION = (
    b'{"platform_id":"P","session_id":"S","enrolment_id":"E","lesson_no":1,'
    b'"opened_at_ms":1,"opened_received_ms":2,"device_id":"D"}'
)


def refusal(text: bytes, row_type: type[msgspec.Struct] = SessionRow) -> Refusal:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as caught:
        msgspec.json.decode(text, type=row_type)
    return explain(caught.value, text)


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (b'"device_id":"D"', b'"device_id":"D","extra":1', "extra", "unknown key `extra`"),
        (b',"device_id":"D"', b"", "device_id", "missing key (null counts as absent) `device_id`"),
        (b'"device_id":"D"', b'"device_id":null', "device_id", "missing key (null counts as absent) `device_id`"),
        (b'"lesson_no":1', b'"lesson_no":"1"', "lesson_no", "wrong type: expected int, got str `lesson_no`"),
        (b'"lesson_no":1', b'"lesson_no":1.0', "lesson_no", "expected int, got float"),
        (b'"lesson_no":1', b'"lesson_no":true', "lesson_no", "expected int, got bool"),
        (b'"lesson_no":1', b'"lesson_no":0', "lesson_no", "out of range: must be >= 1"),
        (b'"lesson_no":1', b'"lesson_no":1e999', "lesson_no", "number out of range"),
        (b'"lesson_no":1', b'"lesson_no":NaN', "lesson_no", "NaN or Infinity"),
        (b'"lesson_no":1', b'"lesson_no":-Infinity', "lesson_no", "NaN or Infinity"),
        (b'"opened_at_ms":1', b'"opened_at_ms":"2021-07-01T08:00:00"', "opened_at_ms", "milliseconds since 1970"),
        (b'"opened_at_ms":1', b'"opened_at_ms":1.5', "opened_at_ms", "milliseconds since 1970"),
        (b'"opened_at_ms":1', b'"opened_at_ms":-1', "opened_at_ms", "outside the years 1970 to 9999"),
        (b'"opened_at_ms":1', b'"opened_at_ms":253402300800000', "opened_at_ms", "outside the years 1970 to 9999"),
        (b'"P"', b'"a/b"', "platform_id", "1 to 128 characters"),
        (b'"P"', b'""', "platform_id", "1 to 128 characters"),
        (b'"P"', b'"' + b"x" * 129 + b'"', "platform_id", "1 to 128 characters"),
        (b'"P"', b'"a\\n"', "platform_id", "no control characters"),
        (b'"P"', b'"a\\u0000"', "platform_id", "no control characters"),
        (b'"P"', b'"a\\u0085"', "platform_id", "no control characters"),
        (b'"P"', b'"\\ud800"', "", "unpaired surrogate"),
        (b'"P"', b'"\xff"', "", "not UTF-8"),
        (b'"P"', b'"\x00"', "", "NUL byte"),
        (b'"P"', b'"P"]', "", "not one complete JSON value"),
    ],
)
def test_each_complaint_names_the_field_and_the_reason(old: bytes, new: bytes, field: str, words: str) -> None:
    assert SESSION.count(old) == 1
    found = refusal(SESSION.replace(old, new))
    assert found.field == field
    assert words in found.reason
    assert "/ " in found.reason, "Chinese first, English second"


@pytest.mark.parametrize("text", [SESSION[:-1], b"{", b'{"platform_id"', SESSION + b" {}", b"{'a':1}"])
def test_a_row_that_is_cut_off_or_no_json_is_refused(text: bytes) -> None:
    assert "not one complete JSON value" in refusal(text).reason


def test_a_row_that_is_no_object_is_refused() -> None:
    assert "expected object, got array" in refusal(b"[]").reason


def test_a_bom_is_named() -> None:
    assert "BOM" in refusal(b"\xef\xbb\xbf" + SESSION).reason


def test_null_beside_nan_isnt_blamed() -> None:
    text = SESSION.replace(b'"device_id"', b'"ip":null,"device_id"').replace(b'"lesson_no":1', b'"lesson_no":NaN')
    assert refusal(text).field == "lesson_no"


def test_the_place_inside_an_array_is_named() -> None:
    lesson = b'{"lesson_no":1,"title":"t","kind":"general","duration_s":0,"class_hours":1}'
    text = (
        b'{"class_id":"C","platform_id":"P","institution":"I","applicant_kind":"enterprise","applicant":"A",'
        b'"occupation":"O","mode":"online","certificate_route":"completion","starts_on":"2021-07-01",'
        b'"ends_on":"2021-07-01","required_online_hours":1,"teachers":1,"lessons":[' + lesson + b"]}"
    )
    found = refusal(text, ClassRow)
    assert (found.field, "must be > 0" in found.reason) == ("lessons[0].duration_s", True)
    found = refusal(text.replace(b',"class_hours":1', b""), ClassRow)
    assert found.field == "lessons[0].duration_s"
    found = refusal(text.replace(b',"class_hours":1', b"").replace(b'"duration_s":0', b'"duration_s":1'), ClassRow)
    assert (found.field, "missing key" in found.reason) == ("lessons[0].class_hours", True)
    found = refusal(text.replace(b'"online"', b'"on-line"'), ClassRow)
    assert (found.field, "unknown value 'on-line'" in found.reason) == ("mode", True)
    found = refusal(text.replace(b'"2021-07-01"', b'"2021-02-29"'), ClassRow)
    assert (found.field, "YYYY-MM-DD" in found.reason) == ("starts_on", True)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("phash", "ABCDEF0123456789", "16 lower-case hex digits"),
        ("phash", "0123456789abcde", "16 lower-case hex digits"),
        ("sha256", "ab" * 31, "64 lower-case hex digits"),
        ("distance", -0.1, "must be >= 0.0"),
        ("asked", 1, "expected bool, got int"),
    ],
)
def test_hashes_and_distances(field: str, value: object, words: str) -> None:
    row = {
        "platform_id": "P",
        "session_id": "S",
        "snapshot_id": "n",
        "at_ms": 1,
        "received_ms": 1,
        "asked": True,
        "good": True,
        "sha256": "ab" * 32,
        "phash": "0123456789abcdef",
    }
    msgspec.json.decode(msgspec.json.encode(row), type=SnapshotRow)
    found = refusal(msgspec.json.encode(row | {field: value}), SnapshotRow)
    assert (found.field, words in found.reason) == (field, True)


def test_a_key_given_twice_is_found_at_any_depth() -> None:
    assert repeated_key(b'{"a":1,"b":{"a":2}}') is None
    twice = repeated_key(b'{"b":[{"x":1,"\\u0078":2}]}')
    assert twice is not None
    assert twice.field == "x"


def test_refused_rows_sort_by_file_and_line() -> None:
    rows = [RefusedRow("b", 1, "r"), RefusedRow("a", 10, "r", "f"), RefusedRow("a", 9, "r")]
    assert [(row.file, row.line) for row in sorted(rows)] == [("a", 9), ("a", 10), ("b", 1)]
    assert Refusal("r", "f").of("a", 3) == RefusedRow("a", 3, "r", "f")
