"""What the evidence log says of stored rows: made of the row alone, so that it can be made again and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from online_guard.store.assessment_tables import ConfirmationRecord
from online_guard.store.decision_tables import AppealRecord, DecisionRecord, GroundRecord, NoticeRecord
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.roster_tables import RosterRecord, VenuesRecord
from online_guard.store.sealed_log import Entry
from online_guard.store.tables import (
    ClaimRecord,
    FindingRecord,
    ResultRecord,
    SessionRecord,
)

SNAPSHOT_FIELDS = ("at_ms", "received_ms", "asked", "good", "sha256", "phash", "distance", "presented_attack")
CHECK_FIELDS = (
    "at_ms",
    "outcome",
    "distance",
    "presented_attack",
    "issued_ms",
    "expires_ms",
    "clip_sha256",
    "received_ms",
    "strip_sha256",
    "plot_sha256",
)
NAMED_BY = {
    "snapshot": "snapshot_id",
    "liveness": "check_id",
    "claim": "claim_id",
    "decision": "name",
    "roster": "name",
    "application": "window",
    "confirmation": "number",
    "survey": "name",
    "result": "name",
}
"""What names a row of each kind beside its subject."""
FINDING_FIELDS = ("rule", "rule_since", "subject", "subject_id", "effect", "start_ms", "end_ms")
DECISION_FIELDS = (
    "rule", "subject", "subject_id", "decision", "reason", "reviewer", "role", "decided_ms", "policy_sha256",
)  # fmt: skip
APPEAL_FIELDS = (
    "rule", "subject", "subject_id", "appellant", "reason", "opened_by", "opened_ms", "decisions_before",
)  # fmt: skip
VENUES_FIELDS = ("stated_ms", "stated_by", "sha256")
ROSTER_FIELDS = ("plan_id", "venues_version", "published_ms", "published_by", "sha256")
APPLICATION_FIELDS = ("window", "applied_on", "assessment_on", "certificate_route", "task_row")
CONFIRMATION_FIELDS = ("number", "enrolment_id", "code", "answer", "reason", "reviewer", "role", "said_ms")
OUTCOME_FIELDS = (
    "absent", "assessed_on", "theory_mark", "practice_mark", "passed", "certificate_route", "certificate_index",
    "recorded_ms", "recorded_by",
)  # fmt: skip
NOTICE_FIELDS = ("issued_by", "issued_ms", "policy_sha256")
POLICY_FIELDS = ("policy_id", "policy_version", "policy_sha256", "rules_sha256")


def about_session(key: str) -> str:
    """Return what the log calls a session, by its `platform_id/session_id`."""
    return f"session/{key}"


def about_enrolment(enrolment_id: str) -> str:
    """Return what the log calls an enrolment."""
    return f"enrolment/{enrolment_id}"


def about_class(class_id: str) -> str:
    """Return what the log calls a class."""
    return f"class/{class_id}"


def session_key(session: SessionRecord) -> str:
    """Return `platform_id/session_id`."""
    return f"{session.platform_id}/{session.session_id}"


def snapshot_entries(session: str, row: Any) -> list[Entry]:
    """Return the entry of a snapshot, by its session's `platform_id/session_id`."""
    payload = {"snapshot_id": row.snapshot_id, "report": json.loads(row.report)} | _values(row, SNAPSHOT_FIELDS)
    return [Entry("snapshot", about_session(session), payload)]


def liveness_entries(session: str, row: Any) -> list[Entry]:
    """Return the entry of a liveness check that was judged, here or by a platform, by its session's name."""
    payload = {"check_id": row.check_id} | {name: _read(getattr(row, name, None)) for name in ("report", "actions")}
    return [Entry("liveness", about_session(session), payload | _values(row, CHECK_FIELDS))]


def claim_entries(row: ClaimRecord) -> list[Entry]:
    """Return the entry of a claim."""
    payload = {
        "claim_id": row.claim_id,
        "received_ms": row.received_ms,
        "body": json.loads(row.body),
        "answer": json.loads(row.answer),
    }
    return [Entry("claim", about_enrolment(row.enrolment_id), payload)]


def decision_entries(row: DecisionRecord) -> list[Entry]:
    """Return the entry of an auditor's decision."""
    payload = {"name": f"decision {row.finding_id}/{row.number}"} | _values(row, DECISION_FIELDS)
    return [Entry("decision", _subject(row), payload)]


def appeal_entries(row: AppealRecord) -> list[Entry]:
    """Return the entry of an appeal."""
    payload = {"name": f"appeal {row.finding_id}/{row.number}"} | _values(row, APPEAL_FIELDS)
    return [Entry("decision", _subject(row), payload)]


