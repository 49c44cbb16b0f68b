"""What the evidence log says of a case, with what its digests are made of: anyone who reads it can check it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from online_guard.service.house import House
from online_guard.service.operating import evidence_log
from online_guard.service.reviewing import cases
from online_guard.store import log_proofs
from online_guard.store.decision_tables import CaseRecord
from online_guard.store.logged_rows import about_class, about_enrolment, about_session
from online_guard.store.unit_of_work import reading

KINDS = frozenset({"verdict", "decision", "claim", "snapshot", "liveness"})


def _subjects(case: CaseRecord) -> Iterator[str]:
    if case.subject == "session":
        yield about_session(case.subject_id)
    if case.enrolment_id is not None:
        yield about_enrolment(case.enrolment_id)
    else:
        yield about_class(case.class_id)


def entries(house: House, case_id: str) -> list[dict[str, Any]]:
    """Return the log's entries about a case, newest last: leaf, subject, payload and the salt of its digest.

    Raises:
        GuardError: No such case, or the log is signed by another machine's key.
    """
    evidence_log.sequence(house, at_once=True)
    with reading(house.engine) as database:
        case = cases.must_find(database, case_id)
        size = log_proofs.current_head(database)["size"]
        rows = log_proofs.entries_about(database, list(_subjects(case)), size)
        return [
            log_proofs.told_entry(row)
            | {"kind": row.kind, "time_ms": json.loads(row.leaf)["time_ms"]}
            | {"subject": row.subject, "payload": row.payload, "salt": row.salt.hex()}
            for row in rows
            if row.kind in KINDS
        ]
