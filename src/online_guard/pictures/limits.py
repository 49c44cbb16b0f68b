"""What of a policy is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from online_guard.policy import Policy


@dataclass(frozen=True)
class Limits:
    """What the policy allows, as far as it is drawn.

    rate: media seconds that a second may bring. match, reject: distances to the reference up to which it is the
    learner, and above which it is not.
    """

    rate: float
    match: float
    reject: float

    @classmethod
    def of(cls, policy: Policy) -> Limits:
        """Return the limits of a policy."""
        playback, liveness = policy.playback, policy.liveness
        rate = playback.max_rate * (1 + playback.rate_tolerance)
        return cls(rate, liveness.match_distance, liveness.reject_distance)
