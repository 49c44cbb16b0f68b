"""OG203 hidden-playback 隐藏播放

查什么 / What it looks for
    播放器隐藏期间(hidden 到下一个 visible、player_closed 或 player_opened,否则到其最后事件)播放时长仍前进:一段超过
    max_hidden_s,或同一播放器合计超过 max_hidden_total_s 与会话播放时长 max_hidden_share 两者中较大者。

    A player plays while it is hidden (from `hidden` to its next `visible`, `player_closed` or `player_opened`, else
    to its last event): more than max_hidden_s in one stretch, or in sum, for one player, more than the greater of
    max_hidden_total_s and max_hidden_share of the session's playing clock.

阈值 / Thresholds
    windows.max_hidden_s, windows.max_hidden_total_s, windows.max_hidden_share

条款 / Clause
    看不见的窗口在播放,即多窗口学习。各界限是工程容差。

    A window that plays unseen is study in several windows. The limits are engineering.

证据 / Evidence
    value: 最长一段的秒数;没有过长的一段时为合计
    limit: 与 value 对应的上限
    count: 隐藏播放的段数
    total_s: 该播放器隐藏播放的合计秒数

    value: longest stretch in seconds; the sum where no stretch is too long
    limit: the limit for it
    count: stretches played hidden
    total_s: seconds that the player was hidden in sum

边界 / Boundary
    等于任一上限不算。

    Equal to a limit passes.

诚实学员 / Honest learner
    查资料、接微信时切走超过半分钟而没有暂停;手机息屏但声音仍在。

    Switching away for more than half a minute to look something up or take a call, without pausing; a phone whose
    screen is off while the sound goes on.

申诉 / Appeal
    平台可出示该浏览器把分屏或投屏误报为 hidden 的复现。学员可说明投屏到电视学习,并出示同一时段的弹窗作答:有作答说明看
    得见画面。

    A platform can show a browser that says `hidden` for a split screen or a cast. A learner who cast the lesson to a
    television can point to pop-ups answered in that stretch: whoever answers sees the picture.

不应报 / Must stay silent
    暂停时切走;短时切走。

    Switching away while paused, or briefly.

起 / Since
    0.1
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
