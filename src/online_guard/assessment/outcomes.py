"""What became of learners in the offline assessment: when a project counts as assessed, and Annex 2's figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from online_guard.terms import CertificateRoute


@dataclass(frozen=True)
class Result:
    """What counts of a learner's result in one assessment window.

    Attributes:
        class_id: The class.
        enrolment_id: The learner in it.
        route: Of the certificate.
        assessed_on: The day; None for who was absent.
        passed: Whether the assessment was passed.
        is_certified: Whether a certificate was issued.
    """

    class_id: str
    enrolment_id: str
    route: CertificateRoute
    assessed_on: date | None
    passed: bool
    is_certified: bool


@dataclass(frozen=True)
class Figures:
    """Numbers of people: who were called, of them absent, assessed (参加人数), passed, and certified (取证人数)."""

    called: int = 0
    absent: int = 0
    assessed: int = 0
    passed: int = 0
    certified: int = 0


def assessed_on(days: Iterable[date | None]) -> date | None:
    """Return the day on which a learner's project counts as assessed, from the results of all its windows.

    The last one: who comes again in a later window studies until then (OG703), and rests from then on (E08). None: the
    learner never came.
    """
    return max((day for day in days if day is not None), default=None)


def figures(results: Iterable[Result]) -> dict[CertificateRoute, Figures]:
    """Return Annex 2's figures of an assessment by route, all five of them, each learner of a class counted once.

    Who has results in several windows counts with the best of them: certified, passed, assessed, absent.

    Source: Annex 2, 结业考核: 参加…人数 and 取证人数 of each route; 取证总人数 is the sum of `certified`.
    """
    best: dict[tuple[str, str], Result] = {}
    for result in results:
        key = result.class_id, result.enrolment_id
        best[key] = max(best.get(key, result), result, key=_rank)
    return {route: _count([one for one in best.values() if one.route is route]) for route in CertificateRoute}


def _rank(result: Result) -> tuple[bool, bool, bool, str]:
    """Return what makes one of a learner's results better than another; of equal ones the choice is the same."""
    return result.is_certified, result.passed, result.assessed_on is not None, str(result.route)


def _count(results: list[Result]) -> Figures:
    absent = sum(result.assessed_on is None for result in results)
    return Figures(
        called=len(results),
        absent=absent,
        assessed=len(results) - absent,
        passed=sum(result.passed for result in results),
        certified=sum(result.is_certified for result in results),
    )
