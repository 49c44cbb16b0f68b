"""OG401 liveness-missing 未做人脸活体比对

查什么 / What it looks for: 播放时长不少于 liveness.min_playing_s,却没有任何活体比对。A session that plays long
    enough and attempted no liveness check.
条款 / Clause: 21(2) 无法进行人脸活体比对.
证据 / Evidence: value = 播放秒数 playing clock in seconds, limit = min_playing_s, count = 已做次数 checks attempted
    (0).
边界 / Boundary: 恰好 min_playing_s 即需要 exactly min_playing_s needs a check.
不应报 / Must stay silent: 更短的会话(见 OG408) shorter sessions (OG408 looks at the lesson). 学员拒绝人脸比对时改为
    人工复核 with face checks declined it is a review.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds
from online_guard.rules.liveness import count_checks
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions without any check that need one."""
    counts = count_checks(facts)
    long = counts.has_events & (facts.playing_ms >= milliseconds(policy.liveness.min_playing_s))
    named = np.flatnonzero(long & (counts.attempted == 0))
    return Findings.of(
        named,
        value=seconds(facts.playing_ms[named]),
        limit=policy.liveness.min_playing_s,
        count=counts.attempted[named],
    )


RULE = Rule("OG401", "liveness-missing", "未做人脸活体比对", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
