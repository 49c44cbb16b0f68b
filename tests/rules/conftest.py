"""Makes the reader of scenarios importable, and keeps property tests deterministic."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

sys.path.insert(0, str(Path(__file__).parent))

# A failing group is shown as it was drawn: shrinking it takes minutes.
settings.register_profile(
    "rules",
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
