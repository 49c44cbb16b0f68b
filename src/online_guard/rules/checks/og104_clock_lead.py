"""OG104 clock-lead 播放时长超前

查什么 / What it looks for: 某一事件时,会话的播放时长比服务端自打开以来经过的时间多出 max_lead_s 以上:预先伪造的事件
    或被加速的时钟。More has been played than time has passed since the opening.
条款 / Clause: 21(2) 快进播放; max_lead_s 为工程容差 is an engineering tolerance.
证据 / Evidence: value = 超前秒数 greatest lead in seconds, limit = max_lead_s, count = 事件数 number of events.
边界 / Boundary: 等于上限不算 equal to the limit passes.
不应报 / Must stay silent: 偏差、校正或休眠的时钟,迟到的批次 a skewed, corrected or sleeping clock; late batches.
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
