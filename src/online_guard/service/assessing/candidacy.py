"""Who may sit the assessment of a window now, and how that differs from whom somebody planned for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.candidates import candidate_of
from online_guard.assessment.roster import Candidate
from online_guard.store import assessment_rows, queries, roster_rows
from online_guard.store.evidence_loader import training_class
from online_guard.wording import failed_test_in_words

ADDED, REMOVED, CHANGED = WHAT = ("added", "removed", "changed")
ELIGIBLE = {"zh": "现已可参加考核", "en": "is eligible now"}
GONE = {"zh": "已不在申请班次的名单上", "en": "is no longer of a class that applies"}
Row = Mapping[str, Any]
"""A stored row of `eligibility.ndjson`, with what assessors confirmed or denied."""


@dataclass(frozen=True)
class Candidacy:
    """Who is eligible for a window at one moment.

    Attributes:
        candidates: By enrolment.
        refused: Rows of those who aren't eligible, by enrolment.
        pending: Classes that apply but wait for their verification; nothing is said of their learners.
    """

    candidates: Mapping[str, Candidate]
    refused: Mapping[str, Row]
    pending: tuple[str, ...]

    @classmethod
    def of(cls, database: Session, window: str, platform_id: str | None = None) -> Candidacy:
        """Return who is eligible now by the last verification of each class that applies, of all platforms or one."""
        candidates: dict[str, Candidate] = {}
        refused: dict[str, Row] = {}
        pending: list[str] = []
        for applied, record in roster_rows.applications(database, window, platform_id):
            if queries.is_pending(database, record.class_id):
                pending.append(record.class_id)
                continue
            of_class, day = training_class(record), date.fromisoformat(applied.assessment_on)
            learners = roster_rows.learners(database, record.class_id)
            for row in assessment_rows.settled(database, record.class_id):
                who = row["enrolment_id"]
                if row["window"] != window:
                    continue
                if row["eligible"]:
                    candidates[who] = candidate_of(of_class, day, who, learners[who], row["unconfirmed"])
                else:
                    refused[who] = row
        return cls(candidates, refused, tuple(pending))

    def differences(self, planned: Iterable[Candidate]) -> list[dict[str, Any]]:
        """Return who is to be added to a plan or removed from it, or is known otherwise, and why, by enrolment.

        Of classes that wait for their verification nothing is said: `pending` names them. That an assessor confirmed a
        test asks for no other plan.
        """
        known = {one.enrolment_id: one for one in planned if one.class_id not in self.pending}
        found = []
        for who in sorted(known.keys() | self.candidates.keys()):
            before, now = known.get(who), self.candidates.get(who)
            if before is None and now is not None:
                found.append(_told(now, ADDED, [ELIGIBLE]))
            elif before is not None and now is None:
                found.append(_told(before, REMOVED, self._why_refused(who)))
            elif before is not None and now is not None and _but_unconfirmed(before) != _but_unconfirmed(now):
                found.append(_told(now, CHANGED, [_what_changed(before, now)]))
        return found

    def _why_refused(self, who: str) -> list[dict[str, str]]:
        row = self.refused.get(who)
        if row is None:
            return [GONE]
        words = {code: failed_test_in_words(code, row["evidence"].get(code, {})) for code in row["failed"]}
        return [{"code": code, "zh": zh, "en": en} for code, (zh, en) in words.items()]


def _but_unconfirmed(candidate: Candidate) -> Candidate:
    return candidate.model_copy(update={"unconfirmed": ()})


def _told(candidate: Candidate, what: str, why: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "enrolment_id": candidate.enrolment_id,
        "class_id": candidate.class_id,
        "platform_id": candidate.platform_id,
        "what": what,
        "why": why,
    }


def _what_changed(before: Candidate, now: Candidate) -> dict[str, str]:
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    fields = ", ".join(name for name in new if old[name] != new[name])
    return {"zh": f"情况已变:{fields}", "en": f"is known otherwise now: {fields}"}
