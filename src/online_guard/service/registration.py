"""Classes, enrolments, reference photos: what is known before anyone studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np
from sqlalchemy.orm import Session
from stdnum.cn import ric
from stdnum.exceptions import ValidationError
from stdnum.util import isdigits

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Leave, TrainingClass, civil_day
from online_guard.faces.pipeline import enrol_reference
from online_guard.service.capturing import duplicates
from online_guard.service.capturing.kept_pictures import keep_picture
from online_guard.service.capturing.seen_pictures import sealed_vector
from online_guard.service.house import House, clock_ms
from online_guard.store import imported_learners, queries, result_rows
from online_guard.store.evidence_loader import training_class as stored_class
from online_guard.store.person_keys import PersonKeys, erased
from online_guard.store.sealed_columns import APPLICANT, NAME, NUMBER
from online_guard.store.tables import ClassRecord, EnrolmentRecord
from online_guard.store.unit_of_work import reading, writing

NUMBER_LENGTH = 18


def put_class(house: House, training_class: TrainingClass) -> bool:
    """Register or change a class; return whether it is new.

    Raises:
        GuardError: The change would void sessions that exist, or another platform owns the id.
    """
    body = class_body(training_class)
    with writing(house.engine) as database:
        record = database.get(ClassRecord, training_class.class_id)
        if record is None:
            database.add(
                ClassRecord(class_id=training_class.class_id, platform_id=training_class.platform_id, body=body)
            )
            return True
        if record.body != body:
            _refuse_voiding(database, stored_class(record), training_class)
            record.body = body
            follow = result_rows.prolong(database, record.class_id, training_class.ends_on.isoformat())
            queries.enqueue(database, {record.class_id, *follow}, clock_ms())
            house.work.set()
        return False


def class_body(training_class: TrainingClass) -> str:
    """Return a class as the store keeps it."""
    return json.dumps(msgspec.to_builtins(asdict(training_class)), ensure_ascii=False, sort_keys=True)


def _refuse_voiding(database: Session, old: TrainingClass, new: TrainingClass) -> None:
    if new.platform_id != old.platform_id:
        raise GuardError(
            ErrorKind.CONFLICT,
            "class.other_platform",
            "班次属于另一平台 / the class belongs to another platform",
            where="/platform_id",
        )
    lessons = {lesson.lesson_no: lesson for lesson in new.lessons}
    for lesson in old.lessons:
        same = lessons.get(lesson.lesson_no) in (lesson, None)
        kept = lesson.lesson_no in lessons and same
        renamed = lesson.lesson_no in lessons and _but_title(lessons[lesson.lesson_no]) == _but_title(lesson)
        if not (kept or renamed) and queries.class_has_sessions(database, old.class_id, lesson.lesson_no):
            raise _voiding(f"/lessons/{lesson.lesson_no}", f"第 {lesson.lesson_no} 课 / lesson {lesson.lesson_no}")
    narrower = new.starts_on > old.starts_on or new.ends_on < old.ends_on
    if narrower and queries.class_has_sessions(database, old.class_id):
        raise _voiding("/starts_on", "起止日期缩短 / the dates are narrower")


def _but_title(lesson: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(lesson).items() if name != "title"}


def _voiding(where: str, what: str) -> GuardError:
    return GuardError(
        ErrorKind.CONFLICT,
        "class.sessions_exist",
        f"已有学习会话,不能作此修改 / sessions exist that this change would void: {what}",
        where=where,
        remedy="请另立班次 / register another class.",
    )


def put_enrolment(
    house: House,
    class_id: str,
    enrolment_id: str,
    platform_id: str | None,
    *,
    name: str,
    identity_number: str,
    applicant: str | None,
    face_checks: str,
    leave: Sequence[Leave],
) -> tuple[bool, dict[str, Any]]:
    """Enrol a learner, or change the enrolment; return whether it is new, and what may be told of it.

    Raises:
        GuardError: No such class; a wrong identity number; the enrolment exists for another class or person.
    """
    number = check_identity_number(identity_number)
    learner_id = house.vault.blind_index(number)
    facts = {
        "face_checks": face_checks,
        "leave": json.dumps(msgspec.to_builtins([asdict(period) for period in leave])),
    }
    again: set[str] = set()
    with writing(house.engine) as database:
        queries.own_class(database, class_id, platform_id)
        record = database.get(EnrolmentRecord, enrolment_id)
        is_new = record is None
        if record is None:
            record = EnrolmentRecord(
                enrolment_id=enrolment_id,
                class_id=class_id,
                learner_id=learner_id,
                identity_number=b"",
                name=b"",
                **facts,
            )
            database.add(record)
        elif record.class_id == class_id and (known := imported_learners.register(database, enrolment_id, learner_id)):
            record.learner_id = learner_id  # until now a pseudonym of an import stood for the learner
            again |= set(known)
        elif (record.class_id, record.learner_id) != (class_id, learner_id):
            raise GuardError(
                ErrorKind.CONFLICT,
                "enrolment.other",
                "该报名已用于另一班次或另一人 / the enrolment id is used for another class or person",
                remedy="请换用新的 enrolment_id / use a new enrolment_id.",
            )
        _seal(house, database, record, {NAME: name, NUMBER: number, APPLICANT: applicant})
        if not is_new and {key: getattr(record, key) for key in facts} != facts:
            record.face_checks, record.leave = facts["face_checks"], facts["leave"]
            again.add(class_id)
        if is_new and queries.has_applied(database, class_id):
            again.add(class_id)  # a candidate more, and E10 counts them all
        if again:
            queries.enqueue(database, again, clock_ms())
            house.work.set()
    told = {"enrolment_id": enrolment_id, "class_id": class_id, "learner_id": learner_id, "face_checks": face_checks}
    return is_new, told


def _seal(house: House, database: Session, record: EnrolmentRecord, said: dict[str, str | None]) -> None:
    """Seal what was said of a learner for that person.

    Raises:
        GuardError: The person was erased: a list that is sent again must not bring anybody back.
    """
    if record.erased_ms is not None:
        raise erased()
    person = PersonKeys(database, house.vault).make(record.learner_id)
    for purpose, text in said.items():
        sealed = None if text is None else house.vault.seal(text.encode(), purpose, person, record.enrolment_id)
        setattr(record, purpose.replace(" ", "_"), sealed)


def check_identity_number(text: str) -> str:
    """Return a resident identity number in its normal form.

    Raises:
        GuardError: Its form, birth date or check digit is wrong; the number itself is never repeated.

    The region isn't looked up: codes change, a number is given for life, and stdnum's list lacks the residence permits
    81, 82 and 83.

    Source: GB 11643-1999 (number), ISO 7064 MOD 11-2 (check digit).
    """
    number = ric.compact(text)
    try:
        formed = len(number) == NUMBER_LENGTH and isdigits(number[:-1])
        right = formed and number[-1] == ric.calc_check_digit(number)
        born = ric.get_birth_date(number) if right else None
    except ValidationError:
        born = None
    if born is None or np.datetime64(born) > civil_day(np.array(clock_ms())):
        raise GuardError(
            ErrorKind.INVALID,
            "enrolment.identity_number",
            "身份证号码有误(位数、出生日期或校验码) / wrong identity number (length, birth date or check digit)",
            where="/identity_number",
            remedy="请核对身份证件 / compare it with the document.",
        )
    return number


def put_reference_photo(
    house: House, enrolment_id: str, platform_id: str | None, image: bytes
) -> tuple[bool, dict[str, Any]]:
    """Keep the reference photo of an enrolment; return whether it is the first, and what was measured.

    Raises:
        GuardError: No such enrolment, or the picture can't serve as a reference.
    """
    with reading(house.engine) as database:
        queries.own_enrolment(database, enrolment_id, platform_id)
    report = enrol_reference(image)
    keep_picture(house, enrolment_id, report.sha256, image)
    with writing(house.engine) as database:
        record = database.get_one(EnrolmentRecord, enrolment_id)
        is_new = record.reference_sha256 is None
        if record.reference_sha256 != report.sha256:
            record.reference_sha256 = report.sha256
            person = PersonKeys(database, house.vault).of_enrolment(enrolment_id)
            record.reference_vector = sealed_vector(house.vault, report.vector, person, enrolment_id)
            duplicates.keep_reference(house, database, enrolment_id, report.capture)
            if queries.class_has_sessions(database, record.class_id):
                queries.enqueue(database, [record.class_id], clock_ms())
    house.work.set()
    measured = {name: getattr(report, name) for name in ("sha256", "phash", "brightness", "sharpness", "face_size_px")}
    return is_new, {"enrolment_id": enrolment_id, "faces": 1, **measured}
