"""OG103 declared-rate 声明倍速

查什么 / What it looks for
    播放时的事件声明倍速超过上限。

    An event declares a rate above the limit while the player plays.

阈值 / Thresholds
    playback.max_rate, playback.rate_tolerance

条款 / Clause
    倍速播放即快进播放。上限为 max_rate·(1+rate_tolerance)。

    Playing at a higher rate is playing fast. The limit is max_rate·(1+rate_tolerance).

证据 / Evidence
    value: 声明的最高倍速
    limit: 允许的倍速
    count: 超速声明的事件数

    value: highest rate declared
    limit: rate allowed
    count: events that declare too much

边界 / Boundary
    恰好等于上限不算;倍速只精确到 10⁻⁶。

    Equal to the limit passes; a rate is known to 10⁻⁶ only.

诚实学员 / Honest learner
    播放器若允许选择倍速,学员按下 1.5 倍并不知道不允许:规则仍成立,因为内容确实快放了。浏览器扩展把全部视频默认设为
    1.25 倍时,学员可能毫无察觉。

    Where the player offers rates, a learner may choose 1.5x in good faith: the rule holds all the same, since the
    content was played fast. A browser extension that sets all videos to 1.25x may do it unnoticed.

申诉 / Appeal
    若播放器只“声明”倍速而媒体实际按一倍播放,OG101 应当沉默:指出这一点即可。平台须关闭倍速菜单,学员须关闭扩展后重学
    该课。

    Where a player declares a rate that the media didn't have, OG101 is silent: that is the point to make. A platform
    has to remove its menu of rates, a learner to switch the extension off and study the lesson again.

不应报 / Must stay silent
    暂停时设置的任何倍速。

    Any rate set while paused.

起 / Since
    0.1
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
