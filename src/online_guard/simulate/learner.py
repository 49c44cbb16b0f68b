"""A learner before one player: watches, answers pop-ups, is photographed, pauses, rewinds, waits for the network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from online_guard.simulate.recorder import Directive, Player, Sitting
from online_guard.terms import EventType, Outcome

OWN_POPUP_AFTER_MS = 285_000
"""A player that got no directive for so long shows a pop-up of its own."""


@dataclass(frozen=True)
class Habits:
    """How a learner studies; the defaults are an honest one.

    heartbeat_ms and jitter_ms: mean and spread of the player's timer. delivery_ms: how often a batch is sent.
    media_rate: how fast the media really runs; declared_rate: what the player says. clock_rate: how fast the
    client's clock runs. reaction_ms: a constant reaction time, None for a human one. shows_popups, pauses_at_popups:
    what the player does. liveness: outcomes of the checks, the last one repeated; none at all when empty.
    pictures: what the camera sees, the last one repeated. says_play: whether the player says when it starts.
    tick_ms: grain of the times in the log. busy_share: share of heartbeats that a busy browser sends late. lag_ms: how
    late the position is read at most.
    """

    heartbeat_ms: float = 15_000
    jitter_ms: float = 40
    delivery_ms: float = 55_000
    media_rate: float = 1.0
    declared_rate: float = 1.0
    clock_rate: float = 1.0
    reaction_ms: float | None = None
    shows_popups: bool = True
    pauses_at_popups: bool = False
    liveness: tuple[Outcome, ...] = (Outcome.PASSED,)
    pictures: tuple[str, ...] = ("good",)
    says_play: bool = True
    tick_ms: int = 1
    busy_share: float = 0.05
    lag_ms: float = 30


HONEST = Habits()


class Learner:
    """One learner in one sitting. Each method is something a person does; time passes in all of them."""

    def __init__(self, sitting: Sitting, habits: Habits, rng: Random, position_s: float = 0.0) -> None:
        self.sitting = sitting
        self.habits = habits
        self.rng = rng
        self.player: Player = sitting.player("player-1", position_s)
        self.player.lag_s = habits.lag_ms / 1000
        self.popups = 0
        self._last_popup_ms = 0.0
        self._next_beat_ms = 0.0
        self._next_delivery_ms = habits.delivery_ms
        self._checks = 0
        self._pictures = 0
        self._next_check_ms = rng.uniform(15_000, 40_000) if habits.liveness else math.inf

    def start(self) -> None:
        """Open the player and start it."""
        self.player.say(EventType.PLAYER_OPENED)
        self.sitting.wait(self.rng.uniform(200, 900))
        self.resume()

    def resume(self, stale_position_s: float | None = None) -> None:
        """Play, at the declared rate; see `Player.play`."""
        self.player.media_rate = self.habits.media_rate
        if self.habits.declared_rate != self.player.rate:
            self.player.rate = self.habits.declared_rate
            self.player.say(EventType.RATE)
        if self.habits.says_play:
            self.player.play(stale_position_s)
        else:
            self.player.playing = True
            self.player.say(EventType.HEARTBEAT)
        self._plan_beat()

    def watch(self, until_s: float) -> None:
        """Watch until the media position is reached, answering whatever comes meanwhile."""
        if not self.player.playing:
            self.resume()
        while self.player.position_s < until_s - 1e-6:
            prompt_ms = max(0.0, self._next_prompt_ms() - self.sitting.playing_ms)
            beat_ms = max(0.0, self._next_beat_ms - self.sitting.at_ms)
            left_ms = (until_s - self.player.position_s) * 1000 / self.player.media_rate
            self.sitting.wait(min(prompt_ms, beat_ms, left_ms))
            if self._next_prompt_ms() <= self.sitting.playing_ms:
                self._meet_prompt()
            if self._next_beat_ms <= self.sitting.at_ms + 0.5:
                self._beat()

    def finish(self) -> int:
        """Watch to the end, close, and return the service clock then."""
        self.watch(self.sitting.duration_s)
        self.player.end()
        return self.leave()

    def leave(self) -> int:
        """Close the session wherever it stands and return the service clock then."""
        if self.player.playing:
            self.player.pause()
        self.sitting.wait(self.rng.uniform(300, 2000))
        self.player.say(EventType.PLAYER_CLOSED)
        return self.sitting.close()

    def pause(self, duration_ms: float) -> None:
        """Pause and go on at the same place."""
        self.player.pause()
        self.sitting.deliver()
        self.sitting.wait(duration_ms)
        self.resume()

    def rewind(self, back_s: float, *, stale: bool = False) -> None:
        """Pause, seek back, play; `stale` is the real player whose `play` still says the position before the seek."""
        before_s = self.player.position_s
        self.player.pause()
        self.sitting.wait(self.rng.uniform(600, 2500))
        self.player.seek(max(0.0, before_s - back_s))
        self.sitting.wait(self.rng.uniform(300, 1500))
        self.resume(before_s if stale else None)

    def stall(self, duration_ms: float) -> None:
        """Wait for the network: the player says that it plays, and the media stands still."""
        self.player.stalled = True
        self.sitting.wait(duration_ms)
        self.player.stalled = False

    def sleep(self, duration_ms: float) -> None:
        """Shut the laptop while it plays and open it later: its monotonic clock doesn't count the sleep."""
        self.sitting.keep_clock_still(duration_ms)
        self.sitting.wait(1500)

    def fall_silent(self, duration_ms: float) -> None:
        """Play on without a heartbeat: the browser froze the tab's timer."""
        self.sitting.wait(duration_ms)
        self._beat()

    def leave_paused(self, duration_ms: float) -> None:
        """Pause with the window hidden: the browser wakes the player's timer about once a minute."""
        self.player.pause()
        self.player.say(EventType.HIDDEN)
        while duration_ms > 0:
            self.sitting.wait(min(duration_ms, 60_000 + self.rng.uniform(0, 900)))
            self.player.say(EventType.HEARTBEAT)
            duration_ms -= 60_000
        self.player.say(EventType.VISIBLE)
        self.sitting.wait(self.rng.uniform(300, 1500))
        self.resume()

    def skip(self, to_s: float) -> None:
        """Drag the position forward."""
        self.player.seek(to_s)

    def watch_hidden(self, until_s: float) -> None:
        """Watch with the window hidden."""
        self.player.say(EventType.HIDDEN)
        self.watch(until_s)
        self.player.say(EventType.VISIBLE)

    def show_popup(self, popup: str, wait_ms: float) -> None:
        """Show a pop-up and answer it after `wait_ms`, in which the player may go on."""
        resumes = self.habits.pauses_at_popups and self.player.playing
        if resumes:
            self.player.pause()
        self.player.say(EventType.POPUP_SHOWN, popup=popup)
        self.popups += 1
        self._last_popup_ms = self.sitting.playing_ms
        self._let_pass(wait_ms)
        self.player.say(EventType.POPUP_ANSWERED, popup=popup)
        if resumes:
            self.sitting.wait(self.rng.uniform(50, 200))
            self.resume()

    def photograph(self, picture: str, asked_by: Directive | None) -> None:
        """Take a picture and deliver it, asked for or not."""
        self.sitting.service.snapshot(
            self.sitting.opening,
            self.sitting.at_ms,
            picture,
            asked_by,
            self.sitting.arrival_ms(),
        )

    def reaction_ms(self) -> float:
        """Return how long this learner takes to answer: human times are log-normal, from 0.8 to 8 s."""
        if self.habits.reaction_ms is not None:
            return self.habits.reaction_ms
        return min(8000.0, max(800.0, self.rng.lognormvariate(math.log(2200), 0.45)))

    def _let_pass(self, duration_ms: float) -> None:
        """Let time pass with the heartbeats that fall into it."""
        end_ms = self.sitting.at_ms + duration_ms
        while self.player.playing and self._next_beat_ms < end_ms:
            self.sitting.wait(max(0.0, self._next_beat_ms - self.sitting.at_ms))
            self._beat()
        self.sitting.wait(max(0.0, end_ms - self.sitting.at_ms))

    def _plan_beat(self) -> None:
        """Draw the moment of the next heartbeat; now and then a busy browser is late."""
        late_ms = self.rng.expovariate(1 / 400) if self.rng.random() < self.habits.busy_share else 0.0
        period_ms = self.habits.heartbeat_ms + self.rng.gauss(0, self.habits.jitter_ms) + late_ms
        self._next_beat_ms = self.sitting.at_ms + period_ms

    def _beat(self) -> None:
        """Say a heartbeat and deliver a batch when it is time."""
        self.player.say(EventType.HEARTBEAT)
        self._plan_beat()
        if self.sitting.at_ms - self.sitting.opening.opened_at_ms >= self._next_delivery_ms:
            self._next_delivery_ms = self.sitting.at_ms - self.sitting.opening.opened_at_ms + self.habits.delivery_ms
            self.sitting.deliver()

    def _next_prompt_ms(self) -> float:
        """Return the playing clock at which the next thing asks for the learner."""
        directed_ms = self.sitting.prompts[0].due_playing_ms if self.sitting.prompts else math.inf
        own_ms = self._last_popup_ms + OWN_POPUP_AFTER_MS if self.habits.shows_popups else math.inf
        return min(directed_ms, own_ms, self._next_check_ms)

    def _meet_prompt(self) -> None:
        """Answer what is due first: a liveness check, a directive, or a pop-up of the player's own."""
        if self._next_check_ms <= self.sitting.playing_ms:
            self._check()
        elif self.sitting.prompts and self.sitting.prompts[0].due_playing_ms <= self.sitting.playing_ms:
            self._follow(self.sitting.prompts.pop(0))
        else:
            self.show_popup(f"own-{self.popups + 1}", self.reaction_ms())

    def _follow(self, directive: Directive) -> None:
        """Do what the service asked, as far as the habits go. Checks have their own times."""
        if directive.kind == "popup" and self.habits.shows_popups:
            self.show_popup(directive.directive_id, self.reaction_ms())
        elif directive.kind == "snapshot":
            self.photograph(self.habits.pictures[min(self._pictures, len(self.habits.pictures) - 1)], directive)
            self._pictures += 1

    def _check(self) -> None:
        """Go through one liveness check; the next follows a minute later while outcomes are left."""
        outcome = self.habits.liveness[self._checks]
        self._checks += 1
        self._next_check_ms = math.inf
        if self._checks < len(self.habits.liveness):
            self._next_check_ms = self.sitting.playing_ms + self.rng.uniform(40_000, 80_000)
        self.sitting.service.check(self.sitting.opening, self.sitting.at_ms, outcome, self.sitting.arrival_ms())
