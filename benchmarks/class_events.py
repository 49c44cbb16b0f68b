"""The events of a planned class, all sessions at once: strips of moments, merged by one sort of each row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from class_plan import NEVER, ClassPlan, Integers
from online_guard.evidence import Events
from online_guard.terms import EventType

HEARTBEATS = 256
SLOT_BITS = 9
BATCH = 6
"""Events are sent six at a time, about once a minute."""


class Strip(NamedTuple):
    """Events of one type: their moments (S × k), the wall time that passes before each, and what is special of them."""

    type: EventType
    clock: Integers
    pause_ms: Integers | int = 0
    back_ms: Integers | int = 0
    popup: bool = False


def events_of(plan: ClassPlan, first_session: int, seed: int) -> Events:
    """Return the events of a class, whose sessions are numbered from `first_session`; the same for the same plan."""
    rng = np.random.default_rng([seed, first_session, 1])
    strips = _strips(plan, rng)
    widths = [strip.clock.shape[1] for strip in strips]
    keys = np.concatenate([strip.clock for strip in strips], axis=1)
    keys = np.where(keys <= plan.ends_clock[:, None], keys, NEVER) << SLOT_BITS
    keys = np.sort(keys | np.arange(sum(widths)), axis=1)
    slot, clock = keys & (2**SLOT_BITS - 1), keys >> SLOT_BITS
    real = clock < NEVER
    codes = np.repeat([strip.type.code for strip in strips], widths)[slot]
    passed = np.cumsum(np.take_along_axis(_spread(plan, strips, "pause_ms"), slot, axis=1), axis=1)
    back = np.take_along_axis(_spread(plan, strips, "back_ms"), slot, axis=1)
    lag = rng.integers(0, 30, slot.shape)
    position = _position(plan, clock, np.cumsum(back, axis=1)) - lag
    at_end = clock == plan.ends_clock[:, None]
    position = np.where(at_end, plan.target_ms[:, None], np.maximum(position, 0))
    fast = plan.declares[:, None] & (clock >= plan.fast_clock[:, None])
    fast &= clock < (plan.fast_clock + plan.fast_ms)[:, None]
    place = np.cumsum(np.repeat([strip.popup for strip in strips], widths)) - 1
    popup = np.repeat([strip.popup for strip in strips], widths)[slot]
    number = place[slot] % plan.popup_clock.shape[1] + np.arange(len(plan))[:, None] * plan.popup_clock.shape[1]
    order = np.broadcast_to(np.arange(slot.shape[1]), slot.shape)
    at_ms = (plan.opened_ms + plan.skew_ms)[:, None] + clock + passed
    ids = plan.session_ids()
    return Events(
        session=first_session + np.repeat(np.arange(len(plan)), real.sum(axis=1)),
        seq=(order + (order >= plan.lost[:, None]))[real].astype(np.int32),
        type=codes[real].astype(np.int8),
        at_ms=at_ms[real],
        received_ms=_received(plan, at_ms[real], real, rng),
        position_s=position[real] / 1000,
        from_s=np.where(back > 0, np.maximum(position + back, 0) / 1000, np.nan)[real],
        playing=_playing(codes)[real],
        rate=np.where(fast, 1 + plan.gain[:, None], 1)[real].astype(np.float32),
        player=np.repeat(np.arange(len(plan), dtype=np.int32), real.sum(axis=1)),
        popup=np.where(popup, number, -1)[real].astype(np.int32),
        player_names=np.array([f"{word:08x}" for word in rng.integers(0, 2**32, len(plan)).tolist()], object),
        popup_names=np.array([popup_id(name, n) for name in ids for n in range(plan.popup_clock.shape[1])], object),
    )


def popup_id(session_id: str, number: int) -> str:
    """Return the id of a session's pop-up, numbered from 0."""
    return f"popup-{session_id}-{number:02}"


