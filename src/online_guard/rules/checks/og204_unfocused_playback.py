"""OG204 unfocused-playback 失去焦点播放

查什么 / What it looks for
    从 blur 到下一个 focus、player_closed 或 player_opened,未隐藏的部分播放超过 max_hidden_s。

    From `blur` to the next `focus`, `player_closed` or `player_opened` a player plays for more than max_hidden_s,
    while not hidden.

阈值 / Thresholds
    windows.max_hidden_s

条款 / Clause
    可能是多窗口学习,但点击内嵌框架也会失焦,因此只作提示。

    Maybe several windows, but a click into a frame blurs too: a note, never more.

证据 / Evidence
    value: 最长一段的秒数
    limit: max_hidden_s
    count: 段数

    value: longest stretch in seconds
    limit: max_hidden_s
    count: number of stretches

边界 / Boundary
    等于 max_hidden_s 不算。

    Equal to the limit passes.

诚实学员 / Honest learner
    点击课件里的内嵌页面、在旁边记笔记、使用输入法窗口都会失焦而学习照常。

    A click into an embedded page, notes in a second window, an input method's window: all take the focus while study
    goes on.

申诉 / Appeal
    提示不影响结论,无须申诉。平台若常见此提示,可检查其页面是否把播放器放在框架里而收不到 focus。

    A note changes nothing and needs no appeal. A platform that sees it often can check whether its player lies in a
    frame that never gets `focus`.

不应报 / Must stay silent
    隐藏期间(由 OG203 判断)。

    Hidden time, which is OG203's.

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
