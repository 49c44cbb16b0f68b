"""Timeline columns of one session → what its players did, as records that can be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from online_guard.evidence import Evidence, Integers
from online_guard.pictures.facts import (
    Arrival,
    Away,
    Control,
    Declared,
    Popup,
    Track,
)
from online_guard.policy import Policy
from online_guard.terms import EVENT_TYPES, EventType
from online_guard.timeline import leaps, visibility
from online_guard.timeline.clocks import moment_of
from online_guard.timeline.columns import ABSENT, chain_excess_ns, chain_gain_ns
from online_guard.timeline.digest import View
from online_guard.timeline.segments import exceeds_ns, group_starts, nanoseconds

NS = 1e9


@dataclass(frozen=True)
class Telemetry:
    """The columns of a view and what is derived from them for all of its sessions at once."""

    evidence: Evidence
    policy: Policy
    seen: View

    @cached_property
    def excess_ns(self) -> Integers:
        """Return, for each event, how far content ran ahead of what time allows (OG101); 0 outside the chain."""
        timeline, slack = self.seen.timeline, int(nanoseconds(self.policy.playback.slack_s))
        rows, gain = chain_gain_ns(timeline, self.policy, above_ns=slack)
        excess = chain_excess_ns(gain, group_starts(timeline.session[rows]))
        result = np.zeros(len(timeline.session), np.int64)
        result[rows] = np.where(exceeds_ns(excess, slack), excess, 0)
        return result

    @cached_property
    def leapt(self) -> dict[tuple[int, int], float]:
        """Return, by session (local number) and `seq`, the events that nothing led to, with what led furthest in s."""
        timeline = self.seen.timeline
        candidates = leaps.candidates(timeline, self.policy)
        wanted = np.zeros(timeline.sessions, bool)
        wanted[timeline.session[candidates[0]]] = True
        found = leaps.leaps(timeline, candidates, leaps.reached(timeline, wanted), self.policy)
        reached = np.maximum(found.reached_ns, found.bound_ns) / NS
        return {
            (int(session), int(seq)): float(furthest)
            for session, seq, furthest in zip(found.session, found.seq, reached, strict=True)
        }

    def of(self, local: int, first_track: int) -> Session:
        """Return one session; `first_track` is the number of tracks before it in the picture."""
        return Session(self, local, first_track)


@dataclass(frozen=True)
class Session:
    """One session of the columns, by its local number."""

    all: Telemetry
    local: int
    first_track: int

    @cached_property
    def rows(self) -> range:
        """Return the rows of the session's events."""
        timeline = self.all.seen.timeline
        first = int(timeline.starts[self.local])
        return range(first, first + int(timeline.lengths[self.local]))

    @property
    def row(self) -> int:
        """Return the session's row in `Evidence.sessions`."""
        return int(self.all.seen.timeline.rows[self.local])

    @property
    def offset_ms(self) -> int:
        """Return service clock − client clock."""
        return int(self.all.seen.clocks.offset_ms[self.local])

    @property
    def key(self) -> str:
        """Return `platform_id/session_id`."""
        return str(self.all.evidence.sessions.key[self.row])

    def at(self, row: int) -> int:
        """Return an event's moment on the service clock."""
        return int(self.all.seen.timeline.at_ms[row]) + self.offset_ms

    @cached_property
    def track_of(self) -> dict[int, int]:
        """Return the place of each of the timeline's tracks in the picture, in order of first event."""
        tracks = dict.fromkeys(self.all.seen.timeline.track[self.rows.start : self.rows.stop].tolist())
        return {track: self.first_track + place for place, track in enumerate(tracks)}

    def tracks(self) -> tuple[Track, ...]:
        """Return the players."""
        timeline, names = self.all.seen.timeline, self.all.evidence.events.player_names
        moments: dict[int, list[int]] = {track: [] for track in self.track_of}
        players: dict[int, str] = {}
        for row in self.rows:
            track = int(timeline.track[row])
            moments[track].append(self.at(row))
            players[track] = str(names[timeline.player[row]])
        return tuple(Track(self.key, players[track], min(at), max(at)) for track, at in moments.items())

    def intervals(self) -> Iterator[tuple[int, int]]:
        """Yield the rows of neighbouring events of each player, in `seq` order of the second, while it is open."""
        timeline = self.all.seen.timeline
        for row in self.rows:
            before = int(timeline.previous[row])
            if before != ABSENT and timeline.type[before] != EventType.PLAYER_CLOSED.code:
                yield before, row

    def away(self) -> Iterator[Away]:
        """Yield the stretches in which a player was hidden or out of focus."""
        timeline, clocks = self.all.seen.timeline, self.all.seen.clocks
        for blurred, found in (
            (False, visibility.hidden(timeline, clocks)),
            (True, visibility.unfocused(timeline, clocks)),
        ):
            for place in np.flatnonzero(timeline.track_session[found.track] == self.local).tolist():
                track = self.track_of[int(found.track[place])]
                start, end = self.at(int(found.begin[place])), self.at(int(found.end[place]))
                yield Away(track, start, end, int(found.played_ms[place]), blurred)

    def declared(self) -> Iterator[Declared]:
        """Yield the stretches of events that declare a rate above the limit while playing, by player and rate."""
        timeline, playback = self.all.seen.timeline, self.all.policy.playback
        limit = playback.max_rate * (1 + playback.rate_tolerance)
        known: dict[int, Declared] = {}
        for row in self.rows:
            track, rate = int(timeline.track[row]), float(timeline.rate[row])
            stretch = known.get(track)
            if stretch:
                stretch = replace(stretch, end_ms=max(stretch.start_ms, self.at(row)))
                known[track] = stretch
            if stretch and (not timeline.playing[row] or abs(rate - stretch.rate) > 1e-6):
                yield known.pop(track)
                stretch = None
            if stretch is None and timeline.playing[row] and rate > limit + 1e-6:
                known[track] = Declared(self.at(row), self.at(row), rate)
        yield from known.values()

    def controls(self) -> Iterator[Control]:
        """Yield when a player said `play`, `pause` or `ended`."""
        timeline = self.all.seen.timeline
        for row in self.rows:
            kind = EVENT_TYPES[timeline.type[row]]
            if kind in (EventType.PLAY, EventType.PAUSE, EventType.ENDED):
                yield Control(self.at(row), kind)

    def popups(self) -> Iterator[Popup]:
        """Yield the pop-ups that were shown."""
        showings, clocks = self.all.seen.showings, self.all.seen.clocks
        for place in np.flatnonzero(showings.session == self.local).tolist():
            shown = self.at(int(showings.shown[place]))
            waited, answer = int(showings.waited_ms[place]), int(showings.answer[place])
            answered = answer != ABSENT
            end = self.at(answer) if answered else shown
            if not answered and clocks.playing_ms[self.local]:
                until = showings.shown_clock_ms[place : place + 1] + waited
                end = max(shown, int(moment_of(clocks, np.array([self.local]), until)[0]) + self.offset_ms)
            reaction = int(showings.reaction_ms[place]) if answered else None
            yield Popup(shown, end, waited, reaction, bool(showings.controls[place]))

    def arrivals(self) -> Iterator[Arrival]:
        """Yield what reached the service together."""
        timeline = self.all.seen.timeline
        moments: dict[int, list[int]] = {}
        for row in self.rows:
            moments.setdefault(int(timeline.received_ms[row]), []).append(self.at(row))
        for received, at in sorted(moments.items()):
            yield Arrival(received, min(at), max(at))

    def beats(self) -> Iterator[tuple[int, int]]:
        """Yield moment and Δt of every heartbeat that follows a heartbeat of its player."""
        timeline = self.all.seen.timeline
        rows = timeline.beats
        for row in rows[(rows >= self.rows.start) & (rows < self.rows.stop)].tolist():
            yield self.at(row), int(timeline.delta_ms[row])
