"""The row types of the bundle (BUNDLE.md): names, types and limits of every field, checked while decoding."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from online_guard import evidence
from online_guard.ingest.refusals import PATTERNS
from online_guard.terms import (
    ApplicantKind,
    CertificateRoute,
    DecisionKind,
    FaceChecks,
    LessonKind,
    Mode,
    Outcome,
    Subject,
)

ID_PATTERN = re.compile(next(iter(PATTERNS)))
_ID, _HEX16, _HEX64, _MONTH, _FILLED = PATTERNS


def are_ids(names: Collection[str]) -> bool:
    """Return whether all names surely are ids, by one look at all together; False where one must be looked at."""
    lengths, joined = set(map(len, names)), "/".join(names)
    fit = not lengths or (min(lengths) >= 1 and max(lengths) <= 128 and joined.count("/") == len(names) - 1)
    return fit and joined.isprintable()  # neither control characters nor surrogates are


def _are_hex(digits: int, texts: Collection[str]) -> bool:
    joined = "".join(texts).encode(errors="replace")
    return set(map(len, texts)) <= {digits} and not joined.translate(None, b"0123456789abcdef")


def _each_like(pattern: re.Pattern[str], texts: Collection[str]) -> bool:
    return all(map(pattern.search, texts))


ARE_LIKE: dict[str, Callable[[Collection[str]], bool]] = {
    **{pattern: partial(_each_like, re.compile(pattern)) for pattern in PATTERNS},
    _ID: are_ids,
    _HEX16: partial(_are_hex, 16),
    _HEX64: partial(_are_hex, 64),
}
"""By pattern: whether all texts surely match it; False where one must be looked at."""

LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999 (UTC)."""
INT32 = 2**31 - 1

Id = Annotated[str, Meta(pattern=_ID)]
Text = Annotated[str, Meta(pattern=_FILLED)]
Window = Annotated[str, Meta(pattern=_MONTH)]
Moment = Annotated[int, Meta(ge=0, le=LATEST_MS)]
Distance = Annotated[float, Meta(ge=0, le=1e9)]
Hours = Annotated[float, Meta(ge=0, le=1e6)]


class _Row(msgspec.Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A row of the bundle."""


class LessonRow(_Row):
    """A lesson in a class row."""

    lesson_no: Annotated[int, Meta(ge=1, le=INT32)]
    title: str
    kind: LessonKind
    duration_s: Annotated[float, Meta(gt=0, le=1e9)]
    class_hours: Hours


class ClassRow(_Row):
    """A class with its syllabus."""

    class_id: Id
    platform_id: Id
    institution: Text
    applicant_kind: ApplicantKind
    applicant: str
    occupation: Text
    mode: Mode
    certificate_route: CertificateRoute
    starts_on: date
    ends_on: date
    required_online_hours: Hours
    teachers: Annotated[int, Meta(ge=0, le=INT32)]
    lessons: list[LessonRow]

    def typed(self) -> evidence.TrainingClass:
        """Return the class as evidence."""
        lessons = sorted(self.lessons, key=lambda row: row.lesson_no)
        values = asdict(self) | {"lessons": tuple(evidence.Lesson(**asdict(row)) for row in lessons)}
        return evidence.TrainingClass(**values)


class LeaveRow(_Row):
    """A leave in an enrolment row, both days included."""

    from_on: date
    to_on: date
    approved: bool


class EnrolmentRow(_Row):
    """A learner in a class."""

    enrolment_id: Id
    class_id: Id
    learner_id: Id
    face_checks: FaceChecks | None = None
    leave: list[LeaveRow] | None = None

    def typed(self) -> evidence.Enrolment:
        """Return the enrolment as evidence."""
        leave = tuple(evidence.Leave(**asdict(row)) for row in self.leave or ())
        face_checks = self.face_checks or FaceChecks.REQUIRED
        return evidence.Enrolment(self.enrolment_id, self.class_id, self.learner_id, face_checks, leave)


class SessionRow(_Row):
    """A sitting."""

    platform_id: Id
    session_id: Id
    enrolment_id: Id
    lesson_no: Annotated[int, Meta(ge=1, le=INT32)]
    opened_at_ms: Moment
    opened_received_ms: Moment
    device_id: Id
    user_agent: str | None = None
    ip: str | None = None
    provenance: Literal["import"] | None = None
    """Given by an export for a session that a platform brought by an import; absent: received live, or unknown."""


class SnapshotRow(_Row):
    """A retained image."""

    platform_id: Id
    session_id: Id
    snapshot_id: Id
    at_ms: Moment
    received_ms: Moment
    asked: bool
    good: bool
    sha256: Annotated[str, Meta(pattern=_HEX64)]
    phash: Annotated[str, Meta(pattern=_HEX16)]
    distance: Distance | None = None
    presented_attack: bool | None = None


class LikenessRow(_Row):
    """What the duplicate search found about a retained image."""

    platform_id: Id
    session_id: Id
    snapshot_id: Id
    other_kind: Literal["reference", "snapshot"]
    other_id: str
    phash_distance: Annotated[int, Meta(ge=0, le=64)]
    cosine: Annotated[float, Meta(ge=-1.000001, le=1.000001)] | None = None
    residual: Distance | None = None
    distance: Distance | None = None


class CheckRow(_Row):
    """A liveness check."""

    platform_id: Id
    session_id: Id
    check_id: Id
    at_ms: Moment
    outcome: Outcome
    distance: Distance | None = None
    presented_attack: bool | None = None


class DirectiveRow(_Row):
    """What the service told the player."""

    platform_id: Id
    session_id: Id
    directive_id: Id
    kind: Literal["popup", "snapshot", "liveness"]
    issued_ms: Moment
    due_playing_ms: Moment


class PracticeRow(_Row):
    """Attended practice of a day."""

    enrolment_id: Id
    on: date
    class_hours: Hours

    def typed(self) -> evidence.Practice:
        """Return the practice as evidence."""
        return evidence.Practice(**asdict(self))


class ProjectRow(_Row):
    """A learner's earlier project; `assessed_on` must be there and may be null."""

    learner_id: Id
    class_id: Id
    ended_on: date
    assessed_on: date | None

    def typed(self) -> evidence.Project:
        """Return the project as evidence."""
        return evidence.Project(**asdict(self))


class SurveyRow(_Row):
    """A survey of an institution."""

    institution: Text
    surveyed_on: date
    score: Annotated[float, Meta(ge=0, le=1)]

    def typed(self) -> evidence.Survey:
        """Return the survey as evidence."""
        return evidence.Survey(**asdict(self))


class ApplicationRow(_Row):
    """An application for an assessment window."""

    class_id: Id
    window: Window
    applied_on: date
    assessment_on: date

    def typed(self) -> evidence.Application:
        """Return the application as evidence."""
        return evidence.Application(**asdict(self))


class DecisionRow(_Row):
    """An auditor's decision."""

    rule: Text
    subject: Subject
    subject_id: Text
    decision: DecisionKind
    reason: str
    decided_ms: Moment
    reviewer: Text

    def typed(self) -> evidence.Decision:
        """Return the decision as evidence."""
        return evidence.Decision(**asdict(self))


class EventRow(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An event. Types only: its values are checked in columns, by the same code as those of Parquet."""

    platform_id: str
    session_id: str
    seq: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    type: str
    at_ms: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    received_ms: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    position_s: float
    playing: bool
    rate: float
    player: str
    from_s: float | None = None
    popup: str | None = None
