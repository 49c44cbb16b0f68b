"""What is known of an application that failed, and a thing that helps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from online_guard.assessment.windows import Chance, next_chance
from online_guard.evidence import Application, Enrolment, Evidence, Project, TrainingClass
from online_guard.ledger import LedgerEntry
from online_guard.policy import Policy

Details = Mapping[str, Any]
"""The evidence of a failed test."""


@dataclass(frozen=True)
class Cure:
    """One thing that helps.

    Attributes:
        zh: What to do, Chinese.
        en: The same in English.
        lessons: Numbers of the lessons to study.
        from_on: First day on which it can be done.
        until_on: Last day on which it counts.
        window: The assessment window to apply for.
    """

    zh: str
    en: str
    lessons: tuple[int, ...] = ()
    from_on: date | None = None
    until_on: date | None = None
    window: str | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as JSON values, without what doesn't apply."""
        days = {"from_on": self.from_on, "until_on": self.until_on}
        said: dict[str, Any] = {name: day.isoformat() for name, day in days.items() if day is not None}
        more = {"lessons": list(self.lessons), "window": self.window}
        return {"zh": self.zh, "en": self.en} | said | {name: value for name, value in more.items() if value}


@dataclass(frozen=True)
class Situation:
    """What is known of an enrolment, or of a class alone, whose application was judged.

    Attributes:
        training_class: The class.
        enrolment: The learner's enrolment; None where the class alone is meant.
        application: The application judged; None without one.
        applied_for: All windows that the class applied for.
        ledger: Of the enrolment.
        projects: The learner's, of other classes too.
        policy: Thresholds and Annex 3.
        today: Civil date in China.
    """

    training_class: TrainingClass
    enrolment: Enrolment | None
    application: Application | None
    applied_for: Collection[str]
    ledger: Sequence[LedgerEntry]
    projects: Sequence[Project]
    policy: Policy
    today: date

    def study_until(self) -> date:
        """Return the last day on which study counts: the class's last, or with approved leave that of the assessment.

        Source: clause 三(二), as OG703 applies it.
        """
        one = self.training_class
        on_leave = self.enrolment is not None and self.enrolment.on_leave(one.starts_on, one.ends_on)
        return self.assessment_on() if on_leave else one.ends_on

    def assessment_on(self) -> date:
        """Return the day of the assessment; without an application the last one of the next window."""
        if self.application is not None:
            return self.application.assessment_on
        chance = self.next_chance()
        return date.max if chance is None else chance.until_on

    def next_chance(self) -> Chance | None:
        """Return the first window that the class can still apply for."""
        rule = self.policy.assessment
        return next_chance(self.training_class.ends_on, self.today, rule.months, rule.notice_days, self.applied_for)


class Situations:
    """The situation of each row of eligibility, looked up.

    Args:
        evidence: Classes, enrolments, projects and applications.
        entries: The ledger.
        policy: Thresholds and Annex 3.
        today: Civil date in China.
    """

    def __init__(self, evidence: Evidence, entries: Iterable[LedgerEntry], policy: Policy, today: date) -> None:
        self._classes = {one.class_id: one for one in evidence.classes}
        self._enrolments = {one.enrolment_id: one for one in evidence.enrolments}
        self._applications = {(one.class_id, one.window): one for one in evidence.applications}
        self._ledger, self._projects = defaultdict[str, list[LedgerEntry]](list), defaultdict[str, list[Project]](list)
        for entry in entries:
            self._ledger[entry.enrolment_id].append(entry)
        for project in evidence.projects:
            self._projects[project.learner_id].append(project)
        self._policy, self._today = policy, today

    def of(self, class_id: str, window: str | None, enrolment_id: str | None) -> Situation:
        """Return the situation of a class's enrolment (None: of the class alone) in a window (None: no application)."""
        enrolment = None if enrolment_id is None else self._enrolments[enrolment_id]
        return Situation(
            training_class=self._classes[class_id],
            enrolment=enrolment,
            application=None if window is None else self._applications[class_id, window],
            applied_for=frozenset(month for owner, month in self._applications if owner == class_id),
            ledger=() if enrolment_id is None else self._ledger[enrolment_id],
            projects=() if enrolment is None else self._projects[enrolment.learner_id],
            policy=self._policy,
            today=self._today,
        )
