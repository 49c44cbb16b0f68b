"""OG408 unverified-lesson 课程未经活体比对

查什么 / What it looks for
    课程由通过的会话达到 min_coverage,但其中经核验的会话达不到。经核验:有通过的活体比对,或其 OG401、OG402、OG403 被驳
    回。

    The accepted sessions of a lesson reach min_coverage, the verified ones among them don't. Verified: a liveness
    check passed, or an OG401, OG402 or OG403 of the session was dismissed.

阈值 / Thresholds
    hours.min_coverage, playback.max_rate, playback.rate_tolerance, playback.slack_s

条款 / Clause
    把一课切成许多短会话,每段都不需要比对,等于没有活体比对。拒绝人脸比对的学员改为人工复核。

    A lesson cut into sessions too short for a check has had none. It is a review where the learner declined face
    checks.

证据 / Evidence
    value: 经核验会话的覆盖率
    limit: min_coverage
    count: 1
    accepted_share: 全部通过会话的覆盖率

    value: coverage by verified sessions
    limit: min_coverage
    count: 1
    accepted_share: coverage by all accepted sessions

边界 / Boundary
    经核验部分恰好 min_coverage 已足;全部会话未达 min_coverage 时由 OG702 判断。

    Verified coverage of exactly min_coverage is enough; where all sessions together fall short, it is OG702's.

诚实学员 / Honest learner
    网络不稳,一课断成几十段,每段不到一分钟,平台因此从未发起比对。

    A bad line that breaks a lesson into dozens of pieces of less than a minute, in none of which the platform asked
    for a check.

申诉 / Appeal
    学员可完整重学该课并做一次比对:新会话独立计算。平台可出示断线记录,由审核人员凭照片裁定;并改为跨会话累计时间后发起
    比对。

    A learner can study the lesson again with one check: new sessions count on their own. A platform can show the
    breaks, so that an auditor decides by the snapshots, and ask for checks by the time summed over sessions.

不应报 / Must stay silent
    短会话只占一小部分、其余已核验的课程。

    A lesson of which short sessions are a small part and the rest is verified.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.liveness import count_checks
from online_guard.terms import Subject
from online_guard.timeline.coverage import credited_ns, reaches, share


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the lessons whose coverage isn't backed by verified sessions."""
    verified = count_checks(facts).passed > 0
    for rule in ("OG401", "OG402", "OG403"):
        verified[facts.dismissed.get(rule, [])] = True
    whole = facts.lessons.duration_ns
    accepted = share(facts.accepted_study.credited_ns(policy), whole)
    backed = share(credited_ns(facts.lessons, facts.digest, facts.accepted & verified, policy), whole)
    minimum = policy.hours.min_coverage
    named = np.flatnonzero(reaches(accepted, minimum) & ~reaches(backed, minimum))
    return Findings.of(
        named, value=np.round(backed[named], 6), limit=minimum, accepted_share=np.round(accepted[named], 6)
    )


RULE = Rule("OG408", "unverified-lesson", "课程未经活体比对", Subject.LESSON, Together.ENROLMENT, Reads.VERDICTS, check)
