"""Adverse notices: class hours refused for good, by a person, on findings that persons upheld (SPEC section 5)."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, Fault, GuardError
from online_guard.policy import Policy
from online_guard.service.claims import concerns
from online_guard.service.house import House
from online_guard.service.reviewing.cases import History
from online_guard.service.reviewing.finding_history import told_decision
from online_guard.service.verification import enrolment_state, refuse_while_pending, told_finding
from online_guard.store import queries, review_rows
from online_guard.store.decision_tables import GroundRecord, NoticeRecord
from online_guard.store.tables import EnrolmentRecord, FindingRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import CaseState, DecisionKind, Effect

IN_FORCE, APPEALED, OVERTURNED = "in_force", "appealed", "overturned"
Grounds = list[tuple[int, FindingRecord]]
"""Lesson number and a finding that refuses it."""


def issue(
    house: House, enrolment_id: str, issued_by: str, now_ms: int, lessons: Sequence[int] = ()
) -> tuple[bool, dict[str, Any]]:
    """Refuse the lessons of an enrolment that its ledger refuses, or some of them, for good.

    Each finding that a refusal rests on must have been upheld by a decision that took effect; the database refuses the
    notice otherwise. The same grounds again are the same notice. Return whether it is new, and the notice.

    Raises:
        GuardError: No such enrolment, a verification isn't finished, nothing is refused, or a finding isn't decided.
    """
    with writing(house.engine) as database:
        refuse_while_pending(enrolment_state(database, enrolment_id, None))
        enrolment = database.get_one(EnrolmentRecord, enrolment_id)
        history = History.of_class(database, enrolment.class_id)
        grounds = _grounds(database, enrolment, lessons)
        upheld: list[tuple[int, str, int]] = []
        undecided: list[Fault] = []
        for lesson_no, finding in grounds:
            stands = history.standing(finding, house.policy)
            if stands.state is CaseState.DECIDED and stands.holds is DecisionKind.UPHOLD and stands.number is not None:
                upheld.append((lesson_no, finding.finding_id, stands.number))
            else:
                undecided.append(Fault(f"lesson {lesson_no}", f"{finding.rule} {finding.finding_id}: {stands.state}"))
        _check_decided(undecided)
        notice_id = f"notice-{hashlib.sha256(json.dumps([enrolment_id, upheld]).encode()).hexdigest()[:24]}"
        is_new = database.get(NoticeRecord, notice_id) is None
        if is_new:
            _put(database, house, notice_id, enrolment, issued_by, now_ms, upheld)
    return is_new, next(one for one in notices_of(house, enrolment_id)["notices"] if one["notice_id"] == notice_id)


def _grounds(database: Session, enrolment: EnrolmentRecord, lessons: Sequence[int]) -> Grounds:
    ledger = [json.loads(row.body) for row in queries.results(database, "ledger", enrolment.enrolment_id)]
    refused = {row["lesson_no"]: set(row["refused_by"]) for row in ledger if row["refused_by"]}
    wanted = sorted(set(lessons) or refused)
    if not refused or not set(wanted) <= set(refused):
        raise GuardError(
            ErrorKind.CONFLICT,
            "notice.nothing_refused",
            "台账并未拒认这些课 / the ledger doesn't refuse these lessons",
            where="/lessons",
        )
    found = [
        finding
        for finding in review_rows.findings_where(database, FindingRecord.class_id == enrolment.class_id)
        if finding.enrolment_id in (None, enrolment.enrolment_id)
        and finding.effect != Effect.NOTE
        and not _is_dismissed(finding)
    ]
    return [
        (lesson_no, one) for lesson_no in wanted for one in _against(database, found, refused[lesson_no], lesson_no)
    ]


def _against(
    database: Session, found: Sequence[FindingRecord], rules: set[str], lesson_no: int
) -> Iterator[FindingRecord]:
    """Yield the findings that refuse a lesson; of other lessons too where a rejection reaches that far."""
    for rule in sorted(rules):
        said = [one for one in found if one.rule == rule]
        about = [one for one in said if concerns(database, one, str(one.enrolment_id), lesson_no)]
        yield from about or said


def _is_dismissed(finding: FindingRecord) -> bool:
    decided: dict[str, Any] = json.loads(finding.evidence).get("decision", {})
    return decided.get("decision") == DecisionKind.DISMISS


def _check_decided(undecided: Sequence[Fault]) -> None:
    if undecided:
        raise GuardError(
            ErrorKind.CONFLICT,
            "notice.undecided",
            "尚有疑点未经审核人员认定 / findings that it rests on have not been upheld by a person",
            remedy="请先逐项作出决定 / decide each of them first.",
            faults=tuple(undecided),
        )


def _put(
    database: Session,
    house: House,
    notice_id: str,
    enrolment: EnrolmentRecord,
    issued_by: str,
    now_ms: int,
    upheld: Sequence[tuple[int, str, int]],
) -> None:
    review_rows.know_law(database, house.policy)
    owner = {"notice_id": notice_id, "enrolment_id": enrolment.enrolment_id}
    grounds = [
        GroundRecord(lesson_no=lesson_no, finding_id=name, decision_number=number, class_id=enrolment.class_id, **owner)
        for lesson_no, name, number in upheld
    ]
    notice = NoticeRecord(issued_by=issued_by, issued_ms=now_ms, policy_sha256=house.policy.sha256, **owner)
    review_rows.put_notice(database, notice, grounds)


def notices_of(house: House, enrolment_id: str, platform_id: str | None = None) -> dict[str, Any]:
    """Return the notices of an enrolment, and the lessons that are refused for good now.

    A notice is never taken back: it is `overturned` where a finding that it rests on was dismissed since, or is no
    longer found.

    Raises:
        GuardError: No such enrolment.
    """
    with reading(house.engine) as database:
        enrolment_state(database, enrolment_id, platform_id)
        told = told_notices(database, database.get_one(EnrolmentRecord, enrolment_id), house.policy)
    refused = {one["lesson_no"] for notice in told for one in notice["lessons"] if one["state"] == IN_FORCE}
    return {"enrolment_id": enrolment_id, "finally_refused": sorted(refused), "notices": told}


def ids_of(house: House, enrolment_id: str | None) -> list[str]:
    """Return the ids of the notices to an enrolment, oldest first; none for a class."""
    if enrolment_id is None:
        return []
    with reading(house.engine) as database:
        return [notice.notice_id for notice, _ in review_rows.notices_of(database, enrolment_id)]


def told_notices(database: Session, enrolment: EnrolmentRecord, policy: Policy) -> list[dict[str, Any]]:
    """Return the notices of an enrolment, oldest first, each lesson with its state and grounds."""
    history = History.of_class(database, enrolment.class_id)
    found = review_rows.findings_where(database, FindingRecord.class_id == enrolment.class_id)
    by_id = {finding.finding_id: finding for finding in found}
    ledger = [json.loads(row.body) for row in queries.results(database, "ledger", enrolment.enrolment_id)]
    earned = {row["lesson_no"] for row in ledger if row["hours"]}
    return [
        {
            "notice_id": notice.notice_id,
            "enrolment_id": enrolment.enrolment_id,
            "issued_by": notice.issued_by,
            "issued_ms": notice.issued_ms,
            "policy_sha256": notice.policy_sha256,
            "lessons": [
                _lesson(lesson_no, list(group), by_id, history, policy, earned)
                for lesson_no, group in itertools.groupby(grounds, lambda ground: ground.lesson_no)
            ],
        }
        for notice, grounds in review_rows.notices_of(database, enrolment.enrolment_id)
    ]


def _lesson(
    lesson_no: int,
    grounds: Sequence[GroundRecord],
    found: Mapping[str, FindingRecord],
    history: History,
    policy: Policy,
    earned: Container[int],
) -> dict[str, Any]:
    states = {_state(found.get(ground.finding_id), history, policy) for ground in grounds}
    state = next(one for one in (OVERTURNED, APPEALED, IN_FORCE) if one in states)
    return {
        "lesson_no": lesson_no,
        "state": OVERTURNED if lesson_no in earned else state,
        "grounds": [_ground(ground, found.get(ground.finding_id), history, policy) for ground in grounds],
    }


def _state(finding: FindingRecord | None, history: History, policy: Policy) -> str:
    stands = None if finding is None else history.standing(finding, policy)
    if stands is None or stands.holds is not DecisionKind.UPHOLD:
        return OVERTURNED
    return IN_FORCE if stands.appeal is None else APPEALED


def _ground(ground: GroundRecord, finding: FindingRecord | None, history: History, policy: Policy) -> dict[str, Any]:
    told = {"finding_id": ground.finding_id} if finding is None else told_finding(finding, policy)
    persons = 2 if policy.review.second_person else 1
    made = history.decisions[ground.finding_id][: ground.decision_number][-persons:]
    return told | {"decisions": [told_decision(record) for record in made]}
