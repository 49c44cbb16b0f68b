"""The small tables: fields, keys, parents, and what becomes of the good rows."""

from __future__ import annotations

import json
import random
from datetime import date
from typing import Any

import numpy as np
import pytest

from online_guard.errors import GuardError
from online_guard.evidence import Leave
from online_guard.terms import FaceChecks, LessonKind, Outcome

REFUSALS: list[tuple[str, dict[str, Any], str, str]] = [
    # file, change of its last good row, field, reason
    ("classes.json", {"ends_on": "2021-06-30"}, "ends_on", "before starts_on"),
    ("classes.json", {"teachers": -1}, "teachers", ">= 0"),
    ("classes.json", {"applicant_kind": "company"}, "applicant_kind", "unknown value 'company'"),
    ("classes.json", {"institution": " "}, "institution", "must not be empty"),
    ("enrolments.ndjson", {"class_id": "C9"}, "class_id", "unknown class `C9`"),
    ("enrolments.ndjson", {"face_checks": "none"}, "face_checks", "unknown value"),
    ("sessions.ndjson", {"enrolment_id": "E9"}, "enrolment_id", "unknown enrolment `E9`"),
    ("sessions.ndjson", {"platform_id": "Q", "session_id": "x"}, "platform_id", "another platform than its class's"),
    ("sessions.ndjson", {"lesson_no": 3}, "lesson_no", "no such lesson: 3"),
    ("snapshots.ndjson", {"session_id": "S9"}, "session_id", "unknown session `P/S9`"),
    ("snapshots.ndjson", {"phash": "FFFFFFFFFFFFFFFF"}, "phash", "16 lower-case hex"),
    ("liveness.ndjson", {"session_id": "S9"}, "session_id", "unknown session `P/S9`"),
    ("liveness.ndjson", {"outcome": "ok"}, "outcome", "unknown value 'ok'"),
    ("directives.ndjson", {"session_id": "S9"}, "session_id", "unknown session `P/S9`"),
    ("directives.ndjson", {"kind": "sound"}, "kind", "unknown value 'sound'"),
    ("likenesses.ndjson", {"snapshot_id": "n9"}, "snapshot_id", "unknown snapshot or check `P/S1/n9`"),
    ("likenesses.ndjson", {"other_kind": "snapshot", "other_id": "P/S1/n1"}, "other_id", "its own capture"),
    ("likenesses.ndjson", {"other_kind": "snapshot", "other_id": "P/S1"}, "other_id", "1 to 128 characters"),
    ("likenesses.ndjson", {"other_id": "a/b"}, "other_id", "1 to 128 characters"),
    ("likenesses.ndjson", {"phash_distance": 65}, "phash_distance", "<= 64"),
    ("likenesses.ndjson", {"cosine": 1.1}, "cosine", "out of range"),
    ("offline_hours.ndjson", {"enrolment_id": "E9"}, "enrolment_id", "unknown enrolment `E9`"),
    ("offline_hours.ndjson", {"on": "2021-7-5"}, "on", "YYYY-MM-DD"),
    ("satisfaction.ndjson", {"score": 90}, "score", "<= 1"),
    ("applications.ndjson", {"class_id": "C9"}, "class_id", "unknown class `C9`"),
    ("applications.ndjson", {"window": "2021-13"}, "window", "YYYY-MM"),
    ("applications.ndjson", {"window": "2021-8"}, "window", "YYYY-MM"),
    ("decisions.ndjson", {"decision": "maybe"}, "decision", "unknown value 'maybe'"),
    ("decisions.ndjson", {"subject": "learner"}, "subject", "unknown value 'learner'"),
]


@pytest.mark.parametrize(("file", "change", "field", "reason"), REFUSALS)
def test_a_bad_row_is_reported_and_the_others_are_kept(
    folder: Any, file: str, change: dict[str, Any], field: str, reason: str
) -> None:
    rows = folder.tables[file]
    before = folder.open().evidence
    rows.insert(0, rows[-1] | change)
    bundle = folder.open()
    [refused] = bundle.refused
    assert (refused.file, refused.line, refused.field) == (file, 1, field)
    assert reason in refused.reason
    assert repr(bundle.evidence) == repr(before), "a refused row occupies no key and changes nothing"


