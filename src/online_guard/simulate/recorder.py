"""One sitting as its platform sees it: two clocks, players that say events, and a network that delivers them.

Nothing here looks at the machine's clock: time passes only when `Sitting.wait` says so, and every chance comes from the
generator given. What is said goes to a `Service`: a tape that keeps it as a bundle, or a running service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from online_guard.terms import EventType, Outcome

OBSERVED_MS = 60_000
"""A player that is silent for longer isn't believed to have played (SPEC 3.3)."""


@dataclass(frozen=True)
class Directive:
    """What a service asked of a player (popup, snapshot, liveness) for when its playing clock reaches a moment."""

    directive_id: str
    kind: str
    due_playing_ms: int
    nonce: str = ""


@dataclass(frozen=True)
class Opening:
    """The opening of a session, as in the bundle; `opened_at_ms` is the client's clock."""

    platform_id: str
    session_id: str
    enrolment_id: str
    lesson_no: int
    opened_at_ms: int
    device_id: str
    user_agent: str


@dataclass(frozen=True)
class TelemetryEvent:
    """One event with exactly the fields of SPEC 3.2; `at_ms` is the client's clock, `rate` what the player claims."""

    seq: int
    type: EventType
    at_ms: int
    position_s: float
    playing: bool
    rate: float
    player: str
    from_s: float | None = None
    popup: str | None = None

    def as_row(self) -> dict[str, object]:
        """Return the event as a JSON object, without the absent fields."""
        row: dict[str, object] = {
            "seq": self.seq,
            "type": str(self.type),
            "at_ms": self.at_ms,
            "position_s": self.position_s,
            "playing": self.playing,
            "rate": self.rate,
            "player": self.player,
        }
        optional = {"from_s": self.from_s, "popup": self.popup}
        return row | {name: value for name, value in optional.items() if value is not None}


class Service(Protocol):
    """Who a sitting talks to. `now_ms` is always the service's clock at the moment of arrival."""

    def open(self, opening: Opening, now_ms: int) -> Sequence[Directive]:
        """Open a session and return the first directives."""

    def post(self, opening: Opening, events: Sequence[TelemetryEvent], now_ms: int) -> Sequence[Directive]:
        """Deliver a batch and return the directives due soon."""

    def snapshot(
        self,
        opening: Opening,
        at_ms: int,
        picture: str,
        asked_by: Directive | None,
        now_ms: int,
    ) -> None:
        """Deliver one camera image: `picture` names its kind; `asked_by` is the directive it answers."""

    def check(self, opening: Opening, at_ms: int, outcome: Outcome, now_ms: int) -> None:
        """Deliver the result of one liveness check."""

    def close(self, opening: Opening, now_ms: int) -> None:
        """Close the session."""


@dataclass(frozen=True)
class Network:
    """How batches travel: latency in ms, the share sent twice, the share sent as two halves in the wrong order."""

    latency_ms: tuple[int, int] = (40, 900)
    duplicate_share: float = 0.05
    reorder_share: float = 0.05


