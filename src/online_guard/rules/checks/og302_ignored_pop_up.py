"""OG302 ignored-pop-up 忽略弹窗

查什么 / What it looks for: 弹窗显示后到作答(否则到过期、再次显示或会话结束),播放时长前进超过 answer_timeout_s。The
    session plays on for long after a pop-up was shown, without an answer.
条款 / Clause: 21(2) 弹窗管控; answer_timeout_s 为工程容差 is an engineering tolerance.
证据 / Evidence: value = 最长秒数 longest in seconds, limit = answer_timeout_s, count = 弹窗数 pop-ups.
边界 / Boundary: 等于 answer_timeout_s 不算 equal to the timeout passes.
不应报 / Must stay silent: 弹窗时暂停离开 pausing at the pop-up, however long.
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
    """Return the sessions that play on under a pop-up."""
    timeline, showings = view.timeline, view.showings
    place = np.flatnonzero(showings.waited_ms > milliseconds(policy.popup.answer_timeout_s))
    session = showings.session[place]
    answer = showings.answer[place]
    ended = np.where(answer >= 0, timeline.at_ms[np.maximum(answer, 0)], view.clocks.last_at_ms[session])
    return Findings.of_places(
        timeline.rows[session],
        value=seconds(showings.waited_ms[place]),
        limit=policy.popup.answer_timeout_s,
        start_ms=timeline.at_ms[showings.shown[place]],
        end_ms=ended,
    )


RULE = Rule("OG302", "ignored-pop-up", "忽略弹窗", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
