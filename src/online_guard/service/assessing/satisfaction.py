"""Satisfaction surveys of institutions, and the month in which one that fell short may start no class ((四)21(3))."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.suspension import Suspension, suspensions
from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import day_of
from online_guard.policy import Policy
from online_guard.service.house import House, clock_ms
from online_guard.store import assessment_rows, evidence_loader, queries
from online_guard.store.import_tables import SurveyRecord
from online_guard.store.tables import ClassRecord
from online_guard.store.unit_of_work import reading, writing


def record_survey(
    house: House, institution: str, surveyed_on: date, score: float, asked: int, now_ms: int
) -> tuple[bool, dict[str, Any]]:
    """Keep a survey; return whether it is new, what follows, and which classes are judged again.

    Args:
        house: The service.
        institution: As its classes name it.
        surveyed_on: Day of the survey.
        score: Share of the satisfied, 0 to 1.
        asked: How many were asked.
        now_ms: The service's clock.

    Raises:
        GuardError: No class of the institution, a day to come, or the same result of another number asked.
    """
    if surveyed_on > day_of(now_ms):
        words = "调查日期尚未到来 / the day of the survey is still to come"
        raise GuardError(ErrorKind.INVALID, "survey.in_future", words, where="/surveyed_on")
    record = SurveyRecord(institution=institution, surveyed_on=surveyed_on.isoformat(), score=score, asked=asked)
    with writing(house.engine) as database:
        classes = assessment_rows.classes_of(database, institution)
        if not classes:
            raise queries.not_found("培训机构 institution", institution, "/institution")
        is_new = _is_new(assessment_rows.surveys(database, institution), record)
        follows = suspensions([evidence_loader.survey(record)], house.policy)
        affected = [one.class_id for one in classes if any(stop.covers(_starts_on(one)) for stop in follows)]
        if is_new:
            assessment_rows.put_survey(database, record)
            queries.enqueue(database, affected, clock_ms())
    if is_new:
        house.work.set()
    told = _survey(record) | {"suspension": follows[0].as_row() if follows else None}
    return is_new, {"institution": institution} | told | {"judged_again": sorted(affected)}


def _is_new(known: Sequence[SurveyRecord], record: SurveyRecord) -> bool:
    for one in known:
        if (one.surveyed_on, one.score) == (record.surveyed_on, record.score):
            if one.asked == record.asked:
                return False
            raise GuardError(
                ErrorKind.CONFLICT,
                "survey.exists",
                "同日同一结果已登记,调查人数不同 / the day's result is known, of another number asked",
                where="/asked",
            )
    return True


def _starts_on(record: ClassRecord) -> date:
    return date.fromisoformat(json.loads(record.body)["starts_on"])


def surveys_of(house: House, institution: str, platform_id: str | None) -> dict[str, Any]:
    """Return an institution's surveys, and the days on which it may start no class.

    Raises:
        GuardError: A platform without a class of this institution asks, or nobody has one.
    """
    with reading(house.engine) as database:
        if not assessment_rows.classes_of(database, institution, platform_id):
            raise queries.not_found("培训机构 institution", institution, "?institution")
        known = assessment_rows.surveys(database, institution)
        follows = _suspensions(database, house.policy, institution)
    return {
        "institution": institution,
        "minimum": house.policy.satisfaction.minimum,
        "surveys": [_survey(record) for record in known],
        "suspensions": [one.as_row() for one in follows],
    }


def suspension_at(house: House, institution: str, day: date) -> Suspension | None:
    """Return the suspension that keeps an institution from starting a class on a day, the longest one."""
    with reading(house.engine) as database:
        found = [one for one in _suspensions(database, house.policy, institution) if one.covers(day)]
    return max(found, key=lambda one: one.until_on, default=None)


def _suspensions(database: Session, policy: Policy, institution: str) -> list[Suspension]:
    return suspensions(map(evidence_loader.survey, assessment_rows.surveys(database, institution)), policy)


def _survey(record: SurveyRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ("surveyed_on", "score", "asked")}