def notice_entries(row: NoticeRecord, grounds: Iterable[GroundRecord]) -> list[Entry]:
    """Return the entry of an adverse notice."""
    found = sorted([ground.lesson_no, ground.finding_id, ground.decision_number] for ground in grounds)
    payload = {"name": f"notice {row.notice_id}", "grounds": found} | _values(row, NOTICE_FIELDS)
    return [Entry("decision", about_enrolment(row.enrolment_id), payload)]


def venues_entries(row: VenuesRecord) -> list[Entry]:
    """Return the entry of a statement of venues; its body stays out, which names examiners."""
    payload = {"name": f"venues {row.version}"} | _values(row, VENUES_FIELDS) | _digest(row.body)
    return [Entry("roster", "venues", payload)]


def roster_entries(row: RosterRecord) -> list[Entry]:
    """Return the entry of a published roster, told by the digest of its body."""
    payload = {"name": f"roster {row.window}/{row.version}"} | _values(row, ROSTER_FIELDS) | _digest(row.body)
    return [Entry("roster", f"assessment/{row.window}", payload)]


def _digest(body: str) -> dict[str, str]:
    """Return the SHA-256 of a body as it lies there now, whatever its row says."""
    return {"body_sha256": hashlib.sha256(body.encode()).hexdigest()}


def application_entries(row: Any) -> list[Entry]:
    """Return the entry of an application for an assessment window, made here or by a bundle."""
    payload = _values(row, APPLICATION_FIELDS) | {"papers": _read(getattr(row, "papers", None))}
    return [Entry("application", about_class(row.class_id), payload)]


def confirmation_entries(row: ConfirmationRecord) -> list[Entry]:
    """Return the entry of what an assessor said of a test."""
    return [Entry("confirmation", about_class(row.class_id), _values(row, CONFIRMATION_FIELDS))]


def survey_entries(row: Any) -> list[Entry]:
    """Return the entry of a survey of an institution."""
    payload = {"name": f"{row.surveyed_on} {float(row.score)!r}", "asked": getattr(row, "asked", None)}
    return [Entry("survey", f"institution/{row.institution}", payload)]


def outcome_entries(row: AssessmentResultRecord) -> list[Entry]:
    """Return the entry of a version of a learner's result in an assessment; of a certificate, its fingerprint."""
    payload = {"name": f"result {row.window}/{row.version}"} | _values(row, OUTCOME_FIELDS)
    return [Entry("result", about_enrolment(row.enrolment_id), payload)]


def verdict_entries(findings: Iterable[FindingRecord], results: Iterable[ResultRecord]) -> list[Entry]:
    """Return the entries of a class's verification, of stored rows: one for each session, enrolment, and the class."""
    said: dict[str, dict[str, list[Any]]] = {}

    def of(subject: str) -> dict[str, list[Any]]:
        return said.setdefault(subject, {"results": [], "findings": []})

    for row in sorted(results, key=attrgetter("row_id")):
        subject = about_session(row.owner) if row.kind == "session" else about_enrolment(row.owner)
        body = {"kind": row.kind, "row": json.loads(row.body)}
        of(subject)["results"].append(body | _values(row, POLICY_FIELDS))
    for found in sorted(findings, key=attrgetter("row_id")):
        body = {"evidence": json.loads(found.evidence)} | _values(found, FINDING_FIELDS + POLICY_FIELDS)
        of(_subject(found))["findings"].append(body)
    return [Entry("verdict", subject, payload) for subject, payload in said.items()]


def _subject(finding: FindingRecord | DecisionRecord | AppealRecord) -> str:
    """Return what the log puts a finding to: its session, enrolment or class."""
    match finding.subject:
        case "session":
            return about_session(finding.subject_id)
        case "snapshot":
            return about_session(finding.subject_id.rpartition("/")[0])
        case "lesson":
            return about_enrolment(finding.subject_id.rpartition("/")[0])
        case "enrolment":
            return about_enrolment(finding.subject_id)
        case _:
            return about_class(finding.subject_id)


def changes(before: Iterable[Entry], after: Iterable[Entry]) -> list[Entry]:
    """Return what is said now and wasn't before; a subject of which nothing is said any more has an empty payload."""
    known = {(entry.kind, entry.subject): entry.payload for entry in before}
    new = [entry for entry in after if known.pop((entry.kind, entry.subject), None) != entry.payload]
    return new + [Entry(kind, subject, {}) for kind, subject in known]


def _values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name, None) for name in names}


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def row_name(kind: str, subject: str, payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which row an entry is about: the newest entry of a row says what it must be now."""
    column = NAMED_BY.get(kind)
    return (kind, subject) if column is None else (kind, subject, str(payload[column]))
