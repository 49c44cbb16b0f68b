"""OG402 liveness-failed 活体比对未通过

查什么 / What it looks for: 播放时长不少于 liveness.min_playing_s,有比对失败,且通过次数少于 passes_per_session。A
    check failed and too few passed.
条款 / Clause: 21(2) 无法进行人脸活体比对.
证据 / Evidence: value = 通过次数 checks passed, limit = passes_per_session, count = 失败次数 checks failed.
边界 / Boundary: 达到 passes_per_session 不算 enough passes are enough.
不应报 / Must stay silent: 失败后通过(见 OG403) failures before a pass (see OG403).
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.liveness import count_checks
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose checks failed."""
    counts = count_checks(facts)
    long = counts.has_events & (facts.playing_ms >= milliseconds(policy.liveness.min_playing_s))
    few = counts.passed < policy.liveness.passes_per_session
    named = np.flatnonzero(long & (counts.failed > 0) & few)
    return Findings.of(
        named, value=counts.passed[named], limit=policy.liveness.passes_per_session, count=counts.failed[named]
    )


RULE = Rule("OG402", "liveness-failed", "活体比对未通过", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
