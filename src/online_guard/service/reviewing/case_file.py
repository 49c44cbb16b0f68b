"""One case with everything that is needed to decide it, and to defend the decision later."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from online_guard.policy import Policy
from online_guard.service.house import House, clock_ms
from online_guard.service.reviewing import cases, finding_history
from online_guard.service.reviewing.cases import History
from online_guard.service.verification import enrolment_state, told_finding
from online_guard.store import assignment_rows, queries, review_rows, session_rows
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.tables import (
    CheckRecord,
    ClassRecord,
    EnrolmentRecord,
    FindingRecord,
    SessionRecord,
    SnapshotRecord,
)
from online_guard.store.unit_of_work import reading
from online_guard.terms import DecisionKind, Effect
from online_guard.wording import in_words

SESSION = (
    "session_id", "platform_id", "enrolment_id", "lesson_no", "opened_at_ms", "opened_received_ms",
    "closed_received_ms", "device_id", "user_agent", "ip", "provenance",
)  # fmt: skip
SNAPSHOT = (
    "snapshot_id", "at_ms", "received_ms", "asked", "good", "sha256", "phash", "distance", "presented_attack",
)  # fmt: skip
CHECK = ("check_id", "at_ms", "received_ms", "outcome", "distance", "presented_attack")


def case_file(house: House, case_id: str, reviewer: str | None = None) -> dict[str, Any]:
    """Return a case: findings in words with clause and evidence, the facts, who decided what, and appeals.

    `version` stands for all that could change a decision: sent back as If-Match, it guards against deciding upon
    something else than was looked at. For a reviewer each finding says whether it is `mine`: theirs to decide now.

    Raises:
        GuardError: No such case.
    """
    with reading(house.engine) as database:
        case = cases.must_find(database, case_id)
        history = History.of_case(database, case_id)
        found = review_rows.findings_where(database, FindingRecord.case_id == case_id)
        names = {finding.finding_id for finding in found}
        gone = sorted((history.decisions.keys() | history.appeals.keys()) - names)
        pending = queries.is_pending(database, case.class_id)
        taken = assignment_rows.assignments(database, [case_id], clock_ms()).get(case_id)
        return cases.told_case(case) | {
            "taken_by": None if taken is None else taken.reviewer,
            "version": cases.version_of(found, history),
            "verification": "pending" if pending else "verified",
            "findings": [_told(finding, history, house.policy, reviewer) for finding in found],
            "gone": [{"finding_id": name} | _said(name, history, house.policy) for name in gone],
            "facts": _facts(database, case),
            "policy": _law(house.policy),
        }


def _law(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "version": policy.version,
        "sha256": policy.sha256,
        "second_person": policy.review.second_person,
    }


def _told(finding: FindingRecord, history: History, policy: Policy, reviewer: str | None) -> dict[str, Any]:
    stands = history.standing(finding, policy)
    said_zh, said_en = in_words(finding.rule, json.loads(finding.evidence))
    refuses = finding.effect == Effect.REJECT and stands.holds is not DecisionKind.DISMISS
    mine = {} if reviewer is None else {"mine": bool(reviewer) and history.may_decide(finding, policy, reviewer)}
    return (
        told_finding(finding, policy)
        | mine
        | {
            "said_zh": said_zh,
            "said_en": said_en,
            "state": str(stands.state),
            "holds": stands.holds,
            "stands": refuses or (finding.effect == Effect.REVIEW and stands.holds is DecisionKind.UPHOLD),
            "waits": finding.effect == Effect.REVIEW and stands.holds is None,
            "rule_since": finding.rule_since,
            "judged_by": {"id": finding.policy_id, "version": finding.policy_version, "sha256": finding.policy_sha256},
        }
        | _said(finding.finding_id, history, policy)
    )


def _said(finding_id: str, history: History, policy: Policy) -> dict[str, Any]:
    made = history.decisions.get(finding_id, ())
    appeals = history.appeals.get(finding_id, ())
    return {
        "decisions": [finding_history.told_decision(record) for record in made],
        "appeals": [finding_history.told_appeal(record, made, policy) for record in appeals],
    }


def _facts(database: Session, case: CaseRecord) -> dict[str, Any]:
    body = json.loads(database.get_one(ClassRecord, case.class_id).body)
    facts: dict[str, Any] = {"class": body}
    if case.enrolment_id is None:
        return facts
    enrolment = database.get_one(EnrolmentRecord, case.enrolment_id)
    facts["enrolment"] = {
        "enrolment_id": enrolment.enrolment_id,
        "class_id": enrolment.class_id,
        "learner_id": enrolment.learner_id,
        "face_checks": enrolment.face_checks,
        "leave": json.loads(enrolment.leave),
        "state": enrolment_state(database, case.enrolment_id, None),
        "has_reference": enrolment.reference_sha256 is not None,
    }
    facts["ledger"] = [json.loads(row.body) for row in queries.results(database, "ledger", case.enrolment_id)]
    sessions = sessions_of_case(database, case)
    facts["sessions"] = [_session(database, session) for session in sessions]
    return facts


def sessions_of_case(database: Session, case: CaseRecord) -> list[SessionRecord]:
    """Return the sessions that a case is about, in order of opening."""
    if case.subject == "session":
        platform_id, _, session_id = case.subject_id.partition("/")
        return [queries.find_session(database, session_id, platform_id)]
    lesson_no = int(case.subject_id.rpartition("/")[2]) if case.subject == "lesson" else None
    return session_rows.sessions_of(database, str(case.enrolment_id), lesson_no)


def _session(database: Session, session: SessionRecord) -> dict[str, Any]:
    key = f"{session.platform_id}/{session.session_id}"
    told: dict[str, Any] = {name: getattr(session, name) for name in SESSION}
    for row in queries.results(database, "session", key):
        told = json.loads(row.body) | told
    for table, names, what in ((SnapshotRecord, SNAPSHOT, "snapshots"), (CheckRecord, CHECK, "liveness")):
        rows = session_rows.of_session(database, table, session.row_id)
        told[what] = [{name: getattr(row, name) for name in names} for row in rows]
    for check, row in zip(told["liveness"], rows, strict=True):
        check["has_pictures"] = row.strip_sha256 is not None
    return told
