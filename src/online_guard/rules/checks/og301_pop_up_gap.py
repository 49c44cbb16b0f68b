"""OG301 pop-up-gap 弹窗间隔过长

查什么 / What it looks for
    会话播放时长上有一段不少于 max_gap_s 没有起作用的弹窗:从开始到第一个、两个之间,或最后一个到结束。弹窗在显示后播放
    时长前进至多 answer_timeout_s 内作答即起作用。

    On the session's playing clock there are max_gap_s or more without a pop-up that controls: before the first,
    between two, or after the last. A pop-up controls when it is answered before the clock has moved by more than
    answer_timeout_s.

阈值 / Thresholds
    popup.max_gap_s, popup.answer_timeout_s, playback.max_silence_s

条款 / Clause
    连续 5 分钟内无弹窗管控视同培训无效。作答时限是工程容差。

    Five minutes on end without a pop-up make the training void. The time to answer is engineering.

证据 / Evidence
    value: 最长间隔秒数
    limit: max_gap_s
    count: 过长的间隔数
    pop_ups: 起作用的弹窗数

    value: longest gap in seconds
    limit: max_gap_s
    count: gaps that are too long
    pop_ups: pop-ups that control

边界 / Boundary
    恰好 300 秒即违规。无人作答的弹窗只有作为会话最后一个、且此前有过作答、此后播放时长至多 answer_timeout_s 时才起作
    用。

    Exactly 300 s is a violation. A pop-up that nobody answered controls only as the session's last, after an earlier
    one was answered, and at most answer_timeout_s before its end.

诚实学员 / Honest learner
    平台的弹窗被广告拦截扩展挡住,学员从未看到;或弹窗出现时学员离开座位而视频照常播放。

    An ad blocker swallowed the platform's pop-ups and the learner never saw one; or the learner had left the seat
    while the video went on.

申诉 / Appeal
    学员可出示所用扩展并在停用后重学:缺的弹窗无法补。平台可出示弹窗由服务器下发并已显示的记录(其 popup_shown 与作答未
    上报);仅称“设置了弹窗”不足。

    A learner can name the extension and study again without it: a missing pop-up can't be made up for. A platform can
    show that pop-ups were shown and answered and only their events were lost; that pop-ups were “switched on” isn't
    enough.

不应报 / Must stay silent
    暂停时间;任何播放器的弹窗都算。

    Paused time; a pop-up of any player counts.

起 / Since
    0.1
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
