"""A class's stored evidence → judgement → stored findings, verdicts, ledger and eligibility."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.eligibility import Eligibility
from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.identity import settle
from online_guard.judge import Judgement, judge
from online_guard.ledger import LedgerEntry
from online_guard.policy import Policy
from online_guard.rules.catalogue import BY_ID
from online_guard.service import webhooks
from online_guard.service.duplicates import search_class
from online_guard.service.house import House, clock_ms
from online_guard.store import log_proofs, queries
from online_guard.store.evidence_loader import load_class
from online_guard.store.logged_rows import about_session
from online_guard.store.tables import EnrolmentRecord, FindingRecord, JobRecord, ResultRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Subject
from online_guard.verdict import SessionVerdict

LEASE_MS = 2 * 60_000
"""A killed worker's job is taken again after this; a class of 80 learners takes a few seconds."""
BACK_OFF_MS = 5_000
log = logging.getLogger(__name__)


def work_once(house: House) -> bool:
    """Do one waiting job; return whether there was one. A job that fails is pushed away and recorded, never lost."""
    with writing(house.engine) as database:
        job = queries.take_job(database, clock_ms(), LEASE_MS)
    if job is None:
        return False
    try:
        verify_class(house, job.class_id, job.row_id)
    except Exception as error:
        log.exception("verification failed, will be tried again")
        with writing(house.engine) as database:
            failed = database.get(JobRecord, job.row_id)
            if failed is not None:
                failed.run_after_ms = clock_ms() + BACK_OFF_MS * 2 ** min(failed.attempts, 8)
                failed.leased_until_ms = None
                failed.last_error = type(error).__name__
    return True


def verify_class(house: House, class_id: str, job_row: int | None = None) -> None:
    """Search for duplicates of its captures, judge a class by what is stored, and put the result in place of the last.

    Args:
        house: The service.
        class_id: Of the class.
        job_row: Job that is done with it.
    """
    search_class(house, class_id, job_row, LEASE_MS)
    with reading(house.engine) as database:
        evidence, raw = load_class(database, class_id, house.policy.device.max_learners)
    events, _ = settle(raw)
    judgement = judge(evidence.with_events(events), house.policy)
    members = {e.enrolment_id for e in evidence.enrolments if e.class_id == class_id}
    own = {
        key
        for key, row in zip(evidence.sessions.key, evidence.sessions.enrolment.tolist(), strict=True)
        if evidence.enrolments[row].enrolment_id in members
    }
    stamp = _stamp(house.policy)
    results = list(_results(judgement, class_id, members, own, stamp))
    with writing(house.engine) as database:
        findings = list(_findings(judgement, class_id, members, own, stamp))
        _tell(database, queries.replace_results(database, class_id, findings, results), results)
        done = database.get(JobRecord, job_row) if job_row is not None else None
        if done is not None:
            database.delete(done)


def _tell(database: Session, changed: set[str], results: Sequence[ResultRecord]) -> None:
    """Tell platforms of sessions whose verdict or findings are new."""
    for row in results:
        if row.kind == "session" and about_session(row.owner) in changed:
            platform_id, _, session_id = row.owner.partition("/")
            verdict = json.loads(row.body)["verdict"]
            data = {"platform_id": platform_id, "session_id": session_id, "class_id": row.class_id, "verdict": verdict}
            webhooks.emit(database, "session.verified", platform_id, row.owner, data)


def _stamp(policy: Policy) -> dict[str, str]:
    return {"policy_id": policy.id, "policy_version": policy.version, "policy_sha256": policy.sha256}


def _is_own(subject: Subject, subject_id: str, class_id: str, members: set[str], own: set[str]) -> bool:
    match subject:
        case Subject.SESSION:
            return subject_id in own
        case Subject.SNAPSHOT:
            return subject_id.rpartition("/")[0] in own
        case Subject.LESSON:
            return subject_id.rpartition("/")[0] in members
        case Subject.ENROLMENT:
            return subject_id in members
        case Subject.CLASS:
            return subject_id == class_id


def _findings(
    judgement: Judgement, class_id: str, members: set[str], own: set[str], stamp: dict[str, str]
) -> Iterator[FindingRecord]:
    for finding in judgement.findings:
        if _is_own(finding.subject, finding.subject_id, class_id, members, own):
            row = finding.as_row()
            yield FindingRecord(
                class_id=class_id,
                rule_since=BY_ID[finding.rule].since,
                **{**row, "evidence": json.dumps(row["evidence"], ensure_ascii=False)},
                **stamp,
            )


def _results(
    judgement: Judgement, class_id: str, members: set[str], own: set[str], stamp: dict[str, str]
) -> Iterator[ResultRecord]:
    rows: tuple[tuple[str, str, SessionVerdict | LedgerEntry | Eligibility], ...] = (
        *(("session", row.session_id, row) for row in judgement.sessions if row.session_id in own),
        *(("ledger", row.enrolment_id, row) for row in judgement.ledger if row.enrolment_id in members),
        *(("eligibility", row.enrolment_id, row) for row in judgement.eligibility if row.class_id == class_id),
    )
    for kind, owner, row in rows:
        body = json.dumps(row.as_row(), ensure_ascii=False)
        yield ResultRecord(class_id=class_id, kind=kind, owner=owner, body=body, **stamp)


def told_finding(record: FindingRecord, policy: Policy) -> dict[str, Any]:
    """Return a stored finding as callers see it: its row, the rule's names and the clause."""
    rule = BY_ID[record.rule]
    return {
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
        answer: dict[str, Any] = {"session_id": record.session_id, "platform_id": record.platform_id}
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
        }


def _state(database: Session, record: SessionRecord) -> str:
    if record.closed_received_ms is None:
        return "open"
    return enrolment_state(database, record.enrolment_id)


def enrolment_state(database: Session, enrolment_id: str) -> str:
    """Return `verified`, or `pending` while the enrolment's class waits for its verification.

    Raises:
        GuardError: Unknown enrolment.
    """
    enrolment = queries.must_find(database, EnrolmentRecord, enrolment_id, "学员报名 enrolment")
    return "pending" if queries.is_pending(database, enrolment.class_id) else "verified"


def ledger_of(house: House, enrolment_id: str) -> dict[str, Any]:
    """Return the ledger of an enrolment: hours in all, and each lesson.

    Raises:
        GuardError: Unknown enrolment.
    """
    with reading(house.engine) as database:
        state = enrolment_state(database, enrolment_id)
        lessons = [json.loads(row.body) for row in queries.results(database, "ledger", enrolment_id)]
    return {
        "enrolment_id": enrolment_id,
        "state": state,
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
