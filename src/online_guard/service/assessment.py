"""Applications for an assessment window, and who may sit it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from online_guard.assessment.eligibility import TESTS
from online_guard.errors import ErrorKind, GuardError
from online_guard.service import provenance
from online_guard.service.house import House, clock_ms
from online_guard.service.verification import enrolment_state
from online_guard.store import import_rows, queries
from online_guard.store.tables import ApplicationRecord
from online_guard.store.unit_of_work import reading, writing


def apply(
    house: House, window: str, class_id: str, platform_id: str | None, applied_on: date, assessment_on: date
) -> tuple[bool, dict[str, Any]]:
    """Keep an application; return whether it is new, and what was kept. Eligibility follows.

    Raises:
        GuardError: No such class, or another application of the class for the window.
    """
    told = {
        "class_id": class_id,
        "window": window,
        "applied_on": applied_on.isoformat(),
        "assessment_on": assessment_on.isoformat(),
    }
    with writing(house.engine) as database:
        queries.own_class(database, class_id, platform_id)
        known = database.get(ApplicationRecord, (class_id, window))
        if known is not None:
            if {name: getattr(known, name) for name in told} != told:
                raise GuardError(
                    ErrorKind.CONFLICT,
                    "application.exists",
                    "该班次在此批次已有另一申请 / the class has another application for this window",
                    where="/class_id",
                )
            return False, told
        database.add(ApplicationRecord(**told))
        queries.enqueue(database, [class_id], clock_ms())
    house.work.set()
    return True, told


def eligibility_of(house: House, enrolment_id: str, platform_id: str | None) -> dict[str, Any]:
    """Return an enrolment's rows of eligibility, one for each application of its class.

    Raises:
        GuardError: Unknown enrolment.
    """
    with reading(house.engine) as database:
        state = enrolment_state(database, enrolment_id, platform_id)
        rows = [json.loads(row.body) for row in queries.results(database, "eligibility", enrolment_id)]
        whose = provenance.joined(one for _, one in import_rows.provenances_of_enrolment(database, enrolment_id))
    return {"enrolment_id": enrolment_id, "state": state, "provenance": whose, "rows": [_told(row) for row in rows]}


def candidates(house: House, window: str, platform_id: str | None) -> dict[str, Any]:
    """Return who may sit the assessment of a window, who may not, and why: of all platforms, or of one."""
    with reading(house.engine) as database:
        class_ids = queries.classes_applying(database, window, platform_id)
        pending = [class_id for class_id in class_ids if queries.is_pending(database, class_id)]
        rows = [
            row
            for class_id in class_ids
            for row in queries.results_of_class(database, "eligibility", class_id)
            if row["window"] == window
        ]
    return {
        "window": window,
        "pending": pending,
        "candidates": [_told(row) for row in rows if row["eligible"]],
        "refused": [_told(row) for row in rows if not row["eligible"]],
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    tests = {
        code: {"zh": TESTS[code].zh, "en": TESTS[code].en, "clause": TESTS[code].clause}
        for code in (*row["failed"], *row["unconfirmed"])
    }
    return row | {"tests": tests}
