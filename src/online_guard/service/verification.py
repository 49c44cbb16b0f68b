"""A class's stored evidence → judgement → stored findings, verdicts, ledger and eligibility."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from online_guard import verdict
from online_guard.assessment.eligibility import Eligibility
from online_guard.code_version import code_version
from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Evidence
from online_guard.ingest.identity import settle
from online_guard.judge import Judgement, judge
from online_guard.ledger import LedgerEntry
from online_guard.policy import Policy
from online_guard.rules.catalogue import BY_ID, RULES
from online_guard.service import provenance
from online_guard.service.assessing import candidate_dates
from online_guard.service.capturing.duplicates import search_class
from online_guard.service.house import House, clock_ms
from online_guard.service.notifying import webhooks
from online_guard.service.notifying.webhooks import Told
from online_guard.service.reviewing import cases
from online_guard.store import import_rows, jobs, log_proofs, queries, review_rows, rulebooks
from online_guard.store.evidence_loader import load_class
from online_guard.store.logged_rows import about_session
from online_guard.store.queries import VERIFY
from online_guard.store.tables import FindingRecord, ResultRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Subject
from online_guard.verdict import SessionVerdict


def verify_class(house: House, class_id: str) -> None:
    """Search for duplicates of its captures, judge a class by what is stored, and put the result in place of the last.

    The job that asked for it is finished in the same transaction, as it was asked for when the evidence was read: what
    came since verifies once more.

    Raises:
        GuardError: Another worker has taken the job meanwhile; nothing was changed.
    """
    search_class(house, class_id)
    with reading(house.engine) as database:
        job = jobs.held(database, VERIFY, class_id)
        evidence, raw = load_class(database, class_id, house.policy.device.max_learners)
    events, _ = settle(raw)
    judgement = judge(evidence.with_events(events), house.policy)
    own = Own.of(evidence, class_id)
    stamp = _stamp(house.policy)
    results = list(_results(judgement, own, stamp))
    with writing(house.engine) as database:
        rulebooks.keep(database, *_rulebook())
        if job is not None and not jobs.finish(database, job):
            raise GuardError(ErrorKind.CONFLICT, "job.lost", "任务已由他人接手 / another worker has taken the job")
        review_rows.know_law(database, house.policy)
        findings = list(_findings(database, judgement, own, stamp))
        _tell(database, queries.replace_results(database, class_id, findings, results), results)
        verdicts = {row.session_id: str(row.verdict) for row in judgement.sessions}
        cases.refresh(database, house.policy, class_id, findings, verdicts, clock_ms())
        candidate_dates.date_rows(database, class_id, clock_ms())


def _tell(database: Session, changed: set[str], results: Sequence[ResultRecord]) -> None:
    """Tell platforms of sessions whose verdict or findings are new."""
    told = []
    for row in results:
        if row.kind == "session" and about_session(row.owner) in changed:
            platform_id, _, session_id = row.owner.partition("/")
            verdict = json.loads(row.body)["verdict"]
            data = {"platform_id": platform_id, "session_id": session_id, "class_id": row.class_id, "verdict": verdict}
            told.append(Told(platform_id, row.owner, data))
    webhooks.emit_all(database, "session.verified", told)


def _stamp(policy: Policy) -> dict[str, str]:
    law = {"policy_id": policy.id, "policy_version": policy.version, "policy_sha256": policy.sha256}
    return law | {"rules_sha256": _rulebook()[0]}


@cache
def _rulebook() -> tuple[str, dict[str, Any]]:
    """Return the SHA-256 and the content of what tells which rules judge: the code, and the version of each."""
    body = {"code": code_version(), "versions": {rule.id: rule.since for rule in RULES}}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(), body


@dataclass(frozen=True)
class Own:
    """What of a judgement is about a class itself: its enrolments, and the enrolment of each of its sessions by key."""

    class_id: str
    members: frozenset[str]
    sessions: Mapping[str, str]

    @classmethod
    def of(cls, evidence: Evidence, class_id: str) -> Own:
        """Return what is a class's own."""
        members = frozenset(e.enrolment_id for e in evidence.enrolments if e.class_id == class_id)
        owners = [evidence.enrolments[row].enrolment_id for row in evidence.sessions.enrolment.tolist()]
        pairs = zip(evidence.sessions.key, owners, strict=True)
        return cls(class_id, members, {key: owner for key, owner in pairs if owner in members})

    def enrolment_of(self, subject: Subject, subject_id: str) -> str | None:
        """Return the enrolment that a finding is about, None for one about a class."""
        match subject:
            case Subject.SESSION:
                return self.sessions.get(subject_id)
            case Subject.SNAPSHOT:
                return self.sessions.get(subject_id.rpartition("/")[0])
            case Subject.LESSON:
                return subject_id.rpartition("/")[0]
            case Subject.ENROLMENT:
                return subject_id
            case Subject.CLASS:
                return None

    def has(self, subject: Subject, subject_id: str) -> bool:
        """Return whether a finding is about the class or one of its own."""
        if subject is Subject.CLASS:
            return subject_id == self.class_id
        return self.enrolment_of(subject, subject_id) in self.members


