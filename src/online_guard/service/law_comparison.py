"""Stored classes judged by two laws, and what differs.

Each class is judged twice by `judge`, by the law in force and by the other one, so that nothing but the law makes a
difference: neither decisions since a verdict was stored, nor a version of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from online_guard.compare import Results, compare
from online_guard.compare.listing import listed_changes
from online_guard.ingest.identity import settle
from online_guard.judge import judge
from online_guard.policy import Policy
from online_guard.result_columns import SCHEMAS, in_columns
from online_guard.service.house import House
from online_guard.service.verification import Own
from online_guard.store.evidence_loader import load_class
from online_guard.store.unit_of_work import reading


def compare_laws(
    house: House, old: Policy, new: Policy, class_ids: Sequence[str], tell: Callable[[int], object]
) -> dict[str, Any]:
    """Return `summary`, numbers as in `comparison.json`, and `listed`, the changed rows; nothing is stored.

    Args:
        house: The service.
        old: One law.
        new: The other.
        class_ids: Whose sessions, lessons and enrolments are compared.
        tell: Told after each class how many are judged.
    """
    sides = [_Side(law, {name: [] for name in SCHEMAS}) for law in (old, new)]
    for number, class_id in enumerate(class_ids, start=1):
        for side in sides:
            side.judge(house, class_id)
        tell(number)
    comparison = compare(*(side.results() for side in sides))
    summary = {name: value for name, value in comparison.summary.items() if name != "examples"}
    return {"summary": summary, "listed": listed_changes(comparison.changes)}


@dataclass
class _Side:
    """What one law gives: columns of each table, class by class."""

    policy: Policy
    batches: dict[str, list[pa.RecordBatch]]

    def judge(self, house: House, class_id: str) -> None:
        """Judge a class by what is stored, and keep the rows that are its own."""
        with reading(house.engine) as database:
            evidence, raw = load_class(database, class_id, self.policy.device.max_learners)
        judged = judge(evidence.with_events(settle(raw)[0]), self.policy)
        own = Own.of(evidence, class_id)
        rows: dict[str, Sequence[Any]] = {
            "findings": [row for row in judged.findings if own.has(row.subject, row.subject_id)],
            "sessions": [row for row in judged.sessions if row.session_id in own.sessions],
            "ledger": [row for row in judged.ledger if row.enrolment_id in own.members],
            "eligibility": [row for row in judged.eligibility if row.class_id == class_id],
        }
        for name, schema in SCHEMAS.items():
            self.batches[name].append(in_columns([row.as_row() for row in rows[name]], schema))

    def results(self) -> Results:
        """Return all classes as the results of one re-validation."""
        tables = {name: pa.Table.from_batches(self.batches[name], schema) for name, schema in SCHEMAS.items()}
        law = {"id": self.policy.id, "version": self.policy.version, "sha256": self.policy.sha256}
        eligible = sum(tables["eligibility"]["eligible"].to_pylist())
        return Results({"policy": law, "counts": {"eligible": eligible}}, **tables)
