"""A share of counted cases with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959964
"""The 97.5th percentile of the normal distribution."""


@dataclass(frozen=True)
class Proportion:
    """Hits among cases; `share` and `interval` are None without a case."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """Return hits over cases."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % score interval; it takes the cases for independent.

        Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
        """
        if not self.of:
            return None
        share, n = self.hits / self.of, self.of
        middle = share + Z**2 / (2 * n)
        width = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        # At the ends the formula is exact but for rounding.
        low = 0.0 if self.hits == 0 else (middle - width) / (1 + Z**2 / n)
        high = 1.0 if self.hits == n else (middle + width) / (1 + Z**2 / n)
        return low, high
