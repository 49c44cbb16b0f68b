"""How well sessions agree with the signature of a known tool (SPEC OG805).

A constant holds for a session that has enough cases of it, of which nearly all agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from online_guard.evidence import Flags, Floats, Integers
from online_guard.policy import Signature
from online_guard.rules.tool_constants import CONSTANTS, SHARE_NOISE, Cases, Seen
from online_guard.terms import EVENT_TYPES
from online_guard.timeline.segments import NS, group_lengths, group_starts

NEARLY_ALL = 0.9
"""A stalled network, or a click of the learner's own, may spoil one case in ten."""


class Match(NamedTuple):
    """One signature over a block, by local number of the session.

    fits: every constant agrees. coarse: likewise, but the clock is too coarse to say so. measured: by constant the
    median, the cases that agree, and all cases; only of use where the signature fits.
    """

    signature: Signature
    fits: Flags
    coarse: Flags
    measured: Mapping[str, tuple[Floats, Integers, Integers]]

    def told(self, session: int) -> dict[str, list[Any]]:
        """Return by constant what was measured in a session, the cases that agree, and the cases, as JSON values."""
        return {
            key: [_spelt(key, float(median[session])), int(agreeing[session]), int(cases[session])]
            for key, (median, agreeing, cases) in self.measured.items()
        }


def compare(seen: Seen, signature: Signature) -> Match:
    """Return where every constant of the signature agrees; each is looked for only where those before it agreed."""
    sessions = seen.timeline.sessions
    fits = np.ones(sessions, bool)
    measured: dict[str, tuple[Floats, Integers, Integers]] = {}
    for key, (cases_of, fewest) in CONSTANTS.items():
        constant = getattr(signature, key)
        if constant is None or not fits.any():
            continue
        cases = cases_of(seen, constant, fits)
        count = np.bincount(cases.session, minlength=sessions)
        agreeing = np.bincount(cases.session[cases.agrees], minlength=sessions)
        fits = fits & (count >= fewest) & (agreeing >= NEARLY_ALL * count - SHARE_NOISE)
        measured[key] = (_medians(cases, fits), agreeing, count)
    coarse = seen.coarse(fits) if _needs_fine_clock(signature) and fits.any() else np.zeros(sessions, bool)
    return Match(signature, fits & ~coarse, coarse, measured)


def _needs_fine_clock(signature: Signature) -> bool:
    """Return whether a coarse clock alone could explain all that the signature says.

    It can't explain the service's clock, where a session stops, its first event, or a speed other than 1.
    """
    step, period = signature.position_step_s, signature.heartbeat_period_ms
    other_speed = step is not None and period is not None and step * 1000 != period
    return not other_speed and (signature.send_period_ms, signature.stop_share, signature.first_event) == (None,) * 3


def _medians(cases: Cases, wanted: Flags) -> Floats:
    """Return the lower median of the cases of each wanted session, 0 of the others."""
    medians = np.zeros(len(wanted))
    if not wanted.any():
        return medians
    kept = np.flatnonzero(wanted[cases.session])
    kept = kept[np.lexsort((cases.value[kept], cases.session[kept]))]
    session = cases.session[kept]
    starts = group_starts(session)
    medians[session[starts]] = cases.value[kept[starts + (group_lengths(starts, len(session)) - 1) // 2]]
    return medians


def _spelt(key: str, value: float) -> float | int | str:
    if key in ("first_event", "event_types"):
        return str(EVENT_TYPES[int(value)])
    if key == "stop_share":
        return round(value, 6)
    return round(value / NS, 6) if key == "position_step_s" else int(value)
