"""What the service has stored of its judgement, and what a batch finds in the export of the same data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from simulated_platform import SimulatedPlatform
from sqlalchemy import select

from online_guard.batch import revalidate
from online_guard.service.house import House
from online_guard.service.operating.export import export
from online_guard.simulate.course import Course
from online_guard.simulate.honest import Desk
from online_guard.simulate.learner import Learner
from online_guard.store.tables import FindingRecord, ResultRecord
from online_guard.store.unit_of_work import reading

ID_COLUMNS = ("rule", "subject", "subject_id", "effect", "start_ms", "end_ms")
Row = dict[str, Any]


def judged_live(house: House) -> dict[str, list[Row]]:
    """Return what the service has stored, by table."""
    with reading(house.engine) as database:
        findings: list[Row] = [
            {name: getattr(record, name) for name in ID_COLUMNS} | {"evidence": json.loads(record.evidence)}
            for record in database.scalars(select(FindingRecord))
        ]
        results = [(record.kind, json.loads(record.body)) for record in database.scalars(select(ResultRecord))]
    tables = {kind: [body for one, body in results if one == kind] for kind in ("session", "ledger", "eligibility")}
    return {name: ordered(rows) for name, rows in ({"findings": findings} | tables).items()}


def judged_in_batch(house: House, folder: Path) -> dict[str, list[Row]]:
    """Return what a batch finds in an export."""
    export(house, folder)
    result = revalidate(folder, house.policy, workers=1)
    assert result.refused == []
    judged = result.judgement
    tables: dict[str, Sequence[Any]] = {
        "findings": judged.findings, "session": judged.sessions, "ledger": judged.ledger,
        "eligibility": judged.eligibility,
    }  # fmt: skip
    return {name: ordered([json.loads(json.dumps(row.as_row())) for row in rows]) for name, rows in tables.items()}


def ordered(rows: list[Row]) -> list[Row]:
    """Return rows in one order."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def desk(simulated: SimulatedPlatform, course: Course, enrolment_id: str, now_ms: int | None = None) -> Desk:
    """Return the desk of a learner, whose clock may be set."""
    made = course.desk(simulated, enrolment_id, Random(enrolment_id))
    made.now_ms = now_ms or made.now_ms
    return made


def rules_of(tables: dict[str, list[Row]], enrolment_id: str) -> set[str]:
    """Return the rules with a finding about a session of an enrolment."""
    return {row["rule"] for row in tables["findings"] if f"/{enrolment_id}-" in row["subject_id"]}


def watch(learner: Learner, until_s: float) -> Learner:
    """Let a learner watch for a while."""
    learner.watch(until_s)
    return learner
