"""OG302 ignored-pop-up 忽略弹窗

查什么 / What it looks for
    弹窗显示后到作答(否则到过期、再次显示或会话结束),会话播放时长前进超过 answer_timeout_s。

    From a pop-up's showing to its answer (else its expiry, its next showing or the session's end) the session's
    playing clock moves by more than answer_timeout_s.

阈值 / Thresholds
    popup.answer_timeout_s

条款 / Clause
    无人理会的弹窗没有管控作用。时限是工程容差,由人工复核。

    A pop-up that nobody heeds controls nothing. The time is engineering, and a person decides.

证据 / Evidence
    value: 最长的秒数
    limit: answer_timeout_s
    count: 被忽略的弹窗数

    value: longest time in seconds
    limit: answer_timeout_s
    count: pop-ups ignored

边界 / Boundary
    恰好 answer_timeout_s 不算;只数播放时长,暂停多久都不计。

    Exactly the time passes; only playing time counts, a pause of any length doesn't.

诚实学员 / Honest learner
    起身接水、开门取件一分多钟,视频没有暂停;或老年学员读题慢、手机字小。

    Fetching water or opening the door for more than a minute without pausing; or an old learner reading small print
    slowly.

申诉 / Appeal
    学员说明离开的原因及时长,审核人员看其余弹窗是否及时。平台可出示弹窗不暂停视频的设计:改为弹窗时暂停即可消除此类疑
    点。

    A learner says why and for how long; an auditor looks whether the other pop-ups were answered in time. A platform
    can show that its pop-up doesn't pause the video: pausing it removes such findings.

不应报 / Must stay silent
    弹窗时暂停离开,不论多久。

    Pausing at the pop-up, however long.

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
