"""How a session's players went through the lesson, and how far time allowed them to: lines and areas of the plot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from online_guard.pictures.facts import Cone, Jump, Kind, Piece, Point, Wedge
from online_guard.pictures.telemetry import NS, Session
from online_guard.terms import EventType
from online_guard.timeline.columns import ABSENT, allowed_ns
from online_guard.timeline.segments import nanoseconds

BREAK_MS = 30_000
"""A longer pause begins a new run of playing; a shorter one would draw one cone upon the other."""


def _kind(session: Session, row: int) -> Kind:
    timeline, slack = session.all.seen.timeline, nanoseconds(session.all.policy.playback.slack_s)
    if timeline.plays[row]:
        if session.all.excess_ns[row] and timeline.gain_ns[row] > 0:
            return Kind.FAST
        if timeline.observed[row] or timeline.delta_ms[row] <= 0:
            return Kind.PLAY
        return Kind.SILENT
    moved = timeline.end_ns[row] - timeline.start_ns[row] > slack
    reopened = timeline.type[row] == EventType.PLAYER_OPENED.code
    return Kind.FAST if moved and not reopened else Kind.PAUSE


def pieces(session: Session) -> Iterator[Piece]:
    """Yield the players' ways; neighbouring intervals of one kind that meet are one piece."""
    timeline = session.all.seen.timeline
    open_pieces: dict[int, tuple[Kind, list[Point]]] = {}
    for before, row in session.intervals():
        track, kind = session.track_of[int(timeline.track[row])], _kind(session, row)
        start = (session.at(before), float(timeline.start_ns[row] / NS))
        end = (session.at(row), float(timeline.end_ns[row] / NS))
        known = open_pieces.get(track)
        if known and known[0] is kind and known[1][-1] == start:
            known[1].append(end)
            continue
        if known:
            yield Piece(track, known[0], tuple(known[1]))
        open_pieces[track] = (kind, [start, end])
    for track, (kind, points) in open_pieces.items():
        yield Piece(track, kind, tuple(points))


def cones(session: Session) -> Iterator[Cone]:
    """Yield a cone for each run of playing of a player."""
    timeline = session.all.seen.timeline
    runs: dict[int, Cone] = {}
    for before, row in session.intervals():
        track = int(timeline.track[row])
        here, until = session.at(before), session.at(row)
        run = runs.get(track)
        if timeline.plays[row] and (run is None or here - run.until_ms > BREAK_MS):
            if run:
                yield run
            run = Cone(here, float(timeline.start_ns[row] / NS), until)
            runs[track] = run
        if run and timeline.plays[row]:
            runs[track] = replace(run, until_ms=until)
        if run and timeline.type[row] == EventType.SEEK.code:
            yield runs.pop(track)
    yield from runs.values()


def wedges(session: Session) -> Iterator[Wedge]:
    """Yield where content ran ahead of time, each stretch in which positions go on from one another."""
    timeline, excess = session.all.seen.timeline, session.all.excess_ns
    real: list[Point] = []
    most: list[Point] = []
    for before, row in session.intervals():
        ahead = float(excess[row] / NS)
        start, end = float(timeline.start_ns[row] / NS), float(timeline.end_ns[row] / NS)
        if not timeline.plays[row]:
            continue
        if real and (not ahead or abs(real[-1][1] - start) > session.all.policy.playback.slack_s):
            yield Wedge(tuple(real), tuple(most))
            real, most = [], []
        if ahead:
            if not real:
                allowed = float(allowed_ns(int(timeline.delta_ms[row]), session.all.policy) / NS)
                real, most = [(session.at(before), start)], [(session.at(before), max(0.0, end - ahead - allowed))]
            real.append((session.at(row), end))
            most.append((session.at(row), end - ahead))
    if real:
        yield Wedge(tuple(real), tuple(most))


def jumps(session: Session, leaps_ahead: bool) -> Iterator[Jump]:
    """Yield the seeks and, where the learner is known to have leapt ahead (OG102), the events nothing led to."""
    timeline = session.all.seen.timeline
    for row in session.rows:
        furthest = session.all.leapt.get((session.local, int(timeline.seq[row]))) if leaps_ahead else None
        is_seek = timeline.type[row] == EventType.SEEK.code
        if not is_seek and furthest is None:
            continue
        is_first = timeline.previous[row] == ABSENT
        from_s = (furthest or 0.0) if is_first or not is_seek else float(timeline.end_ns[row] / NS)
        yield Jump(
            session.track_of[int(timeline.track[row])],
            session.at(row),
            from_s,
            float(timeline.position_ns[row] / NS),
            furthest is not None,
        )
