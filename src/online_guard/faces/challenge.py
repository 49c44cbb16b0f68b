"""Draws what a liveness check asks for: three actions that a recorded or printed face can't know before."""

from __future__ import annotations

import secrets
from itertools import pairwise, permutations

from online_guard.terms import Action

CHALLENGE_LIFETIME_MS = 60_000
"""A challenge is answered within 60 s, once (SPEC 7)."""
CHALLENGE_LENGTH = 3

NOT_OF_A_PHOTO = frozenset({Action.BLINK, Action.OPEN_MOUTH})
"""Each challenge holds one of these: turning or bending a photo moves its nose, never its lids or lips."""

CHALLENGES = tuple(
    drawn
    for drawn in permutations(Action, CHALLENGE_LENGTH)
    if NOT_OF_A_PHOTO & set(drawn) and all(one != other for one, other in pairwise(drawn))
)
"""All 54 orders of three different actions of which one is a blink or an open mouth."""


def draw_challenge() -> tuple[Action, Action, Action]:
    """Return three different actions in an order drawn from the system's secure random source.

    All 54 are equally likely, so a clip recorded for one challenge answers the next with a chance of 1 in 54.

    Source: DESIGN 4.
    """
    first, second, third = secrets.choice(CHALLENGES)
    return first, second, third