def _findings(database: Session, judgement: Judgement, own: Own, stamp: dict[str, str]) -> Iterator[FindingRecord]:
    mine = [one for one in judgement.findings if own.has(one.subject, one.subject_id)]
    for finding, whose in zip(mine, provenance.of_findings(database, own.class_id, mine), strict=True):
        row = finding.as_row()
        yield FindingRecord(
            finding_id=verdict.finding_id(finding.rule, finding.subject, finding.subject_id),
            case_id=verdict.case_id(finding.subject, finding.subject_id),
            class_id=own.class_id,
            enrolment_id=own.enrolment_of(finding.subject, finding.subject_id),
            rule_since=BY_ID[finding.rule].since,
            provenance=whose,
            **{**row, "evidence": json.dumps(row["evidence"], ensure_ascii=False)},
            **stamp,
        )


def _results(judgement: Judgement, own: Own, stamp: dict[str, str]) -> Iterator[ResultRecord]:
    rows: tuple[tuple[str, str, SessionVerdict | LedgerEntry | Eligibility], ...] = (
        *(("session", row.session_id, row) for row in judgement.sessions if row.session_id in own.sessions),
        *(("ledger", row.enrolment_id, row) for row in judgement.ledger if row.enrolment_id in own.members),
        *(("eligibility", row.enrolment_id, row) for row in judgement.eligibility if row.class_id == own.class_id),
    )
    for kind, owner, row in rows:
        body = json.dumps(row.as_row(), ensure_ascii=False)
        yield ResultRecord(class_id=own.class_id, kind=kind, owner=owner, body=body, **stamp)


def told_finding(record: FindingRecord, policy: Policy) -> dict[str, Any]:
    """Return a stored finding as callers see it: its row, the rule's names and the clause."""
    rule = BY_ID[record.rule]
    return {
        "finding_id": record.finding_id,
        "case_id": record.case_id,
        "rule": record.rule,
        "name_zh": rule.zh,
        "name_en": rule.name,
        "clause": policy.clauses[record.rule],
        "clause_text": policy.texts[record.rule],
        "subject": record.subject,
        "subject_id": record.subject_id,
        "effect": record.effect,
        "start_ms": record.start_ms,
        "end_ms": record.end_ms,
        "provenance": record.provenance,
        "evidence": json.loads(record.evidence),
    }


def session_verdict(house: House, session_id: str, platform_id: str | None) -> dict[str, Any]:
    """Return state, verdict and findings of a session.

    Raises:
        GuardError: Unknown session.
    """
    with reading(house.engine) as database:
        record = queries.find_session(database, session_id, platform_id)
        key = f"{record.platform_id}/{record.session_id}"
        answer: dict[str, Any] = {
            "session_id": record.session_id,
            "platform_id": record.platform_id,
            "provenance": record.provenance,
        }
        state = _state(database, record)
        rows = queries.results(database, "session", key)
        if state != "verified" or not rows:
            return answer | {"state": state if state != "verified" else "pending", "verdict": None, "findings": []}
        body = json.loads(rows[0].body)
        photos = queries.findings_of_snapshots(database, key)
        found = queries.findings_about(database, [("session", key)]) + photos
        return answer | {
            "state": "verified",
            "verdict": body["verdict"],
            "playing_ms": body["playing_ms"],
            "watched_s": body["watched_s"],
            "findings": [told_finding(finding, house.policy) for finding in found],
            "log": log_proofs.newest_entry(database, "verdict", about_session(key)),
            "policy": {
                "id": rows[0].policy_id,
                "version": rows[0].policy_version,
                "sha256": rows[0].policy_sha256,
            },
            "rules": rulebooks.find(database, rows[0].rules_sha256),
        }


def _state(database: Session, record: SessionRecord) -> str:
    if record.closed_received_ms is None:
        return "open"
    return enrolment_state(database, record.enrolment_id, None)


def enrolment_state(database: Session, enrolment_id: str, platform_id: str | None) -> str:
    """Return `verified`, or `pending` while the enrolment's class waits for its verification.

    Raises:
        GuardError: Unknown enrolment.
    """
    enrolment = queries.own_enrolment(database, enrolment_id, platform_id)
    return "pending" if queries.is_pending(database, enrolment.class_id) else "verified"


def ledger_of(house: House, enrolment_id: str, platform_id: str | None) -> dict[str, Any]:
    """Return the ledger of an enrolment: hours in all, and each lesson.

    Raises:
        GuardError: Unknown enrolment.
    """
    with reading(house.engine) as database:
        state = enrolment_state(database, enrolment_id, platform_id)
        lessons = [json.loads(row.body) for row in queries.results(database, "ledger", enrolment_id)]
        told = import_rows.provenances_of_enrolment(database, enrolment_id)
    for lesson in lessons:
        lesson["provenance"] = provenance.joined(one for number, one in told if number == lesson["lesson_no"])
    return {
        "enrolment_id": enrolment_id,
        "state": state,
        "provenance": provenance.joined(one for _, one in told),
        "hours": round(sum(row["hours"] for row in lessons), 6),
        "lessons": lessons,
    }


def refuse_while_pending(state: str) -> None:
    """Refuse what needs a finished verification.

    Raises:
        GuardError: It isn't finished.
    """
    if state != "verified":
        raise GuardError(
            ErrorKind.CONFLICT,
            "verification.pending",
            "核验尚未完成 / the verification isn't finished",
            remedy="请稍后再试 / try again shortly.",
        )
