"""Accepted sessions → hours earned or refused by enrolment and lesson, with reasons (学时台账, SPEC section 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from online_guard.evidence import Flags, Integers
from online_guard.policy import Policy
from online_guard.policy.sections import ViolationScope
from online_guard.rules.base import Facts
from online_guard.terms import DecisionKind, Subject
from online_guard.timeline.coverage import Lessons, reaches, share
from online_guard.timeline.syllabus import Syllabus
from online_guard.verdict import HELD, Finding

ONE_LESSON_EACH = "OG701"
"""The class rule whose finding is about the lessons it names, not about all."""
UNFINISHED = "OG702"


class LedgerEntry(NamedTuple):
    """Hours that a lesson earned for an enrolment, or the rules that refuse it."""

    enrolment_id: str
    lesson_no: int
    hours: float
    credited_s: float
    coverage: float
    refused_by: tuple[str, ...]

    def as_row(self) -> dict[str, Any]:
        """Return the row of `ledger.ndjson`."""
        return {
            "enrolment_id": self.enrolment_id,
            "lesson_no": self.lesson_no,
            "hours": self.hours,
            "credited_s": self.credited_s,
            "coverage": self.coverage,
            "refused_by": list(self.refused_by),
        }


@dataclass(frozen=True)
class Blockers:
    """Findings that stand or wait, by what they are about, as sets of rule ids.

    of_lesson and of_sessions: by row of the opened lesson; the latter of its rejected and held sessions. of_enrolment
    and rejected: by row of the enrolment; the latter only where a rejection reaches that far. of_class: by row of the
    class; of_numbers: by row of the class and lesson number. dismissed: opened lessons whose OG702 was dismissed.
    """

    of_lesson: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    of_sessions: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    of_enrolment: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    rejected: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    of_class: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    of_numbers: defaultdict[tuple[int, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    dismissed: set[int] = field(default_factory=set)

    def against(self, planned: Syllabus, place: int) -> set[str]:
        """Return the rules of what is against a lesson itself, its class or its enrolment."""
        enrolment, class_row = int(planned.enrolment[place]), int(planned.training_class[place])
        return (
            self.of_lesson.get(int(planned.opened[place]), set())
            | self.of_class.get(class_row, set())
            | self.of_numbers.get((class_row, int(planned.lesson_no[place])), set())
            | self.of_enrolment.get(enrolment, set())
            | self.rejected.get(enrolment, set())
        )


def blockers(findings: Iterable[Finding], facts: Facts, verdicts: Integers, policy: Policy) -> Blockers:
    """Return what stands or waits about each lesson, class, enrolment and session."""
    found = Blockers()
    for finding in findings:
        if finding.rule == UNFINISHED and finding.decision is DecisionKind.DISMISS:
            found.dismissed.add(finding.row)
        if not (finding.stands or finding.waits):
            continue
        match finding.subject:
            case Subject.LESSON:
                found.of_lesson[finding.row].add(finding.rule)
            case Subject.ENROLMENT:
                found.of_enrolment[finding.row].add(finding.rule)
            case Subject.CLASS:
                _block_class(found, finding)
            case Subject.SESSION:
                _block_session(found, finding, facts, verdicts, policy)
    return found


def _block_class(found: Blockers, finding: Finding) -> None:
    if finding.rule != ONE_LESSON_EACH:
        found.of_class[finding.row].add(finding.rule)
        return
    for number in finding.evidence["lessons"]:
        found.of_numbers[finding.row, number].add(finding.rule)


def _block_session(found: Blockers, finding: Finding, facts: Facts, verdicts: Integers, policy: Policy) -> None:
    if finding.stands or verdicts[finding.row] == HELD:
        found.of_sessions[int(facts.lessons.of_session[finding.row])].add(finding.rule)
    if finding.stands and policy.violation_scope is ViolationScope.ENROLMENT:
        found.rejected[int(facts.evidence.sessions.enrolment[finding.row])].add(finding.rule)


def keep(facts: Facts, findings: Sequence[Finding], verdicts: Integers, policy: Policy) -> list[LedgerEntry]:
    """Return the ledger: one entry for each enrolment and lesson of its class, sorted by both.

    Args:
        facts: Tables with verdicts.
        findings: All findings, decided.
        verdicts: Of each session.
        policy: Its `hours` section and `violation_scope`.
    """
    lessons = facts.lessons
    credited = facts.accepted_study.credited_ns(policy)
    coverage = share(credited, lessons.duration_ns)
    full = reaches(coverage, policy.hours.min_coverage)
    played = _accepted_and_played(facts, lessons)
    blocked = blockers(findings, facts, verdicts, policy)
    planned = lessons.planned
    row, is_open = np.maximum(planned.opened, 0), planned.opened >= 0
    if not len(lessons):
        credited, coverage, full = np.zeros(1, np.int64), np.zeros(1), np.zeros(1, bool)
    reasons: list[tuple[str, ...]] = [()] * len(row)
    earns = is_open & full[row]
    for place in _in_doubt(planned, blocked, is_open).tolist():
        against = blocked.against(planned, place)
        opened = int(planned.opened[place])
        enough = bool(full[opened]) or (opened in blocked.dismissed and bool(played[opened]))
        earns[place] = enough and not against
        unfinished = set() if full[opened] else blocked.of_sessions.get(opened, set())
        reasons[place] = () if earns[place] else tuple(sorted(against | unfinished))
    names = [enrolment.enrolment_id for enrolment in facts.evidence.enrolments]
    return [
        LedgerEntry(names[number], lesson_no, hours if earned else 0, round(ns / 1e9, 3), round(part, 6), refused)
        for number, lesson_no, hours, earned, ns, part, refused in zip(
            planned.enrolment.tolist(),
            planned.lesson_no.tolist(),
            planned.class_hours.tolist(),
            earns.tolist(),
            np.where(is_open, credited[row], 0).tolist(),
            np.where(is_open, coverage[row], 0.0).tolist(),
            reasons,
            strict=True,
        )
    ]


def _in_doubt(planned: Syllabus, blocked: Blockers, is_open: Flags) -> Integers:
    """Return the rows of opened lessons that something stands or waits against, or whose OG702 was dismissed."""

    def among(column: Integers, rows: Iterable[int]) -> Flags:
        return np.asarray(np.isin(column, np.fromiter(rows, np.int64)))

    doubt = among(planned.opened, blocked.of_lesson.keys() | blocked.of_sessions.keys() | blocked.dismissed)
    doubt |= among(planned.enrolment, blocked.of_enrolment.keys() | blocked.rejected.keys())
    doubt |= among(planned.training_class, blocked.of_class.keys() | {row for row, _ in blocked.of_numbers})
    return np.flatnonzero(is_open & doubt)


def _accepted_and_played(facts: Facts, lessons: Lessons) -> Flags:
    result = np.zeros(len(lessons), bool)
    result[lessons.of_session[facts.accepted & (facts.playing_ms > 0)]] = True
    return result


@dataclass(frozen=True)
class ClaimedLesson:
    """What a platform claims for a lesson, and what the ledger says of it."""

    lesson_no: int
    claimed: float
    earned: float
    accepted: bool
    refused_by: tuple[str, ...]


def compare_claim(claimed: Mapping[int, float], entries: Sequence[LedgerEntry]) -> list[ClaimedLesson]:
    """Return each claimed lesson beside the ledger's hours; accepted when no more is claimed than was earned.

    Args:
        claimed: Hours by lesson number.
        entries: The ledger of the enrolment.
    """
    by_lesson = {entry.lesson_no: entry for entry in entries}
    result = []
    for lesson_no, hours in sorted(claimed.items()):
        entry = by_lesson.get(lesson_no)
        earned = entry.hours if entry else 0.0
        accepted = entry is not None and hours <= earned + 1e-9
        refused_by = entry.refused_by if entry and not accepted else ()
        result.append(ClaimedLesson(lesson_no, hours, earned, accepted, refused_by))
    return result


def hours_of(entries: Iterable[LedgerEntry]) -> dict[str, float]:
    """Return the sum of hours of each enrolment."""
    result: dict[str, float] = defaultdict(float)
    for entry in entries:
        result[entry.enrolment_id] += entry.hours
    return dict(result)