KEYED = {
    "classes.json": "C1",
    "enrolments.ndjson": "E1",
    "sessions.ndjson": "P/S1",
    "snapshots.ndjson": "P/S1/n1",
    "likenesses.ndjson": "P/S1/n1/reference/E9",
    "liveness.ndjson": "P/S1/c1",
    "directives.ndjson": "P/S1/u1",
    "offline_hours.ndjson": "E1/2021-07-05",
    "assessments.ndjson": "L1/C0",
    "applications.ndjson": "C1/2021-08",
}


@pytest.mark.parametrize(("file", "key"), KEYED.items())
def test_of_rows_with_one_key_the_first_stays(folder: Any, file: str, key: str) -> None:
    before = folder.open().evidence
    folder.tables[file] += [folder.tables[file][-1]] * 2
    bundle = folder.open()
    count = len(folder.tables[file])
    assert [(row.file, row.line) for row in bundle.refused] == [(file, count - 1), (file, count)]
    assert f"duplicate of {key}" in bundle.refused[0].reason
    assert repr(bundle.evidence) == repr(before)


@pytest.mark.parametrize("file", ["satisfaction.ndjson", "decisions.ndjson"])
def test_surveys_and_decisions_have_no_key(folder: Any, file: str) -> None:
    folder.tables[file] *= 2
    bundle = folder.open()
    assert bundle.refused == []
    assert len(bundle.evidence.surveys) + len(bundle.evidence.decisions) == 3


def test_a_refused_parent_takes_its_children_along(folder: Any) -> None:
    folder.tables["sessions.ndjson"][2]["lesson_no"] = 0
    refused = folder.refused()
    assert [row.file for row in refused] == [
        "directives.ndjson",
        "likenesses.ndjson",
        "liveness.ndjson",
        "sessions.ndjson",
        "snapshots.ndjson",
        *["events.ndjson"] * 3,
    ]


def test_a_lesson_number_comes_once_in_a_class(folder: Any) -> None:
    folder.tables["classes.json"][0]["lessons"][1]["lesson_no"] = 2
    first = folder.open().refused[0]
    assert (first.file, first.line, first.field) == ("classes.json", 1, "lessons[1].lesson_no")


def test_a_leave_ends_after_it_begins(folder: Any) -> None:
    folder.tables["enrolments.ndjson"][1]["leave"][0]["to_on"] = "2021-07-01"
    refused = {row.file: row for row in folder.open().refused}["enrolments.ndjson"]
    assert (refused.line, refused.field) == (2, "leave[0].to_on")


def test_null_counts_as_absent_except_for_assessed_on(folder: Any) -> None:
    folder.tables["enrolments.ndjson"][1] |= {"face_checks": None, "leave": None}
    folder.tables["sessions.ndjson"][2] |= {"user_agent": None, "ip": None}
    folder.tables["snapshots.ndjson"][0] |= {"distance": None, "presented_attack": None}
    bundle = folder.open()
    assert bundle.refused == []
    assert (bundle.evidence.enrolments[0].face_checks, bundle.evidence.enrolments[0].leave) == (FaceChecks.REQUIRED, ())
    assert np.isnan(bundle.evidence.snapshots.distance[0])
    assert bundle.evidence.projects[0].assessed_on is None
    del folder.tables["assessments.ndjson"][0]["assessed_on"]
    [refused] = folder.open().refused
    assert (refused.file, refused.field) == ("assessments.ndjson", "assessed_on")


@pytest.mark.parametrize("key", ["class_hours", "class\\u005fhours"])
def test_a_key_given_twice_is_refused(folder: Any, key: str) -> None:
    row = json.dumps(folder.tables["offline_hours.ndjson"][0])
    folder.put("offline_hours.ndjson", (row[:-1] + f', "{key}": 40}}\n' + row).encode())
    bundle = folder.open()
    assert [(row.line, row.field) for row in bundle.refused] == [(1, "class_hours")]
    assert bundle.evidence.practice[0].class_hours == 4


def test_blank_lines_are_skipped_and_counted(folder: Any) -> None:
    row = json.dumps(folder.tables["offline_hours.ndjson"][0]).encode()
    folder.put("offline_hours.ndjson", b"\n\r\n" + row + b"\r\n \t\n{}\n\r\n\r")
    bundle = folder.open()
    assert [row.line for row in bundle.refused] == [5]
    assert len(bundle.evidence.practice) == 1


