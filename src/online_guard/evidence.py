"""What is known about a group of sessions, as typed tables: the only form in which facts enter the judging core.

Small tables are tuples of frozen records, large ones hold parallel NumPy columns. References between tables are row
numbers, not names, and each table is sorted by its key (BUNDLE.md), so that the order of delivery can't be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import islice
from operator import attrgetter, lt
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
Column = Callable[[str], list[Any]]
"""Gives the values of a field of BUNDLE, one for each row."""
Columns = dict[str, NDArray[Any]]
"""Columns of a table by name."""

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

    def on_leave(self, first: date, last: date) -> bool:
        """Return whether approved leave lies on any day from the first to the last."""
        return any(leave.approved and leave.from_on <= last and leave.to_on >= first for leave in self.leave)


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

    @cached_property
    def sha256_number(self) -> Integers:
        """Equal numbers for equal SHA-256."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(name, len(numbers)) for name in self.sha256.tolist()], np.int64)


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


def day_of(moment_ms: int) -> date:
    """Return the civil date in Asia/Shanghai of one moment in ms since the epoch; the calendar ends with 9999."""
    ordinal = date(1970, 1, 1).toordinal() + (moment_ms + CHINA_OFFSET_MS) // DAY_MS
    return date.fromordinal(min(ordinal, date.max.toordinal()))


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

    A table in columns may also be given ready, sorted by its key.

    Raises:
        KeyError: a session names no enrolment among the rows, or a fact no session; the border must have refused it.
    """
    enrolled = Enrolled.of(classes, enrolments)
    session_rows = _table(Sessions(), sessions, lambda column: session_columns(column, enrolled), "enrolment")
    places = {key: place for place, key in enumerate(session_rows.key)}

    def facts(empty: Table, rows: Any) -> Table:
        """Return a table of facts about the sessions."""
        return _table(empty, rows, lambda column: fact_columns(empty, column, places), "session")

    return Evidence(
        classes=tuple(sorted(classes, key=lambda row: row.class_id)),
        enrolments=tuple(sorted(enrolments, key=lambda row: row.enrolment_id)),
        sessions=session_rows,
        snapshots=facts(Snapshots(), snapshots),
        checks=facts(Checks(), checks),
        directives=facts(Directives(), directives),
        likenesses=facts(Likenesses(), likenesses),
        practice=tuple(sorted(practice, key=lambda row: (row.enrolment_id, row.on))),
        projects=tuple(sorted(projects, key=lambda row: (row.learner_id, row.class_id))),
        surveys=tuple(sorted(surveys, key=lambda row: (row.institution, row.surveyed_on, row.score))),
        applications=tuple(sorted(applications, key=lambda row: (row.class_id, row.window))),
        decisions=tuple(sorted(decisions, key=_decision_order)),
    )


def _decision_order(row: Decision) -> tuple[int | str, ...]:
    return (row.decided_ms, row.reviewer, row.decision, row.rule, row.subject, row.subject_id, row.reason)


def _table(empty: Table, rows: Any, columns_of: Callable[[Column], Columns], parent: str) -> Table:
    """Return the table of rows in any order, or the one given."""
    if isinstance(rows, type(empty)):
        return rows
    rows = list(rows)
    columns = columns_of(lambda name: [*map(attrgetter(name), rows)])
    if (columns[parent] < 0).any():
        raise KeyError(f"a row without {parent}")
    return table_of(empty, columns, row_order(row_keys(empty, columns)))


@dataclass(frozen=True)
class Enrolled:
    """What sessions are checked by: each enrolment's row and, by row, its class's platform and lengths of lessons.

    duration_s: by lesson number. The last entry of both, for row −1, says nothing.
    """

    rows: Mapping[str, int]
    platform_id: Sequence[str]
    duration_s: Sequence[Mapping[int, float]]

    @classmethod
    def of(cls, classes: Iterable[TrainingClass], enrolments: Iterable[Enrolment]) -> Enrolled:
        """Return what the enrolments, in any order, and their classes give."""
        by_id = {c.class_id: (c.platform_id, {row.lesson_no: row.duration_s for row in c.lessons}) for c in classes}
        enrolments = sorted(enrolments, key=lambda row: row.enrolment_id)
        known = [by_id[row.class_id] for row in enrolments]
        return cls(
            rows={row.enrolment_id: place for place, row in enumerate(enrolments)},
            platform_id=[*(platform_id for platform_id, _ in known), ""],
            duration_s=[*(lessons for _, lessons in known), {}],
        )


def session_columns(column: Column, enrolled: Enrolled) -> Columns:
    """Return the columns of sessions in the order of the rows.

    enrolment is −1 where it is unknown, duration_s NaN where the lesson is; device still holds names.
    """
    platforms = column("platform_id")
    enrolment = [enrolled.rows.get(name, -1) for name in column("enrolment_id")]
    lessons = zip(enrolment, column("lesson_no"), strict=True)
    derived = {
        "key": _joined(platforms, column("session_id")),
        "enrolment": enrolment,
        "device": np.array(_joined(platforms, column("device_id")), object),
        "duration_s": [enrolled.duration_s[row].get(number, np.nan) for row, number in lessons],
    }
    return _typed(Sessions(), column, derived)


def fact_columns(empty: Table, column: Column, places: Mapping[str, int]) -> Columns:
    """Return the columns of a table of facts in the order of the rows; session is −1 where `places` lacks its key."""
    derived: dict[str, Any] = {}
    names = _joined(column("platform_id"), column("session_id"))
    derived["session"] = [places.get(name, -1) for name in names]
    own = {"key": "check_id" if isinstance(empty, Checks) else "snapshot_id", "capture": "snapshot_id"}
    for name in vars(empty):
        if name in own:
            derived[name] = _joined(names, column(own[name]))
        elif name in _DERIVED:
            field_name, derive = _DERIVED[name]
            derived[name] = [*map(derive, column(field_name))]
    return _typed(empty, column, derived)


def row_keys(empty: Table, columns: Columns) -> list[Any]:
    """Return the key of each row of a table: what rows are sorted by, and what no two of them have in common."""
    if "key" in columns:  # NUL ends each id, as it sorts before whatever an id may hold
        return [key.replace("/", "\0") for key in columns["key"].tolist()]
    if isinstance(empty, Likenesses):  # "reference" sorts before "snapshot"
        own = [columns["capture"], ~columns["other_is_reference"], columns["other_id"]]
    else:
        own = [columns["directive_id"]]
    return [*zip(*(column.tolist() for column in (columns["session"], *own)), strict=True)]


def row_order(keys: Sequence[Any]) -> Integers | None:
    """Return the rows in the order of their keys, those of equal keys in their own; None where each key is greater."""
    if all(map(lt, keys, islice(keys, 1, None))):
        return None
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def table_of(empty: Table, columns: Columns, order: Integers | None) -> Table:
    """Return a table of some rows of its columns, in the order of their keys; None: of all as they are."""
    if order is not None:
        columns = {name: column[order] for name, column in columns.items()}
    if isinstance(empty, Sessions):
        numbers: dict[str, int] = {}
        device = [numbers.setdefault(name, len(numbers)) for name in columns["device"].tolist()]
        columns |= {"device": np.array(device, np.int64), "duration_s": np.nan_to_num(columns["duration_s"])}
    return type(empty)(**columns)


_OUTCOMES = {str(outcome): place for place, outcome in enumerate(Outcome)}
_DERIVED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "kind": ("kind", str),
    "phash": ("phash", lambda text: int(text, 16)),
    "outcome": ("outcome", _OUTCOMES.__getitem__),
    "presented_attack": ("presented_attack", {None: -1, False: 0, True: 1}.__getitem__),
    "other_is_reference": ("other_kind", "reference".__eq__),
}
"""Columns of facts that aren't a field as it is: the field, and what a value of it becomes."""


def _typed(empty: Any, column: Column, derived: Mapping[str, Any]) -> Columns:
    """Return the columns of a table, read by their own names unless derived; None becomes NaN."""
    columns = {}
    for name, old in vars(empty).items():
        values = derived[name] if name in derived else column(name)
        columns[name] = values if isinstance(values, np.ndarray) else np.array(values, old.dtype)
    return columns


def _joined(left: Sequence[str], right: Sequence[str]) -> list[str]:
    return [f"{one}/{other}" for one, other in zip(left, right, strict=True)]
