"""OG401 liveness-missing 未做人脸活体比对

查什么 / What it looks for
    播放时长不少于 liveness.min_playing_s 的会话,没有做过任何活体比对。

    A session that plays for liveness.min_playing_s or more and attempted no liveness check.

阈值 / Thresholds
    liveness.min_playing_s

条款 / Clause
    无法进行人脸活体比对的视同培训无效。最短时长是工程容差;班次登记学员拒绝人脸比对时改为人工复核。

    Without liveness checks the training is void. The shortest time is engineering; where the class records that the
    learner declined face checks it is a review.

证据 / Evidence
    value: 播放秒数
    limit: liveness.min_playing_s
    count: 已做的比对次数,恒为 0

    value: playing clock in seconds
    limit: liveness.min_playing_s
    count: checks attempted, always 0

边界 / Boundary
    恰好 min_playing_s 即需要比对。没有事件的会话不论。

    Exactly min_playing_s needs a check. A session without events is left out.

诚实学员 / Honest learner
    摄像头被系统拒绝授权、电脑没有摄像头,学员照常看完;平台没有提示而允许播放。

    A camera refused by the system, or none at all: the learner watched everything, and the platform let the video
    play without a word.

申诉 / Appeal
    学员可出示设备无摄像头或授权失败的提示,请审核人员凭照片以外的证据裁定,或在有摄像头的设备上重学。平台可补报漏传的比
    对结果(含被拒的尝试):有尝试即不属此规则。

    A learner can show that the device has no camera or refused it, and ask for a decision on other evidence, or study
    again with a camera. A platform can deliver checks that weren't reported, failed ones too: with any attempt this
    rule is silent.

不应报 / Must stay silent
    更短的会话(OG408 看全课);做过而无结论的比对(OG403)。

    Shorter sessions (OG408 looks at the lesson); checks without a verdict (OG403).

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds
from online_guard.rules.liveness import count_checks
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions without any check that need one."""
    counts = count_checks(facts)
    long = counts.has_events & (facts.playing_ms >= milliseconds(policy.liveness.min_playing_s))
    named = np.flatnonzero(long & (counts.attempted == 0))
    return Findings.of(
        named,
        value=seconds(facts.playing_ms[named]),
        limit=policy.liveness.min_playing_s,
        count=counts.attempted[named],
    )


RULE = Rule("OG401", "liveness-missing", "未做人脸活体比对", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
