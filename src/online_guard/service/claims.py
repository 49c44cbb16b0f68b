"""Hours that platforms claim, compared with the ledger lesson by lesson (SPEC section 5)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.ledger import LedgerEntry, compare_claim
from online_guard.policy import Policy
from online_guard.service.house import House
from online_guard.service.verification import enrolment_state, refuse_while_pending, told_finding
from online_guard.store import queries, sealed_log
from online_guard.store.logged_rows import claim_entries
from online_guard.store.tables import ClaimRecord, EnrolmentRecord, FindingRecord
from online_guard.store.unit_of_work import writing

PAID = "already-claimed"
"""Reason for hours that an earlier claim has been granted."""


def claim(
    house: House,
    enrolment_id: str,
    platform_id: str | None,
    claim_id: str | None,
    claimed: Mapping[int, float],
    now_ms: int,
) -> dict[str, Any]:
    """Compare claimed hours with the ledger; return the answer for each lesson, which is kept.

    The same claim again has the same answer; hours granted by an earlier claim aren't granted twice.

    Raises:
        GuardError: Unknown enrolment, a verification that isn't finished, or another claim under the id.
    """
    body = json.dumps({str(number): hours for number, hours in sorted(claimed.items())})
    claim_id = claim_id or f"claim-{hashlib.sha256(body.encode()).hexdigest()[:16]}"
    with writing(house.engine) as database:
        refuse_while_pending(enrolment_state(database, enrolment_id, platform_id))
        known = database.get(ClaimRecord, (enrolment_id, claim_id))
        if known is not None:
            return _same_answer(known, body)
        answer = _compare(database, house.policy, enrolment_id, claim_id, claimed)
        kept = ClaimRecord(
            enrolment_id=enrolment_id,
            claim_id=claim_id,
            received_ms=now_ms,
            body=body,
            answer=json.dumps(answer, ensure_ascii=False),
        )
        database.add(kept)
        sealed_log.append_all(database, claim_entries(kept))
    return answer


def _same_answer(known: ClaimRecord, body: str) -> dict[str, Any]:
    if known.body != body:
        raise GuardError(
            ErrorKind.CONFLICT,
            "claim.other",
            "该申报标识已用于另一申报 / the id stands for another claim",
            where="/claim_id",
        )
    return dict(json.loads(known.answer))


def _compare(
    database: Session, policy: Policy, enrolment_id: str, claim_id: str, claimed: Mapping[int, float]
) -> dict[str, Any]:
    entries = [
        LedgerEntry(**{**json.loads(row.body), "refused_by": tuple(json.loads(row.body)["refused_by"])})
        for row in queries.results(database, "ledger", enrolment_id)
    ]
    granted = _granted(database, enrolment_id)
    found = _findings(database, enrolment_id)
    lessons: list[dict[str, Any]] = []
    for lesson in compare_claim(claimed, entries):
        twice = lesson.accepted and lesson.claimed + granted[lesson.lesson_no] > lesson.earned + 1e-9
        refused_by = [*lesson.refused_by, *([PAID] if twice else [])]
        lessons.append(
            {
                "lesson_no": lesson.lesson_no,
                "claimed": lesson.claimed,
                "earned": lesson.earned,
                "accepted": lesson.accepted and not twice,
                "refused_by": refused_by,
                "findings": [
                    told_finding(record, policy)
                    for record in found
                    if record.rule in refused_by and concerns(database, record, enrolment_id, lesson.lesson_no)
                ],
            }
        )
    accepted = sum(lesson["claimed"] for lesson in lessons if lesson["accepted"])
    return {"claim_id": claim_id, "accepted_hours": round(accepted, 6), "lessons": lessons}


def _granted(database: Session, enrolment_id: str) -> dict[int, float]:
    hours: dict[int, float] = defaultdict(float)
    for record in queries.claims(database, enrolment_id):
        for lesson in json.loads(record.answer)["lessons"]:
            if lesson["accepted"]:
                hours[lesson["lesson_no"]] += lesson["claimed"]
    return hours


def _findings(database: Session, enrolment_id: str) -> list[FindingRecord]:
    """Return the findings of the enrolment's class about the class, this enrolment, its lessons and sessions."""
    enrolment = database.get_one(EnrolmentRecord, enrolment_id)
    return queries.of_class(database, FindingRecord, enrolment.class_id)


def concerns(database: Session, record: FindingRecord, enrolment_id: str, lesson_no: int) -> bool:
    """Return whether a finding is about a lesson of an enrolment: the lesson, a session of it, the whole, or all."""
    match record.subject:
        case "session":
            platform_id, _, session_id = record.subject_id.partition("/")
            session = queries.find_session(database, session_id, platform_id)
            return session.enrolment_id == enrolment_id and session.lesson_no == lesson_no
        case "lesson":
            return record.subject_id == f"{enrolment_id}/{lesson_no}"
        case "enrolment":
            return record.subject_id == enrolment_id
        case "class":
            return True
        case _:
            return False
