"""Where the player of a foreign log stood: positions left out, and seeks that are told late."""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Flags, Floats, Integers
from online_guard.ingest.collected import Columns
from online_guard.terms import EventType

LATE_SEEK_S = 1.0
"""How late a player tells of a seek: in the statements of FUN MOOC, their days put together, 123 of 130 within 1 s."""
_LANDING_S = 1.0
"""How far from the landing of a seek a position may lie to be that landing."""
_LOOK_BACK = 4


def landed_us(said: Columns) -> Integers:
    """Return the moment of each statement, of a seek that is told late the moment at which the player had landed.

    Players whose `seeked` fires when the picture is there say `paused` or `played` at the new position before it. Left
    in that order, the jump would look like a second of playing. The seek is put before them, never by more than
    `LATE_SEEK_S`; where it leads is judged as that of any other.

    Args:
        said: statements sorted by (sitting, at).
    """
    earliest = np.arange(len(said))
    late = (said.kind == EventType.SEEK.code) & (np.abs(said.from_s - said.position_s) > 2 * _LANDING_S)
    for step in range(1, _LOOK_BACK + 1):
        before = np.maximum(np.arange(len(said)) - step, 0)
        late &= np.arange(len(said)) >= step
        late &= (said.sitting[before] == said.sitting) & (said.kind[before] != EventType.SEEK.code)
        late &= said.at_us - said.at_us[before] <= LATE_SEEK_S * 1_000_000
        late &= np.abs(said.position_s[before] - said.position_s) <= _LANDING_S
        earliest = np.where(late, before, earliest)
    return said.at_us[earliest]


def carried(sitting: Integers, values: Floats, at_first: float) -> Floats:
    """Return each value or, where it is NaN, the latest one before it in its sitting."""
    known = _latest(sitting, ~np.isnan(values))
    return np.where(known >= 0, values[known], at_first) if len(values) else values


def _latest(sitting: Integers, where: Flags) -> Integers:
    """Return for each row the latest row of its sitting, itself included, at which a flag is set; −1 for none."""
    rows = np.arange(len(where))
    latest = np.maximum.accumulate(np.where(where, rows, -1)) if len(where) else rows
    return np.where((latest >= 0) & (sitting[latest] == sitting), latest, -1)


def filled_positions(said: Columns, kind: Integers, playing: Flags) -> Floats:
    """Return the positions, those that the log leaves out taken from their neighbours; NaN where there is none.

    A player that opens or jumps stands where it next says that it stands. Any other event of a playing player lies
    between its neighbours in proportion to the time, so that no pace is invented; of a paused one, where it was.
    """
    position = said.position_s
    missing = np.isnan(position)
    if not missing.any():
        return position
    before = _latest(said.sitting, ~missing)
    after = len(said) - 1 - _latest(said.sitting[::-1], ~missing[::-1])[::-1]
    none_after = after >= len(said)
    after = np.where(none_after, 0, after)
    seek = kind == EventType.SEEK.code
    leads_to = np.where(none_after, np.nan, np.where(seek, said.from_s, position)[after])
    held = np.where(before >= 0, position[before], np.nan)
    span = (said.at_us[after] - said.at_us[before]).astype(np.float64)
    share = np.divide(said.at_us - said.at_us[before], span, out=np.zeros(len(said)), where=span > 0)
    was_playing = np.concatenate(([False], playing[:-1])) & (before >= 0)
    moves = was_playing & (leads_to >= held)
    between = np.where(moves, held + share * (np.where(moves, leads_to, held) - held), held)
    opened = kind == EventType.PLAYER_OPENED.code
    jumps = (opened | seek) & ~np.isnan(leads_to)
    guess = np.where(jumps | (before < 0), leads_to, between)
    guess = np.where(np.isnan(guess) & opened, 0.0, guess)
    return np.where(missing, guess, position)