def _strips(plan: ClassPlan, rng: Generator) -> list[Strip]:
    """Return the strips; of events at one moment those of earlier strips come first."""
    size, never = len(plan), np.full_like(plan.pause_clock, NEVER)
    start, end = np.zeros((size, 1), np.int64), plan.ends_clock[:, None]
    beats = np.cumsum(np.rint(rng.normal(10_000, 60, (size, HEARTBEATS))).astype(np.int64), axis=1)
    answered = plan.reaction_ms < NEVER
    away = np.where(plan.away, plan.pause_clock, never)
    third = plan.pause_ms // 3
    fast = plan.fast_clock[:, None]
    declared = np.where(plan.declares[:, None], np.hstack((fast, fast + plan.fast_ms[:, None])), NEVER)
    return [
        Strip(EventType.PLAYER_OPENED, start),
        Strip(EventType.PLAY, start, plan.loading_ms[:, None]),
        Strip(EventType.RATE, declared),
        Strip(EventType.HEARTBEAT, np.where(beats < end, beats, NEVER)),
        Strip(EventType.POPUP_SHOWN, plan.popup_clock, popup=True),
        Strip(EventType.POPUP_ANSWERED, np.where(answered, plan.popup_clock + plan.reaction_ms, NEVER), popup=True),
        Strip(EventType.POPUP_EXPIRED, np.where(answered, NEVER, plan.popup_clock + 60_500), popup=True),
        Strip(EventType.HIDDEN, plan.hidden_clock),
        Strip(EventType.VISIBLE, plan.hidden_clock + plan.hidden_ms),
        Strip(EventType.BLUR, plan.blur_clock),
        Strip(EventType.FOCUS, plan.blur_clock + plan.blur_ms),
        Strip(EventType.SEEK, plan.seek_clock, back_ms=plan.back_ms),
        Strip(EventType.PAUSE, plan.pause_clock),
        Strip(EventType.HIDDEN, away, third),
        Strip(EventType.VISIBLE, away, third),
        Strip(EventType.PLAY, plan.pause_clock, plan.pause_ms - np.where(plan.away, 2 * third, 0)),
        Strip(EventType.ENDED, np.where(plan.target_ms[:, None] == _durations(plan)[:, None], end, NEVER)),
        Strip(EventType.PLAYER_CLOSED, end, plan.closing_ms[:, None]),
    ]


def _durations(plan: ClassPlan) -> Integers:
    return np.tile(plan.duration_ms, plan.learners)


def _spread(plan: ClassPlan, strips: list[Strip], name: str) -> Integers:
    """Return one column of the strips as S × slots, 0 where an event doesn't happen."""
    columns = [np.where(strip.clock <= plan.ends_clock[:, None], getattr(strip, name), 0) for strip in strips]
    return np.concatenate(columns, axis=1)


def _position(plan: ClassPlan, clock: Integers, back: Integers) -> Integers:
    """Return where the media stands in ms: with the clock, less rewinds, plus what was gained."""
    fast = np.clip(clock - plan.fast_clock[:, None], 0, plan.fast_ms[:, None])
    return clock - back + np.rint(plan.gain[:, None] * fast).astype(np.int64)


def _playing(codes: Integers) -> NDArray[np.bool_]:
    """Return whether the player plays after each event: as the latest play, pause, opening or end says."""
    plays = codes == EventType.PLAY.code
    says = plays | np.isin(codes, [kind.code for kind in (EventType.PAUSE, EventType.ENDED, EventType.PLAYER_CLOSED)])
    stamp = np.where(says, 2 * np.arange(codes.shape[1]) + plays, 0)
    return np.maximum.accumulate(stamp, axis=1) % 2 == 1


def _received(plan: ClassPlan, at_ms: Integers, real: NDArray[np.bool_], rng: Generator) -> Integers:
    """Return when the service received each event: with the last one of its batch, 40 to 400 ms later."""
    count = real.sum(axis=1)
    start = np.cumsum(count) - count
    place = np.arange(len(at_ms)) - np.repeat(start, count)
    last = np.minimum(place // BATCH * BATCH + BATCH, np.repeat(count, count)) - 1 + np.repeat(start, count)
    latency = rng.integers(40, 400, len(at_ms))
    return (at_ms - np.repeat(plan.skew_ms, count) + latency)[last]
