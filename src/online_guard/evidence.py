"""What is known about a group of sessions, as typed tables: the only form in which facts enter the judging core.

Small tables are tuples of frozen records, large ones hold parallel NumPy columns. References between tables are row
numbers, not names, and each table is sorted by its key (BUNDLE.md), so that the order of delivery can't be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

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

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Names = NDArray[np.object_]
Table = TypeVar("Table")

CHINA_OFFSET_MS = 8 * 3_600_000
"""Asia/Shanghai against UTC; no summer time since 1991."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Lesson:
    """One ordered item of a syllabus."""

    lesson_no: int
    title: str
    kind: LessonKind
    duration_s: float
    class_hours: float


@dataclass(frozen=True)
class TrainingClass:
    """One approved run of a training (培训班次). `lessons` is sorted by `lesson_no`."""

    class_id: str
    platform_id: str
    institution: str
    applicant_kind: ApplicantKind
    applicant: str
    occupation: str
    mode: Mode
    certificate_route: CertificateRoute
    starts_on: date
    ends_on: date
    required_online_hours: float
    teachers: int
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True)
class Leave:
    """A learner's written leave, both days included."""

    from_on: date
    to_on: date
    approved: bool


@dataclass(frozen=True)
class Enrolment:
    """One learner in one class."""

    enrolment_id: str
    class_id: str
    learner_id: str
    face_checks: FaceChecks = FaceChecks.REQUIRED
    leave: tuple[Leave, ...] = ()


@dataclass(frozen=True)
class Practice:
    """Attended offline practice of one day, in class hours."""

    enrolment_id: str
    on: date
    class_hours: float


@dataclass(frozen=True)
class Project:
    """A learner's training project and the day of its assessment, None when not assessed."""

    learner_id: str
    class_id: str
    ended_on: date
    assessed_on: date | None


@dataclass(frozen=True)
class Survey:
    """Satisfaction with an institution, as a share from 0 to 1."""

    institution: str
    surveyed_on: date
    score: float


@dataclass(frozen=True)
class Application:
    """An application of a class for an assessment window such as `2021-08`."""

    class_id: str
    window: str
    applied_on: date
    assessment_on: date


@dataclass(frozen=True)
class Decision:
    """What one reviewer said of one finding."""

    rule: str
    subject: Subject
    subject_id: str
    decision: DecisionKind
    reason: str
    decided_ms: int
    reviewer: str


def _integers() -> Integers:
    return np.zeros(0, np.int64)


def _floats() -> Floats:
    return np.zeros(0, np.float64)


def _flags() -> Flags:
    return np.zeros(0, np.bool_)


def _names() -> Names:
    return np.zeros(0, object)


@dataclass(frozen=True)
class Sessions:
    """Sittings, sorted by (platform id, session id).

    key: `platform_id/session_id`. enrolment: row in `Evidence.enrolments`. lesson_no: number in the syllabus.
    device: equal numbers mean the same device of the same platform. Times in ms. duration_s: of its lesson, 0 where
    the syllabus lacks it.
    """

    key: Names = field(default_factory=_names)
    enrolment: Integers = field(default_factory=_integers)
    lesson_no: Integers = field(default_factory=_integers)
    opened_at_ms: Integers = field(default_factory=_integers)
    opened_received_ms: Integers = field(default_factory=_integers)
    device: Integers = field(default_factory=_integers)
    duration_s: Floats = field(default_factory=_floats)

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.key)


@dataclass(frozen=True)
class Events:
    """Events that count, sorted by (session, seq), one row for each pair (SPEC 3.2).

    session: row in `Evidence.sessions`, int64. seq: int32. type: `EventType.code`, int8. at_ms and received_ms: int64.
    position_s: float64. from_s: float64, NaN where absent. playing: bool. rate: float32 on every path. player: int32,
    the row of its name in player_names. popup: int32 likewise in popup_names, -1 where absent. conflicts: one entry
    for each event kept aside (same seq, other content), the row of its session, sorted.
    """

    session: Integers = field(default_factory=_integers)
    seq: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    type: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    at_ms: Integers = field(default_factory=_integers)
    received_ms: Integers = field(default_factory=_integers)
    position_s: Floats = field(default_factory=_floats)
    from_s: Floats = field(default_factory=_floats)
    playing: Flags = field(default_factory=_flags)
    rate: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    player: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    popup: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    conflicts: Integers = field(default_factory=_integers)
    player_names: Names = field(default_factory=_names)
    popup_names: Names = field(default_factory=_names)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.session)


