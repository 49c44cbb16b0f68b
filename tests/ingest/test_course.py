"""The course file: what it gives, and every way in which it can be wrong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from online_guard.errors import GuardError
from online_guard.ingest.course import Place, read_course
from online_guard.ingest.derived_course import WatchedVideo, derive_course
from online_guard.ingest.pseudonyms import Pseudonyms
from online_guard.ingest.refusals import Refusal

TOML = Path(__file__).parent / "foreign" / "course.toml"
NAMES = Pseudonyms()
WANG = "https://example.org|wang.xiaoming"
VIDEO = "https://example.org/video/1"


@pytest.fixture
def content() -> dict[str, Any]:
    """Return the content of the good file, to be changed."""
    found: dict[str, Any] = json.loads(json.dumps(tomllib.loads(TOML.read_text("utf-8")), default=str))
    return found


def write(tmp_path: Path, content: dict[str, Any]) -> Path:
    path = tmp_path / "course.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_toml_and_json_say_the_same(tmp_path: Path, content: dict[str, Any]) -> None:
    for path in (TOML, write(tmp_path, content)):
        course = read_course(path)
        assert course.place(WANG, VIDEO, NAMES) == Place("P", "E1", "L1", 1, 600)
        assert not course.derived


def test_an_actor_may_be_named_by_its_pseudonym(tmp_path: Path, content: dict[str, Any]) -> None:
    content["actors"][0]["actor"] = NAMES.of("learner", WANG)
    assert isinstance(read_course(write(tmp_path, content)).place(WANG, VIDEO, NAMES), Place)


@pytest.mark.parametrize(("actor", "video", "field"), [(WANG, "v2", "videos"), ("li", VIDEO, "actors")])
def test_what_the_file_doesnt_name_is_refused_without_telling_who(actor: str, video: str, field: str) -> None:
    refusal = read_course(TOML).place(actor, video, NAMES)
    assert isinstance(refusal, Refusal)
    assert refusal.field == field
    assert actor not in refusal.reason


def test_two_enrolments_that_fit_are_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["enrolments"].append({"enrolment_id": "E2", "class_id": "C1", "learner_id": "L1"})
    content["actors"].append({"actor": WANG, "enrolment_id": "E2"})
    refusal = read_course(write(tmp_path, content)).place(WANG, VIDEO, NAMES)
    assert isinstance(refusal, Refusal)
    assert "2 enrolments" in refusal.reason


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("classes", 0, "class_id"), "a/b", "class_id"),
        (("classes", 0, "teacher"), 1, "teacher"),
        (("classes", 0, "ends_on"), "2021-06-30", "ends_on"),
        (("classes", 0, "lessons", 0, "duration_s"), 0, "duration_s"),
        (("enrolments", 0, "class_id"), "C9", "$.enrolments[0].class_id"),
        (("videos", 0, "class_id"), "C9", "$.videos[0]"),
        (("videos", 0, "lesson_no"), 2, "$.videos[0]"),
        (("actors", 0, "enrolment_id"), "E9", "$.actors[0].enrolment_id"),
        (("students",), [], "students"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_the_place(
    tmp_path: Path, content: dict[str, Any], path: tuple[Any, ...], value: object, word: str
) -> None:
    target: Any = content
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(GuardError) as caught:
        read_course(write(tmp_path, content))
    assert caught.value.code == "ingest.bad_course"
    assert word in str(caught.value)


def test_rows_given_twice_missing_tables_and_unreadable_files(tmp_path: Path, content: dict[str, Any]) -> None:
    content["classes"] *= 2
    cases = [write(tmp_path, content), tmp_path / "none.toml", tmp_path / "bad.toml", tmp_path / "empty.json"]
    cases[2].write_text("classes = [", "utf-8")
    cases[3].write_text("{}", "utf-8")
    for path in cases:
        with pytest.raises(GuardError) as caught:
            read_course(path)
        assert caught.value.where == str(path)


def test_a_derived_course_numbers_lessons_by_first_appearance_and_accuses_nobody_of_their_order() -> None:
    day_ms = 86_400_000
    videos = [
        WatchedVideo("b", day_ms, 3 * day_ms, 90),
        WatchedVideo("a", day_ms, day_ms, 0),
        WatchedVideo("c", 0, 1, 7),
    ]
    course = derive_course(videos, {"wang"}, NAMES, "P")
    (training,) = course.classes
    assert [(row.lesson_no, row.title, row.duration_s) for row in training.lessons] == [
        (1, "c", 7),
        (2, "a", 1),
        (3, "b", 90),
    ]
    assert {str(row.kind) for row in training.lessons} == {"general"}
    assert (str(training.starts_on), str(training.ends_on)) == ("1970-01-01", "1970-01-04")
    assert "wang" not in str(course.enrolments)


def test_pseudonyms_depend_on_the_key_and_tell_names_apart() -> None:
    keyed = Pseudonyms(b"0123456789abcdef")
    assert keyed.of("learner", "wang") != NAMES.of("learner", "wang")
    assert keyed.of("learner", "wang") == Pseudonyms(b"0123456789abcdef").of("learner", "wang")
    assert keyed.of("session", "a", "bc") != keyed.of("session", "ab", "c")
    assert (keyed.keyed, NAMES.keyed) == (True, False)
    with pytest.raises(GuardError):
        Pseudonyms(b"0123456789abcde")
