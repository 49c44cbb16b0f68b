"""Who may sit the assessment of a window, who may not, why, and what would cure it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.confirmation import settle
from online_guard.assessment.cures import cures
from online_guard.assessment.eligibility import TESTS
from online_guard.assessment.situation import Situation, Situations
from online_guard.evidence import day_of
from online_guard.policy import Policy
from online_guard.service import provenance
from online_guard.service.house import House
from online_guard.service.verification import enrolment_state
from online_guard.store import assessment_rows, evidence_loader, import_rows, queries, roster_rows
from online_guard.store.assessment_tables import ConfirmationRecord
from online_guard.store.unit_of_work import reading

ROWS_AT_ONCE = 2_000
"""Of whom evidence is looked up together; SQLite takes 32 766 values in one query."""
Row = dict[str, Any]


def eligibility_of(house: House, enrolment_id: str, platform_id: str | None, now_ms: int) -> dict[str, Any]:
    """Return an enrolment's rows of eligibility, one for each application of its class.

    Raises:
        GuardError: Unknown enrolment.
    """
    with reading(house.engine) as database:
        state = enrolment_state(database, enrolment_id, platform_id)
        rows = [json.loads(row.body) for row in queries.results(database, "eligibility", enrolment_id)]
        whose = provenance.joined(one for _, one in import_rows.provenances_of_enrolment(database, enrolment_id))
        told = told_rows(database, rows, house.policy, day_of(now_ms))
    return {"enrolment_id": enrolment_id, "state": state, "provenance": whose, "rows": told}


def candidates(house: House, window: str, platform_id: str | None, now_ms: int) -> dict[str, Any]:
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
        told = told_rows(database, rows, house.policy, day_of(now_ms))
    return {
        "window": window,
        "pending": pending,
        "candidates": [row for row in told if is_admitted(row)],
        "refused": [row for row in told if not is_admitted(row)],
    }


def is_admitted(told: Mapping[str, Any]) -> bool:
    """Return whether a row as it is told, with what assessors said, is that of somebody who may sit the assessment."""
    return bool(told.get("settled", told)["eligible"])


def told_rows(database: Session, rows: Sequence[Row], policy: Policy, today: date) -> list[Row]:
    """Return judged rows of eligibility as they are told: with words, cures, and what assessors said beside them."""
    told: list[Row] = []
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[first : first + ROWS_AT_ONCE]
        failing = [row for row in some if row["evidence"]]
        known = _situations(database, failing, policy, today)
        said = assessment_rows.confirmations(database, {row["class_id"] for row in some})
        told += [_told(row, known, said[row["class_id"]]) for row in some]
    return told


def _situations(database: Session, rows: Sequence[Row], policy: Policy, today: date) -> Situations:
    ids = sorted({row["enrolment_id"] for row in rows})
    short_of_hours = {row["enrolment_id"] for row in rows if {"E03", "E05"} & row["evidence"].keys()}
    members = list(roster_rows.enrolments(database, ids))
    records = evidence_loader.load_records(database, [], members)
    return Situations(records, assessment_rows.ledgers(database, sorted(short_of_hours)), policy, today)


def _told(row: Row, known: Situations, said: Sequence[ConfirmationRecord]) -> Row:
    if not row["evidence"]:
        return row | {"tests": {}}
    open_to = assessment_rows.answers_to(row, said)
    tests = told_tests(row["evidence"], known.of(row["class_id"], row["window"], row["enrolment_id"]))
    for code, answer in open_to.items():
        tests[code] |= {"answer": str(answer)}
    return row | {"tests": tests} | ({"settled": settle(row, open_to).as_row()} if open_to else {})


def told_tests(evidence: Mapping[str, Mapping[str, Any]], situation: Situation) -> dict[str, Row]:
    """Return failed and unconfirmed tests in words, with clause, and what would cure each."""
    helps = cures(evidence, situation)
    return {
        code: {
            "zh": TESTS[code].zh,
            "en": TESTS[code].en,
            "clause": TESTS[code].clause,
            "cure": [cure.as_row() for cure in helps[code]],
        }
        for code in evidence
    }
