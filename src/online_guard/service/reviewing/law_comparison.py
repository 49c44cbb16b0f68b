"""A stored class judged by a law, and two laws compared by what they give.

Each class is judged twice by `judge`, by the law in force and by the other one, so that nothing but the law makes a
difference: neither decisions since a verdict was stored, nor a version of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

PACKED = pa.ipc.IpcWriteOptions(compression="zstd")
Parts = Callable[[str], Sequence[bytes]]
"""Returns the parts of a table by its name, as `judged_parts` gave them for each class."""


def judged_parts(house: House, law: Policy, class_id: str) -> dict[str, bytes]:
    """Judge a class by what is stored; return the rows that are its own, each table as a stream of Arrow."""
    with reading(house.engine) as database:
        evidence, raw = load_class(database, class_id, law.device.max_learners)
    judged = judge(evidence.with_events(settle(raw)[0]), law)
    own = Own.of(evidence, class_id)
    rows: dict[str, Sequence[Any]] = {
        "findings": [row for row in judged.findings if own.has(row.subject, row.subject_id)],
        "sessions": [row for row in judged.sessions if row.session_id in own.sessions],
        "ledger": [row for row in judged.ledger if row.enrolment_id in own.members],
        "eligibility": [row for row in judged.eligibility if row.class_id == class_id],
    }
    return {name: _packed(in_columns([row.as_row() for row in rows[name]], SCHEMAS[name])) for name in SCHEMAS}


def compared(old: Policy, old_parts: Parts, new: Policy, new_parts: Parts) -> dict[str, Any]:
    """Return `summary`, numbers as in `comparison.json`, and `listed`, the changed rows."""
    comparison = compare(_results(old, old_parts), _results(new, new_parts))
    summary = {name: value for name, value in comparison.summary.items() if name != "examples"}
    return {"summary": summary, "listed": listed_changes(comparison.changes)}


def _results(law: Policy, parts: Parts) -> Results:
    """Return all classes as the results of one re-validation."""
    tables = {
        name: pa.concat_tables([schema.empty_table(), *(pa.ipc.open_stream(part).read_all() for part in parts(name))])
        for name, schema in SCHEMAS.items()
    }
    eligible = sum(tables["eligibility"]["eligible"].to_pylist())
    stamp = {"id": law.id, "version": law.version, "sha256": law.sha256}
    return Results({"policy": stamp, "counts": {"eligible": eligible}}, **tables)


def _packed(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=PACKED) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())
