"""A notice as the paper that its learner gets: made on demand, as it names a person, and kept nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment import study_cures
from online_guard.assessment.situation import Situation, Situations
from online_guard.evidence import DAY_MS, TrainingClass, day_of
from online_guard.printing.notice import Ground, Notice, Reason, RefusedLesson, Words, notice_pdf
from online_guard.printing.words import day_en, day_zh, full_width, in_china
from online_guard.rules.catalogue import BY_ID
from online_guard.rules.manual import page_of
from online_guard.service.assessing.personal_names import people_of
from online_guard.service.house import House
from online_guard.service.reviewing import notices
from online_guard.service.reviewing.notices import APPEALED, IN_FORCE, OVERTURNED
from online_guard.service.reviewing.urgency import APPEAL_MS
from online_guard.store import assessment_rows, log_proofs, queries
from online_guard.store.decision_tables import LawRecord, NoticeRecord
from online_guard.store.evidence_loader import load_records
from online_guard.store.logged_rows import about_enrolment
from online_guard.store.tables import ClassRecord, EnrolmentRecord
from online_guard.store.unit_of_work import reading
from online_guard.wording import in_words

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NAME_LEFT_OUT = "（编号从略 name left out）"
STATES: Mapping[str, Words] = {
    IN_FORCE: Words("不予认定", "refused"),
    APPEALED: Words("申诉审查中，暂不计入", "being appealed: not counted meanwhile"),
    OVERTURNED: Words("已不再有效，以台账为准", "no longer in force: the ledger counts"),
}
HERE = "（本系统网址 address of this service）"
PERSONS: Mapping[int, tuple[Words, ...]] = {
    1: (Words("审核人", "auditor"),),
    2: (Words("初审人", "first auditor"), Words("复核人", "second auditor")),
}
"""Who decided, by role alone (Annex 2: 初审人, 复核人)."""


def document(house: House, notice_id: str, platform_id: str | None) -> bytes:
    """Return the PDF of a notice: the same bytes until what it tells of changes.

    Days are counted from the day of issue. It names no other learner or session, whoever asks: it is for the learner.

    Args:
        house: The service.
        notice_id: The notice.
        platform_id: Whose learner it must be about; None for people, who see all.

    Raises:
        GuardError: No such notice, or it is another platform's.
    """
    with reading(house.engine) as database:
        paper = _paper(house, database, _Told.of(house, database, notice_id, platform_id))
    return notice_pdf(paper).body


@dataclass(frozen=True)
class _Told:
    """A notice as callers see it, and whose it is."""

    content: Mapping[str, Any]
    enrolment: EnrolmentRecord
    platform_id: str

    @classmethod
    def of(cls, house: House, database: Session, notice_id: str, platform_id: str | None) -> _Told:
        record = database.get(NoticeRecord, notice_id)
        enrolment = None if record is None else database.get_one(EnrolmentRecord, record.enrolment_id)
        whose = "" if enrolment is None else database.get_one(ClassRecord, enrolment.class_id).platform_id
        if enrolment is None or platform_id not in (None, whose):
            raise queries.not_found("告知书 notice", notice_id)
        told = notices.told_notices(database, enrolment, house.policy)
        return cls(next(one for one in told if one["notice_id"] == notice_id), enrolment, whose)

    @property
    def issued_ms(self) -> int:
        return int(self.content["issued_ms"])


def _paper(house: House, database: Session, told: _Told) -> Notice:
    enrolment, notice_id = told.enrolment, str(told.content["notice_id"])
    person = people_of(house, database, [enrolment.enrolment_id]).get(enrolment.enrolment_id)
    law = database.get_one(LawRecord, told.content["policy_sha256"])
    situation = _situation(house, database, told)
    entry, leaf_hash = log_proofs.named_entry(
        database, "decision", about_enrolment(enrolment.enrolment_id), f"notice {notice_id}"
    )
    lessons = told.content["lessons"]
    return Notice(
        number=notice_id,
        issued=in_china(told.issued_ms),
        name=enrolment.enrolment_id if person is None else person.name,
        identity="" if person is None else person.identity_masked,
        facts=_facts(situation.training_class, enrolment.enrolment_id),
        lessons=_lessons(lessons, situation.training_class),
        reasons=_reasons(lessons),
        is_in_force=any(one["state"] != OVERTURNED for one in lessons),
        cures=tuple(Words(full_width(cure.zh), cure.en) for cure in study_cures.study(situation, waits=False)),
        appeal=_appeal(situation, told.platform_id),
        policy=f"{house.policy.title}（{law.policy_id} {law.policy_version}，{law.policy_sha256[:12]}）",
        log_entry=entry,
        leaf_hash=leaf_hash,
        proof=f"{(house.settings.public_url or HERE).rstrip('/')}/v1/log/proof?entry_id={entry}",
    )


def _situation(house: House, database: Session, told: _Told) -> Situation:
    """Return what the cures of the refused lessons rest on, as of the day of issue."""
    enrolment, on = told.enrolment, day_of(told.issued_ms)
    refused = {one["lesson_no"] for one in told.content["lessons"] if one["state"] != OVERTURNED}
    ledger = assessment_rows.ledgers(database, [enrolment.enrolment_id])
    records = load_records(database, [], [enrolment])
    ahead = [one for one in records.applications if one.class_id == enrolment.class_id and one.assessment_on >= on]
    window = min(ahead, key=lambda one: one.assessment_on).window if ahead else None
    known = Situations(records, [one for one in ledger if one.lesson_no in refused], house.policy, on)
    return known.of(enrolment.class_id, window, enrolment.enrolment_id)


def _facts(one: TrainingClass, enrolment_id: str) -> tuple[tuple[Words, str], ...]:
    return (
        (Words("班次", "class"), one.class_id),
        (Words("学员报名", "enrolment"), enrolment_id),
        (Words("职业（工种）", "occupation"), one.occupation),
        (Words("培训日期", "days"), f"{one.starts_on} – {one.ends_on}"),
        (Words("培训机构", "institution"), one.institution),
        (Words("申请单位", "applicant"), one.applicant),
    )


def _lessons(told: Sequence[Mapping[str, Any]], one: TrainingClass) -> tuple[RefusedLesson, ...]:
    """Return the lessons refused; one that nobody had studied may have left the syllabus since."""
    syllabus = {lesson.lesson_no: lesson for lesson in one.lessons}
    gone = "已不在课程表中 no longer in the syllabus"
    found = [(row["lesson_no"], syllabus.get(row["lesson_no"]), STATES[row["state"]]) for row in told]
    return tuple(
        RefusedLesson(number, lesson.title if lesson else gone, lesson.class_hours if lesson else 0.0, state)
        for number, lesson, state in found
    )


def _reasons(lessons: Sequence[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """Return the grounds, once for all lessons that have the same."""
    together: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for lesson in lessons:
        names = tuple(ground["finding_id"] for ground in lesson["grounds"])
        together.setdefault(names, []).append(lesson)
    return tuple(
        Reason(tuple(one["lesson_no"] for one in some), tuple(map(_ground, some[0]["grounds"])))
        for some in together.values()
    )


def _ground(told: Mapping[str, Any]) -> Ground:
    rule = BY_ID[told.get("rule") or told["finding_id"].partition("-")[0]]
    decided = tuple(_decided(told["decisions"]))
    if "evidence" not in told:
        gone = Words("重新核验后已不再发现", "no longer found by a later verification")
        nothing = Words("", "")
        return Ground(rule.id, Words(rule.zh, rule.name), gone, nothing, "", "", decided, nothing)
    helps = page_of(rule).texts["appeal"]
    return Ground(
        rule=rule.id,
        name=Words(rule.zh, rule.name),
        found=Words(*in_words(rule.id, _without_names(told["evidence"]))),
        when=_when(told["start_ms"], told["end_ms"]),
        clause=told["clause"],
        clause_text=told["clause_text"],
        decided=decided,
        helps=Words(full_width(helps.zh.replace("`", "")), helps.en.replace("`", "")),
    )


def _without_names(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers and days; names are of sessions and pictures, which may be another learner's."""

    def shown(value: Any) -> Any:
        return NAME_LEFT_OUT if isinstance(value, str) and not DAY.fullmatch(value) else value

    return {key: shown(value) for key, value in evidence.items() if not isinstance(value, dict | list)}


