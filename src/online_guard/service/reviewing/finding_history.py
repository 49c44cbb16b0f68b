"""What persons said of a finding, and what of it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy
from online_guard.service.house import House
from online_guard.service.reviewing.cases import standing
from online_guard.store import queries, review_rows
from online_guard.store.decision_tables import AppealRecord, DecisionRecord
from online_guard.store.tables import ClassRecord, FindingRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import DecisionKind, Effect


def must_find_finding(database: Session, finding_id: str, platform_id: str | None = None) -> FindingRecord:
    """Return a finding of the last verification; another platform's is as if it weren't there.

    Raises:
        GuardError: There is none, or none any more.
    """
    finding = review_rows.find_finding(database, finding_id)
    if finding is None:
        if review_rows.decisions_where(database, DecisionRecord.finding_id == finding_id):
            raise GuardError(
                ErrorKind.CONFLICT,
                "finding.gone",
                "重新核验后该疑点已不存在 / a later verification no longer finds it",
                remedy="原有决定仍留存 / its decisions are kept.",
            )
        raise queries.not_found("疑点 finding", finding_id)
    if platform_id not in (None, database.get_one(ClassRecord, finding.class_id).platform_id):
        raise queries.not_found("疑点 finding", finding_id)
    return finding


def told_decision(record: DecisionRecord) -> dict[str, Any]:
    """Return a decision as auditors see it."""
    names = ("finding_id", "number", "decision", "reason", "reviewer", "role", "decided_ms", "policy_sha256")
    return {name: getattr(record, name) for name in names}


def outcome(appealed: AppealRecord, made: Sequence[DecisionRecord], policy: Policy) -> DecisionKind | None:
    """Return what the first decision after an appeal that took effect said, None while the appeal is open."""
    for last in range(appealed.decisions_before + 1, len(made) + 1):
        stands = standing(Effect.REJECT, made[:last], (), policy)
        if stands.number is not None and stands.number > appealed.decisions_before:
            return stands.holds
    return None


def told_appeal(record: AppealRecord, made: Sequence[DecisionRecord], policy: Policy) -> dict[str, Any]:
    """Return an appeal with its outcome: `open`, or what was decided."""
    names = ("finding_id", "number", "appellant", "reason", "opened_by", "opened_ms")
    decided = outcome(record, made, policy)
    return {name: getattr(record, name) for name in names} | {"outcome": "open" if decided is None else str(decided)}


def history_of(house: House, finding_id: str, platform_id: str | None = None) -> dict[str, Any]:
    """Return every decision on a finding and every appeal, of one that is no longer found too.

    With the reviewers' names: they stand on the form that the applicant gets too (Annex 2: 初审人, 复核人).

    Raises:
        GuardError: No such finding.
    """
    with reading(house.engine) as database:
        made = review_rows.decisions_where(database, DecisionRecord.finding_id == finding_id).get(finding_id, [])
        appeals = review_rows.appeals_where(database, AppealRecord.finding_id == finding_id).get(finding_id, [])
        finding = review_rows.find_finding(database, finding_id)
        about = finding or (made[0] if made else None)
        if about is None or platform_id not in (None, database.get_one(ClassRecord, about.class_id).platform_id):
            raise queries.not_found("疑点 finding", finding_id)
        stands = standing(finding.effect if finding else Effect.REVIEW, made, appeals, house.policy)
    return {
        "finding_id": finding_id,
        "exists": finding is not None,
        "rule": about.rule,
        "subject": about.subject,
        "subject_id": about.subject_id,
        "case_id": about.case_id,
        "holds": stands.holds,
        "state": str(stands.state),
        "decisions": [told_decision(record) for record in made],
        "appeals": [told_appeal(record, made, house.policy) for record in appeals],
    }
