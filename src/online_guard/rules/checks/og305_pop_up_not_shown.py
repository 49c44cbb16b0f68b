"""OG305 pop-up-not-shown 弹窗未显示

查什么 / What it looks for
    服务端及时下达的弹窗,播放时长越过其时刻 answer_timeout_s 以上,却没有 popup_shown 提到它,此前 max_gap_s 至此后
    answer_timeout_s 内也没有其他弹窗起作用。

    The service directed a pop-up in time, the playing clock went past its moment by more than answer_timeout_s, no
    `popup_shown` names it, and no other pop-up controls from max_gap_s before to answer_timeout_s after.

阈值 / Thresholds
    popup.answer_timeout_s, popup.max_gap_s

条款 / Clause
    弹窗管控被移除或停用的迹象。由人工复核。

    A sign that the pop-ups were removed. A person decides.

证据 / Evidence
    value: 首个未显示弹窗被越过的最大秒数
    limit: answer_timeout_s
    count: 未显示的弹窗数
    directive: 第一个未显示的弹窗

    value: how far the clock went past, at most, in seconds
    limit: answer_timeout_s
    count: pop-ups not shown
    directive: the first of them

边界 / Boundary
    恰好 answer_timeout_s 不算;到时刻才下达的不算。

    Exactly the time passes; a directive issued at its moment or later doesn't count.

诚实学员 / Honest learner
    播放器收到指令时正在切换清晰度或全屏,丢了这次显示;或批次应答在弱网下迟到。

    A player that dropped the showing while it changed quality or went full screen; or an answer that came late over a
    weak line.

申诉 / Appeal
    平台可出示播放器日志中收到该 directive 的时间:晚于应显示时刻即应驳回。学员可指出其他弹窗都已作答,说明并未停用。

    A platform can show when its player got the directive: later than its moment, and the finding should be dismissed.
    A learner can point to the other pop-ups, answered: nothing was switched off.

不应报 / Must stay silent
    离线播放器自己的弹窗;下达太晚的弹窗;没有指令的日志(报告为无法判断)。

    Pop-ups of an off-line player; directives issued too late; logs without directives (not evaluable).

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence, Flags, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds
from online_guard.terms import EventType, Subject
from online_guard.timeline.clocks import moment_of
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.digest import View
from online_guard.timeline.segments import pairs


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions that went past a directed pop-up without showing it or another."""
    timeline, clocks, directives = view.timeline, view.clocks, evidence.directives
    timeout = milliseconds(policy.popup.answer_timeout_s)
    row = np.flatnonzero((directives.kind == "popup") & np.isin(directives.session, timeline.rows))
    local = np.searchsorted(timeline.rows, directives.session[row])
    due = directives.due_playing_ms[row]
    passed = clocks.playing_ms[local] - due
    row, local, due, passed = (column[passed > timeout] for column in (row, local, due, passed))
    moment = moment_of(clocks, local, due)
    in_time = directives.issued_ms[row] < moment + clocks.offset_ms[local]
    missing = in_time & ~_shown(view, evidence, row, local) & ~_controlled(view, local, due, policy)
    place = np.flatnonzero(missing)
    place = place[np.lexsort((due[place], local[place]))]
    without = timeline.sessions - len(np.intersect1d(directives.session, timeline.rows))
    found = Findings.of_places(
        timeline.rows[local[place]],
        value=seconds(passed[place]),
        limit=policy.popup.answer_timeout_s,
        start_ms=moment[place],
        end_ms=moment[place],
        directive=directives.directive_id[row[place]],
    )
    return found.skipping({"no directives": without} if without else {})


def _shown(view: View, evidence: Evidence, row: Integers, local: Integers) -> Flags:
    """Return which directives some `popup_shown` of their session names."""
    timeline, names = view.timeline, evidence.events.popup_names
    if not len(row):
        return np.zeros(0, bool)
    shown = np.flatnonzero(timeline.is_type(EventType.POPUP_SHOWN))
    said = set(zip(timeline.session[shown].tolist(), names[timeline.popup[shown]].tolist(), strict=True))
    asked = zip(local.tolist(), evidence.directives.directive_id[row].tolist(), strict=True)
    return np.array([pair in said for pair in asked], bool)


def _controlled(view: View, local: Integers, due: Integers, policy: Policy) -> Flags:
    """Return around which moments another pop-up controls: max_gap_s before to answer_timeout_s after."""
    showings = view.showings
    controls = np.flatnonzero(showings.controls)
    query, control = pairs(local, showings.session[controls])
    clock = showings.shown_clock_ms[controls[control]]
    near = (clock >= due[query] - milliseconds(policy.popup.max_gap_s)) & (
        clock <= due[query] + milliseconds(policy.popup.answer_timeout_s)
    )
    result = np.zeros(len(local), bool)
    result[query[near]] = True
    return result


RULE = Rule("OG305", "pop-up-not-shown", "弹窗未显示", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
