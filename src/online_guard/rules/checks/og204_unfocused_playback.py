"""OG204 unfocused-playback 失去焦点播放

查什么 / What it looks for: 从 blur 到下一个 focus、player_closed 或 player_opened(未隐藏的部分)播放超过
    max_hidden_s。A player plays on for long without focus, while not hidden.
条款 / Clause: 21(2) 多窗口学习; 只作提示 a note, never more: 点击内嵌框架也会失焦 a click into a frame blurs too.
证据 / Evidence: value = 最长一段秒数 longest stretch in seconds, limit = max_hidden_s, count = 段数 stretches.
边界 / Boundary: 等于 max_hidden_s 不算 equal to the limit passes.
不应报 / Must stay silent: 隐藏期间(由 OG203 判断) hidden time is OG203's.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds
from online_guard.terms import Subject
from online_guard.timeline import visibility
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.digest import View


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions in which a player plays on without focus."""
    timeline = view.timeline
    stretch = visibility.unfocused(timeline, view.clocks)
    place = np.flatnonzero(stretch.played_ms > milliseconds(policy.windows.max_hidden_s))
    place = place[np.argsort(timeline.session[stretch.begin[place]], kind="stable")]
    return Findings.of_places(
        timeline.rows[timeline.session[stretch.begin[place]]],
        value=seconds(stretch.played_ms[place]),
        limit=policy.windows.max_hidden_s,
        start_ms=timeline.at_ms[stretch.begin[place]],
        end_ms=timeline.at_ms[stretch.end[place]],
    )


RULE = Rule("OG204", "unfocused-playback", "失去焦点播放", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
