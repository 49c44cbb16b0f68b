"""OG104 clock-lead 播放时长超前

查什么 / What it looks for
    某一事件时,会话的播放时长比服务端自打开以来经过的时间多出 max_lead_s 以上:事件是预先伪造的,或客户端时钟被加速。

    At some event the session has played longer than time has passed on the service's clock since the opening, by more
    than max_lead_s: events forged in advance, or a client clock made to run fast.

阈值 / Thresholds
    clock.max_lead_s, playback.max_silence_s

条款 / Clause
    一小时内播放不了更长的内容,多出部分即快进。max_lead_s 是工程容差。

    No one plays more than an hour in an hour: what is more was played fast. max_lead_s is engineering.

证据 / Evidence
    value: 最大超前秒数
    limit: max_lead_s
    count: 超前的事件数

    value: greatest lead in seconds
    limit: max_lead_s
    count: events that lead

边界 / Boundary
    恰好 max_lead_s 不算。时钟偏差多少都无妨,只比较两边经过的时间。

    Exactly max_lead_s passes. A skew of any size doesn't matter: only how much passed on either side.

诚实学员 / Honest learner
    打开请求在断网时排队、过后才到达,而播放器没有等待应答就开始播放(规范要求等待)。迟到一分钟以内不触发。

    The opening was queued off line and arrived later, while the player began without waiting for its answer, which it
    must. Up to a minute passes.

申诉 / Appeal
    平台可出示打开请求的网关到达时间和重试记录:若早于服务端记录一分钟以上,超前即可解释。学员无须做什么,换播放器版本重
    学即可。

    A platform can show when its gateway got the opening, and its retries: if that is a minute or more before the
    service's stamp, it explains the lead. A learner studies again with a corrected player.

不应报 / Must stay silent
    偏差、校正或休眠的时钟;迟到的批次。

    A skewed, corrected or sleeping clock; late batches.

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
    """Return the sessions whose playing clock leads the service's clock."""
    timeline = view.timeline
    passed = timeline.received_ms - timeline.opened_received_ms[timeline.session]
    lead = view.clocks.at_event_ms - passed
    rows = np.flatnonzero(lead > milliseconds(policy.clock.max_lead_s))
    at_ms = timeline.at_ms[rows]
    return Findings.of_places(
        timeline.rows[timeline.session[rows]],
        value=seconds(lead[rows]),
        limit=policy.clock.max_lead_s,
        start_ms=at_ms,
        end_ms=at_ms,
    )


RULE = Rule("OG104", "clock-lead", "播放时长超前", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
