"""OG107 impossible-order 事件顺序不可能

查什么 / What it looks for: 未曾 play 就 ended(除非此前已学到课尾);首次 play 之后,暂停中位置前移超过 slack_s 且不是
    seek 或 player_opened;或 20 次以上播放心跳而没有任何 play。`ended` before any `play`, a move while paused, or 20
    playing heartbeats of a player that never said `play`.
条款 / Clause: 工程规则 engineering: 真实播放器不会这样 no real player behaves so.
证据 / Evidence: value = count = 处数 number of places, limit = 0.
边界 / Boundary: 前移恰为 slack_s 不算;19 次心跳不算 a move of exactly slack_s and 19 heartbeats pass.
不应报 / Must stay silent: 恢复书签、跳转、重新打开 restoring a bookmark, seeking, reopening.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.reach import reached_elsewhere
from online_guard.terms import Subject
from online_guard.timeline.segments import exceeds_ns, nanoseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions in which a player's grammar is broken."""
    ends, broken = facts.digest.early_ends, facts.digest.breaks
    reached = np.maximum(ends.reached_ns, reached_elsewhere(facts, ends.session, ends.at_ms, policy))
    duration = facts.lessons.duration_ns[facts.lessons.of_session[ends.session]]
    early = exceeds_ns(duration - reached, nanoseconds(policy.playback.slack_s))
    offset = facts.offset_ms
    ended_at = (ends.at_ms - offset[ends.session])[early]
    session = np.concatenate((ends.session[early], broken.session))
    begin = np.concatenate((ended_at, broken.at_ms))
    order = np.lexsort((begin, session))
    return Findings.of_places(
        session[order],
        value=np.ones(len(order), np.int64),
        limit=0,
        start_ms=begin[order],
        end_ms=np.concatenate((ended_at, broken.until_ms))[order],
    )


RULE = Rule("OG107", "impossible-order", "事件顺序不可能", Subject.SESSION, Together.ENROLMENT, Reads.FACTS, check)
