"""OG301 pop-up-gap 弹窗间隔过长

查什么 / What it looks for: 会话播放时长上有一段不少于 max_gap_s 没有起作用的弹窗:从开始到第一个、两个之间、或最后一
    个到结束。A stretch of the session's playing clock without a pop-up that controls.
条款 / Clause: 21(2) 连续5分钟内无弹窗管控.
证据 / Evidence: value = 最长间隔秒数 longest gap in seconds, limit = max_gap_s, count = 处数 gaps, pop_ups = 起作用
    的弹窗数 pop-ups that control.
边界 / Boundary: 恰好 300 s 即违规 exactly max_gap_s is a violation. 未作答的弹窗不起作用(见 SPEC) an unanswered
    pop-up controls only as the last, shortly before the end.
不应报 / Must stay silent: 暂停时间 paused time; 任何播放器的弹窗都算 a pop-up of any player counts.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.digest import View
from online_guard.timeline.segments import group_lasts, group_starts


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions with a gap of max_gap_s or more between pop-ups that control."""
    timeline, showings = view.timeline, view.showings
    controls = np.flatnonzero(showings.controls)
    session, clock, at_ms = _points(view, controls)
    gap = np.diff(clock)
    wide = np.flatnonzero((session[1:] == session[:-1]) & (gap >= milliseconds(policy.popup.max_gap_s)))
    owner = session[wide]
    count = np.bincount(showings.session[controls], minlength=timeline.sessions)
    return Findings.of_places(
        timeline.rows[owner],
        value=seconds(gap[wide]),
        limit=policy.popup.max_gap_s,
        start_ms=at_ms[wide],
        end_ms=at_ms[wide + 1],
        pop_ups=count[owner],
    )


def _points(view: View, controls: Integers) -> tuple[Integers, Integers, Integers]:
    """Return session, playing clock and client clock of each session's start, controlling pop-ups and end, in order."""
    clocks, showings = view.clocks, view.showings
    first = group_starts(clocks.spans.group)
    playing = clocks.spans.group[first]
    last = group_lasts(first, len(clocks.spans.group))
    session = np.concatenate((playing, showings.session[controls], playing))
    zero = np.zeros(len(playing), np.int64)
    clock = np.concatenate((zero, showings.shown_clock_ms[controls], clocks.playing_ms[playing]))
    shown_at = view.timeline.at_ms[showings.shown[controls]]
    at_ms = np.concatenate((clocks.spans.start[first], shown_at, clocks.spans.end[last]))
    order = np.lexsort((clock, session))
    return session[order], clock[order], at_ms[order]


RULE = Rule("OG301", "pop-up-gap", "弹窗间隔过长", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
