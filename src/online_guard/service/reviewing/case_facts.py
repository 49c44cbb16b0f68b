"""The facts that a case's timelines are drawn from: of its sessions, and of what else went on at that time."""

from __future__ import annotations

import json
from itertools import groupby
from operator import attrgetter

from sqlalchemy.orm import Session

from online_guard.ingest.identity import settle
from online_guard.pictures.facts import SessionFacts
from online_guard.pictures.session_facts import session_facts
from online_guard.service.house import House
from online_guard.service.reviewing import cases
from online_guard.service.reviewing.case_file import sessions_of_case
from online_guard.store import review_rows
from online_guard.store.evidence_loader import load_around
from online_guard.store.logged_rows import session_key
from online_guard.store.tables import FindingRecord, SessionRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import DecisionKind, Effect, Subject
from online_guard.timeline.digest import view
from online_guard.verdict import Finding

MOST_LESSONS = 4
"""Lessons of one case that are drawn."""


def facts_of_case(house: House, case_id: str) -> list[SessionFacts]:
    """Return the facts of a case's sessions, lesson by lesson; none of a class, nor of sessions without events.

    Raises:
        GuardError: No such case.
    """
    with reading(house.engine) as database:
        case = cases.must_find(database, case_id)
        if case.enrolment_id is None:
            return []
        records = sorted(sessions_of_case(database, case), key=attrgetter("lesson_no", "opened_received_ms"))
        about = review_rows.findings_where(database, FindingRecord.enrolment_id == case.enrolment_id)
        findings = [_finding(record) for record in about]
        lessons = [list(group) for _, group in groupby(records, key=attrgetter("lesson_no"))][:MOST_LESSONS]
        return [facts for own in lessons for facts in _facts(house, database, own, findings)]


def _facts(house: House, database: Session, own: list[SessionRecord], findings: list[Finding]) -> list[SessionFacts]:
    evidence, raw = load_around(database, own)
    whole = evidence.with_events(settle(raw)[0])
    seen = view(whole, house.policy)
    keys = [session_key(record) for record in own]
    drawn = {whole.sessions.key[row] for row in seen.timeline.rows.tolist()}
    return [session_facts(whole, house.policy, findings, keys, seen)] if drawn & set(keys) else []


def _finding(record: FindingRecord) -> Finding:
    evidence = json.loads(record.evidence)
    decided = evidence.get("decision")
    return Finding(
        record.rule,
        Subject(record.subject),
        record.subject_id,
        Effect(record.effect),
        record.start_ms,
        record.end_ms,
        evidence,
        row=0,
        decision=None if decided is None else DecisionKind(decided["decision"]),
    )
