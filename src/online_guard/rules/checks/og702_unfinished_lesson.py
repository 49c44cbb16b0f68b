"""OG702 unfinished-lesson 课程未学完

查什么 / What it looks for: 课程已打开(有会话),其通过和待复核会话合计的覆盖率低于 min_coverage。The lesson was
    opened, and its accepted and held sessions together don't cover it.
条款 / Clause: 21(1) 每课时不低于40分钟; 附件2.
证据 / Evidence: value = 覆盖率 coverage, limit = min_coverage, seconds_s = 计入的秒数 credited seconds.
边界 / Boundary: 恰好 min_coverage 已足 equal to min_coverage is enough.
不应报 / Must stay silent: 待复核期间 a lesson held by a reviewer's pending decision; 从未打开的课程 a lesson never
    opened.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds_ns
from online_guard.terms import Subject
from online_guard.timeline.coverage import credited_ns, reaches, share


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the opened lessons that weren't finished."""
    credited = credited_ns(facts.lessons, facts.digest, facts.accepted | facts.held, policy)
    coverage = share(credited, facts.lessons.duration_ns)
    named = np.flatnonzero(~reaches(coverage, policy.hours.min_coverage))
    return Findings.of(
        named,
        value=np.round(coverage[named], 6),
        limit=policy.hours.min_coverage,
        seconds_s=seconds_ns(credited[named]),
    )


RULE = Rule("OG702", "unfinished-lesson", "课程未学完", Subject.LESSON, Together.ENROLMENT, Reads.VERDICTS, check)