def test_a_file_without_rows_may_be_absent(folder: Any) -> None:
    folder.tables = {"classes.json": folder.tables["classes.json"]}
    bundle = folder.open()
    assert (bundle.refused, len(bundle.evidence.sessions), bundle.blocks()) == ([], 0, [])
    folder.tables = {"classes.json": []}
    assert folder.open().evidence.classes == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b'{"class_id": "C1"}', "classes.json:1:"),
        (b'[\n {"class_id": "C1"},\n {"class_id": "C', "classes.json:3:17"),
        (b"[]\n[]", "classes.json:2:"),
        (b"", "classes.json:1:1"),
        (b"\xef\xbb\xbf[]", "classes.json:1:1"),
        (b"null", "classes.json:1:"),
    ],
)
def test_classes_json_that_is_no_complete_array_is_refused_as_a_file(folder: Any, text: bytes, place: str) -> None:
    folder.put("classes.json", text)
    with pytest.raises(GuardError) as caught:
        folder.open()
    assert caught.value.code == "bundle.classes_not_an_array"
    assert caught.value.where.startswith(place)


def test_a_table_that_is_a_folder_is_an_error_with_its_name(folder: Any) -> None:
    del folder.tables["sessions.ndjson"]
    (folder.path / "sessions.ndjson").mkdir()
    with pytest.raises(GuardError) as caught:
        folder.open()
    assert (caught.value.code, caught.value.where) == ("bundle.unreadable", "sessions.ndjson")


def test_tables_are_sorted_and_refer_to_each_other_by_row(folder: Any) -> None:
    evidence = folder.open().evidence
    assert [row.class_id for row in evidence.classes] == ["C1", "C2"]
    assert [(row.lesson_no, row.kind) for row in evidence.classes[0].lessons] == [
        (1, LessonKind.PROFESSIONAL),
        (2, LessonKind.GENERAL),
    ]
    assert evidence.enrolments[0].leave == (Leave(date(2021, 7, 2), date(2021, 7, 2), approved=True),)
    sessions = evidence.sessions
    assert sessions.key.tolist() == ["P/S1", "P/S2", "Q/S1"]
    assert sessions.enrolment.tolist() == [0, 0, 1]
    assert sessions.device.tolist() == [0, 0, 1], "one label on two platforms is two devices"
    assert (sessions.opened_received_ms - sessions.opened_at_ms).tolist() == [200] * 3
    snapshots = evidence.snapshots
    assert (snapshots.key.tolist(), snapshots.session.tolist()) == (["P/S1/n1"], [0])
    assert (snapshots.phash.tolist(), snapshots.presented_attack.tolist()) == ([2**64 - 1], [-1])
    checks = evidence.checks
    assert list(Outcome)[checks.outcome[0]] is Outcome.INCONCLUSIVE
    assert (checks.key.tolist(), checks.presented_attack.tolist()) == (["P/S1/c1"], [0])
    assert np.isnan(checks.distance[0])
    assert evidence.directives.kind.tolist() == ["popup"]
    likenesses = evidence.likenesses
    assert (likenesses.capture.tolist(), likenesses.other_is_reference.tolist()) == (["P/S1/n1"], [True])
    assert (likenesses.cosine.tolist(), bool(np.isnan(likenesses.residual[0]))) == ([0.9], True)


def test_ids_sort_by_part_not_by_joined_name(folder: Any) -> None:
    folder.tables["sessions.ndjson"][1]["session_id"] = "S1-a"
    row = folder.tables["snapshots.ndjson"][0]
    folder.tables["snapshots.ndjson"] += [row | {"session_id": "S1-a"}]
    evidence = folder.open().evidence
    assert evidence.sessions.key.tolist() == ["P/S1", "P/S1-a", "Q/S1"]
    assert evidence.snapshots.session.tolist() == [0, 1]


def test_the_order_of_rows_has_no_influence(folder: Any, same_table: Any) -> None:
    folder.tables["snapshots.ndjson"] += [
        folder.tables["snapshots.ndjson"][0] | {"snapshot_id": f"n{n}", "session_id": f"S{1 + n % 2}"}
        for n in range(2, 9)
    ]
    folder.tables["decisions.ndjson"] += [folder.tables["decisions.ndjson"][0] | {"reviewer": r} for r in "乙丙丁"]
    one = folder.open().evidence
    for seed in range(5):
        for rows in folder.tables.values():
            random.Random(seed).shuffle(rows)
        other = folder.open().evidence
        assert (one.classes, one.enrolments, one.decisions) == (other.classes, other.enrolments, other.decisions)
        for name in ("sessions", "snapshots", "checks", "directives", "likenesses"):
            assert same_table(getattr(one, name), getattr(other, name)), name
