"""OG101 fast-forward 快进播放

查什么 / What it looks for: 播放器走过的内容比所用时间允许的多:把一次会话所有播放区间连成一条链,任意一段的 Σmax(0,
    终点−起点) − Σallowed(Δt) 超过 slack_s。Content passes faster than time allows, over any stretch of the
    session's chain of playing intervals.
条款 / Clause: 21(2) 快进播放; allowed(Δt) = max_rate·(1+rate_tolerance)·Δt.
证据 / Evidence: value = 超出的最大秒数 greatest excess in seconds, limit = slack_s, count = 处数 number of
    stretches.
边界 / Boundary: 等于 slack_s 不算 equal to slack_s passes. 暂停、换播放器、后退都不归还余量 only time gives slack
    back.
不应报 / Must stay silent: 回看、缓冲停顿、跳转(由 OG102 判断) rewinds, stalls, seeks without `from_s`.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds_ns
from online_guard.terms import Subject
from online_guard.timeline.columns import chain_gain_ns
from online_guard.timeline.digest import View
from online_guard.timeline.segments import exceeds_ns, group_lengths, group_starts, nanoseconds, running


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions that gained more than slack_s on what their playing time allowed."""
    timeline = view.timeline
    slack = nanoseconds(policy.playback.slack_s)
    rows, gain = chain_gain_ns(timeline, policy, above_ns=int(slack))
    session = timeline.session[rows]
    starts = group_starts(session)
    lowest = np.minimum(0, running(np.minimum, gain, starts))
    excess = gain - lowest
    over = exceeds_ns(excess, slack)
    at_lowest = np.where(gain == lowest, np.arange(len(rows)), -1)
    turning = running(np.maximum, at_lowest, starts)
    opening = np.repeat(starts, group_lengths(starts, len(rows)))
    begin = np.where(turning >= 0, np.minimum(turning + 1, len(rows) - 1), opening)
    fresh = over.copy()
    fresh[1:] &= ~(over[:-1] & (session[1:] == session[:-1]))
    peak = np.zeros(timeline.sessions, np.int64)
    np.maximum.at(peak, session, excess)
    places = np.flatnonzero(fresh)
    return Findings.of_places(
        timeline.rows[session[places]],
        value=seconds_ns(peak[session[places]]),
        limit=policy.playback.slack_s,
        start_ms=timeline.at_ms[timeline.previous[rows[begin[places]]]],
        end_ms=timeline.at_ms[rows[places]],
    )


RULE = Rule("OG101", "fast-forward", "快进播放", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
