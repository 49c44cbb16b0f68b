"""OG203 hidden-playback 隐藏播放

查什么 / What it looks for: 播放器隐藏(hidden 到下一个 visible、player_closed、player_opened,否则到其最后事件)期间,
    其播放时长前进:一段超过 max_hidden_s,或同一播放器合计超过 max_hidden_total_s 与会话播放时长的 max_hidden_share
    两者中较大者。A player plays while it is hidden.
条款 / Clause: 21(2) 多窗口学习; 界限为工程容差 limits are engineering tolerances.
证据 / Evidence: value = 最长一段(或合计)秒数 longest stretch, or the sum, in seconds; limit = 相应上限 its limit;
    count = 段数 stretches that played; total_s = 合计 the greatest sum of one player.
边界 / Boundary: 等于上限不算 equal to a limit passes.
不应报 / Must stay silent: 暂停时切走 switching away while paused.
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
    """Return the sessions in which a hidden player goes on playing."""
    timeline, limits = view.timeline, policy.windows
    stretch = visibility.hidden(timeline, view.clocks)
    total = np.zeros(len(timeline.track_session), np.int64)
    np.add.at(total, stretch.track, stretch.played_ms)
    allowed = np.maximum(milliseconds(limits.max_hidden_total_s), limits.max_hidden_share * view.clocks.playing_ms)[
        timeline.track_session
    ]
    too_much = total - allowed > 1e-3
    too_long = stretch.played_ms > milliseconds(limits.max_hidden_s)
    place = np.flatnonzero(too_long | (too_much[stretch.track] & (stretch.played_ms > 0)))
    place = place[np.argsort(timeline.session[stretch.begin[place]], kind="stable")]
    track = stretch.track[place]
    session = timeline.track_session[track]
    any_long = np.zeros(timeline.sessions, bool)
    any_long[session[too_long[place]]] = True
    value = np.where(any_long[session], stretch.played_ms[place], total[track])
    limit = np.where(any_long[session], milliseconds(limits.max_hidden_s), allowed[track])
    return Findings.of_places(
        timeline.rows[session],
        value=seconds(value),
        limit=seconds(limit),
        start_ms=timeline.at_ms[stretch.begin[place]],
        end_ms=timeline.at_ms[stretch.end[place]],
        total_s=seconds(total[track]),
    )


RULE = Rule("OG203", "hidden-playback", "隐藏播放", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
