"""Auditors at work on one class of an open house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stored_class import HONEST, cheat, store_class

from online_guard.service import verification
from online_guard.service.house import House, clock_ms
from online_guard.service.reviewing import appeals, case_file, case_queue, review
from online_guard.store import review_rows
from online_guard.store.review_rows import Wanted
from online_guard.store.tables import FindingRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import CaseState, DecisionKind

UPHOLD, DISMISS = DecisionKind.UPHOLD, DecisionKind.DISMISS
APPEALED = CaseState.APPEALED
REASON = "看过证据"


PLANS = [HONEST, cheat("skip_ahead"), cheat("scripted_answers", 2), cheat("hidden_playback", 3)]


def a_review(house: House) -> Review:
    """Verify a class with an honest learner and three cheats, and return its review."""
    course = store_class(house, PLANS)
    verification.verify_class(house, course.class_id)
    return Review(house, course.class_id)


@dataclass(frozen=True)
class Review:
    """Review of a class."""

    house: House
    class_id: str

    def findings(self) -> list[FindingRecord]:
        """Return the findings of the last verification."""
        with reading(self.house.engine) as database:
            return review_rows.findings_where(database, FindingRecord.class_id == self.class_id)

    def finding(self, rule: str) -> FindingRecord:
        """Return the first finding of a rule."""
        return next(found for found in self.findings() if found.rule == rule)

    def says(
        self,
        name: str,
        decision: DecisionKind,
        found: FindingRecord,
        reason: str = REASON,
        seen: str | None = None,
        now_ms: int | None = None,
    ) -> dict[str, Any]:
        """Return the answer to a decision."""
        said = review.Said(decision, reason, name, "auditor", seen)
        return review.decide(self.house, found.finding_id, said, now_ms or clock_ms())[1]

    def says_again(self, name: str, decision: DecisionKind, found: FindingRecord) -> tuple[bool, dict[str, Any]]:
        """Return whether a decision is new, and the answer."""
        said = review.Said(decision, REASON, name, "auditor")
        return review.decide(self.house, found.finding_id, said, clock_ms())

    def two_say(self, decision: DecisionKind, found: FindingRecord) -> dict[str, Any]:
        """Let two persons say the same."""
        self.says("甲", decision, found)
        return self.says("乙", decision, found)

    def appeals(self, found: FindingRecord, reason: str = "我一直在看") -> dict[str, Any]:
        """Return an appeal of the platform for the learner."""
        return appeals.appeal(
            self.house, found.finding_id, "hc-online", "hc-online-key", "learner", reason, clock_ms()
        )[1]

    def case(self, found: FindingRecord) -> dict[str, Any]:
        """Return the case of a finding."""
        return case_file.case_file(self.house, found.case_id)

    def case_id(self, found: FindingRecord) -> str:
        """Return the case of what has the same identity in the last verification."""
        return next(one.case_id for one in self.findings() if one.finding_id == found.finding_id)

    def queue(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the first cases of the queue."""
        return list(case_queue.queue(self.house, Wanted(**wanted), None, 50)["cases"])
