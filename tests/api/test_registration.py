"""Classes, enrolments, reference photos and practice over HTTP: works, malformed, missing, repeated, conflict."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from platform_client import CLASS, Platform, pointers, problem

from online_guard.demo.people import identity_number


def class_with(**lesson: Any) -> dict[str, Any]:
    """Return the class with a change of its second lesson."""
    changed = copy.deepcopy(CLASS)
    changed["lessons"][1] |= lesson
    return changed


def test_a_class_is_registered_told_and_repeated(platform: Platform) -> None:
    class_id = platform.new("class")
    first = platform.send("PUT", f"/v1/classes/{class_id}", CLASS)
    again = platform.send("PUT", f"/v1/classes/{class_id}", CLASS | {"class_id": class_id})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == CLASS | {"class_id": class_id}


def test_a_class_may_change_while_nobody_studies(platform: Platform) -> None:
    class_id = platform.a_class()
    changed = platform.send("PUT", f"/v1/classes/{class_id}", class_with(duration_s=3000.0))
    assert (changed.status_code, changed.json()["lessons"][1]["duration_s"]) == (200, 3000.0)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"mode": "distance"}, "/mode"),
        ({"teachers": -1}, "/teachers"),
        ({"teachers": 1.5}, "/teachers"),
        ({"required_online_hours": "40"}, "/required_online_hours"),
        ({"required_online_hours": True}, "/required_online_hours"),
        ({"starts_on": "2021-02-30"}, "/starts_on"),
        ({"starts_on": 1_622_505_600}, "/starts_on"),
        ({"starts_on": "2021-06-01T00:00:00+08:00"}, "/starts_on"),
        ({"ends_on": "2021-05-31"}, "/"),
        ({"lessons": []}, "/lessons"),
        ({"lessons": CLASS["lessons"] * 2}, "/"),
        ({"lessons": [CLASS["lessons"][0] | {"colour": "red"}]}, "/lessons/0/colour"),
        ({"lessons": [CLASS["lessons"][0] | {"duration_s": "2400"}]}, "/lessons/0/duration_s"),
        ({"lessons": [CLASS["lessons"][0] | {"duration_s": 0}]}, "/lessons/0/duration_s"),
        ({"platform_id": "a/b"}, "/platform_id"),
        ({"platform_id": ""}, "/platform_id"),
        ({"platform_id": "a\x00"}, "/platform_id"),
        ({"platform_id": "x" * 129}, "/platform_id"),
    ],
)
def test_a_wrong_class_is_refused_at_its_place(platform: Platform, change: dict[str, Any], pointer: str) -> None:
    answer = platform.send("PUT", f"/v1/classes/{platform.new('class')}", CLASS | change)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


def test_a_class_without_a_field_is_refused_with_the_missing_name(platform: Platform) -> None:
    body = {name: value for name, value in CLASS.items() if name != "mode"}
    answer = platform.send("PUT", f"/v1/classes/{platform.new('class')}", body)
    assert problem(answer, 422, "body.invalid")["errors"] == [{"pointer": "/mode", "detail": "缺少字段 / missing key"}]


def test_the_id_in_the_body_must_be_that_of_the_path(platform: Platform) -> None:
    answer = platform.send("PUT", "/v1/classes/one", CLASS | {"class_id": "two"})
    assert pointers(problem(answer, 422, "class.id_differs")) == ["/class_id"]


@pytest.mark.parametrize(
    "change",
    [
        {"duration_s": 2500.0},
        {"class_hours": 2.0},
        {"kind": "general"},
        {"lesson_no": 3},
    ],
)
def test_a_lesson_with_sessions_keeps_length_hours_kind_and_number(platform: Platform, change: dict[str, Any]) -> None:
    class_id = platform.a_class()
    platform.a_session(platform.an_enrolment(class_id), lesson_no=2)
    answer = platform.send("PUT", f"/v1/classes/{class_id}", class_with(**change))
    problem(answer, 409, "class.sessions_exist")
    assert platform.send("PUT", f"/v1/classes/{class_id}", CLASS).status_code == 200


@pytest.mark.parametrize("dates", [{"starts_on": "2021-06-02"}, {"ends_on": "2021-07-19"}])
def test_dates_can_not_shrink_once_sessions_exist(platform: Platform, dates: dict[str, str]) -> None:
    class_id = platform.a_class()
    platform.a_session(platform.an_enrolment(class_id))
    problem(platform.send("PUT", f"/v1/classes/{class_id}", CLASS | dates), 409, "class.sessions_exist")


@pytest.mark.parametrize(
    "harmless",
    [
        class_with(title="店铺运营与数据分析"),
        CLASS | {"ends_on": "2021-07-31", "teachers": 3},
        CLASS | {"lessons": CLASS["lessons"][:1]},
    ],
    ids=["another title", "longer", "a lesson nobody opened goes"],
)
def test_what_voids_no_session_may_change(platform: Platform, harmless: dict[str, Any]) -> None:
    class_id = platform.a_class()
    platform.a_session(platform.an_enrolment(class_id), lesson_no=1)
    assert platform.send("PUT", f"/v1/classes/{class_id}", harmless).status_code == 200


def test_a_class_stays_with_its_platform(platform: Platform, another_platform: Platform) -> None:
    class_id = platform.a_class()
    body = {name: value for name, value in CLASS.items() if name != "platform_id"}
    problem(another_platform.send("PUT", f"/v1/classes/{class_id}", body), 409, "class.other_platform")
    answer = platform.send("PUT", f"/v1/classes/{class_id}", CLASS | {"platform_id": "another"})
    assert pointers(problem(answer, 403, "platform.not_own")) == ["/platform_id"]
    told = platform.told("PUT", f"/v1/classes/{class_id}", body)
    assert told["platform_id"] == "hc-online", "what a platform needn't say"


def enrol(platform: Platform, class_id: str, enrolment_id: str, **changes: Any) -> Any:
    """Return the answer to an enrolment."""
    body = {"name": "王秀兰", "identity_number": identity_number(7)} | changes
    return platform.send("PUT", f"/v1/classes/{class_id}/enrolments/{enrolment_id}", body)


def test_an_enrolment_tells_a_pseudonym_and_no_person(platform: Platform) -> None:
    class_id, enrolment_id = platform.a_class(), platform.new("enrolment")
    first = enrol(platform, class_id, enrolment_id)
    again = enrol(platform, class_id, enrolment_id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert set(first.json()) == {"enrolment_id", "class_id", "learner_id", "face_checks"}
    assert "王秀兰" not in first.text
    assert identity_number(7) not in first.text


def test_one_person_has_one_learner_id_in_every_class(platform: Platform, another_platform: Platform) -> None:
    number = "11010519491231002X"
    one = enrol(platform, platform.a_class(), platform.new("enrolment"), identity_number=number).json()
    elsewhere = another_platform.a_class()
    other = enrol(another_platform, elsewhere, platform.new("enrolment"), identity_number=number.lower()).json()
    someone_else = enrol(platform, platform.a_class(), platform.new("enrolment")).json()
    assert one["learner_id"] == other["learner_id"] != someone_else["learner_id"]


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",
        "11010519491331002X",
        "11010519491231002",
        "123",
        "",
        "１１０１０５１９４９１２３１００２Ｘ",
    ],
    ids=["check digit", "month 13", "17 digits", "short", "empty", "full-width"],
)
def test_a_wrong_identity_number_is_refused_and_never_repeated(platform: Platform, number: str) -> None:
    answer = enrol(platform, platform.a_class(), platform.new("enrolment"), identity_number=number)
    document = problem(answer, 422, "enrolment.identity_number")
    assert pointers(document) == ["/identity_number"]
    assert not number or number not in answer.text


def test_a_number_that_is_no_text_is_not_repeated_either(platform: Platform) -> None:
    answer = enrol(platform, platform.a_class(), platform.new("enrolment"), identity_number=110105194912310021)
    assert pointers(problem(answer, 422, "body.invalid")) == ["/identity_number"]
    assert "110105194912310021" not in answer.text


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"phone": "13800000000"}, "/phone"),
        ({"name": " "}, "/name"),
        ({"face_checks": "maybe"}, "/face_checks"),
        ({"leave": [{"from_on": "2021-06-02", "to_on": "2021-06-01", "approved": True}]}, "/leave/0"),
        ({"leave": [{"from_on": "2021-06-02", "to_on": "2021-06-03", "approved": "yes"}]}, "/leave/0/approved"),
    ],
)
def test_a_wrong_enrolment_is_refused_at_its_place(platform: Platform, change: dict[str, Any], pointer: str) -> None:
    answer = enrol(platform, platform.a_class(), platform.new("enrolment"), **change)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]
    assert "13800000000" not in answer.text


def test_an_enrolment_needs_its_class(platform: Platform) -> None:
    problem(enrol(platform, "no-such-class", platform.new("enrolment")), 404, "not_found")


@pytest.mark.parametrize("what", ["person", "class"])
def test_an_enrolment_stays_with_its_person_and_class(platform: Platform, what: str) -> None:
    class_id, enrolment_id = platform.a_class(), platform.new("enrolment")
    enrol(platform, class_id, enrolment_id)
    if what == "person":
        answer = enrol(platform, class_id, enrolment_id, identity_number=identity_number(8))
    else:
        answer = enrol(platform, platform.a_class(), enrolment_id)
    problem(answer, 409, "enrolment.other")


def test_an_enrolment_may_change_name_leave_and_face_checks(platform: Platform) -> None:
    class_id, enrolment_id = platform.a_class(), platform.new("enrolment")
    enrol(platform, class_id, enrolment_id)
    leave = [{"from_on": "2021-06-02", "to_on": "2021-06-03", "approved": True}]
    answer = enrol(platform, class_id, enrolment_id, name="王兰", face_checks="declined", leave=leave)
    assert (answer.status_code, answer.json()["face_checks"]) == (200, "declined")


def test_a_reference_photo_is_kept_and_may_be_replaced(platform: Platform, photo: bytes) -> None:
    path = f"/v1/enrolments/{platform.an_enrolment()}/reference-photo"
    first, again = platform.send("PUT", path, photo), platform.send("PUT", path, photo)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["faces"] == 1
    assert first.json()["sha256"] == again.json()["sha256"]
    assert set(first.json()) >= {"enrolment_id", "sha256", "faces"}


@pytest.mark.parametrize(
    ("name", "code"),
    [("no-face.png", "reference.no_face"), ("two-faces.jpg", "reference.several_faces")],
)
def test_a_photo_that_can_not_serve_is_refused_with_the_reason(
    platform: Platform, sample_media: Path, name: str, code: str
) -> None:
    path = f"/v1/enrolments/{platform.an_enrolment()}/reference-photo"
    problem(platform.send("PUT", path, (sample_media / "special" / name).read_bytes()), 422, code)


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (b"", 400, "image.empty"),
        (b"GIF89a" + bytes(100), 415, "image.unsupported_format"),
        (bytes(4 * 1024 * 1024 + 1), 413, "body.too_large"),
    ],
)
def test_bytes_that_are_no_photo_are_refused(platform: Platform, image: bytes, status: int, code: str) -> None:
    path = f"/v1/enrolments/{platform.an_enrolment()}/reference-photo"
    problem(platform.send("PUT", path, image), status, code)


def test_the_photo_of_nobody_is_refused_and_not_kept(platform: Platform, photo: bytes) -> None:
    unseen = photo + b"\xff\xfe\x00\x00"  # another hash, still one picture for most decoders
    before = pictures(platform)
    problem(platform.send("PUT", "/v1/enrolments/nobody/reference-photo", unseen), 404, "not_found")
    assert pictures(platform) == before


def pictures(platform: Platform) -> set[Path]:
    """Return the files of pictures that the service keeps."""
    return {path for path in (platform.service.data_dir / "pictures").rglob("*") if path.is_file()}


def practice(enrolment_id: str, **changes: Any) -> dict[str, Any]:
    """Return a row of practice."""
    return {"enrolment_id": enrolment_id, "on": "2021-07-01", "class_hours": 8} | changes


def test_practice_is_recorded_once(platform: Platform) -> None:
    class_id = platform.a_class(mode="blended")
    enrolment_id = platform.an_enrolment(class_id)
    path, body = f"/v1/classes/{class_id}/practice", [practice(enrolment_id)]
    assert platform.told("POST", path, body) == {"class_id": class_id, "recorded": 1, "known": 0}
    assert platform.told("POST", path, body) == {"class_id": class_id, "recorded": 0, "known": 1}
    more = [practice(enrolment_id), practice(enrolment_id, class_hours=4)]
    document = problem(platform.send("POST", path, more), 409, "practice.recorded")
    assert pointers(document) == ["/1/class_hours"]


def test_practice_is_all_or_nothing(platform: Platform) -> None:
    class_id = platform.a_class(mode="blended")
    enrolment_id, stranger = platform.an_enrolment(class_id), platform.an_enrolment()
    path = f"/v1/classes/{class_id}/practice"
    answer = platform.send("POST", path, [practice(enrolment_id), practice(stranger)])
    assert pointers(problem(answer, 404, "not_found")) == ["/1/enrolment_id"]
    assert platform.told("POST", path, [practice(enrolment_id)])["recorded"] == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"class_hours": "8"}, "/0/class_hours"),
        ({"class_hours": -1}, "/0/class_hours"),
        ({"on": "1 July"}, "/0/on"),
        ({"hours": 8}, "/0/hours"),
    ],
)
def test_wrong_practice_is_refused_at_its_place(platform: Platform, change: dict[str, Any], pointer: str) -> None:
    class_id = platform.a_class(mode="blended")
    body = [practice(platform.an_enrolment(class_id), **change)]
    answer = platform.send("POST", f"/v1/classes/{class_id}/practice", body)
    assert pointers(problem(answer, 422, "body.invalid")) == [pointer]


def test_practice_needs_its_class(platform: Platform) -> None:
    problem(platform.send("POST", "/v1/classes/nowhere/practice", [practice("x")]), 404, "not_found")
