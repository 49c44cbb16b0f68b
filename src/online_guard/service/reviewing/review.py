"""Persons decide findings, and appeals against them; verdict, ledger and eligibility follow at once (SPEC 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy
from online_guard.service.house import House, clock_ms
from online_guard.service.notifying import webhooks
from online_guard.service.reviewing import assignments, cases
from online_guard.service.reviewing.cases import History
from online_guard.service.reviewing.finding_history import must_find_finding, told_decision
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
    done = _decided(house, finding_id, said, now_ms)
    if done.follows:
        _judge_again(house, done.finding.class_id)
    return done.is_new, _answer(house, done.finding, done.record)


def decide_all(house: House, said: Sequence[tuple[str, Said]], now_ms: int) -> list[dict[str, Any]]:
    """Decide several findings, in order, and judge each class again once, at the end.

    What one of them adds to a case doesn't count as a change to those after it that saw the same version.

    Args:
        house: The service.
        said: Finding and what is said of it.
        now_ms: Service clock.

    Returns:
        For each, `answer` as `decide` gives it, or `error`: one that is refused stops no other.
    """
    done: list[Decided | GuardError] = []
    became: dict[str, str] = {}
    for finding_id, one in said:
        try:
            seen = became.get(one.seen, one.seen) if one.seen is not None else None
            made = _decided(house, finding_id, replace(one, seen=seen), now_ms)
            if one.seen is not None:
                became[one.seen] = made.version
            done.append(made)
        except GuardError as error:
            done.append(error)
    for class_id in sorted({one.finding.class_id for one in done if isinstance(one, Decided) and one.follows}):
        _judge_again(house, class_id)
    return [
        {"error": one} if isinstance(one, GuardError) else {"answer": _answer(house, one.finding, one.record)}
        for one in done
    ]


@dataclass(frozen=True)
class Decided:
    """A decision that is kept: whether it is new, whether verdicts follow from it, and its case's `version` by then."""

    finding: FindingRecord
    record: DecisionRecord
    is_new: bool
    follows: bool
    version: str


def _decided(house: House, finding_id: str, said: Said, now_ms: int) -> Decided:
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
            after = cases.settle_case_of(database, house.policy, finding, now_ms)
            assignments.let_go(database, house.policy, finding.case_id, said.reviewer)
            follows = after.number != before.number and finding.effect != Effect.NOTE
            if follows:
                queries.enqueue(database, [finding.class_id], clock_ms())
                _tell(database, finding, record)
        found = review_rows.findings_where(database, FindingRecord.case_id == finding.case_id)
        version = cases.version_of(found, History.of_case(database, finding.case_id))
    return Decided(finding, record, is_new, follows, version)


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
        **cases.names_of(finding),
        enrolment_id=finding.enrolment_id,
        decision=str(said.decision),
        reason=said.reason,
        reviewer=said.reviewer,
        role=said.role,
        decided_ms=max(now_ms, made[-1].decided_ms + 1) if made else now_ms,
        policy_sha256=policy.sha256,
    )
    review_rows.put_decision(database, record)
    return record


def _tell(database: Session, finding: FindingRecord, record: DecisionRecord) -> None:
    """Tell the platform that a decision took effect, without the reviewer's name."""
    platform_id = database.get_one(ClassRecord, finding.class_id).platform_id
    data = cases.names_of(finding) | {
        "finding_id": finding.finding_id,
        "enrolment_id": finding.enrolment_id,
        "decision": record.decision,
        "reason": record.reason,
        "decided_ms": record.decided_ms,
    }
    subject = cases.must_find(database, finding.case_id).subject_id
    webhooks.emit(database, "finding.decided", platform_id, subject, data)


def _judge_again(house: House, class_id: str) -> None:
    """Do what was asked for at once; where that fails it still waits for a worker, and the answer says `pending`.

    At once, since whoever decided looks next at what follows from it; outside the transaction, since others write
    meanwhile. A class of 80 learners with three lessons each takes 0.2 to 0.3 s of CPU.
    """
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
