"""OG101 fast-forward 快进播放

查什么 / What it looks for
    播放器走过的内容比所用时间允许的多:把一次会话全部播放区间按 seq 连成一条链,其中任意一段的 Σmax(0, 终点−起点) − Σ
    allowed(Δt) 超过 slack_s。

    Content passes faster than time allows: over some stretch of the session's chain of playing intervals, in order of
    `seq`, Σ max(0, end − start) − Σ allowed(Δt) is more than slack_s.

阈值 / Thresholds
    playback.max_rate, playback.rate_tolerance, playback.slack_s

条款 / Clause
    快进播放视同培训无效。allowed(Δt) = max_rate·(1+rate_tolerance)·Δt;容差与余量是工程容差。

    Playing fast makes the training void. allowed(Δt) = max_rate·(1+rate_tolerance)·Δt; tolerance and slack are
    engineering.

证据 / Evidence
    value: 超出的最大秒数
    limit: slack_s
    count: 超出的段数

    value: greatest excess in seconds
    limit: slack_s
    count: stretches that exceed it

边界 / Boundary
    恰好 slack_s 不算。只有时间能归还余量:暂停、换播放器、后退一步都不能,因此切成碎片的快进也算在一起。

    Exactly slack_s passes. Only time gives slack back: a pause, a new player or a step back doesn't, so that fast
    play cut into pieces adds up.

诚实学员 / Honest learner
    播放器缓冲后若跳过一段而不上报 seek,或按预告而非实际位置上报,会像快进。每次误差不到 2 秒的播放器不会触发,除非误差
    总向前。

    A player that skips a stretch after buffering without saying `seek`, or tells the position it aims at, looks fast.
    One whose errors stay below 2 s doesn't, unless all of them point forward.

申诉 / Appeal
    学员可指出证据时段内点过的“下一段”或线路切换。平台可出示该时段的媒体服务器取片记录:取片速度为一倍,则是位置上报有
    误;并出示修正后的播放器版本。

    A learner can name a change of line or a control used in that stretch. A platform can show the media server's
    requests for it: segments fetched at 1x mean that positions were told wrongly; and the player's corrected version.

不应报 / Must stay silent
    回看、缓冲停顿;没有 from_s 的跳转(由 OG102 判断);时钟倒退的区间。

    Rewinds, stalls; a seek without `from_s` (OG102 judges it); intervals whose clock steps back.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds_ns
from online_guard.terms import Subject
from online_guard.timeline.columns import chain_excess_ns, chain_gain_ns
from online_guard.timeline.digest import View
from online_guard.timeline.segments import exceeds_ns, group_lengths, group_starts, nanoseconds, running


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions that gained more than slack_s on what their playing time allowed."""
    timeline = view.timeline
    slack = nanoseconds(policy.playback.slack_s)
    rows, gain = chain_gain_ns(timeline, policy, above_ns=int(slack))
    session = timeline.session[rows]
    starts = group_starts(session)
    excess = chain_excess_ns(gain, starts)
    over = exceeds_ns(excess, slack)
    at_lowest = np.where(excess == 0, np.arange(len(rows)), -1)
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
