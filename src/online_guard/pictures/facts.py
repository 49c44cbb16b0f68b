"""What happened in the sessions that one picture shows: plain records, moments in ms on the service clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from online_guard.pictures.limits import Limits
from online_guard.terms import Effect, EventType, Outcome

Point = tuple[int, float]
"""A moment in ms and a media position in s."""
EARLY_MS = 2_000
"""Events dated so far after their arrival are drawn as told in advance; clocks are known well enough for that."""
Span = tuple[int, int]
"""Two moments in ms."""


class Kind(StrEnum):
    """How a player got from one event to the next."""

    PLAY = "play"
    FAST = "fast"
    """Further than time allows, or forward without playing and without a seek."""
    SILENT = "silent"
    """Playing, but for longer than max_silence_s without an event: time that doesn't count."""
    PAUSE = "pause"


@dataclass(frozen=True)
class Track:
    """One player of one session, from its first to its last event; `session` is `platform_id/session_id`."""

    session: str
    player: str
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class Piece:
    """A stretch in which a player went on in one way; `track` is its place in the facts' tracks."""

    track: int
    kind: Kind
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Cone:
    """A run of playing: what a player at the allowed rate could reach from where it stood, until the run's end."""

    at_ms: int
    from_s: float
    until_ms: int


@dataclass(frozen=True)
class Wedge:
    """Content that ran ahead of what time allows (OG101): where a player was, and where at most it could be."""

    real: tuple[Point, ...]
    most: tuple[Point, ...]


@dataclass(frozen=True)
class Jump:
    """A seek, or an event that stands where nothing led; `ahead` if to a place that had not been reached."""

    track: int
    at_ms: int
    from_s: float
    to_s: float
    ahead: bool


@dataclass(frozen=True)
class Away:
    """A stretch in which a player's window was hidden, or (`blurred`) without focus, and how long it played then."""

    track: int
    start_ms: int
    end_ms: int
    played_ms: int
    blurred: bool


@dataclass(frozen=True)
class Declared:
    """A stretch in which events declared a rate above the limit while playing."""

    start_ms: int
    end_ms: int
    rate: float


@dataclass(frozen=True)
class Control:
    """Something that a player said of itself: `play`, `pause` or `ended`."""

    at_ms: int
    type: EventType


@dataclass(frozen=True)
class Popup:
    """A pop-up that was shown: until when, whether answered and after how long, and whether it controls (OG301).

    end_ms: answer, expiry, next showing or the session's end. waited_ms: how far the playing clock moved until then.
    reaction_ms: from showing to answer, None without one.
    """

    shown_ms: int
    end_ms: int
    waited_ms: int
    reaction_ms: int | None
    controls: bool


@dataclass(frozen=True)
class Due:
    """The moment at which something that the service asked for was due, and whether it came."""

    kind: str
    at_ms: int
    came: bool


class SameAs(StrEnum):
    """What a reused picture was before."""

    REFERENCE = "reference"
    CAPTURE = "capture"


@dataclass(frozen=True)
class Photo:
    """A retained picture: `key` is `platform_id/session_id/snapshot_id`; asked for by the service; counts (`good`).

    distance: to the reference, None where it wasn't measured. same_as: what it is the same picture as, if reused.
    """

    key: str
    at_ms: int
    asked: bool
    good: bool
    distance: float | None = None
    same_as: SameAs | None = None


@dataclass(frozen=True)
class Check:
    """A liveness check: `key` is `platform_id/session_id/check_id`."""

    key: str
    at_ms: int
    outcome: Outcome
    distance: float | None = None


@dataclass(frozen=True)
class Arrival:
    """Events that reached the service together, and the moments of the first and last of them."""

    received_ms: int
    first_ms: int
    last_ms: int

    @property
    def is_early(self) -> bool:
        """Return whether it came before what it tells had happened, by more than clocks may differ."""
        return self.last_ms - self.received_ms > EARLY_MS


@dataclass(frozen=True)
class Other:
    """Another session at the same time: of the learner, or of someone else on the same device.

    played: its observed playing. together: where a session of the picture played too.
    """

    key: str
    class_id: str
    lesson_no: int
    is_learners: bool
    played: tuple[Span, ...]
    together: tuple[Span, ...]


@dataclass(frozen=True)
class Mark:
    """A finding: where it holds (`whole`: it names no place, and stands for all that is drawn), and its words."""

    number: int
    finding_id: str
    rule: str
    effect: Effect
    dismissed: bool
    start_ms: int
    end_ms: int
    whole: bool
    name: tuple[str, str]
    said: tuple[str, str]


@dataclass(frozen=True)
class SessionFacts:
    """Everything that one picture shows of the sessions of one lesson.

    keys: the sessions, in order of opening. beats: moment and Δt in ms of every heartbeat that follows a heartbeat.
    """

    keys: tuple[str, ...]
    enrolment_id: str
    lesson_no: int
    duration_s: float
    limits: Limits
    start_ms: int
    end_ms: int
    tracks: tuple[Track, ...]
    pieces: tuple[Piece, ...]
    cones: tuple[Cone, ...]
    wedges: tuple[Wedge, ...]
    jumps: tuple[Jump, ...]
    away: tuple[Away, ...]
    declared: tuple[Declared, ...]
    controls: tuple[Control, ...]
    popups: tuple[Popup, ...]
    due: tuple[Due, ...]
    photos: tuple[Photo, ...]
    checks: tuple[Check, ...]
    arrivals: tuple[Arrival, ...]
    beats: tuple[tuple[int, int], ...]
    others: tuple[Other, ...]
    marks: tuple[Mark, ...]

    @property
    def rules(self) -> set[str]:
        """Return the rules that were found."""
        return {mark.rule for mark in self.marks}