@dataclass(frozen=True)
class Snapshots:
    """Retained images, sorted by (session, snapshot id).

    key: `platform_id/session_id/snapshot_id`. session: row in `Evidence.sessions`. distance: to the reference, NaN
    where absent. presented_attack: 1 yes, 0 no, -1 no passive check. sha256: hex. phash: 64 bits.
    """

    key: Names = field(default_factory=_names)
    session: Integers = field(default_factory=_integers)
    at_ms: Integers = field(default_factory=_integers)
    received_ms: Integers = field(default_factory=_integers)
    asked: Flags = field(default_factory=_flags)
    good: Flags = field(default_factory=_flags)
    sha256: Names = field(default_factory=_names)
    phash: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    distance: Floats = field(default_factory=_floats)
    presented_attack: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return len(self.session)


@dataclass(frozen=True)
class Checks:
    """Liveness checks, sorted by (session, check id).

    key: `platform_id/session_id/check_id`. outcome: 0 passed, 1 failed, 2 inconclusive, in the order of
    `terms.Outcome`. distance and presented_attack as for snapshots.
    """

    key: Names = field(default_factory=_names)
    session: Integers = field(default_factory=_integers)
    at_ms: Integers = field(default_factory=_integers)
    outcome: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    distance: Floats = field(default_factory=_floats)
    presented_attack: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))

    def __len__(self) -> int:
        """Return the number of checks."""
        return len(self.session)


@dataclass(frozen=True)
class Directives:
    """What the service told the player, sorted by (session, directive id).

    kind: `popup`, `snapshot` or `liveness`.
    """

    directive_id: Names = field(default_factory=_names)
    session: Integers = field(default_factory=_integers)
    kind: Names = field(default_factory=_names)
    issued_ms: Integers = field(default_factory=_integers)
    due_playing_ms: Integers = field(default_factory=_integers)

    def __len__(self) -> int:
        """Return the number of directives."""
        return len(self.session)


@dataclass(frozen=True)
class Likenesses:
    """What the duplicate search found, sorted by (capture, other kind, other id); facts, judged by rules.

    capture: `platform_id/session_id/snapshot_id` (or check id). session: row of the capture's session. other_id:
    an enrolment id or a capture's key. Absent numbers are NaN.
    """

    capture: Names = field(default_factory=_names)
    session: Integers = field(default_factory=_integers)
    other_is_reference: Flags = field(default_factory=_flags)
    other_id: Names = field(default_factory=_names)
    phash_distance: Integers = field(default_factory=_integers)
    cosine: Floats = field(default_factory=_floats)
    residual: Floats = field(default_factory=_floats)
    distance: Floats = field(default_factory=_floats)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.session)


