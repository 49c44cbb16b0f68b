"""OG202 several-players 多播放器同时播放

查什么 / What it looks for
    各播放器自身播放时长之和,比会话播放时长多出 overlap_slack_s 以上:同一课的两个标签页同时在播放。

    The players' own playing clocks add up to more than the session's by more than overlap_slack_s: two tabs of the
    lesson played at once.

阈值 / Thresholds
    windows.overlap_slack_s, playback.max_silence_s

条款 / Clause
    多窗口学习。容差是工程容差。

    Several windows. The slack is engineering.

证据 / Evidence
    value: 重复播放的秒数
    limit: overlap_slack_s
    count: 有播放的播放器数

    value: seconds played twice
    limit: overlap_slack_s
    count: players that play

边界 / Boundary
    恰好 overlap_slack_s 不算。

    Exactly the slack passes.

诚实学员 / Honest learner
    浏览器恢复上次的标签页,与新开的同时自动播放;学员只看见一个。

    A browser restores an old tab, which starts by itself beside the new one; the learner sees only one.

申诉 / Appeal
    平台可出示播放器在打开时即自动播放、且未阻止第二个实例。学员可重学重叠的那几分钟:新会话独立计算,无须等待裁定。

    A platform can show that its player starts by itself and doesn't stop a second instance. A learner can study those
    minutes again: a new session counts on its own, without waiting for a decision.

不应报 / Must stay silent
    先后打开的播放器;重新载入页面。

    One player after the other; reloading the page.

起 / Since
    0.1
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
