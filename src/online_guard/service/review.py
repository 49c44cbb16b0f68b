"""Persons decide findings, and appeals against them; verdict, ledger and eligibility follow at once (SPEC 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy
from online_guard.service import cases
from online_guard.service.cases import History, Standing, standing
from online_guard.service.house import House, clock_ms
from online_guard.service.verification import verify_class
from online_guard.store import queries, review_rows
from online_guard.store.decision_tables import AppealRecord, CaseRecord, DecisionRecord
from online_guard.store.tables import ClassRecord, FindingRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import CaseState, DecisionKind, Effect

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """What a person says of a finding: `reviewer` by name, in which `role`, and the `seen` version of the case."""

    decision: DecisionKind
    reason: str
    reviewer: str
    role: str
    seen: str | None = None


def decide(house: House, finding_id: str, said: Said, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Add a decision on a finding, and judge its class again where it takes effect.

    Said again by the same person while nobody has said otherwise, it is the same decision. Return whether it is new,
    and the answer: its `state` is `verified` when verdict, ledger and eligibility show it already.

    Raises:
        GuardError: No such finding, the case has changed since it was seen, the reviewer would confirm themselves, or
            has decided before on what is appealed now.
    """
    with writing(house.engine) as database:
        finding = must_find_finding(database, finding_id)
        history = History.of_case(database, finding.case_id)
        made = history.decisions.get(finding_id, [])
        record = _same_again(made, said)
        is_new, follows = record is None, False
        if record is None:
            _check_seen(database, finding, history, said)
            _check_person(made, history.appeals.get(finding_id, []), said)
            record = _add(database, house.policy, finding, made, said, now_ms)
            before = history.standing(finding, house.policy)
            after = _settled(database, house.policy, finding, now_ms)
            follows = after.number != before.number and finding.effect != Effect.NOTE
            if follows:
                queries.enqueue(database, [finding.class_id], clock_ms())
    if follows:
        _judge_again(house, finding.class_id)
    return is_new, _answer(house, finding, record)


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


def _same_again(made: Sequence[DecisionRecord], said: Said) -> DecisionRecord | None:
    """Return the decision that this one repeats: a request that was sent twice has one effect."""
    for record in reversed(made):
        if record.decision != said.decision:
            return None
        if (record.reviewer, record.reason) == (said.reviewer, said.reason):
            return record
    return None


def _check_seen(database: Session, finding: FindingRecord, history: History, said: Said) -> None:
    if said.seen is None:
        return
    found = review_rows.findings_where(database, FindingRecord.case_id == finding.case_id)
    if said.seen != cases.version_of(found, history):
        raise GuardError(
            ErrorKind.OUTDATED,
            "case.changed",
            "案件在您查看之后已有变化 / the case has changed since you looked at it",
            where="If-Match",
            remedy="请重新查看后再决定 / look at it again, then decide.",
        )


def _check_person(made: Sequence[DecisionRecord], appeals: Sequence[AppealRecord], said: Said) -> None:
    last = made[-1] if made else None
    if last is not None and (last.reviewer, last.decision) == (said.reviewer, said.decision):
        raise GuardError(
            ErrorKind.CONFLICT,
            "decision.own",
            "复核人不能是初审人本人 / nobody confirms their own decision",
            remedy="请由另一位审核人员复核 / another auditor must confirm it.",
        )
    for appeal in appeals:
        earlier = {record.reviewer for record in made if record.number <= appeal.decisions_before}
        if said.reviewer in earlier | {appeal.opened_by}:
            raise GuardError(
                ErrorKind.CONFLICT,
                "appeal.same_person",
                "申诉须由此前未参与的审核人员处理 / an appeal is decided by somebody who has not decided before",
                remedy="请交由另一位审核人员 / leave it to another auditor.",
            )


def _add(
    database: Session,
    policy: Policy,
    finding: FindingRecord,
    made: Sequence[DecisionRecord],
    said: Said,
    now_ms: int,
) -> DecisionRecord:
    review_rows.know_law(database, policy)
    record = DecisionRecord(
        finding_id=finding.finding_id,
        number=len(made) + 1,
        **{name: getattr(finding, name) for name in ("rule", "subject", "subject_id", "case_id", "class_id")},
        enrolment_id=finding.enrolment_id,
        decision=str(said.decision),
        reason=said.reason,
        reviewer=said.reviewer,
        role=said.role,
        decided_ms=max(now_ms, made[-1].decided_ms + 1) if made else now_ms,
        policy_sha256=policy.sha256,
    )
    database.add(record)
    database.flush()
    return record