class Sitting:
    """One session: moves the clocks, numbers the events and delivers them.

    Args:
        service: Where everything goes.
        opening: The session; its `opened_at_ms` fixes the client's clock.
        opened_ms: Service clock of the opening.
        duration_s: Length of the lesson.
        rng: Source of chance.
        clock_rate: How fast the client's clock runs; other than 1 only with a manipulated timer.
        network: How batches travel.
        opening_delay_ms: How long the opening was under way.
        tick_ms: Grain of the times in the log, in ms; 1000 where a platform keeps whole seconds only.
    """

    def __init__(
        self,
        service: Service,
        opening: Opening,
        opened_ms: int,
        duration_s: float,
        rng: Random,
        clock_rate: float = 1.0,
        network: Network | None = None,
        opening_delay_ms: int = 0,
        tick_ms: int = 1,
    ) -> None:
        self.tick_ms = tick_ms
        self.service = service
        self.opening = opening
        self.duration_s = duration_s
        self.rng = rng
        self.clock_rate = clock_rate
        self.network = network or Network()
        self.now_ms = float(opened_ms)
        self.playing_ms = 0.0
        self.offline = False
        self.players: list[Player] = []
        self.prompts: list[Directive] = []
        self.said: list[TelemetryEvent] = []
        self._client_ms = float(opening.opened_at_ms + opening_delay_ms)
        self._outbox: list[TelemetryEvent] = []
        self._known: set[str] = set()
        self._take(service.open(opening, opened_ms))
        self.wait(rng.uniform(300, 1500))

    @property
    def at_ms(self) -> int:
        """Return the client's clock, in whole ms."""
        return round(self._client_ms)

    @property
    def stamp_ms(self) -> int:
        """Return the client's clock as the log keeps it."""
        return self.at_ms // self.tick_ms * self.tick_ms

    def step_back(self, duration_ms: float) -> None:
        """Turn the client's clock back: only a tampered one does that."""
        self._client_ms -= duration_ms

    def player(self, name: str, position_s: float = 0.0) -> Player:
        """Return a new player (a tab) of this session that stands at `position_s`."""
        player = Player(self, name, position_s)
        self.players.append(player)
        return player

    def wait(self, duration_ms: float) -> None:
        """Let `duration_ms` of the client's clock pass; players that play move on."""
        self.now_ms += duration_ms / self.clock_rate
        self._client_ms += duration_ms
        if any(player.playing for player in self.players) and duration_ms <= OBSERVED_MS:
            self.playing_ms += duration_ms
        for player in self.players:
            player.move(duration_ms)

    def record(self, event: TelemetryEvent) -> None:
        """Keep an event for the next batch."""
        self.said.append(event)
        self._outbox.append(event)

    def deliver(self) -> None:
        """Send what waits, now and then twice or in the wrong order; nothing while off line."""
        if self.offline or not self._outbox:
            return
        batches = [self._outbox]
        self._outbox = []
        if self.rng.random() < self.network.duplicate_share:
            batches.append(batches[0])
        elif len(batches[0]) > 1 and self.rng.random() < self.network.reorder_share:
            half = len(batches[0]) // 2
            batches = [batches[0][half:], batches[0][:half]]
        for number, batch in enumerate(batches):
            self._take(self.service.post(self.opening, batch, self.arrival_ms() + 1000 * number))

    def rewrite(self, event: TelemetryEvent) -> None:
        """Send an event at once, under a `seq` that may have been used before."""
        self.service.post(self.opening, [event], self.arrival_ms())

    def close(self) -> int:
        """Deliver the rest, close the session and return the service clock then."""
        self.offline = False
        self.deliver()
        self.now_ms += 5000
        self.service.close(self.opening, round(self.now_ms))
        return round(self.now_ms)

    def keep_clock_still(self, duration_ms: float) -> None:
        """Let only the service's clock move: a machine that sleeps."""
        self.now_ms += duration_ms

    def arrival_ms(self) -> int:
        """Return the service clock at which something sent now arrives."""
        return round(self.now_ms) + self.rng.randint(*self.network.latency_ms)

    def _take(self, directives: Sequence[Directive]) -> None:
        """Add directives that weren't known yet, soonest first."""
        fresh = [directive for directive in directives if directive.directive_id not in self._known]
        self._known.update(directive.directive_id for directive in fresh)
        self.prompts = sorted([*self.prompts, *fresh], key=lambda directive: directive.due_playing_ms)


@dataclass
class Player:
    """One player instance.

    `rate` is what it declares, `media_rate` how fast its media really runs, `lag_s` how late it reads the position.
    """

    sitting: Sitting
    name: str
    position_s: float
    playing: bool = False
    stalled: bool = False
    rate: float = 1.0
    media_rate: float = 1.0
    lag_s: float = 0.03
    said: list[TelemetryEvent] = field(default_factory=list)

    def move(self, duration_ms: float) -> None:
        """Move the media on, unless it is paused or waits for the network."""
        if self.playing and not self.stalled:
            ahead = self.position_s + self.media_rate * duration_ms / 1000
            self.position_s = min(self.sitting.duration_s, ahead)

    def say(self, kind: EventType, *, from_s: float | None = None, popup: str | None = None) -> TelemetryEvent:
        """Record an event of this player now; a moving player's position is read up to `lag_s` late."""
        lag_s = self.sitting.rng.uniform(0, self.lag_s) if self.playing and kind is EventType.HEARTBEAT else 0.0
        event = TelemetryEvent(
            seq=len(self.sitting.said),
            type=kind,
            at_ms=self.sitting.stamp_ms,
            position_s=round(max(0.0, self.position_s - lag_s), 3),
            playing=self.playing,
            rate=self.rate,
            player=self.name,
            from_s=from_s,
            popup=popup,
        )
        self.said.append(event)
        self.sitting.record(event)
        return event

    def play(self, stale_position_s: float | None = None) -> None:
        """Start; `stale_position_s` is the position before a seek that some real players still report."""
        self.playing = True
        landed_s = self.position_s
        self.position_s = landed_s if stale_position_s is None else stale_position_s
        self.say(EventType.PLAY)
        self.position_s = landed_s

    def pause(self) -> None:
        """Stop for now."""
        self.playing = False
        self.say(EventType.PAUSE)

    def seek(self, to_s: float) -> None:
        """Jump to a media position."""
        from_s = round(self.position_s, 3)
        self.position_s = to_s
        self.say(EventType.SEEK, from_s=from_s)

    def end(self) -> None:
        """Say that the lesson's end was reached."""
        self.playing = False
        self.position_s = self.sitting.duration_s
        self.say(EventType.ENDED)


def changed(event: TelemetryEvent, position_s: float) -> TelemetryEvent:
    """Return the event as a forger rewrites it: the same `seq`, another position."""
    return replace(event, position_s=position_s)
