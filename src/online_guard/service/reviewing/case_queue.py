"""The queue of cases that wait for a person, page by page."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from online_guard.rules.catalogue import BY_ID
from online_guard.service.cursors import cursor_of, place_of
from online_guard.service.house import House, clock_ms
from online_guard.service.reviewing.cases import told_case
from online_guard.store import assignment_rows, review_rows
from online_guard.store.review_rows import Wanted
from online_guard.store.tables import FindingRecord
from online_guard.store.unit_of_work import reading

CaseId = Annotated[str, Meta(pattern="^[a-z]+-[0-9a-f]{24}$")]
PLACE = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, le=9)], Annotated[int, Meta(ge=0, le=2**62)], CaseId])


def queue(house: House, wanted: Wanted, cursor: str | None, limit: int) -> dict[str, Any]:
    """Return cases, those first where most depends on an auditor: of them the longest waiting, or the most urgent.

    Raises:
        GuardError: The cursor isn't one of ours.
    """
    after = None if cursor is None else place_of(cursor, PLACE, "next")
    with reading(house.engine) as database:
        records = review_rows.queue(database, wanted, after, limit + 1)
        page = records[:limit]
        ids = [record.case_id for record in page]
        found: dict[str, list[FindingRecord]] = defaultdict(list)
        for finding in review_rows.findings_where(database, FindingRecord.case_id.in_(ids)):
            found[finding.case_id].append(finding)
        taken = assignment_rows.assignments(database, ids, clock_ms())
    last = page[-1] if len(records) > limit else None
    return {
        "cases": [
            told_case(record)
            | {
                "taken_by": taken[record.case_id].reviewer if record.case_id in taken else None,
                "findings": list(map(_brief, found[record.case_id])),
            }
            for record in page
        ],
        "next": None if last is None else cursor_of((last.priority, getattr(last, wanted.moment), last.case_id)),
    }


def _brief(finding: FindingRecord) -> dict[str, Any]:
    rule = BY_ID[finding.rule]
    return {
        "finding_id": finding.finding_id,
        "rule": finding.rule,
        "name_zh": rule.zh,
        "name_en": rule.name,
        "effect": finding.effect,
    }
