"""OG402 liveness-failed 活体比对未通过

查什么 / What it looks for
    播放时长不少于 liveness.min_playing_s,有活体比对失败,且通过次数少于 passes_per_session。

    A session that plays for liveness.min_playing_s or more, in which a check failed and fewer than passes_per_session
    passed.

阈值 / Thresholds
    liveness.min_playing_s, liveness.passes_per_session

条款 / Clause
    人脸活体比对没有通过。通过须有人脸距离,且时刻在会话首末事件 60 秒之内。

    The liveness check wasn't passed. A pass needs a distance and lies at most 60 s outside the session's events.

证据 / Evidence
    value: 通过次数
    limit: passes_per_session
    count: 失败次数

    value: checks passed
    limit: passes_per_session
    count: checks failed

边界 / Boundary
    达到 passes_per_session 即不算;恰好 min_playing_s 即判断。没有距离或不在时段内的“通过”按无结论计。

    As many passes as passes_per_session are enough; exactly min_playing_s is judged. A pass without a distance or at
    another time is inconclusive.

诚实学员 / Honest learner
    逆光、戴口罩、动作没有跟上提示;比对失败后没有再试就看完了全课。

    Light from behind, a mask, moves that came too late; and the learner watched on without another try.

申诉 / Appeal
    学员可申请审核人员查看该次比对的视频帧,并在良好光线下重做一次。平台可出示摄像头帧率过低等记录:模型给不出结论的应报
    为无结论而非失败。

    A learner can ask an auditor to look at the check's frames, and do one again in good light. A platform can show a
    frame rate that was too low: what a model can't tell is to be reported as inconclusive, not as failed.

不应报 / Must stay silent
    失败后又通过(见 OG403);全部无结论(见 OG403)。

    Failures before a pass (OG403); checks that were all inconclusive (OG403).

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.liveness import count_checks
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose checks failed."""
    counts = count_checks(facts)
    long = counts.has_events & (facts.playing_ms >= milliseconds(policy.liveness.min_playing_s))
    few = counts.passed < policy.liveness.passes_per_session
    named = np.flatnonzero(long & (counts.failed > 0) & few)
    return Findings.of(
        named, value=counts.passed[named], limit=policy.liveness.passes_per_session, count=counts.failed[named]
    )


RULE = Rule("OG402", "liveness-failed", "活体比对未通过", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
