"""A service on paper: keeps what sittings send as the rows of a bundle and draws directives as a service would."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from random import Random

from online_guard.simulate.recorder import (
    OBSERVED_MS,
    Directive,
    Opening,
    Service,
    TelemetryEvent,
)
from online_guard.terms import EventType, Outcome

Row = dict[str, object]
AHEAD_MS = 60_000
"""Directives are told no further ahead than this, on the playing clock."""

FURTHER = {"wrong_person": 0.5, "glasses": 0.24}
"""How much further from the reference such a picture lies than an ordinary one of the learner."""


@dataclass
class _Progress:
    """What the tape knows of one session: who plays, when it last spoke, and what it will be asked."""

    plan: list[tuple[int, str]]
    playing_ms: int = 0
    last_at_ms: int = 0
    told: int = 0
    players: dict[str, bool] = field(default_factory=dict)
    seqs: set[int] = field(default_factory=set)


class Tape:
    """Rows by file name of a bundle, without the parts that only a register knows (classes, enrolments).

    Args:
        rng: Source of chance for directives, hashes and distances.
    """

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.rows: dict[str, list[Row]] = {
            name: [] for name in ("sessions", "events", "snapshots", "liveness", "likenesses", "directives")
        }
        self._progress: dict[str, _Progress] = {}

    def open(self, opening: Opening, now_ms: int) -> Sequence[Directive]:
        """Keep the session and draw what it will be asked."""
        self.rows["sessions"].append({**asdict(opening), "opened_received_ms": now_ms})
        self._progress[opening.session_id] = _Progress(self._plan())
        return self._due(opening, now_ms)

    def post(self, opening: Opening, events: Sequence[TelemetryEvent], now_ms: int) -> Sequence[Directive]:
        """Keep a batch, every event as often as it arrives."""
        progress = self._progress[opening.session_id]
        for event in events:
            self.rows["events"].append(_owner(opening) | event.as_row() | {"received_ms": now_ms})
        for event in events:
            if event.seq not in progress.seqs:
                progress.seqs.add(event.seq)
                _advance(progress, event)
        return self._due(opening, now_ms)

    def snapshot(
        self,
        opening: Opening,
        at_ms: int,
        picture: str,
        asked_by: Directive | None,
        now_ms: int,
    ) -> None:
        """Keep what the face pipeline would have said of a picture: one proper face counts, whosever it is."""
        good = picture in ("good", *FURTHER)
        row: Row = _owner(opening) | {
            "snapshot_id": f"photo-{len(self.rows['snapshots']) + 1:06}",
            "at_ms": at_ms,
            "received_ms": now_ms,
            "asked": asked_by is not None,
            "good": good,
            "sha256": hashlib.sha256(self.rng.randbytes(16)).hexdigest(),
            "phash": f"{self.rng.getrandbits(64):016x}",
        }
        further = FURTHER.get(picture, 0.0)
        self.rows["snapshots"].append(row | ({"distance": round(self._distance() + further, 6)} if good else {}))

    def check(self, opening: Opening, at_ms: int, outcome: Outcome, now_ms: int) -> None:  # noqa: ARG002 - a result has no time of arrival in the bundle
        """Keep the result of a liveness check."""
        row: Row = {
            "check_id": f"check-{len(self.rows['liveness']) + 1:06}",
            "at_ms": at_ms,
            "outcome": str(outcome),
        }
        passed = {"distance": self._distance()} if outcome is Outcome.PASSED else {}
        self.rows["liveness"].append(_owner(opening) | row | passed)

    def close(self, opening: Opening, now_ms: int) -> None:  # noqa: ARG002 - nor has a close
        """Forget what the session would still have been asked."""
        self._progress[opening.session_id].plan.clear()

    def _distance(self) -> float:
        """Return the face distance of the learner's own picture."""
        return round(self.rng.uniform(0.22, 0.42), 6)

    def _plan(self) -> list[tuple[int, str]]:
        """Draw a session's directives: a pop-up every 2 to 4.5 min and a snapshot in each class hour of playing."""
        plan = [(self.rng.randint(120_000, 600_000) + 2_700_000 * hour, "snapshot") for hour in range(4)]
        due_ms = 0
        while due_ms < 10_800_000:
            due_ms += self.rng.randint(120_000, 270_000)
            plan.append((due_ms, "popup"))
        return sorted(plan)

    def _due(self, opening: Opening, now_ms: int) -> list[Directive]:
        """Return the directives that fall due within the next minute of playing."""
        progress = self._progress[opening.session_id]
        told: list[Directive] = []
        while progress.plan and progress.plan[0][0] <= progress.playing_ms + AHEAD_MS:
            due_ms, kind = progress.plan.pop(0)
            progress.told += 1
            directive = Directive(f"{opening.session_id}-d{progress.told:03}", kind, due_ms)
            told.append(directive)
            self.rows["directives"].append(
                _owner(opening)
                | {
                    "directive_id": directive.directive_id,
                    "kind": kind,
                    "issued_ms": now_ms,
                    "due_playing_ms": due_ms,
                }
            )
        return told


def tape_of(service: Service) -> Tape:
    """Return the service as a tape: some cheats are told by what a face pipeline would have written on it.

    Raises:
        TypeError: It is a running service.
    """
    if not isinstance(service, Tape):
        raise TypeError("this cheat needs a tape, not a running service")
    return service


def _owner(opening: Opening) -> Row:
    """Return the key of the session that a row belongs to."""
    return {"platform_id": opening.platform_id, "session_id": opening.session_id}


def _advance(progress: _Progress, event: TelemetryEvent) -> None:
    """Move the playing clock on to an event; time in which some player plays counts once."""
    passed_ms = event.at_ms - progress.last_at_ms
    if any(progress.players.values()) and 0 < passed_ms <= OBSERVED_MS:
        progress.playing_ms += passed_ms
    progress.last_at_ms = event.at_ms
    progress.players[event.player] = event.playing and event.type is not EventType.PLAYER_CLOSED
