"""Honest study: a learner's desk, and a lesson with what life puts in its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from online_guard.simulate.learner import HONEST, Habits, Learner
from online_guard.simulate.recorder import Network, Opening, Service, Sitting

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0 Safari/537.36"
PHONE = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0 Mobile Safari/537.36"
DAY_MS = 86_400_000


@dataclass
class Desk:
    """One enrolment at work: opens sessions one after another, each where the clock of the desk stands.

    Args:
        service: Where everything goes.
        platform_id: The platform of the class.
        enrolment_id: Who studies.
        durations_s: Length of each lesson by `lesson_no`.
        now_ms: Service clock at which the next session opens.
        rng: Source of chance.
        habits: How this learner studies unless a session says otherwise.
        skew_ms: How far the device's clock is ahead of the service's.
    """

    service: Service
    platform_id: str
    enrolment_id: str
    durations_s: dict[int, float]
    now_ms: int
    rng: Random
    habits: Habits = HONEST
    skew_ms: int = 0
    studied: set[int] = field(default_factory=set)
    sittings: int = 0

    def sit(
        self,
        lesson_no: int,
        position_s: float = 0.0,
        *,
        habits: Habits | None = None,
        device: str = "pc",
        delay_ms: int = 0,
    ) -> Learner:
        """Open a session of a lesson, start the player at `position_s` and return the learner before it."""
        chosen = habits or self.habits
        sitting = self.open(lesson_no, habits=chosen, device=device, delay_ms=delay_ms)
        learner = Learner(sitting, chosen, self.rng, position_s)
        learner.start()
        return learner

    def open(
        self,
        lesson_no: int,
        *,
        habits: Habits | None = None,
        device: str = "pc",
        delay_ms: int = 0,
        user_agent: str = "",
    ) -> Sitting:
        """Open a session of a lesson without anybody before it."""
        chosen = habits or self.habits
        self.sittings += 1
        self.studied.add(lesson_no)
        opened_ms = self.now_ms + self.skew_ms - delay_ms
        opening = Opening(
            platform_id=self.platform_id,
            session_id=f"{self.enrolment_id}-s{self.sittings:03}",
            enrolment_id=self.enrolment_id,
            lesson_no=lesson_no,
            opened_at_ms=opened_ms // chosen.tick_ms * chosen.tick_ms,
            device_id=f"{self.enrolment_id}-{device}",
            user_agent=user_agent or (PHONE if device == "phone" else BROWSER),
        )
        return Sitting(
            self.service,
            opening,
            self.now_ms,
            self.durations_s[lesson_no],
            self.rng,
            chosen.clock_rate,
            Network(),
            delay_ms,
            chosen.tick_ms,
        )

    def study(self, lesson_no: int, *, habits: Habits | None = None) -> None:
        """Watch a lesson from beginning to end in one sitting."""
        self.finish(self.sit(lesson_no, habits=habits))

    def finish(self, learner: Learner) -> None:
        """Let a learner watch to the end; the desk's clock goes on a few minutes later."""
        self.leave_at(learner.finish())

    def leave(self, learner: Learner) -> None:
        """Let a learner close the session where it stands."""
        self.leave_at(learner.leave())

    def leave_at(self, now_ms: int) -> None:
        """Go on some minutes after a moment of the service clock."""
        self.now_ms = max(self.now_ms, now_ms) + self.rng.randint(60_000, 600_000)

    def study_rest(self) -> None:
        """Study honestly every lesson that has no session yet, in order."""
        for lesson_no in sorted(set(self.durations_s) - self.studied):
            study_with_incidents(self, lesson_no)


def late_batches(learner: Learner, for_s: float = 600) -> None:
    """Lose the network for some time: what was said in the meantime arrives late, in one go."""
    learner.sitting.offline = True
    learner.watch(min(learner.sitting.duration_s - 30, learner.player.position_s + for_s))
    learner.sitting.offline = False


INCIDENTS: tuple[Callable[[Learner], None], ...] = (
    lambda learner: learner.pause(learner.rng.uniform(5_000, 240_000)),
    lambda learner: learner.rewind(learner.rng.uniform(1, 45)),
    lambda learner: learner.rewind(learner.rng.uniform(10, 45), stale=True),
    lambda learner: learner.stall(learner.rng.uniform(2_000, 25_000)),
)
"""What happens to anyone; lunch, sleep and lost networks are asked for by name."""


def study_with_incidents(desk: Desk, lesson_no: int, extra: Callable[[Learner], None] | None = None) -> None:
    """Watch a lesson with two to four incidents at random places, one of them `extra` where given."""
    rng = desk.rng
    learner = desk.sit(lesson_no)
    chosen = [rng.choice(INCIDENTS) for _ in range(rng.randint(2, 4))]
    if extra is not None:
        chosen[rng.randrange(len(chosen))] = extra
    length_s = learner.sitting.duration_s
    places = sorted(rng.uniform(0.05, 0.7) * length_s for _ in chosen)
    for place_s, incident in zip(places, chosen, strict=True):
        learner.watch(place_s)
        incident(learner)
    desk.finish(learner)
