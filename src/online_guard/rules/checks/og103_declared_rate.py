"""OG103 declared-rate 声明倍速

查什么 / What it looks for: 播放时声明的倍速超过上限。An event that declares a rate above the limit while it plays.
条款 / Clause: 21(2) 快进播放; limit = max_rate·(1+rate_tolerance).
证据 / Evidence: value = 声明的最高倍速 highest declared rate, limit, count = 事件数 number of events.
边界 / Boundary: 等于上限不算 equal to the limit passes.
不应报 / Must stay silent: 暂停时设置的任何倍速 any rate on a paused player.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.digest import View

NOISE = 1e-6
"""A float32 rate carries no more."""


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions in which a playing event declares too high a rate."""
    timeline = view.timeline
    limit = policy.playback.max_rate * (1 + policy.playback.rate_tolerance)
    rate = timeline.rate.astype(np.float64)
    rows = np.flatnonzero(timeline.playing & (rate > limit + NOISE))
    at_ms = timeline.at_ms[rows]
    return Findings.of_places(
        timeline.rows[timeline.session[rows]], value=np.round(rate[rows], 6), limit=limit, start_ms=at_ms, end_ms=at_ms
    )


RULE = Rule("OG103", "declared-rate", "声明倍速", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
