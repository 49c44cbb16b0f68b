"""OG202 several-players 多播放器同时播放

查什么 / What it looks for: 各播放器自身播放时长之和比会话播放时长多出 overlap_slack_s 以上。The players' own
    playing clocks add up to more than the session's: two tabs played at once.
条款 / Clause: 21(2) 多窗口学习.
证据 / Evidence: value = 多出的秒数 seconds played twice, limit = overlap_slack_s, count = 播放器数 number of
    players that play.
边界 / Boundary: 等于 overlap_slack_s 不算 equal to the slack passes.
不应报 / Must stay silent: 先后打开的播放器 one player after the other.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.digest import View


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions in which several players play at once."""
    timeline, clocks = view.timeline, view.clocks
    together = np.zeros(timeline.sessions, np.int64)
    np.add.at(together, timeline.track_session, clocks.track_ms)
    excess = together - clocks.playing_ms
    players = np.bincount(timeline.track_session[clocks.track_ms > 0], minlength=timeline.sessions)
    local = np.flatnonzero(excess > milliseconds(policy.windows.overlap_slack_s))
    return Findings.of(
        timeline.rows[local],
        value=seconds(excess[local]),
        limit=policy.windows.overlap_slack_s,
        count=players[local],
        start_ms=clocks.first_at_ms[local],
        end_ms=clocks.last_at_ms[local],
    )


RULE = Rule("OG202", "several-players", "多播放器同时播放", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
