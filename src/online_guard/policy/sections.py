"""The shape of a policy pack: one frozen section per TOML table, each value with its type, unit and limits.

The loader is driven by these annotations alone: a key exists because a field stands here, and its limits are what
stands beside its type. The numbers themselves, and their clauses, live in the packs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated

from online_guard.terms import ApplicantKind, EventType, LessonKind, Mode

RULE_IDS: tuple[str, ...] = (
    *("OG101", "OG102", "OG103", "OG104", "OG105", "OG106", "OG107"),
    *("OG201", "OG202", "OG203", "OG204"),
    *("OG301", "OG302", "OG303", "OG304", "OG305"),
    *("OG401", "OG402", "OG403", "OG404", "OG405", "OG406", "OG407", "OG408"),
    *("OG501",),
    *("OG601", "OG602", "OG603", "OG604", "OG605"),
    *("OG701", "OG702", "OG703"),
    *("OG801", "OG802", "OG803", "OG804", "OG805"),
    *("OG901", "OG902"),
)
"""The rules to which every pack gives an effect and a clause."""


class ViolationScope(StrEnum):
    """How far the rejection of one session reaches."""

    LESSON = "lesson"
    ENROLMENT = "enrolment"


class VocationalCertificate(StrEnum):
    """Whether a vocational certificate exists for an occupation."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Limits:
    """What a value may be: unit, least and greatest number (both allowed); of a list, the number of its items."""

    unit: str
    least: float
    most: float


DAY_S = 86_400
Seconds = Annotated[float, Limits("s", 0, DAY_S)]
PositiveSeconds = Annotated[float, Limits("s", 1, DAY_S)]
Share = Annotated[float, Limits("share", 0, 1)]
Distance = Annotated[float, Limits("distance", 0, 2)]
Milliseconds = Annotated[float, Limits("ms", 0, DAY_S * 1000)]
ClassHours = Annotated[float, Limits("class_hours", 0, 10_000)]
Months = Annotated[int, Limits("months", 0, 120)]
Count = Annotated[int, Limits("count", 0, 1_000_000)]
PositiveCount = Annotated[int, Limits("count", 1, 1_000_000)]


@dataclass(frozen=True)
class Playback:
    """How fast a lesson may play, and how long a player may be silent."""

    max_rate: Annotated[float, Limits("x", 0.1, 100)]
    rate_tolerance: Share
    slack_s: Seconds
    max_silence_s: PositiveSeconds


@dataclass(frozen=True)
class Clock:
    """How far the playing clock may lead the service's."""

    max_lead_s: Seconds


@dataclass(frozen=True)
class Windows:
    """Several windows: overlap of sessions, hidden playback."""

    overlap_slack_s: Seconds
    max_hidden_s: Seconds
    max_hidden_share: Share
    max_hidden_total_s: Seconds


@dataclass(frozen=True)
class Popup:
    """How often a pop-up must control, and how it is answered."""

    max_gap_s: PositiveSeconds
    answer_timeout_s: Seconds
    min_reaction_ms: Annotated[int, Limits("ms", 0, 60_000)]


@dataclass(frozen=True)
class Order:
    """Which lessons must be watched in order of their content."""

    kinds: tuple[LessonKind, ...]
    min_coverage: Share


@dataclass(frozen=True)
class Assessment:
    """When offline assessment takes place and who may apply."""

    months: Annotated[tuple[Annotated[int, Limits("month", 1, 12)], ...], Limits("month", 1, 12)]
    notice_days: Annotated[int, Limits("days", 0, 366)]
    rest_months: Months
    applicant: ApplicantKind


@dataclass(frozen=True)
class Control:
    """When a platform counts as running a control, and when a control counts as predictable."""

    min_share: Share
    min_sessions: PositiveCount
    window_s: Seconds
    min_controls: PositiveCount


@dataclass(frozen=True)
class Liveness:
    """When a session needs a liveness check, and what distance between two faces says."""

    min_playing_s: Seconds
    passes_per_session: Count
    failures_for_review: PositiveCount
    match_distance: Distance
    reject_distance: Distance
    shared_face_distance: Distance


@dataclass(frozen=True)
class Snapshot:
    """How many snapshots a class hour needs, and when two pictures are alike or the same."""

    per_class_hour: Count
    phash_distance: Annotated[int, Limits("bits", 0, 64)]
    same_picture_residual: Annotated[float, Limits("residual", 0, 1)]


@dataclass(frozen=True)
class Device:
    """How many learners may share a device before its id says nothing."""

    max_learners: PositiveCount


