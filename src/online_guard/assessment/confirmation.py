"""What assessors say of tests that lack data, put beside a row of eligibility.

The row itself stays what the evidence gives, so that the service, an export and a re-validation agree: a bundle has no
table of confirmations. What follows from both is told beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from online_guard.terms import Answer


@dataclass(frozen=True)
class Confirmation:
    """What an assessor said of a test: of one enrolment, or (`enrolment_id` None) of every one of the class."""

    enrolment_id: str | None
    code: str
    answer: Answer


@dataclass(frozen=True)
class Settled:
    """A row of eligibility with what assessors said: a denied test failed, a confirmed one is no longer open."""

    eligible: bool
    failed: tuple[str, ...]
    unconfirmed: tuple[str, ...]

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"eligible": self.eligible, "failed": list(self.failed), "unconfirmed": list(self.unconfirmed)}


def answers(said: Iterable[Confirmation], enrolment_id: str) -> dict[str, Answer]:
    """Return what holds for an enrolment by code: the newest word about it, else the newest about its class.

    Args:
        said: About the class and its enrolments, oldest first.
        enrolment_id: The enrolment.
    """
    said = list(said)
    of_class = {one.code: one.answer for one in said if one.enrolment_id is None}
    return of_class | {one.code: one.answer for one in said if one.enrolment_id == enrolment_id}


def settle(row: Mapping[str, Any], said: Mapping[str, Answer]) -> Settled:
    """Return what follows from a row of eligibility and the answers by code; tests that the row decided stay so."""
    denied = {code for code in row["unconfirmed"] if said.get(code) is Answer.DENY}
    failed = tuple(sorted(set(row["failed"]) | denied))
    return Settled(not failed, failed, tuple(code for code in row["unconfirmed"] if code not in said))
