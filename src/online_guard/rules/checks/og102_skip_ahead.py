"""OG102 skip-ahead 跳跃播放

查什么 / What it looks for: 跳转、播放器的第一个事件,或前一区间未播放(或时钟倒退)的事件,位置超过此前已学到的最远处
    reached 和上一位置 p₀ + a,再加 slack_s。A position that neither what had been reached nor the event before
    explains.
条款 / Clause: 21(2) 快进播放.
证据 / Evidence: value = 跳到的位置 position jumped to, limit = 允许的最远位置 furthest position allowed (slack
    included), count = 处数 number of jumps.
边界 / Boundary: 等于上限不算 equal to the limit passes. 同一学员本课其他会话已学到的位置(加 overlap_slack_s)也算
    what other sessions of the enrolment had reached counts.
不应报 / Must stay silent: 从书签续播、换设备续播、回看 resuming at a bookmark, another device, rewinding.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds_ns
from online_guard.rules.reach import bound_of_first_events, reached_elsewhere
from online_guard.terms import Subject
from online_guard.timeline.segments import exceeds_ns, nanoseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions with an event at p > max(reached, p₀ + a) + slack_s."""
    leaps = facts.digest.leaps
    slack = nanoseconds(policy.playback.slack_s)
    reached = np.maximum(leaps.reached_ns, reached_elsewhere(facts, leaps.session, leaps.at_ms, policy))
    bound = np.maximum(reached, np.where(leaps.is_first, bound_of_first_events(facts, policy), leaps.bound_ns))
    beyond = np.flatnonzero(exceeds_ns(leaps.position_ns - bound, slack))
    offset = facts.offset_ms
    at_ms = leaps.at_ms[beyond] - offset[leaps.session[beyond]]
    return Findings.of_places(
        leaps.session[beyond],
        value=seconds_ns(leaps.position_ns[beyond]),
        limit=seconds_ns(bound[beyond] + slack),
        start_ms=at_ms,
        end_ms=at_ms,
        greatest=False,
    )


RULE = Rule("OG102", "skip-ahead", "跳跃播放", Subject.SESSION, Together.ENROLMENT, Reads.FACTS, check)
