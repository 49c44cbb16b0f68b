"""What would follow if a finding were dismissed: the class judged once more with that decision, and nothing kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from online_guard.evidence import Decision
from online_guard.ingest.identity import settle
from online_guard.judge import judge
from online_guard.service.house import House
from online_guard.service.reviewing.finding_history import must_find_finding
from online_guard.store import queries
from online_guard.store.evidence_loader import load_class
from online_guard.store.tables import ResultRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import DecisionKind, Subject

LATER_MS = 2**52
"""After every decision that was made."""


def dismissed(house: House, finding_id: str) -> dict[str, Any]:
    """Return verdicts and lessons that would change: each with what it is `now` and what it would be `then`.

    Two persons dismiss it, as the law may ask. A class of 80 learners with three lessons each takes 0.2 s of CPU.

    Returns:
        `sessions`: `session_id`, `now`, `then` (verdicts). `lessons`: `enrolment_id`, `lesson_no`, `now`, `then` (class
        hours), `refused_by` (rules that would still refuse it).

    Raises:
        GuardError: No such finding.
    """
    with reading(house.engine) as database:
        finding = must_find_finding(database, finding_id)
        evidence, raw = load_class(database, finding.class_id, house.policy.device.max_learners)
        results = queries.of_class(database, ResultRecord, finding.class_id)
    whole = evidence.with_events(settle(raw)[0])
    said = [
        Decision(
            finding.rule, Subject(finding.subject), finding.subject_id, DecisionKind.DISMISS, "-", LATER_MS + n, n_th
        )
        for n, n_th in enumerate(("first", "second"))
    ]
    then = judge(replace(whole, decisions=(*whole.decisions, *said)), house.policy)
    rows = {kind: [json.loads(row.body) for row in results if row.kind == kind] for kind in ("session", "ledger")}
    verdicts = {row["session_id"]: row["verdict"] for row in rows["session"]}
    hours = {(row["enrolment_id"], row["lesson_no"]): row["hours"] for row in rows["ledger"]}
    return {
        "sessions": [
            {"session_id": row.session_id, "now": verdicts[row.session_id], "then": str(row.verdict)}
            for row in then.sessions
            if verdicts.get(row.session_id, row.verdict) != row.verdict
        ],
        "lessons": [
            row.as_row() | {"now": hours[row.enrolment_id, row.lesson_no], "then": row.hours}
            for row in then.ledger
            if hours.get((row.enrolment_id, row.lesson_no), row.hours) != row.hours
        ],
    }