def _settled(database: Session, policy: Policy, finding: FindingRecord, now_ms: int) -> Standing:
    """Bring the case of a finding to what was said of it, and return where the finding stands."""
    history = History.of_case(database, finding.case_id)
    found = review_rows.findings_where(database, FindingRecord.case_id == finding.case_id)
    case = cases.must_find(database, finding.case_id)
    cases.settle(case, [history.standing(one, policy) for one in found], now_ms)
    return history.standing(finding, policy)


def _judge_again(house: House, class_id: str) -> None:
    """Do what was asked for at once; where that fails it still waits for a worker, and the answer says `pending`."""
    try:
        verify_class(house, class_id)
    except Exception:
        log.exception("what follows from a decision is left to a worker")
        house.work.set()


def _answer(house: House, finding: FindingRecord, record: DecisionRecord) -> dict[str, Any]:
    with reading(house.engine) as database:
        history = History.of_case(database, finding.case_id)
        stands = history.standing(finding, house.policy)
        found = review_rows.findings_where(database, FindingRecord.case_id == finding.case_id)
        case = database.get_one(CaseRecord, finding.case_id)
        pending = queries.is_pending(database, finding.class_id)
        return told_decision(record) | {
            "took_effect": stands.number == record.number,
            "holds": stands.holds,
            "waits_for_second_person": stands.state is CaseState.CONFIRMING,
            "state": "pending" if pending else "verified",
            "case": cases.told_case(case) | {"version": cases.version_of(found, history)},
        }


def told_decision(record: DecisionRecord) -> dict[str, Any]:
    """Return a decision as auditors see it."""
    names = ("finding_id", "number", "decision", "reason", "reviewer", "role", "decided_ms", "policy_sha256")
    return {name: getattr(record, name) for name in names}


def appeal(
    house: House, finding_id: str, platform_id: str | None, opened_by: str, appellant: str, reason: str, now_ms: int
) -> tuple[bool, dict[str, Any]]:
    """Open an appeal against a finding that refuses; return whether it is new, and the appeal.

    Raises:
        GuardError: No such finding, nothing is refused by it, or it was appealed already.
    """
    with writing(house.engine) as database:
        finding = must_find_finding(database, finding_id, platform_id)
        history = History.of_case(database, finding.case_id)
        made, earlier = history.decisions.get(finding_id, []), history.appeals.get(finding_id, [])
        for known in earlier:
            if (known.appellant, known.reason, known.opened_by) == (appellant, reason, opened_by):
                return False, told_appeal(known, made, house.policy)
        _check_appealable(finding, history.standing(finding, house.policy), made, earlier, house.policy)
        record = AppealRecord(
            finding_id=finding_id,
            number=len(earlier) + 1,
            case_id=finding.case_id,
            class_id=finding.class_id,
            appellant=appellant,
            reason=reason,
            opened_by=opened_by,
            opened_ms=now_ms,
            decisions_before=len(made),
        )
        database.add(record)
        database.flush()
        _settled(database, house.policy, finding, now_ms)
        return True, told_appeal(record, made, house.policy)


def _check_appealable(
    finding: FindingRecord,
    stands: Standing,
    made: Sequence[DecisionRecord],
    earlier: Sequence[AppealRecord],
    policy: Policy,
) -> None:
    refuses = stands.holds is DecisionKind.UPHOLD or (finding.effect == Effect.REJECT and stands.holds is None)
    if finding.effect == Effect.NOTE or not refuses:
        raise GuardError(
            ErrorKind.CONFLICT, "appeal.nothing_refused", "该疑点未作出不予认定 / nothing is refused by this finding"
        )
    if stands.appeal is not None:
        raise GuardError(ErrorKind.CONFLICT, "appeal.open", "已有申诉在处理中 / an appeal is being decided already")
    if earlier and outcome(earlier[-1], made, policy) is DecisionKind.UPHOLD:
        raise GuardError(
            ErrorKind.CONFLICT, "appeal.decided", "申诉已有结论 / an appeal against it has been decided already"
        )


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


def history_of(
    house: House, finding_id: str, platform_id: str | None = None, *, with_names: bool = True
) -> dict[str, Any]:
    """Return every decision on a finding and every appeal, of one that is no longer found too.

    Platforms read it without the reviewers' names.

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
        "decisions": [told_decision(record) | ({} if with_names else {"reviewer": None}) for record in made],
        "appeals": [told_appeal(record, made, house.policy) for record in appeals],
    }
