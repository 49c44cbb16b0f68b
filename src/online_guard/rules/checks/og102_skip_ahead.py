"""OG102 skip-ahead 跳跃播放

查什么 / What it looks for
    跳转、播放器的首个事件,或前一区间未播放(或时钟倒退)的事件,其位置超过此前已学到的最远处与上一位置加允许前进量两者中
    较远者,再加 slack_s。

    A `seek`, a player's first event, or an event after an interval that doesn't play (or whose clock steps back)
    stands beyond both the furthest place reached so far and the place before it plus what time allows, by more than
    slack_s.

阈值 / Thresholds
    playback.max_rate, playback.rate_tolerance, playback.slack_s, playback.max_silence_s, windows.overlap_slack_s

条款 / Clause
    跳过内容与快进播放同样使内容未被学习。余量是工程容差。

    Skipped content wasn't studied, as with fast play. The slacks are engineering.

证据 / Evidence
    value: 首次跳到的位置(秒)
    limit: 当时允许的最远位置(秒,已含余量)
    count: 跳跃次数

    value: position of the first jump, in seconds
    limit: furthest position allowed then, in seconds, slack included
    count: number of jumps

边界 / Boundary
    恰好在上限不算。同一学员本课其他会话已学到的位置也算,其时钟只准到 overlap_slack_s。

    Exactly at the limit passes. What other sessions of the enrolment reached in the lesson counts, their clocks being
    known to overlap_slack_s only.

诚实学员 / Honest learner
    在电脑上学到一半,断网未补报即换手机续学:服务端不知道电脑学到哪里。或平台把书签存为“已看百分比”,续播时略超实际位
    置。

    Studying half of a lesson on a computer whose reports never arrived, then going on with a phone: nobody knows how
    far the computer got. Or a platform that keeps bookmarks as a percentage and resumes a little ahead.

申诉 / Appeal
    学员可重新联网让原设备补报(会话关闭后 24 小时内),核验会随之更新。平台可出示该学员在跳跃前的书签记录及其写入时间。

    A learner can bring the first device on line within 24 h of the session's close: the verdict follows its late
    reports. A platform can show the bookmark before the jump and when it was written.

不应报 / Must stay silent
    从书签续播、换设备续播、回看;跳转后仍带旧位置的 play 事件。

    Resuming at a bookmark or on another device, rewinding; a `play` that still tells the position before a seek.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds_ns
from online_guard.rules.reach import bound_of_first_events, reached_elsewhere
from online_guard.terms import Subject
from online_guard.timeline.segments import exceeds_ns, nanoseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions with an event at p > max(reached, p₀ + a) + slack_s."""
    leaps = facts.digest.leaps
    slack = nanoseconds(policy.playback.slack_s)
    reached = np.maximum(leaps.reached_ns, reached_elsewhere(facts, leaps.session, leaps.at_ms, policy))
    bound = np.maximum(reached, np.where(leaps.is_first, bound_of_first_events(facts, policy), leaps.bound_ns))
    beyond = np.flatnonzero(exceeds_ns(leaps.position_ns - bound, slack))
    offset = facts.offset_ms
    at_ms = leaps.at_ms[beyond] - offset[leaps.session[beyond]]
    return Findings.of_places(
        leaps.session[beyond],
        value=seconds_ns(leaps.position_ns[beyond]),
        limit=seconds_ns(bound[beyond] + slack),
        start_ms=at_ms,
        end_ms=at_ms,
        greatest=False,
    )


RULE = Rule("OG102", "skip-ahead", "跳跃播放", Subject.SESSION, Together.ENROLMENT, Reads.FACTS, check)
