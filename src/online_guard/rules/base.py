"""What a rule is, what it reads, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from online_guard.evidence import Evidence, Flags, Integers
from online_guard.policy.pack import Policy
from online_guard.terms import Subject
from online_guard.timeline.coverage import Lessons, Studied, studied
from online_guard.timeline.digest import NEVER, Digest, View
from online_guard.timeline.segments import group_lengths, group_starts


class Together(StrEnum):
    """What must lie together for a rule's answer to be complete."""

    SESSION = "session"
    ENROLMENT = "enrolment"
    LEARNER = "learner"
    DEVICE = "device"
    CLASS = "class"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class Facts:
    """What rules beyond one session's events read: small tables, and verdicts once they are known.

    accepted, held: flags for each session; all False before the verdicts. dismissed, standing: by rule, the rows of
    the sessions whose finding of that rule was dismissed, or stands.
    """

    evidence: Evidence
    digest: Digest
    lessons: Lessons
    accepted: Flags
    held: Flags
    dismissed: Mapping[str, Integers] = field(default_factory=dict)
    standing: Mapping[str, Integers] = field(default_factory=dict)

    def per_session(self, table_session: Integers, values: Integers, default: int = 0) -> Integers:
        """Return a column of a per-session table spread over all sessions."""
        result = np.full(len(self.evidence.sessions), default, np.int64)
        result[table_session] = values
        return result

    @cached_property
    def accepted_study(self) -> Studied:
        """What the accepted sessions watched of each opened lesson."""
        return studied(self.lessons, self.digest, self.accepted)

    @property
    def learner(self) -> Integers:
        """Return a number for the learner of each session."""
        numbers = np.unique([e.learner_id for e in self.evidence.enrolments], return_inverse=True)[1]
        return numbers.reshape(-1).astype(np.int64)[self.evidence.sessions.enrolment]

    @property
    def offset_ms(self) -> Integers:
        """Return service clock − client clock of every session, 0 for one without events."""
        return self.per_session(self.digest.sittings.session, self.digest.sittings.offset_ms)

    @property
    def playing_ms(self) -> Integers:
        """Return the playing clock of every session, 0 for one without events."""
        return self.per_session(self.digest.sittings.session, self.digest.sittings.playing_ms)


@dataclass(frozen=True)
class Findings:
    """What one rule says: parallel columns, one entry for each finding.

    row: of the subject (session, snapshot, opened lesson, enrolment or class). start_ms, end_ms: client clock bounds
    of the first place where the rule holds, NEVER if it has none. evidence: columns of JSON values; `value` is what
    was measured, `limit` what was allowed, `count` the number of places. not_evaluable: by reason, how many subjects
    couldn't be judged.
    """

    row: Integers
    start_ms: Integers
    end_ms: Integers
    evidence: Mapping[str, Any] = field(default_factory=dict)
    not_evaluable: Mapping[str, int] = field(default_factory=dict)

    def with_column(self, name: str, values: Any) -> Findings:
        """Return the same findings with one more column of evidence."""
        return replace(self, evidence={**self.evidence, name: values})

    def skipping(self, reasons: Mapping[str, int]) -> Findings:
        """Return the same findings with how many subjects couldn't be judged, by reason."""
        return replace(self, not_evaluable=reasons)

    @classmethod
    def of(
        cls,
        row: Integers,
        *,
        value: Any,
        limit: Any,
        count: Any = 1,
        start_ms: Any = NEVER,
        end_ms: Any = NEVER,
        **more: Any,
    ) -> Findings:
        """Return findings with one entry for each row; scalars are repeated."""
        size = len(row)
        columns = {"value": value, "limit": limit, "count": count, **more}
        spread = {
            name: column if isinstance(column, (np.ndarray, list)) else [column] * size
            for name, column in columns.items()
        }
        times = [
            np.asarray(moment, np.int64) if isinstance(moment, np.ndarray) else np.full(size, moment, np.int64)
            for moment in (start_ms, end_ms)
        ]
        return cls(np.asarray(row, np.int64), times[0], times[1], spread)

    @classmethod
    def of_places(
        cls,
        session: Integers,
        *,
        value: Any,
        limit: Any,
        start_ms: Integers,
        end_ms: Integers,
        greatest: bool = True,
        **more: Any,
    ) -> Findings:
        """Return one finding for each session that has places: the first place's time, the greatest value, the count.

        Args:
            session: Row of each place's session, sorted; places of a session in the order of their events.
            value: Measured at each place.
            limit: One number, or one for each place (the first place's is shown).
            start_ms: Client clock of each place.
            end_ms: Likewise.
            greatest: Whether the greatest value is kept, else the first place's.
            more: Further columns, one value for each place; the first place's is kept.
        """
        starts = group_starts(session)
        counts = group_lengths(starts, len(session))
        first = {name: column[starts] for name, column in more.items()}
        kept = np.maximum.reduceat(value, starts) if greatest and len(starts) else value[starts]
        shown = limit[starts] if isinstance(limit, np.ndarray) else limit
        return cls.of(
            session[starts],
            value=kept,
            limit=shown,
            count=counts,
            start_ms=start_ms[starts],
            end_ms=end_ms[starts],
            **first,
        )


def seconds(milliseconds: Any) -> Any:
    """Return ms as seconds, rounded to 3 decimals, for evidence."""
    return np.round(np.asarray(milliseconds) / 1_000, 3)


def seconds_ns(nanoseconds: Any) -> Any:
    """Return ns as seconds, rounded to 3 decimals, for evidence."""
    return np.round(np.asarray(nanoseconds) / 1_000_000_000, 3)


class Reads(StrEnum):
    """Which form of the facts a rule's `check` takes, which is also when it runs."""

    VIEW = "view"
    """`check(view, evidence, policy)`: events of whole sessions."""
    FACTS = "facts"
    """`check(facts, policy)`: small tables of many sessions, before the verdicts."""
    VERDICTS = "verdicts"
    """`check(facts, policy)`: the same with verdicts; its findings can't change one."""


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue.

    zh, en: its name for people. check: takes what `reads` says. Every text about it stands in its module's docstring.
    """

    id: str
    name: str
    zh: str
    subject: Subject
    together: Together
    reads: Reads
    check: Callable[..., Findings]
    since: str = "0.1"


__all__ = ["Evidence", "Facts", "Findings", "Policy", "Reads", "Rule", "Together", "View", "seconds", "seconds_ns"]
