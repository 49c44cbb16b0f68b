"""The sessions, lessons and learners whose outcome changed, as rows that a person looks through."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from online_guard.compare.changes import Changes, hours_gained

MOST = 500
"""Rows of each kind; how many there are in all is said beside them."""
Row = dict[str, Any]


def listed_changes(changes: Changes, most: int = MOST) -> dict[str, Row]:
    """Return `sessions`, `lessons` and `learners`, each with `in_all` and `rows`, sorted by id.

    A row has its id, what is `old` and `new` (verdict, class hours, eligibility), and `rules` that explain it; a
    learner's has the `tests` that turned out otherwise, too. What is only measured otherwise isn't listed.
    """
    sessions, lessons, learners = changes.sessions, changes.lessons, changes.eligibility
    turned = pc.fill_null(pc.not_equal(sessions["old_verdict"], sessions["new_verdict"]), True)
    may = pc.fill_null(pc.not_equal(learners["old_eligible"], learners["new_eligible"]), True)
    told = pc.greater(pc.list_value_length(learners["tests"]), 0)
    return {
        "sessions": _rows(sessions.filter(turned), ("session_id",), "verdict", most),
        "lessons": _rows(
            lessons.filter(pa.array(hours_gained(lessons) != 0)),
            ("class_id", "enrolment_id", "lesson_no"),
            "hours",
            most,
        ),
        "learners": _rows(
            learners.filter(pc.or_(may, told)), ("class_id", "window", "enrolment_id", "tests"), "eligible", most
        ),
    }


def _rows(table: pa.Table, named: tuple[str, ...], outcome: str, most: int) -> Row:
    names = (*named, "explained_by", f"old_{outcome}", f"new_{outcome}")
    rows = table.slice(0, most).select(names).rename_columns([*named, "rules", "old", "new"]).to_pylist()
    return {"in_all": len(table), "rows": rows}