@dataclass(frozen=True)
class Evidence:
    """Everything known about one group of sessions; classes and enrolments are sorted by their ids."""

    classes: tuple[TrainingClass, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    sessions: Sessions = field(default_factory=Sessions)
    events: Events = field(default_factory=Events)
    snapshots: Snapshots = field(default_factory=Snapshots)
    checks: Checks = field(default_factory=Checks)
    directives: Directives = field(default_factory=Directives)
    likenesses: Likenesses = field(default_factory=Likenesses)
    practice: tuple[Practice, ...] = ()
    projects: tuple[Project, ...] = ()
    surveys: tuple[Survey, ...] = ()
    applications: tuple[Application, ...] = ()
    decisions: tuple[Decision, ...] = ()

    def with_events(self, events: Events) -> Evidence:
        """Return the same evidence with other events, which name the same sessions."""
        return replace(self, events=events)


def civil_day(moment_ms: Integers) -> NDArray[np.datetime64]:
    """Return the civil date in Asia/Shanghai of moments in ms since the epoch, as datetime64[D]."""
    return ((np.asarray(moment_ms, np.int64) + CHINA_OFFSET_MS) // DAY_MS).astype("datetime64[D]")


def assemble(
    *,
    classes: Iterable[TrainingClass],
    enrolments: Iterable[Enrolment],
    sessions: Iterable[Any],
    snapshots: Iterable[Any] = (),
    checks: Iterable[Any] = (),
    directives: Iterable[Any] = (),
    likenesses: Iterable[Any] = (),
    practice: Iterable[Practice] = (),
    projects: Iterable[Project] = (),
    surveys: Iterable[Survey] = (),
    applications: Iterable[Application] = (),
    decisions: Iterable[Decision] = (),
) -> Evidence:
    """Return evidence without events, from valid rows in any order: tables sorted by key, references as row numbers.

    Rows are the records of this module or, of the tables in columns, objects with BUNDLE's field names as attributes.

    Raises:
        KeyError: a row names a parent that isn't among the rows; the border must have refused it.
    """
    classes = tuple(sorted(classes, key=lambda row: row.class_id))
    enrolments = tuple(sorted(enrolments, key=lambda row: row.enrolment_id))
    table = _sessions(sessions, enrolments, classes)
    places = {key: place for place, key in enumerate(table.key)}
    return Evidence(
        classes=classes,
        enrolments=enrolments,
        sessions=table,
        snapshots=_facts(Snapshots(), snapshots, places, "snapshot_id"),
        checks=_facts(Checks(), checks, places, "check_id"),
        directives=_facts(Directives(), directives, places, "directive_id"),
        likenesses=_facts(Likenesses(), likenesses, places, "snapshot_id", "other_kind", "other_id"),
        practice=tuple(sorted(practice, key=lambda row: (row.enrolment_id, row.on))),
        projects=tuple(sorted(projects, key=lambda row: (row.learner_id, row.class_id))),
        surveys=tuple(sorted(surveys, key=lambda row: (row.institution, row.surveyed_on, row.score))),
        applications=tuple(sorted(applications, key=lambda row: (row.class_id, row.window))),
        decisions=tuple(sorted(decisions, key=_decision_order)),
    )


def _decision_order(row: Decision) -> tuple[int | str, ...]:
    return (row.decided_ms, row.reviewer, row.decision, row.rule, row.subject, row.subject_id, row.reason)


def _name(row: Any) -> str:
    return f"{row.platform_id}/{row.session_id}"


def _sessions(rows: Iterable[Any], enrolments: Sequence[Enrolment], classes: Sequence[TrainingClass]) -> Sessions:
    devices: dict[tuple[str, str], int] = {}
    places = {row.enrolment_id: place for place, row in enumerate(enrolments)}
    lengths = {c.class_id: {lesson.lesson_no: lesson.duration_s for lesson in c.lessons} for c in classes}
    of_enrolment = {row.enrolment_id: lengths[row.class_id] for row in enrolments}
    return _filled(
        Sessions(),
        sorted(rows, key=lambda row: (row.platform_id, row.session_id)),
        key=_name,
        enrolment=lambda row: places[row.enrolment_id],
        duration_s=lambda row: of_enrolment[row.enrolment_id].get(row.lesson_no, 0.0),
        device=lambda row: devices.setdefault((row.platform_id, row.device_id), len(devices)),
    )


def _facts(empty: Table, rows: Iterable[Any], places: Mapping[str, int], *own: str) -> Table:
    """Return the table of facts about sessions, sorted by session and by their own key fields."""
    outcomes = {str(outcome): place for place, outcome in enumerate(Outcome)}
    rows = list(rows)
    session = [places[_name(row)] for row in rows]
    keys = list(zip(session, *(map(attrgetter(name), rows) for name in own), strict=True))
    if any(later < earlier for earlier, later in pairwise(keys)):
        order = sorted(range(len(rows)), key=keys.__getitem__)
        rows, session = [rows[place] for place in order], [session[place] for place in order]
    return _filled(
        empty,
        rows,
        key=lambda row: f"{row.platform_id}/{row.session_id}/{getattr(row, own[0])}",
        capture=lambda row: f"{row.platform_id}/{row.session_id}/{row.snapshot_id}",
        session=session,
        kind=lambda row: str(row.kind),
        phash=lambda row: int(row.phash, 16),
        outcome=lambda row: outcomes[row.outcome],
        presented_attack=lambda row: -1 if row.presented_attack is None else int(row.presented_attack),
        other_is_reference=lambda row: row.other_kind == "reference",
    )


def _filled(empty: Table, rows: list[Any], **derived: Callable[[Any], Any] | list[Any]) -> Table:
    """Return the table with each column read from the rows, by its own name unless derived; None becomes NaN."""
    columns = {}
    for name, old in vars(empty).items():
        read = derived.get(name, attrgetter(name))
        columns[name] = np.array(read if isinstance(read, list) else [*map(read, rows)], old.dtype)
    return type(empty)(**columns)
