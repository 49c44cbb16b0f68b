"""OG107 impossible-order 事件顺序不可能

查什么 / What it looks for
    播放器的语法被破坏:未曾 play 就 ended(除非此前已学到课尾);首次 play 之后,暂停中位置前移超过 slack_s 而下一事件不是
    seek 或 player_opened;或从无 play 却有 20 次以上播放心跳。

    A player's grammar is broken: `ended` before any `play` (unless the lesson's end had been reached); after its
    first `play`, the position moves on by more than slack_s while paused, into no `seek` and no `player_opened`; or
    20 or more playing heartbeats without any `play`.

阈值 / Thresholds
    playback.slack_s, windows.overlap_slack_s

条款 / Clause
    真实播放器不会如此,是伪造记录的迹象。由人工复核。

    No real player does so: a sign of made-up records. A person decides.

证据 / Evidence
    value: 1:每处记一次
    limit: 0
    count: 处数

    value: 1: each place counts once
    limit: 0
    count: number of places

边界 / Boundary
    暂停中前移恰好 slack_s 不算;19 次心跳不算,20 次算;离课尾不超过 slack_s 的 ended 不算。

    A move of exactly slack_s passes; 19 heartbeats pass, 20 hold; `ended` within slack_s of the reached end passes.

诚实学员 / Honest learner
    页面在播放途中才装上采集脚本,play 从未被记录;或系统的画中画、蓝牙耳机按键直接改变了播放位置而不经播放器。

    The collecting script loaded after playback had begun, so that `play` was never recorded; or picture-in-picture or
    a headset's button moved the position past the player's back.

申诉 / Appeal
    平台可出示采集脚本的加载时间晚于开始播放,或该浏览器在画中画中不发 seek 的复现步骤。学员可说明当时用耳机按键或画中
    画操作。

    A platform can show that its script loaded after playback began, or how to reproduce a browser that sends no
    `seek` in picture-in-picture. A learner can say that a headset or picture-in-picture was used.

不应报 / Must stay silent
    恢复书签、跳转、重新打开播放器。

    Restoring a bookmark, seeking, reopening the player.

起 / Since
    0.1
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
