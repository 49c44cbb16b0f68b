"""Findings with what persons said of them → where each stands → cases, and the queue of those that wait (SPEC 5)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from online_guard.policy import Policy
from online_guard.service.reviewing import urgency
from online_guard.service.reviewing.urgency import Stakes
from online_guard.store import queries, review_rows
from online_guard.store.decision_tables import AppealRecord, CaseRecord, DecisionRecord
from online_guard.store.review_rows import NOTHING_LEFT, as_decision
from online_guard.store.tables import ClassRecord, FindingRecord
from online_guard.terms import LABELS, CaseState, DecisionKind, Effect
from online_guard.verdict import what_holds

URGENCY = tuple(CaseState)
SOMEBODY_WAITS, REFUSED_BY_RULES = 0, 1


@dataclass(frozen=True)
class Standing:
    """Where a finding stands.

    Attributes:
        state: Of this finding alone.
        holds: What took effect, None while undecided.
        number: Of the decision by which it did, None while undecided.
        appeal: The open appeal against it.
        priority: As of a case.
    """

    state: CaseState
    holds: DecisionKind | None
    number: int | None
    appeal: AppealRecord | None
    priority: int


def standing(
    effect: str, decisions: Sequence[DecisionRecord], appeals: Sequence[AppealRecord], policy: Policy
) -> Standing:
    """Return where a finding stands after its decisions and appeals, both in the order in which they were made."""
    held = what_holds(list(map(as_decision, decisions)), second_person=policy.review.second_person)
    holds = held[-1].decision if held else None
    number = next((d.number for d in decisions if held and d.decided_ms == held[-1].decided_ms), None)
    appeal = next((a for a in appeals if number is None or a.decisions_before >= number), None)
    if effect == Effect.NOTE:
        return Standing(CaseState.NOTED, holds, number, appeal, NOTHING_LEFT)
    if appeal is not None:
        state = CaseState.APPEALED
    elif decisions and decisions[-1].decision != holds:
        state = CaseState.CONFIRMING
    else:
        state = CaseState.UNDECIDED if holds is None else CaseState.DECIDED
    if state is CaseState.DECIDED:
        return Standing(state, holds, number, appeal, NOTHING_LEFT)
    nobody_refused = effect == Effect.REVIEW and holds is None
    waits = state is CaseState.APPEALED or nobody_refused
    return Standing(state, holds, number, appeal, SOMEBODY_WAITS if waits else REFUSED_BY_RULES)


@dataclass(frozen=True)
class History:
    """Decisions and appeals by finding, in order."""

    decisions: Mapping[str, Sequence[DecisionRecord]]
    appeals: Mapping[str, Sequence[AppealRecord]]

    @classmethod
    def of_class(cls, database: Session, class_id: str) -> History:
        """Return what was said of a class's findings."""
        return cls(
            review_rows.decisions_where(database, DecisionRecord.class_id == class_id),
            review_rows.appeals_where(database, AppealRecord.class_id == class_id),
        )

    @classmethod
    def of_case(cls, database: Session, case_id: str) -> History:
        """Return what was said of a case's findings, of those that are gone too."""
        return cls(
            review_rows.decisions_where(database, DecisionRecord.case_id == case_id),
            review_rows.appeals_where(database, AppealRecord.case_id == case_id),
        )

    def standing(self, finding: FindingRecord, policy: Policy) -> Standing:
        """Return where a finding stands."""
        name = finding.finding_id
        return standing(finding.effect, self.decisions.get(name, ()), self.appeals.get(name, ()), policy)

    def may_decide(self, finding: FindingRecord, policy: Policy, reviewer: str) -> bool:
        """Return whether a finding waits for a decision that a reviewer may make.

        Whoever decided first doesn't confirm it, and an appeal goes to somebody who had no part in it.
        """
        name = finding.finding_id
        made, stands = self.decisions.get(name, ()), self.standing(finding, policy)
        match stands.state:
            case CaseState.APPEALED:
                appeals = self.appeals.get(name, ())
                before = max(appeal.decisions_before for appeal in appeals)
                involved = {record.reviewer for record in made if record.number <= before}
                return reviewer not in involved | {appeal.opened_by for appeal in appeals} and (
                    not made[before:] or made[-1].reviewer != reviewer
                )
            case CaseState.CONFIRMING:
                return made[-1].reviewer != reviewer
            case state:
                return state is CaseState.UNDECIDED

    def case_ids(self) -> set[str]:
        """Return the cases of whose findings anything was said."""
        appealed = {records[0].case_id for records in self.appeals.values()}
        return appealed | {records[0].case_id for records in self.decisions.values()}


