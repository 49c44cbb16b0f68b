"""When an institution may not start classes: after a survey below the minimum (clause (四)21(3))."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from online_guard.assessment.windows import add_days, add_months
from online_guard.evidence import Survey
from online_guard.policy import Policy

SHARE_NOISE = 1e-9


@dataclass(frozen=True)
class Suspension:
    """Days on which no class may start, both included, and the survey that they follow."""

    surveyed_on: date
    score: float
    from_on: date
    until_on: date

    def covers(self, day: date) -> bool:
        """Return whether no class may start on a day."""
        return self.from_on <= day <= self.until_on

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        days = {name: getattr(self, name).isoformat() for name in ("surveyed_on", "from_on", "until_on")}
        return days | {"score": self.score}


def suspensions(surveys: Iterable[Survey], policy: Policy) -> list[Suspension]:
    """Return what follows from an institution's surveys, by the day of the survey.

    A score of exactly `satisfaction.minimum` passes. The day of the survey is the first, the day before the same day of
    the next month the last (SPEC E11).
    """
    rule = policy.satisfaction
    found = [
        Suspension(
            survey.surveyed_on,
            survey.score,
            survey.surveyed_on,
            add_days(add_months(survey.surveyed_on, rule.suspension_months), -1),
        )
        for survey in surveys
        if survey.score < rule.minimum - SHARE_NOISE
    ]
    return sorted(found, key=lambda one: (one.surveyed_on, one.score))
