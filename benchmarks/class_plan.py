"""What happens in each session of a made-up class, as a few numbers a session: who, when, which pauses, which cheat.

All moments (`…_clock`) are on the session's playing clock in ms and NEVER where there is none; arrays of sessions have
one row a session, learner by learner, lesson by lesson.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from online_guard.evidence import CHINA_OFFSET_MS, DAY_MS

LESSONS = 40
LESSONS_A_DAY = 2
DAYS = 28
NEVER = 2**40
HOUR_MS = 3_600_000
CHEAT_SHARE = 0.0025
"""Of all sessions, for each way of cheating."""
Integers = NDArray[np.int64]


class Way(IntEnum):
    """How a session is studied; all but the first are cheats, or lessons left early."""

    HONEST = 0
    FASTER = 1
    OVERLAPPING = 2
    POPUP_REMOVED = 3
    POPUP_IGNORED = 4
    UNFINISHED = 5
    HIDDEN = 6


@dataclass(frozen=True)
class ClassPlan:
    """One class: its names and days, and the columns of its S sessions.

    duration_ms: of the 40 lessons. opened_ms: service clock. skew_ms: client less service clock. loading_ms,
    closing_ms: before the first play and after the last event. target_ms: media position at which it ends; ends_clock:
    playing clock at that moment. seek_clock, back_ms (S × 2): rewinds. pause_clock, pause_ms, away (S × 6): pauses, and
    whether the window is hidden meanwhile. hidden_clock, hidden_ms (S × 3) and blur_clock, blur_ms (S × 2) likewise
    while it plays. popup_clock, reaction_ms (S × 15): pop-ups, reaction NEVER where nobody answers. fast_clock,
    fast_ms, gain, declares: when and for how long the position gains on the clock, by which share, and whether the
    rate says so. snapshot_clock (S × 2), check_clock: captures. lost: number of the event that never came.
    """

    class_id: str
    platform_id: str
    starts_on: date
    learners: int
    duration_ms: Integers
    way: Integers
    opened_ms: Integers
    skew_ms: Integers
    loading_ms: Integers
    closing_ms: Integers
    target_ms: Integers
    ends_clock: Integers
    seek_clock: Integers
    back_ms: Integers
    pause_clock: Integers
    pause_ms: Integers
    away: NDArray[np.bool_]
    hidden_clock: Integers
    hidden_ms: Integers
    blur_clock: Integers
    blur_ms: Integers
    popup_clock: Integers
    reaction_ms: Integers
    fast_clock: Integers
    fast_ms: Integers
    gain: NDArray[np.float64]
    declares: NDArray[np.bool_]
    snapshot_clock: Integers
    check_clock: Integers
    lost: Integers

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.way)

    def enrolment_id(self, learner: int) -> str:
        """Return the id of the enrolment of a learner, numbered from 0."""
        return f"{self.class_id}-l{learner:02}"

    def session_ids(self) -> list[str]:
        """Return the ids of the sessions, which are sorted."""
        return [f"{self.enrolment_id(row // LESSONS)}-s{row % LESSONS + 1:02}" for row in range(len(self))]

    def client_ms(self, clock: Integers) -> Integers:
        """Return the client clock at moments of the playing clock (S × k)."""
        paused = ((self.pause_clock[:, None] < clock[..., None]) * self.pause_ms[:, None]).sum(axis=-1)
        return (self.opened_ms + self.skew_ms + self.loading_ms)[:, None] + clock + paused


def plan_class(number: int, classes: int, learners: int, seed: int) -> ClassPlan:
    """Return the plan of one class of the year; the same for the same arguments."""
    rng = np.random.default_rng([seed, number])
    size = learners * LESSONS
    duration_ms = rng.integers(24_000, 24_600, LESSONS) * 100
    way = _ways(rng, size)
    columns = _hindrances(rng, size) | _cheats(rng, way) | _controls(rng, way)
    share = np.where(way == Way.UNFINISHED, rng.uniform(0.82, 0.93, size), 1.0)
    target = np.rint(np.tile(duration_ms, learners) * share).astype(np.int64)
    back = (columns["back_ms"] * (columns["seek_clock"] < NEVER)).sum(axis=1)
    ends = target + back - np.rint(columns["gain"] * columns["fast_ms"]).astype(np.int64)
    columns["popup_clock"][columns["popup_clock"] >= ends[:, None] - 30_000] = NEVER
    loading, closing = rng.integers(800, 4_000, size), rng.integers(500, 15_000, size)
    wall_ms = loading + ends + (columns["pause_ms"] * (columns["pause_clock"] < NEVER)).sum(axis=1) + closing
    starts_on = date(2021, 1, 11) + timedelta(days=number * 300 // classes)
    return ClassPlan(
        class_id=f"c{number:03}",
        platform_id=f"platform-{number * 3 // classes}",
        starts_on=starts_on,
        learners=learners,
        duration_ms=duration_ms,
        way=way,
        opened_ms=_openings(rng, starts_on, wall_ms, way),
        skew_ms=np.repeat(np.rint(rng.normal(0, 120_000, learners)).astype(np.int64), LESSONS),
        loading_ms=loading,
        closing_ms=closing,
        target_ms=target,
        ends_clock=ends,
        lost=np.where(rng.random(size) < 0.01, rng.integers(20, 200, size), NEVER),
        **columns,
    )


def _ways(rng: Generator, size: int) -> Integers:
    """Return the way of each session; only the second lesson of a day can overlap the first, hence twice as often."""
    chance = rng.random(size)
    second = np.arange(size) % LESSONS_A_DAY == 1
    way = np.minimum(np.floor(chance / CHEAT_SHARE) + 1, len(Way)).astype(np.int64) % len(Way)
    chance = rng.random(size)
    way[way == Way.OVERLAPPING] = Way.HONEST
    way[second & (way == Way.HONEST) & (chance < 2 * CHEAT_SHARE)] = Way.OVERLAPPING
    return way


def _some(rng: Generator, shape: tuple[int, int], share: float) -> Integers:
    """Return moments of the playing clock, well before any session's end, of which only a share exists."""
    return np.where(rng.random(shape) < share, rng.integers(60_000, 1_900_000, shape), NEVER)