@dataclass(frozen=True)
class Hours:
    """What a class hour is, and when a lesson earns it."""

    class_hour_s: PositiveSeconds
    tolerance_s: Seconds
    min_coverage: Share
    certificate_minimum: ClassHours


@dataclass(frozen=True)
class TrainingClass:
    """How large a class may be: the table `class`."""

    max_learners: PositiveCount
    learners_per_teacher: PositiveCount


@dataclass(frozen=True)
class Offline:
    """Practice that a blended class needs."""

    min_practice_hours: ClassHours


@dataclass(frozen=True)
class Satisfaction:
    """The survey an institution must pass."""

    minimum: Share
    suspension_months: Months


@dataclass(frozen=True)
class Retention:
    """How long media are kept."""

    media_days: Annotated[int, Limits("days", 1, 36_500)]


@dataclass(frozen=True)
class Review:
    """Whether a decision needs a second person (初审人, 复核人)."""

    second_person: bool


@dataclass(frozen=True)
class Task:
    """One row of Annex 1: a training task, who leads it, and how many it is to train in the year."""

    name: str
    no: Annotated[int, Limits("no", 1, 1_000)]
    lead: str
    target: Count


@dataclass(frozen=True)
class Tasks:
    """The catalogue of Annex 1, in its order."""

    rows: tuple[Task, ...]


@dataclass(frozen=True)
class Signature:
    """Constants that a known tool leaves behind: all that are there must hold, one that is absent says nothing.

    Args:
        id: Name of the signature, unique in the pack.
        label_zh: What an auditor reads, Chinese.
        label_en: The same in English.
        heartbeat_period_ms: Client time from one heartbeat of a player to the next.
        position_step_s: Media position from one heartbeat to the next.
        send_period_ms: Service time from one heartbeat to the next.
        heartbeats_per_lesson: Heartbeats of a session, in equal steps over the whole lesson.
        gaps_ms: The only gaps below a second between neighbouring events.
        pause_ms: Length of every pause.
        answer_latency_ms: From showing to answer of every pop-up.
        stop_share: Last position of a session over the lesson's duration.
        first_event: Type of the first event of a session.
        event_types: The only types of event that occur.
    """

    id: str
    label_zh: str
    label_en: str
    heartbeat_period_ms: Milliseconds | None = None
    position_step_s: Seconds | None = None
    send_period_ms: Milliseconds | None = None
    heartbeats_per_lesson: PositiveCount | None = None
    gaps_ms: tuple[Milliseconds, ...] | None = None
    pause_ms: Milliseconds | None = None
    answer_latency_ms: Milliseconds | None = None
    stop_share: Share | None = None
    first_event: EventType | None = None
    event_types: tuple[EventType, ...] | None = None

    def constants(self) -> frozenset[str]:
        """Return the names of the constants that are there."""
        names = {item.name for item in fields(self)} - {"id", "label_zh", "label_en"}
        return frozenset(name for name in names if getattr(self, name) is not None)


@dataclass(frozen=True)
class KnownTools:
    """Signatures of known 刷课 tools (OG805)."""

    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Occupation:
    """One occupation of row 1 of Annex 3, with further names that it covers there."""

    name: str
    vocational_certificate: VocationalCertificate
    covers: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return the name and the names covered."""
        return (self.name, *self.covers)


@dataclass(frozen=True)
class Occupations:
    """The catalogue of Annex 3: `online` is row 1, `blended` names the occupations of row 2."""

    online: tuple[Occupation, ...]
    blended: tuple[str, ...]

    def may_run(self, occupation: str, mode: Mode) -> bool:
        """Return whether the occupation may run in the mode. Covered names count in row 1 only, where they stand."""
        if mode == Mode.BLENDED:
            return occupation in self.blended
        return self._entry(occupation) is not None

    def vocational_certificate(self, occupation: str) -> VocationalCertificate:
        """Return what the pack says of a certificate; `unknown` for an occupation that isn't in the catalogue."""
        entry = self._entry(occupation)
        return VocationalCertificate.UNKNOWN if entry is None else entry.vocational_certificate

    def repeated(self) -> Iterator[str]:
        """Yield each name of row 1 that was used before."""
        seen: set[str] = set()
        for name in (name for entry in self.online for name in entry.names()):
            if name in seen:
                yield name
            seen.add(name)

    def _entry(self, occupation: str) -> Occupation | None:
        return next((entry for entry in self.online if occupation in entry.names()), None)
