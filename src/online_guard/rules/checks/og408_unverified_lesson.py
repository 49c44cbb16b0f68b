"""OG408 unverified-lesson 课程未经活体比对

查什么 / What it looks for: 课程由通过的会话达到 min_coverage,但其中经核验的会话达不到。把一课切成许多短会话即可避开
    OG401。The accepted sessions cover the lesson, the verified ones among them don't.
条款 / Clause: 21(2) 无法进行人脸活体比对.
证据 / Evidence: value = 经核验会话的覆盖率 coverage by verified sessions, limit = min_coverage, accepted_share = 全
    部通过会话的覆盖率 coverage by accepted sessions.
边界 / Boundary: 恰好 min_coverage 已足 equal to min_coverage is enough.
不应报 / Must stay silent: OG401–OG403 被驳回的会话视为已核验 a session whose OG401, OG402 or OG403 was dismissed is
    verified.
起 / Since: 0.1
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
    accepted = share(credited_ns(facts.lessons, facts.digest, facts.accepted, policy), whole)
    backed = share(credited_ns(facts.lessons, facts.digest, facts.accepted & verified, policy), whole)
    minimum = policy.hours.min_coverage
    named = np.flatnonzero(reaches(accepted, minimum) & ~reaches(backed, minimum))
    return Findings.of(
        named, value=np.round(backed[named], 6), limit=minimum, accepted_share=np.round(accepted[named], 6)
    )


RULE = Rule("OG408", "unverified-lesson", "课程未经活体比对", Subject.LESSON, Together.ENROLMENT, Reads.VERDICTS, check)
