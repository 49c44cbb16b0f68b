"""Findings × decisions → accepted, held or rejected sessions (SPEC section 5)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from online_guard.evidence import Decision, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Rule
from online_guard.terms import DecisionKind, Effect, Subject, Verdict
from online_guard.timeline.digest import NEVER


@dataclass(frozen=True)
class Finding:
    """A rule said something about a subject (疑点).

    Args:
        row: Row of the subject in its table, for look-ups; not part of what is written.
        start_ms, end_ms: Client clock bounds of the first place, None if it has none.
        evidence: JSON values: value, limit, count and more.
        decision: What holds after the auditors' decisions, None while undecided.
    """

    rule: str
    subject: Subject
    subject_id: str
    effect: Effect
    start_ms: int | None
    end_ms: int | None
    evidence: Mapping[str, Any]
    row: int = field(compare=False)
    decision: DecisionKind | None = None

    @property
    def stands(self) -> bool:
        """Return whether it refuses: a `reject` not dismissed, or a `review` upheld."""
        if self.effect is Effect.REJECT:
            return self.decision is not DecisionKind.DISMISS
        return self.effect is Effect.REVIEW and self.decision is DecisionKind.UPHOLD

    @property
    def waits(self) -> bool:
        """Return whether it is a `review` that nobody has decided."""
        return self.effect is Effect.REVIEW and self.decision is None

    def as_row(self) -> dict[str, Any]:
        """Return the row of `findings.ndjson`."""
        return {
            "rule": self.rule,
            "subject": str(self.subject),
            "subject_id": self.subject_id,
            "effect": str(self.effect),
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "evidence": dict(self.evidence),
        }


class SessionVerdict(NamedTuple):
    """What follows for a session (核验结论)."""

    session_id: str
    verdict: Verdict
    playing_ms: int
    watched_s: float

    def as_row(self) -> dict[str, Any]:
        """Return the row of `sessions.ndjson`."""
        return {
            "session_id": self.session_id,
            "verdict": str(self.verdict),
            "playing_ms": self.playing_ms,
            "watched_s": self.watched_s,
        }


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the JSON value it stands for; floats rounded to 6 decimals."""
    if isinstance(value, np.generic):
        value = value.item()
    return round(value, 6) if isinstance(value, float) else value


def spell_out(rule: Rule, found: Findings, names: Sequence[str], effects: Sequence[Effect]) -> list[Finding]:
    """Return the findings of a rule as records.

    Args:
        rule: Who says it.
        found: Its columns.
        names: `subject_id` of each finding.
        effects: Effect of each finding.
    """
    columns = {name: list(values) for name, values in found.evidence.items()}
    result = []
    for number, (name, effect) in enumerate(zip(names, effects, strict=True)):
        start, end = int(found.start_ms[number]), int(found.end_ms[number])
        result.append(
            Finding(
                rule=rule.id,
                subject=rule.subject,
                subject_id=name,
                effect=effect,
                start_ms=None if start == NEVER else start,
                end_ms=None if end == NEVER else end,
                evidence={key: plain(column[number]) for key, column in columns.items()},
                row=int(found.row[number]),
            )
        )
    return result


Key = tuple[str, str, str]


def finding_id(rule: str, subject: str, subject_id: str) -> str:
    """Return the name of a finding in addresses: the same at each verification, since these three are its identity."""
    return f"{rule}-{_digest(rule, subject, subject_id)}"


def case_of(subject: str, subject_id: str) -> tuple[str, str]:
    """Return subject and subject id of the case that a finding belongs to: a snapshot's is its session's."""
    return ("session", subject_id.rpartition("/")[0]) if subject == "snapshot" else (subject, subject_id)


def case_id(subject: str, subject_id: str) -> str:
    """Return the name of the case of a finding about a subject."""
    about = case_of(subject, subject_id)
    return f"{about[0]}-{_digest(*about)}"


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]


def decisions_by_finding(decisions: Iterable[Decision]) -> dict[Key, list[Decision]]:
    """Return the decisions on each finding, in the order in which they are read (SPEC 5)."""
    result: dict[Key, list[Decision]] = defaultdict(list)
    for decision in sorted(decisions, key=lambda d: (d.decided_ms, d.reviewer, d.decision, d.reason)):
        result[decision.rule, str(decision.subject), decision.subject_id].append(decision)
    return dict(result)


def what_holds(decisions: Sequence[Decision], *, second_person: bool) -> tuple[Decision, ...]:
    """Return the decision that took effect last, with the one it confirms before it; empty while undecided."""
    if not second_person:
        return (decisions[-1],) if decisions else ()
    for first, second in zip(reversed(decisions[:-1]), reversed(decisions[1:]), strict=True):
        if first.decision == second.decision and first.reviewer != second.reviewer:
            return (first, second)
    return ()


def decide(findings: Sequence[Finding], decisions: Mapping[Key, Sequence[Decision]], policy: Policy) -> list[Finding]:
    """Return the findings with what auditors decided; decisions on notes change nothing."""
    result = []
    for finding in findings:
        said = decisions.get((finding.rule, str(finding.subject), finding.subject_id), ())
        held = what_holds(said, second_person=policy.review.second_person)
        if not held or finding.effect is Effect.NOTE:
            result.append(finding)
            continue
        record = {
            "decision": str(held[-1].decision),
            "reason": held[-1].reason,
            "decided_ms": held[-1].decided_ms,
            "reviewers": [decision.reviewer for decision in held],
        }
        result.append(replace(finding, decision=held[-1].decision, evidence={**finding.evidence, "decision": record}))
    return result


ACCEPTED, HELD, REJECTED = range(3)
VERDICTS = (Verdict.ACCEPTED, Verdict.HELD, Verdict.REJECTED)


def session_verdicts(findings: Iterable[Finding], sessions: int) -> Integers:
    """Return ACCEPTED, HELD or REJECTED for each session, from the findings about sessions."""
    result = np.full(sessions, ACCEPTED, np.int64)
    for finding in findings:
        if finding.subject is Subject.SESSION:
            if finding.stands:
                result[finding.row] = REJECTED
            elif finding.waits:
                result[finding.row] = max(result[finding.row], HELD)
    return result
