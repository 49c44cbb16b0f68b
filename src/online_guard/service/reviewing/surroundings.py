"""What lies around a case: the other sessions of its learner, on every platform."""

from __future__ import annotations

import json
from typing import Any

from online_guard.service.house import House
from online_guard.service.reviewing import cases
from online_guard.store import queries, review_rows, session_rows
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.unit_of_work import reading
from online_guard.verdict import case_id as case_of

MOST = 100
"""Sessions that are told, those nearest in time."""


def other_sessions(house: House, case_id: str) -> list[dict[str, Any]]:
    """Return the sessions of a case's learner that the case isn't about, in order of opening; of a class none.

    Raises:
        GuardError: No such case.
    """
    with reading(house.engine) as database:
        case = cases.must_find(database, case_id)
        if case.enrolment_id is None:
            return []
        learner = database.get_one(EnrolmentRecord, case.enrolment_id).learner_id
        found = []
        for session in session_rows.sessions_of_learner(database, learner, MOST):
            key = f"{session.platform_id}/{session.session_id}"
            if case.subject == "session" and key == case.subject_id:
                continue
            rows = [json.loads(row.body) for row in queries.results(database, "session", key)]
            found.append(
                {name: getattr(session, name) for name in ("platform_id", "session_id", "lesson_no", "enrolment_id")}
                | {"opened_ms": session.opened_received_ms, "closed_ms": session.closed_received_ms}
                | {"verdict": rows[0]["verdict"] if rows else None, "case_id": case_of("session", key)}
            )
        known = review_rows.known_cases(database, [one["case_id"] for one in found])
    return [one | {"case_id": one["case_id"] if one["case_id"] in known else None} for one in found]
