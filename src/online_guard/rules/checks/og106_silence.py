"""OG106 silence 数据缺失

查什么 / What it looks for
    seq 有缺口(从 0 起),或播放中有超过 max_silence_s 没有任何事件。

    Gaps in `seq`, which starts at 0, or a playing interval longer than max_silence_s.

阈值 / Thresholds
    playback.max_silence_s

条款 / Clause
    通知没有规定上报间隔;无人上报的时间不计学习,本规则只作提示。

    The notice doesn't say how often to report; what nobody reported isn't credited, and this is a note.

证据 / Evidence
    value: 最长沉默秒数
    limit: max_silence_s
    count: 沉默次数与缺号数之和
    missing: 缺少的 seq 个数

    value: longest silence in seconds
    limit: max_silence_s
    count: silences and missing numbers
    missing: missing numbers

边界 / Boundary
    恰好 max_silence_s 不算。缺口只数到会话最大的 seq。

    Exactly max_silence_s passes. Gaps count up to the session's highest `seq`.

诚实学员 / Honest learner
    隧道、停电、手机切到后台都会如此;这不是过错,只是那段时间不计。

    A tunnel, a power cut or a phone in the background does it; no fault, but that time isn't credited.

申诉 / Appeal
    提示不影响核验结论,无须申诉。若缺的内容补报得到(关闭后 24 小时内),缺口与未计时间会随之消失;平台可检查死信库中被拒
    的事件。

    A note changes no verdict and needs no appeal. Where the missing events can still be delivered (24 h after the
    close) the gap goes; a platform can look for refused events in the dead-letter store.

不应报 / Must stay silent
    暂停期间的沉默。

    Silence while paused.

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
