"""OG304 pop-up-chain 连续会话无弹窗

查什么 / What it looks for: 同一学员相继打开的会话(间隔小于 max_gap_s)连成一次学习,自上一个起作用的弹窗起累计播放时
    长达到 max_gap_s;点名其间有播放而自身没有起作用弹窗的会话。A sitting of several sessions in which the playing
    clock since the last controlling pop-up reaches max_gap_s.
条款 / Clause: 21(2) 连续5分钟内无弹窗管控.
证据 / Evidence: value = 累计秒数 seconds since the last controlling pop-up, limit = max_gap_s.
边界 / Boundary: 恰好 max_gap_s 即违规;间隔恰好 max_gap_s 即另起 exactly max_gap_s is a violation; a break of
    exactly max_gap_s begins anew.
不应报 / Must stay silent: 自身已有 OG301 的会话 a session for which OG301 holds; 有弹窗的会话 one with its own
    pop-up.
起 / Since: 0.1
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