def _hindrances(rng: Generator, size: int) -> dict[str, NDArray]:
    """Return what life puts in the way of honest learners."""
    return {
        "seek_clock": _some(rng, (size, 2), 0.5),
        "back_ms": rng.integers(5_000, 30_000, (size, 2)),
        "pause_clock": _some(rng, (size, 6), 0.55),
        "pause_ms": rng.integers(4_000, 90_000, (size, 6)),
        "away": rng.random((size, 6)) < 0.5,
        "blur_clock": _some(rng, (size, 2), 0.5),
        "blur_ms": rng.integers(1_000, 25_000, (size, 2)),
    }


def _cheats(rng: Generator, way: Integers) -> dict[str, NDArray]:
    """Return when playing is fast, and when it is hidden: for seconds by chance, for minutes by will."""
    size = len(way)
    faster = way == Way.FASTER
    hidden_clock = _some(rng, (size, 3), 0.5)
    hidden_ms = rng.integers(2_000, 14_000, (size, 3))
    hidden_clock[:, 2] = np.where(way == Way.HIDDEN, rng.integers(60_000, 1_500_000, size), NEVER)
    hidden_ms[:, 2] = np.where(rng.random(size) < 0.2, NEVER, rng.integers(40_000, 300_000, size))
    return {
        "hidden_clock": hidden_clock,
        "hidden_ms": hidden_ms,
        "fast_clock": np.where(faster, rng.integers(60_000, 1_600_000, size), NEVER),
        "fast_ms": np.where(faster, rng.integers(40_000, 200_000, size), 0),
        "gain": rng.choice([0.05, 0.25, 1.0], size),
        "declares": faster & (rng.random(size) < 0.5),
    }


def _controls(rng: Generator, way: Integers) -> dict[str, NDArray]:
    """Return pop-ups and captures; a cheat's fourth pop-up is removed or ignored."""
    size = len(way)
    popup_clock = np.cumsum(rng.integers(180_000, 268_000, (size, 15)), axis=1)
    popup_clock[way == Way.POPUP_REMOVED, 3] = NEVER
    reaction_ms = rng.integers(900, 25_000, (size, 15))
    reaction_ms[way == Way.POPUP_IGNORED, 3] = NEVER
    snapshot_clock = rng.integers(60_000, 1_900_000, (size, 2))
    snapshot_clock[rng.random(size) < 0.7, 1] = NEVER
    return {
        "popup_clock": popup_clock,
        "reaction_ms": reaction_ms,
        "snapshot_clock": snapshot_clock,
        "check_clock": rng.integers(60_000, 1_500_000, size),
    }


def _openings(rng: Generator, starts_on: date, wall_ms: Integers, way: Integers) -> Integers:
    """Return when each session opens: two lessons a day, on twenty days of four weeks, one after the other."""
    learners = len(wall_ms) // LESSONS
    days = np.sort(np.argsort(rng.random((learners, DAYS)), axis=1)[:, : LESSONS // LESSONS_A_DAY], axis=1)
    midnight = (starts_on - date(1970, 1, 1)).days * DAY_MS - CHINA_OFFSET_MS
    first = midnight + days * DAY_MS + 8 * HOUR_MS + rng.integers(0, 4 * HOUR_MS, days.shape)
    wall_ms, way = wall_ms.reshape(*days.shape, 2), way.reshape(*days.shape, 2)
    break_ms = rng.integers(180_000, 3 * HOUR_MS, days.shape)
    break_ms = np.where(way[..., 1] == Way.OVERLAPPING, -rng.integers(40_000, 300_000, days.shape), break_ms)
    return np.stack((first, first + wall_ms[..., 0] + break_ms), axis=-1).reshape(-1)