def refresh(
    database: Session,
    policy: Policy,
    class_id: str,
    findings: Iterable[FindingRecord],
    verdicts: Mapping[str, str],
    now_ms: int,
) -> None:
    """Bring the cases of a class to what follows from its findings, decisions and appeals.

    Args:
        database: Open for writing.
        policy: The law.
        class_id: Of the class.
        findings: All of its last verification.
        verdicts: Of its sessions, by `platform_id/session_id`.
        now_ms: Service clock.
    """
    platform_id = database.get_one(ClassRecord, class_id).platform_id
    history = History.of_class(database, class_id)
    stakes = Stakes.of_class(database, class_id, policy)
    known = review_rows.cases_of_class(database, class_id)
    by_case: dict[str, list[FindingRecord]] = defaultdict(list)
    for finding in findings:
        by_case[finding.case_id].append(finding)
    for case_id, found in by_case.items():
        record = known.get(case_id) or _new_case(database, found[0], platform_id)
        record.verdict = verdicts.get(record.subject_id) if record.subject == "session" else None
        settle(record, [history.standing(finding, policy) for finding in found], stakes, now_ms)
    gone = known.keys() - by_case.keys()
    for case_id in gone & history.case_ids():
        known[case_id].verdict = verdicts.get(known[case_id].subject_id)
        settle(known[case_id], [], stakes, now_ms)
    review_rows.forget_cases(database, sorted(gone - history.case_ids()))


def _new_case(database: Session, finding: FindingRecord, platform_id: str) -> CaseRecord:
    is_photo = finding.subject == "snapshot"
    record = CaseRecord(
        case_id=finding.case_id,
        class_id=finding.class_id,
        platform_id=platform_id,
        enrolment_id=finding.enrolment_id,
        subject="session" if is_photo else finding.subject,
        subject_id=finding.subject_id.rpartition("/")[0] if is_photo else finding.subject_id,
        priority=NOTHING_LEFT + 1,
    )
    database.add(record)
    return record


def settle(record: CaseRecord, standings: Sequence[Standing], stakes: Stakes, now_ms: int) -> None:
    """Set state, priority and urgency of a case by where its findings stand; since when it waits follows priority."""
    state = min((one.state for one in standings), key=URGENCY.index, default=CaseState.CLEARED)
    priority = min((one.priority for one in standings), default=NOTHING_LEFT)
    if (record.priority < NOTHING_LEFT) != (priority < NOTHING_LEFT) or record.priority > NOTHING_LEFT:
        record.waiting_since_ms = now_ms
    record.state, record.priority = str(state), priority
    urgency.rank(record, stakes, [one.appeal.opened_ms for one in standings if one.appeal is not None])


def names_of(finding: FindingRecord) -> dict[str, str]:
    """Return what a finding is, and whose case it belongs to."""
    return {name: getattr(finding, name) for name in ("rule", "subject", "subject_id", "case_id", "class_id")}


def settle_case_of(database: Session, policy: Policy, finding: FindingRecord, now_ms: int) -> Standing:
    """Bring the case of a finding to what was said of it, and return where the finding stands."""
    history = History.of_case(database, finding.case_id)
    found = review_rows.findings_where(database, FindingRecord.case_id == finding.case_id)
    case = must_find(database, finding.case_id)
    stakes = Stakes.of_class(database, finding.class_id, policy)
    settle(case, [history.standing(one, policy) for one in found], stakes, now_ms)
    return history.standing(finding, policy)


def version_of(findings: Iterable[FindingRecord], history: History) -> str:
    """Return what stands for a case as an auditor saw it; another verification that finds the same changes nothing."""
    found = []
    for finding in findings:
        evidence = {name: value for name, value in json.loads(finding.evidence).items() if name != "decision"}
        found.append([finding.finding_id, finding.effect, finding.start_ms, finding.end_ms, evidence])
    said = [[key, len(records)] for part in (history.decisions, history.appeals) for key, records in part.items()]
    return hashlib.sha256(json.dumps([sorted(found, key=str), said], sort_keys=True).encode()).hexdigest()[:32]


def told_case(record: CaseRecord) -> dict[str, Any]:
    """Return a case as the queue shows it."""
    zh, en = LABELS[CaseState(record.state)]
    names = (
        "case_id", "subject", "subject_id", "class_id", "platform_id", "enrolment_id", "state", "priority", "verdict",
        "waiting_since_ms", "class_hours", "due_ms",
    )  # fmt: skip
    return {name: getattr(record, name) for name in names} | {"state_zh": zh, "state_en": en}


def must_find(database: Session, case_id: str) -> CaseRecord:
    """Return a case.

    Raises:
        GuardError: There is none.
    """
    return queries.must_find(database, CaseRecord, case_id, "案件 case")