def _decided(made: Sequence[Mapping[str, Any]]) -> list[Words]:
    days = [day_of(one["decided_ms"]) for one in made]
    return [
        Words(f"{who.zh}维持，{day_zh(on)}", f"upheld by the {who.en}, {day_en(on)}")
        for who, on in zip(PERSONS[len(days)], days, strict=True)
    ]


def _when(start_ms: int | None, end_ms: int | None) -> Words:
    if start_ms is None or end_ms is None:
        return Words("", "")
    start, end = in_china(start_ms), in_china(end_ms)
    until = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    hours = f"{start:%H:%M:%S} – {until}"
    return Words(f"{day_zh(start.date())} {hours}", f"{day_en(start.date())}, {hours} (UTC+8)")


def _appeal(case: Situation, platform_id: str) -> tuple[Words, ...]:
    days = APPEAL_MS // DAY_MS
    return (
        Words(
            f"不服本告知书的，可以申诉：请告诉您学习所用的平台（{platform_id}），写明不服哪一课、为什么，并附上证据，由平台提交。",
            f"You may appeal: tell the platform you studied on ({platform_id}) which lesson and why, with what you can "
            "show; it files the appeal.",
        ),
        Words(
            f"申诉由没有参与过此前决定的审核人员审查，一般在提交后 {days} 日内答复。审查期间，该课暂不计入学时。"
            "同一项已经申诉审查并维持的，不再重复受理。",
            f"Auditors who had no part in the decision look at it, as a rule within {days} days. Meanwhile the lesson "
            "isn't counted. What was upheld on appeal can't be appealed again.",
        ),
        Words(*_until(case)),
    )


def _until(case: Situation) -> tuple[str, str]:
    zh, en = "政策文件没有规定申诉的截止日期，请尽早提出。", "The policy sets no last day for an appeal: make it early."
    if case.application is None:
        return zh, en
    on: date = case.application.assessment_on
    more_zh = f"本班申请的考核日为{day_zh(on)}，考核前才认定的学时方能用于本次考核。"
    return zh + more_zh, f"{en} The assessment is on {day_en(on)}: only hours recognised before count for it."
