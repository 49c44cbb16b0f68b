"""OG304 pop-up-chain 连续会话无弹窗

查什么 / What it looks for
    同一学员相继打开的会话(间隔小于 max_gap_s)连成一次学习,自上一个起作用的弹窗起累计播放时长达到 max_gap_s;点名其间有
    播放而自身没有起作用弹窗的会话。

    Sessions of one learner that follow each other by less than max_gap_s are one sitting. Named is each session that
    plays, without a controlling pop-up of its own, in which the playing clock since the last one stands at max_gap_s
    or more.

阈值 / Thresholds
    popup.max_gap_s, popup.answer_timeout_s

条款 / Clause
    连续 5 分钟内无弹窗管控,切成多个会话也是连续。

    Five minutes on end without a pop-up, also when cut into several sessions.

证据 / Evidence
    value: 自上一个起作用弹窗起的累计秒数
    limit: max_gap_s
    count: 1

    value: seconds since the last controlling pop-up
    limit: max_gap_s
    count: 1

边界 / Boundary
    恰好 max_gap_s 即违规;两会话间隔恰好 max_gap_s 则另起一次学习。

    Exactly max_gap_s is a violation; a break of exactly max_gap_s begins a new sitting.

诚实学员 / Honest learner
    网络差、页面反复重开,每次都不足五分钟,平台的弹窗计时每次清零。

    A bad line, a page opened again and again for less than five minutes, and a platform that starts its timer of
    pop-ups anew each time.

申诉 / Appeal
    学员可出示当时的断网情况,但缺弹窗的内容须重学。平台应把弹窗计时接续到下一会话,并可出示修正日期:之后的会话不再出现
    此疑点。

    A learner can show the broken line, but has to study that content again. A platform has to carry its timer over to
    the next session and can show since when it does: later sessions are free of this.

不应报 / Must stay silent
    自身有 OG301 的会话;自身有起作用弹窗的会话;没有事件的会话。

    A session for which OG301 holds; one with a controlling pop-up of its own; one without events.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.segments import cumulative, group_starts, running


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions in which a sitting stands at max_gap_s or more without a controlling pop-up."""
    gap = milliseconds(policy.popup.max_gap_s)
    sittings = facts.digest.sittings
    learner = facts.learner[sittings.session]
    opened = facts.evidence.sessions.opened_at_ms[sittings.session] + sittings.offset_ms
    order = np.lexsort((sittings.session, opened, learner))
    learner, opened = learner[order], opened[order]
    ended = running(np.maximum, (sittings.last_at_ms + sittings.offset_ms)[order], group_starts(learner))
    playing, control = sittings.playing_ms[order], sittings.last_control_ms[order]
    controlled = control >= 0
    begins = np.ones(len(order), bool)
    begins[1:] = (learner[1:] != learner[:-1]) | (opened[1:] - ended[:-1] >= gap)
    since = cumulative(np.where(controlled, playing - control, playing), np.flatnonzero(begins | controlled))
    named = ~controlled & (playing > 0) & (playing < gap) & (since >= gap)
    place = order[np.flatnonzero(named)]
    value = np.zeros(len(order), np.int64)
    value[order] = since
    place = np.sort(place)
    return Findings.of(
        sittings.session[place],
        value=seconds(value[place]),
        limit=policy.popup.max_gap_s,
        start_ms=sittings.first_at_ms[place],
        end_ms=sittings.last_at_ms[place],
    )


RULE = Rule("OG304", "pop-up-chain", "连续会话无弹窗", Subject.SESSION, Together.LEARNER, Reads.FACTS, check)
