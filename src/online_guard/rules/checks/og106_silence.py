"""OG106 silence 数据缺失

查什么 / What it looks for: seq 有缺口(从 0 起),或播放中超过 max_silence_s 没有任何事件。Gaps in `seq`, or a playing
    interval longer than max_silence_s.
条款 / Clause: 工程规则 engineering: 沉默期间不计学习 what nobody reported isn't credited.
证据 / Evidence: value = 最长沉默秒数 longest silence in seconds, limit = max_silence_s, missing = 缺少的 seq 数
    missing numbers, count = 沉默次数与缺号数 silences and missing numbers.
边界 / Boundary: 恰好 max_silence_s 不算 an interval of exactly max_silence_s passes.
不应报 / Must stay silent: 暂停期间的沉默 silence while paused.
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
    """Return the sessions with missing numbers or long silences."""
    timeline = view.timeline
    missing = timeline.seq[timeline.lasts].astype(np.int64) + 1 - timeline.lengths
    silent = np.flatnonzero(timeline.plays & (timeline.delta_ms > milliseconds(policy.playback.max_silence_s)))
    session = timeline.session[silent]
    silences = np.bincount(session, minlength=timeline.sessions)
    longest = np.zeros(timeline.sessions, np.int64)
    np.maximum.at(longest, session, timeline.delta_ms[silent])
    begin, end = view.clocks.first_at_ms.copy(), view.clocks.last_at_ms.copy()
    begin[session[::-1]] = timeline.at_ms[timeline.previous[silent]][::-1]
    end[session[::-1]] = timeline.at_ms[silent][::-1]
    local = np.flatnonzero((missing > 0) | (silences > 0))
    return Findings.of(
        timeline.rows[local],
        value=seconds(longest[local]),
        limit=policy.playback.max_silence_s,
        count=(missing + silences)[local],
        missing=missing[local],
        start_ms=begin[local],
        end_ms=end[local],
    )


RULE = Rule("OG106", "silence", "数据缺失", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
