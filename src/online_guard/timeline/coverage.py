"""Coverage of lessons and credited seconds by some of their sessions (SPEC 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from online_guard.evidence import Evidence, Flags, Floats, Integers
from online_guard.policy.pack import Policy
from online_guard.timeline.columns import allowed_ns
from online_guard.timeline.digest import Digest
from online_guard.timeline.segments import (
    Spans,
    clip,
    length_before,
    nanoseconds,
    pairs,
    total_length,
    union,
)
from online_guard.timeline.syllabus import Syllabus, syllabus

SHARE_TOLERANCE = 1e-9
"""A limit on a share counts as passed only by more than this (SPEC 3.3)."""


@dataclass(frozen=True)
class Lessons:
    """Opened lessons: one row for each (enrolment, lesson) that has a session, sorted by (enrolment, lesson number).

    enrolment: row in `Evidence.enrolments`. of_session: row here of each session. duration_ns, class_hours: from the
    syllabus. planned: the whole syllabus, with the lessons that nobody opened.
    """

    enrolment: Integers
    lesson_no: Integers
    duration_ns: Integers
    class_hours: Floats
    of_session: Integers
    planned: Syllabus

    def __len__(self) -> int:
        """Return the number of opened lessons."""
        return len(self.enrolment)


def opened_lessons(evidence: Evidence) -> Lessons:
    """Return the lessons that have a session."""
    planned, sessions = syllabus(evidence), evidence.sessions
    row = np.flatnonzero(planned.opened >= 0)
    width = 1 + max(int(column.max(initial=0)) for column in (planned.lesson_no, sessions.lesson_no))
    key = planned.enrolment[row] * width + planned.lesson_no[row]
    return Lessons(
        enrolment=planned.enrolment[row],
        lesson_no=planned.lesson_no[row],
        duration_ns=planned.duration_ns[row],
        class_hours=planned.class_hours[row],
        of_session=np.searchsorted(key, sessions.enrolment * width + sessions.lesson_no),
        planned=planned,
    )


def _capped(length_ns: Integers, clocks_ms: Integers, policy: Policy) -> Integers:
    cap = allowed_ns(clocks_ms, policy) + nanoseconds(policy.playback.slack_s)
    return np.asarray(np.minimum(length_ns, cap))


class Studied(NamedTuple):
    """By opened lesson: the length of what some sessions watched of it, in ns, and their playing clocks, in ms."""

    length_ns: Integers
    playing_ms: Integers

    def credited_ns(self, policy: Policy) -> Integers:
        """Return what of the length is credited."""
        return _capped(self.length_ns, self.playing_ms, policy)


def credited_ns(lessons: Lessons, digest: Digest, counted: Flags, policy: Policy) -> Integers:
    """Return the credited length of each lesson by the sessions in `counted` (one flag for each session), in ns."""
    return studied(lessons, digest, counted).credited_ns(policy)


def studied(lessons: Lessons, digest: Digest, counted: Flags) -> Studied:
    """Return what the sessions in `counted` (one flag for each session) watched of each lesson."""
    watched = digest.watched
    kept = counted[watched.session]
    lesson = lessons.of_session[watched.session[kept]]
    joined = union(lesson, watched.start_ns[kept], watched.end_ns[kept])
    length = total_length(clip(joined, 0, lessons.duration_ns[joined.group]), len(lessons))
    clocks = np.zeros(len(lessons), np.int64)
    sittings = digest.sittings
    taking_part = counted[sittings.session]
    np.add.at(clocks, lessons.of_session[sittings.session[taking_part]], sittings.playing_ms[taking_part])
    return Studied(length, clocks)


def credited_at_ns(lessons: Lessons, digest: Digest, lesson: Integers, moment_ms: Integers, policy: Policy) -> Integers:
    """Return what of a lesson had been credited, as watched by any session, at a moment of the service clock.

    Args:
        lessons: Opened lessons.
        digest: Detailed wherever a moment lies between a session's first and last event.
        lesson: Row of the lesson of each query.
        moment_ms: Service clock; segments that ended by then count, and playing clocks as they stood then.
        policy: Its `playback` section caps the credit.
    """
    watched, spans = digest.watched, digest.spans
    query, segment = pairs(lesson, lessons.of_session[watched.session])
    past = watched.ended_ms[segment] <= moment_ms[query]
    query, segment = query[past], segment[past]
    joined = union(query, watched.start_ns[segment], watched.end_ns[segment])
    length = total_length(clip(joined, 0, lessons.duration_ns[lesson][joined.group]), len(lesson))
    query, sitting = pairs(lesson, lessons.of_session[digest.sittings.session])
    session = digest.sittings.session[sitting]
    clocks = np.zeros(len(lesson), np.int64)
    np.add.at(clocks, query, length_before(spans, session, moment_ms[query]))
    return _capped(length, clocks, policy)


def watched_ns(lessons: Lessons, digest: Digest, sessions: int) -> Integers:
    """Return the length of the union of each session's watched segments within its lesson, without the cap."""
    watched = digest.watched
    joined: Spans = union(watched.session, watched.start_ns, watched.end_ns)
    return total_length(clip(joined, 0, lessons.duration_ns[lessons.of_session[joined.group]]), sessions)


def share(length_ns: Integers, whole_ns: Integers) -> Floats:
    """Return lengths as shares of the whole."""
    return np.asarray(length_ns / np.maximum(whole_ns, 1), np.float64)


def reaches(coverage: Floats, minimum: float) -> Flags:
    """Return where a coverage reaches a minimum; float noise never decides."""
    return coverage >= minimum - SHARE_TOLERANCE
